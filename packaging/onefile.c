/* The adapter in one file that needs nothing: this program, then a tar of
 * /opt/lambda-adapter, then a trailer: the build's id in sixteen hexadecimal digits, and
 * the tar's length in sixteen decimal ones. pack_onefile.sh puts them together.
 *
 * It unpacks itself where /opt can be written, which is for good, and else under /tmp,
 * which is for one environment. Where this build is unpacked, it only starts Python.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef HOME
#define HOME "/opt/lambda-adapter"
#define TMP "/tmp/lambda-adapter"
#endif
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

static struct {
    int file;
    size_t start, length;
    char build[DIGITS + 1];
} tar;

static void give_up(const char *what, const char *why) {
    fprintf(stderr, "lambda-adapter: %s: %s\n", what, why);
    exit(1);
}

static void refuse_self(void) {
    give_up(self, "this file is damaged or cut short: copy it again");
}

/* Finds the tar by the trailer, which a file that was cut short does not have. */
static void find_tar(void) {
    char trailer[2 * DIGITS + 1] = "", *length = trailer + DIGITS;
    tar.file = open(self, O_RDONLY | O_CLOEXEC);
    if (tar.file < 0) give_up(self, strerror(errno));
    off_t end = lseek(tar.file, -2 * DIGITS, SEEK_END);
    if (read(tar.file, trailer, 2 * DIGITS) != 2 * DIGITS ||
        strspn(trailer, "0123456789abcdef") != 2 * DIGITS ||
        strspn(length, "0123456789") != DIGITS)
        refuse_self();
    tar.length = strtoull(length, NULL, 10);
    if (!tar.length || tar.length % BLOCK || tar.length > (size_t)end) refuse_self();
    tar.start = end - tar.length;
    memcpy(tar.build, trailer, DIGITS);
}

static size_t size_of(const struct header *header) {
    return strtoull(header->size, NULL, 8);
}

static size_t blocks(size_t size) {
    return (size + BLOCK - 1) / BLOCK * BLOCK;
}

/* Maps the tar, once it is clear that each member lies within it. */
static const char *map_tar(void) {
    const char *map =
        mmap(NULL, tar.start + tar.length, PROT_READ, MAP_PRIVATE, tar.file, 0);
    if (map == MAP_FAILED) give_up(self, strerror(errno));
    const char *data = map + tar.start, *end = data + tar.length;
    for (const char *next = data; next < end && (next == data || *next);) {
        const struct header *header = (const void *)next;
        next += BLOCK;
        if (memcmp(header->magic, "ustar", 6) || size_of(header) > (size_t)(end - next))
            refuse_self();
        next += blocks(size_of(header));
    }
    return data;
}

static int write_file(const char *path, const char *data, size_t size, mode_t mode) {
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file < 0) return -1;
    while (size) {
        ssize_t written = write(file, data, size);
        if (written < 0) {
            close(file);
            return -1;
        }
        data += written;
        size -= written;
    }
    return close(file);
}

static int unpack_into(const char *directory, const char *data) {
    const char *end = data + tar.length;
    char path[2 * PATH];
    while (data < end && *data) {
        const struct header *header = (const void *)data;
        mode_t mode = strtoul(header->mode, NULL, 8);
        snprintf(path, sizeof path, "%s/%.155s/%.100s", directory, header->prefix,
                 header->name);
        data += BLOCK;
        int failed = header->type == '5'
                         ? mkdir(path, mode) && errno != EEXIST
                         : write_file(path, data, size_of(header), mode);
        if (failed) return -1;
        data += blocks(size_of(header));
    }
    return 0;
}

static int discard(const char *path, const struct stat *status, int type,
                   struct FTW *place) {
    (void)status, (void)type, (void)place;
    return remove(path);
}

/* Unpacks into a new directory beside `root`, and renames that to it: nobody ever sees
 * half of it, and what fails leaves nothing. */
static int unpack(const char *root, mode_t mode) {
    const char *data = map_tar();
    char directory[PATH];
    snprintf(directory, sizeof directory, "%s-XXXXXX", root);
    if (!mkdtemp(directory)) return -1;
    if (chmod(directory, mode) == 0 && unpack_into(directory, data) == 0 &&
        rename(directory, root) == 0)
        return 0;
    int error = errno;
    nftw(directory, discard, 16, FTW_DEPTH | FTW_PHYS);
    errno = error;
    return -1;
}

static int exists(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0;
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
    if (!command) give_up("calloc", strerror(errno));
    memcpy(command, head, sizeof head);
    memcpy(command + count, argv + 1, argc * sizeof *argv);
    execv(linker, (char **)command);
    give_up(linker, strerror(errno));
}

int main(int argc, char **argv) {
    char root[PATH];
    self = (const char *)getauxval(AT_EXECFN);
    mode_t mask = umask(022);
    find_tar();
    snprintf(root, sizeof root, HOME "-%s", tar.build);
    /* Where two unpack at once, the second finds it there, after all. */
    if (!exists(root) && unpack(root, 0755) < 0 && !exists(root)) {
        snprintf(root, sizeof root, TMP "-%u-%s", (unsigned)getuid(), tar.build);
        if (!exists(root)) {
            int error = unpack(root, 0700) < 0 ? errno : 0;
            if (!exists(root))
                give_up("neither /opt nor /tmp can be written", strerror(error));
            if (!error)
                fprintf(stderr,
                        "lambda-adapter: unpacked under %s for this environment. Unpack "
                        "once at build time to start faster: RUN [\"%s\", \"--version\"]\n",
                        root, self);
        }
        if (!is_private(root))
            give_up(root, "this is no directory that nobody else can write; remove it");
    }
    umask(mask); /* the application's files are its own business */
    start(root, argc, argv);
}
