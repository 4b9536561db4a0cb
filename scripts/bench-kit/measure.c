/*
 * measure: runs a program and says what it took.
 *
 *   measure FILE PROGRAM [ARGUMENT ...]
 *
 * Writes into FILE, as JSON: exit status, wall seconds, CPU seconds (user and system, children too), peak
 * resident memory, and the most descriptors that were seen open (looked at every 10 ms). Exits like the
 * program.
 *
 * A program of its own because peak memory is inherited over fork and exec: a small parent does not show.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval time) { return time.tv_sec + time.tv_usec / 1e6; }

static int open_descriptors(pid_t process)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", process);
    DIR *directory = opendir(path);
    if (!directory) return 0;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(directory));) count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: measure FILE PROGRAM [ARGUMENT ...]\n");
        return 64;
    }
    sigset_t child_ended, before;
    sigemptyset(&child_ended);
    sigaddset(&child_ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_ended, &before);

    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    pid_t process = fork();
    if (process < 0) {
        perror("fork");
        return 1;
    }
    if (!process) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }

    int status, most = 0;
    struct rusage used;
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    do {
        int now = open_descriptors(process);
        if (now > most) most = now;
    } while (sigtimedwait(&child_ended, NULL, &pause) != SIGCHLD);
    while (wait4(process, &status, 0, &used) < 0 && errno == EINTR) continue;
    clock_gettime(CLOCK_MONOTONIC, &end);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

    FILE *file = fopen(argv[1], "we");
    if (!file) {
        perror(argv[1]);
        return 1;
    }
    fprintf(file, "{\"exit\": %d, \"wall\": %.4f, \"cpu\": %.4f, \"peak_bytes\": %ld, \"descriptors\": %d}\n",
            code, end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9,
            seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss * 1024, most);
    fclose(file);
    return code;
}
