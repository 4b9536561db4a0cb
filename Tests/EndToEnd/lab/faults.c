/*
 * faults: fails the calls that one program makes on one directory tree, by a script.
 *
 *   gcc -shared -fPIC -o faults.so faults.c
 *   FAULTS_ROOT=DIR FAULTS_SCRIPT=FILE FAULTS_LOG=FILE LD_PRELOAD=./faults.so PROGRAM
 *
 * The script is read at each call: replace it, and the program meets other faults from then on. Each of
 * its lines is a rule, "ACTION OPERATION FIRST TIMES PATTERN", separated by single spaces:
 *
 *   ACTION     an errno that the call fails with; or "note" (only log it), "skip" (say that it was done),
 *              "kill-before" and "kill-after" (the process ends at this call), "power-before" and
 *              "power-after" (so does its file system: an ext4 or xfs is shut down, and what was not synced
 *              is gone)
 *   OPERATION  open, read, write, fsync, fdatasync, syncfs, rename, unlink, mkdir, truncate, fallocate,
 *              watch (by inotify), or "any"; joined by commas where it is several
 *   FIRST      the number of the first matching call that is acted on, from 1
 *   TIMES      how many are, or -1: all that follow
 *   PATTERN    of fnmatch(3), for the whole path; a rename is "FROM -> TO". An open that may write is
 *              shown as "PATH (to write)".
 *
 * The first rule that acts on a call decides; "note" lets those below it decide. Calls are counted anew when
 * the script changes. Every call that a rule acts on is a line in the log: "TIME ACTION OPERATION PATH".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MOST_RULES = 32, SCRIPT_BYTES = 8192, PATH_BYTES = 4 * PATH_MAX + 64 };

struct rule {
    char action[16], operations[96], pattern[512];
    long first, times, seen;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char script[SCRIPT_BYTES];
static struct rule rules[MOST_RULES];
static int rule_count;

/* What this library does itself goes by system calls, past the functions that it puts itself before. */

static void read_script(void)
{
    static char text[SCRIPT_BYTES];
    const char *path = getenv("FAULTS_SCRIPT");
    int file = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
    long length = file >= 0 ? syscall(SYS_read, file, text, sizeof text - 1) : 0;
    if (file >= 0) syscall(SYS_close, file);
    text[length > 0 ? length : 0] = 0;
    if (!strcmp(text, script)) return;
    strcpy(script, text);
    rule_count = 0;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        struct rule *rule = &rules[rule_count];
        if (*line == '#') continue;
        if (rule_count == MOST_RULES
            || sscanf(line, "%15s %95s %ld %ld %511[^\n]", rule->action, rule->operations,
                      &rule->first, &rule->times, rule->pattern) != 5) {
            dprintf(2, "faults: this is no rule: %s\n", line);
            _exit(99);
        }
        rule->seen = 0;
        rule_count++;
    }
}

static int names(const char *operations, const char *operation)
{
    size_t length = strlen(operation);
    for (const char *at = operations; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (!strncmp(at, operation, length) && (!at[length] || at[length] == ',')) return 1;
    return !strcmp(operations, "any");
}

static void note(const char *action, const char *operation, const char *path)
{
    static char line[PATH_BYTES + 128];
    struct timespec now;
    const char *log = getenv("FAULTS_LOG");
    int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC;
    int file = log ? (int)syscall(SYS_openat, AT_FDCWD, log, flags, 0600) : -1;
    if (file < 0) return;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    int length = snprintf(line, sizeof line, "%ld.%09ld %s %s %s\n", (long)now.tv_sec, now.tv_nsec,
                          action, operation, path);
    syscall(SYS_write, file, line, length);
    syscall(SYS_close, file);
}

static void end(int with_power)
{
    if (with_power) {
        const char *path = getenv("FAULTS_ROOT");
        int root = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        unsigned flags = 2; /* EXT4_GOING_FLAGS_NOLOGFLUSH: what is not synced is gone. */
        if (root < 0 || ioctl(root, 0x8004587dul /* EXT4_IOC_SHUTDOWN */, &flags)) _exit(98);
    }
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
}

/* Which end is to come after the call. */
enum after { GO_ON, END, END_WITH_POWER };
enum { SKIP = -1 };

/* What the script says of a call: an errno, SKIP, 0 to let it pass. Ends the process where it has to end before. */
static int judge(const char *operation, const char *path, enum after *after)
{
    *after = GO_ON;
    const char *root = getenv("FAULTS_ROOT");
    if (!root || strncmp(path, root, strlen(root))) return 0;
    int code = 0, is_decided = 0;
    pthread_mutex_lock(&lock);
    read_script();
    for (int i = 0; i < rule_count && !is_decided; i++) {
        struct rule *rule = &rules[i];
        if (!names(rule->operations, operation) || fnmatch(rule->pattern, path, 0)) continue;
        rule->seen++;
        if (rule->seen < rule->first) continue;
        if (rule->times >= 0 && rule->seen >= rule->first + rule->times) continue;
        note(rule->action, operation, path);
        if (!strcmp(rule->action, "note")) continue;
        is_decided = 1;
        if (!strcmp(rule->action, "kill-before")) end(0);
        else if (!strcmp(rule->action, "power-before")) end(1);
        else if (!strcmp(rule->action, "kill-after")) *after = END;
        else if (!strcmp(rule->action, "power-after")) *after = END_WITH_POWER;
        else code = strcmp(rule->action, "skip") ? atoi(rule->action) : SKIP;
    }
    pthread_mutex_unlock(&lock);
    return code;
}

static long done(long result, enum after after)
{
    int code = errno;
    if (after != GO_ON) end(after == END_WITH_POWER);
    errno = code;
    return result;
}

static const char *shown_file(int file, char *path)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = 0;
    return path;
}

