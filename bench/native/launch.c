/* launch FILE CPUS COMMAND ARGUMENT...
 *
 * Writes "<nanoseconds of CLOCK_MONOTONIC> <pid>" into FILE and becomes COMMAND, on these
 * CPUs ("0" or "0,1"). So the time of an exec is known where it happens, whoever forked.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int fail(const char *what)
{
    perror(what);
    return 127;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 64;

    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    for (char *next = argv[2]; *next; next += *next == ',')
        CPU_SET(strtol(next, &next, 10), &cpus);
    if (sched_setaffinity(0, sizeof cpus, &cpus))
        return fail("sched_setaffinity");

    FILE *file = fopen(argv[1], "w");
    if (!file)
        return fail(argv[1]);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    fprintf(file, "%lld %d\n", now.tv_sec * 1000000000LL + now.tv_nsec, getpid());
    fclose(file);

    execvp(argv[3], argv + 3);
    return fail(argv[3]);
}
