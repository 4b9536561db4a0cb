// What Glibc's Swift overlay does not bring: calls behind _GNU_SOURCE, and variadic calls in their one typed form.
// `#define _GNU_SOURCE` here would change headers other modules have already built, so what is missing is declared.
#pragma once
#include <fcntl.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

int syncfs(int fd);
int renameat2(int old_dir, const char *old_path, int new_dir, const char *new_path, unsigned int flags);
int fallocate(int fd, int mode, off_t offset, off_t length);

#define SLUICE_RENAME_NOREPLACE 1u

// fcntl(2) F_SETLEASE with F_RDLCK: proves that nobody has the file open for writing.
static inline int sluice_take_read_lease(int fd) { return fcntl(fd, 1024 /* F_SETLEASE */, F_RDLCK); }
static inline int sluice_release_lease(int fd) { return fcntl(fd, 1024 /* F_SETLEASE */, F_UNLCK); }
static inline int sluice_openat(int dir, const char *path, int flags, mode_t mode) { return openat(dir, path, flags, mode); }
