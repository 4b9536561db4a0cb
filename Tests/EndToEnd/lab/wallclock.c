/*
 * wallclock: sets the wall clock of one program to another time, or has the machine sleep for it.
 *
 *   gcc -shared -fPIC -o wallclock.so wallclock.c -ldl
 *   WALLCLOCK_OFFSET=FILE LD_PRELOAD=./wallclock.so PROGRAM
 *
 * FILE holds one or two numbers of seconds, which are read at each call: write others, and the program
 * sees its clocks jump. By the first the wall clock is ahead, as on a machine whose administrator sets
 * the date. The second is how long the machine has slept: the wall clock and CLOCK_BOOTTIME are ahead
 * by it together, and CLOCK_MONOTONIC goes on as it does. Deadlines on the wall clock, which the program
 * computes from what it saw, are moved back before the C library waits for them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct offsets {
    long set, slept;
};

/* By system calls, since this is called from anywhere, also between fork and exec. */
static struct offsets offsets(void)
{
    const char *path = getenv("WALLCLOCK_OFFSET");
    char text[64] = "", *end = text;
    struct offsets result = {0, 0};
    int file = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return result;
    long length = syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    if (length <= 0) return result;
    result.set = strtol(text, &end, 10);
    result.slept = strtol(end, NULL, 10);
    return result;
}

static long offset(void)
{
    struct offsets now = offsets();
    return now.set + now.slept;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (result) return result;
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) time->tv_sec += offset();
    if (clock == CLOCK_BOOTTIME) time->tv_sec += offsets().slept;
    return 0;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    (void)zone;
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    *time = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *result)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}

/* A condition variable may wait by the monotonic clock; its deadlines are far smaller numbers. */
static struct timespec moved_back(const struct timespec *deadline)
{
    struct timespec result = *deadline, monotonic;
    const long three_years = 3L * 365 * 86400;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &monotonic);
    if (deadline->tv_sec > monotonic.tv_sec + three_years) result.tv_sec -= offset();
    return result;
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict deadline)
{
    static int (*real)(sem_t *, const struct timespec *);
    if (!real) real = (int (*)(sem_t *, const struct timespec *))dlsym(RTLD_NEXT, "sem_timedwait");
    struct timespec moved = moved_back(deadline);
    return real(semaphore, &moved);
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict deadline)
{
    static int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    /* There is an older version under the same name, which takes another kind of condition. */
    if (!real)
        real = (int (*)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *))dlvsym(
            RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    struct timespec moved = moved_back(deadline);
    return real(condition, mutex, &moved);
}
