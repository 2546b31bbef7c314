/* The adapter in one file that needs nothing: this program, then a tar of
 * /opt/lambda-adapter, then the tar's length in sixteen digits.
 *
 * It unpacks itself where /opt can be written, which is for good, and else under /tmp,
 * which is for one environment. Where it is unpacked, it only starts Python.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOME "/opt/lambda-adapter"
#define DIGITS 16
#define BLOCK 512
#define PATH 256

/* https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html, "ustar" */
struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type;
    char linked[100], magic[6], version[2], user[32], group[32], major[8], minor[8];
    char prefix[155], padding[12];
};

static const char *self;

static void give_up(const char *what) {
    fprintf(stderr, "lambda-adapter: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Maps the tar, and tells its length. */
static const char *archive(size_t *length) {
    struct stat status;
    int file = open(self, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) < 0) give_up(self);
    const char *data = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (data == MAP_FAILED) give_up(self);
    close(file);
    char digits[DIGITS + 1] = "";
    const char *end = data + status.st_size - DIGITS;
    *length = strtoull(memcpy(digits, end, DIGITS), NULL, 10);
    return end - *length;
}

static int write_file(const char *path, const char *data, size_t size, mode_t mode) {
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file < 0) return -1;
    while (size) {
        ssize_t written = write(file, data, size);
        if (written < 0) return -1;
        data += written;
        size -= written;
    }
    return close(file);
}

/* Unpacks the archive into a new directory beside `root`, and renames that to it: nobody
 * ever sees half of it. */
static int unpack(const char *root, mode_t mode) {
    size_t length;
    const char *data = archive(&length), *end = data + length;
    char directory[PATH], path[2 * PATH];
    snprintf(directory, sizeof directory, "%s-XXXXXX", root);
    if (!mkdtemp(directory) || chmod(directory, mode) < 0) return -1;
    while (data < end && *data) {
        const struct header *header = (const void *)data;
        size_t size = strtoull(header->size, NULL, 8);
        mode_t bits = strtoul(header->mode, NULL, 8);
        snprintf(path, sizeof path, "%s/%.155s/%.100s", directory, header->prefix,
                 header->name);
        data += BLOCK;
        int failed = header->type == '5' ? mkdir(path, bits) && errno != EEXIST
                                         : write_file(path, data, size, bits);
        if (failed) return -1;
        data += (size + BLOCK - 1) / BLOCK * BLOCK;
    }
    return rename(directory, root);
}

/* Tells whether this is a directory that nobody but us could have filled. */
static int is_private(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) &&
           status.st_uid == getuid() && !(status.st_mode & (S_IWGRP | S_IWOTH));
}

static void start(const char *root, int argc, char **argv) {
    char lib[PATH], linker[2 * PATH], python[PATH], program[2 * PATH];
    snprintf(lib, sizeof lib, "%s/lib", root);
    snprintf(linker, sizeof linker, "%s/" LINKER, lib);
    snprintf(python, sizeof python, "%s/bin/python3", root);
    snprintf(program, sizeof program,
             "import sys; sys.argv.pop(0); sys.path.insert(0, '%s/site-packages'); "
             "from lambda_adapter.cli import main; sys.exit(main())", root);
    const char *head[] = {linker, "--library-path", lib, python, "-IS", "-c", program, self};
    size_t count = sizeof head / sizeof *head;
    const char **command = calloc(count + argc, sizeof *command);
    if (!command) give_up("calloc");
    memcpy(command, head, sizeof head);
    memcpy(command + count, argv + 1, argc * sizeof *argv);
    execv(linker, (char **)command);
    give_up(linker);
}

int main(int argc, char **argv) {
    char root[PATH] = HOME;
    self = (const char *)getauxval(AT_EXECFN);
    mode_t mask = umask(022);
    int ready = access(HOME, F_OK) == 0 || unpack(HOME, 0755) == 0;
    if (!ready) {
        snprintf(root, sizeof root, "/tmp/lambda-adapter-%u", (unsigned)getuid());
        if (!is_private(root) && unpack(root, 0700) == 0)
            fprintf(stderr,
                    "lambda-adapter: unpacked under %s for this environment. Unpack once "
                    "at build time to start faster: RUN [\"%s\", \"--version\"]\n",
                    root, self);
        if (!is_private(root)) give_up("neither /opt nor /tmp can be written");
    }
    umask(mask); /* the application's files are its own business */
    start(root, argc, argv);
}