static const char *shown(int directory, const char *name, char *path)
{
    *path = 0;
    if (*name != '/' && directory != AT_FDCWD) {
        shown_file(directory, path);
        if (!strcmp(name, ".")) return path;
        strcat(path, "/");
    }
    return strncat(path, name, PATH_MAX - 1);
}

/* Lets the script decide on a call; the value of the call, made only if it may be. */
#define DECIDE(operation, path, call)                        \
    do {                                                     \
        enum after after;                                    \
        int saved = errno;                                   \
        int code = judge(operation, path, &after);           \
        errno = saved;                                       \
        if (code == SKIP) return 0;                          \
        if (code) return errno = code, -1;                   \
        return done((call), after);                          \
    } while (0)

static int open_file(int directory, const char *name, int flags, mode_t mode)
{
    char path[PATH_BYTES];
    shown(directory, name, path);
    if ((flags & O_ACCMODE) != O_RDONLY) strcat(path, " (to write)");
    DECIDE("open", path, syscall(SYS_openat, directory, name, flags, mode));
}

#define MODE(flags)                                          \
    mode_t mode = 0;                                         \
    if ((flags) & O_CREAT) {                                 \
        va_list list;                                        \
        va_start(list, flags);                               \
        mode = va_arg(list, mode_t);                         \
        va_end(list);                                        \
    }

int open(const char *name, int flags, ...) { MODE(flags) return open_file(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { MODE(flags) return open_file(AT_FDCWD, name, flags, mode); }
int openat(int at, const char *name, int flags, ...) { MODE(flags) return open_file(at, name, flags, mode); }
int openat64(int at, const char *name, int flags, ...) { MODE(flags) return open_file(at, name, flags, mode); }

#define ON_FILE(type, name, operation, parameters, call)     \
    type name parameters                                     \
    {                                                        \
        char path[PATH_BYTES];                               \
        DECIDE(operation, shown_file(file, path), call);     \
    }

ON_FILE(ssize_t, read, "read", (int file, void *bytes, size_t count),
        syscall(SYS_read, file, bytes, count))
ON_FILE(ssize_t, pread, "read", (int file, void *bytes, size_t count, off_t at),
        syscall(SYS_pread64, file, bytes, count, at))
ON_FILE(ssize_t, pread64, "read", (int file, void *bytes, size_t count, off64_t at),
        syscall(SYS_pread64, file, bytes, count, at))
ON_FILE(ssize_t, write, "write", (int file, const void *bytes, size_t count),
        syscall(SYS_write, file, bytes, count))
ON_FILE(ssize_t, pwrite, "write", (int file, const void *bytes, size_t count, off_t at),
        syscall(SYS_pwrite64, file, bytes, count, at))
ON_FILE(ssize_t, pwrite64, "write", (int file, const void *bytes, size_t count, off64_t at),
        syscall(SYS_pwrite64, file, bytes, count, at))
ON_FILE(int, fsync, "fsync", (int file), syscall(SYS_fsync, file))
ON_FILE(int, fdatasync, "fdatasync", (int file), syscall(SYS_fdatasync, file))
ON_FILE(int, syncfs, "syncfs", (int file), syscall(SYS_syncfs, file))
ON_FILE(int, ftruncate, "truncate", (int file, off_t size), syscall(SYS_ftruncate, file, size))
ON_FILE(int, ftruncate64, "truncate", (int file, off64_t size), syscall(SYS_ftruncate, file, size))
ON_FILE(int, fallocate, "fallocate", (int file, int mode, off_t at, off_t size),
        syscall(SYS_fallocate, file, mode, at, size))
ON_FILE(int, fallocate64, "fallocate", (int file, int mode, off64_t at, off64_t size),
        syscall(SYS_fallocate, file, mode, at, size))

int posix_fallocate(int file, off_t at, off_t size)
{
    return fallocate(file, 0, at, size) ? errno : 0;
}

static int rename_file(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    char path[PATH_BYTES], target[PATH_BYTES];
    shown(from_at, from, path);
    strcat(strcat(path, " -> "), shown(to_at, to, target));
    DECIDE("rename", path, syscall(SYS_renameat2, from_at, from, to_at, to, flags));
}

int rename(const char *from, const char *to) { return rename_file(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_at, const char *from, int to_at, const char *to)
{
    return rename_file(from_at, from, to_at, to, 0);
}
int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    return rename_file(from_at, from, to_at, to, flags);
}

int unlinkat(int at, const char *name, int flags)
{
    char path[PATH_BYTES];
    DECIDE("unlink", shown(at, name, path), syscall(SYS_unlinkat, at, name, flags));
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }

int mkdirat(int at, const char *name, mode_t mode)
{
    char path[PATH_BYTES];
    DECIDE("mkdir", shown(at, name, path), syscall(SYS_mkdirat, at, name, mode));
}
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

int inotify_add_watch(int watcher, const char *name, uint32_t events)
{
    char path[PATH_BYTES];
    DECIDE("watch", shown(AT_FDCWD, name, path), syscall(SYS_inotify_add_watch, watcher, name, events));
}
