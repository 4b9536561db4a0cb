/*
 * names: how fast the file system renames and unlinks, one file after the other on one thread.
 *
 *   names DIRECTORY COUNT
 *
 * Makes DIRECTORY/from with COUNT files of one byte and DIRECTORY/to, makes them durable, then renames each
 * file and unlinks it there. Prints the seconds that took, and those of the processor, as JSON, and removes both.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static double processor(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
    long count = argc == 3 ? atol(argv[2]) : 0;
    if (count < 1) {
        fprintf(stderr, "usage: names DIRECTORY COUNT\n");
        return 64;
    }
    char from[4096], to[4096];
    snprintf(from, sizeof from, "%s/from", argv[1]);
    snprintf(to, sizeof to, "%s/to", argv[1]);
    if (mkdir(from, 0755) || mkdir(to, 0755)) die(argv[1]);
    int source = open(from, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int target = open(to, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (source < 0 || target < 0) die("open");
    char name[32];
    for (long n = 0; n < count; n++) {
        snprintf(name, sizeof name, "%09ld.jsonl", n);
        int file = openat(source, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (file < 0 || write(file, "\n", 1) != 1) die(name);
        close(file);
    }
    sync();
    double began = now(), used = processor();
    for (long n = 0; n < count; n++) {
        snprintf(name, sizeof name, "%09ld.jsonl", n);
        if (renameat(source, name, target, name)) die(name);
    }
    for (long n = 0; n < count; n++) {
        snprintf(name, sizeof name, "%09ld.jsonl", n);
        if (unlinkat(target, name, 0)) die(name);
    }
    printf("{\"seconds\": %.3f, \"cpu\": %.3f}\n", now() - began, processor() - used);
    if (rmdir(from) || rmdir(to)) die(argv[1]);
    return 0;
}
