/* launch FILE COMMAND ARGUMENT...
 *
 * Writes the nanoseconds of CLOCK_MONOTONIC into FILE and becomes COMMAND. So the time of an
 * exec is known where it happens, whoever forked.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct timespec now;
    FILE *file = argc > 2 ? fopen(argv[1], "w") : NULL;
    if (file) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        fprintf(file, "%lld\n", now.tv_sec * 1000000000LL + now.tv_nsec);
        fclose(file);
        execvp(argv[2], argv + 2);
    }
    perror("launch");
    return 127;
}
