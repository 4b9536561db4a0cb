/*
 * scatter: makes many small event files of a few large ones.
 *
 *   scatter EVENTS DIRECTORY FILE...
 *
 * Writes DIRECTORY/<n>.jsonl with EVENTS lines of the FILEs each; <n> goes on from file to file.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void write_file(const char *directory, long number, const char *text, size_t count)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%09ld.jsonl", directory, number);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0) die(path);
    while (count) {
        ssize_t written = write(file, text, count);
        if (written < 0) die(path);
        text += written;
        count -= written;
    }
    close(file);
}

int main(int argc, char **argv)
{
    long events = argc > 3 ? atol(argv[1]) : 0, number = 0;
    if (events < 1) {
        fprintf(stderr, "usage: scatter EVENTS DIRECTORY FILE...\n");
        return 64;
    }
    for (int i = 3; i < argc; i++) {
        struct stat status;
        int file = open(argv[i], O_RDONLY | O_CLOEXEC);
        if (file < 0 || fstat(file, &status)) die(argv[i]);
        if (!status.st_size) continue;
        char *text = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
        if (text == MAP_FAILED) die(argv[i]);
        const char *end = text + status.st_size;
        for (const char *start = text, *at = text; start < end; start = at) {
            for (long n = 0; n < events && at < end; n++) {
                const char *line = memchr(at, '\n', end - at);
                at = line ? line + 1 : end;
            }
            write_file(argv[2], number++, start, at - start);
        }
        munmap(text, status.st_size);
        close(file);
    }
    return 0;
}
