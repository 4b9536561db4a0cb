// What Glibc's Swift overlay does not bring: calls behind _GNU_SOURCE, and variadic calls in their one typed form.
// `#define _GNU_SOURCE` here would change headers other modules have already built, so what is missing is declared.
#pragma once
#include <elf.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
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

// Only the superuser sees the memory of this process from now on, and no core is written, whatever the limits are.
static inline int sluice_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

// statx(2), whose record has unions: what it says of which file it is. 0, or -1 with errno.
int statx(int dir, const char *path, int flags, unsigned int mask, struct statx *record);
struct sluice_file_place {
    uint64_t device, mount, inode;
    int64_t born;
    int has_mount, has_born;
};
static inline int sluice_place(int dir, const char *path, struct sluice_file_place *place) {
    struct statx record;
    if (statx(dir, path, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME | STATX_MNT_ID, &record) != 0) return -1;
    place->device = ((uint64_t)record.stx_dev_major << 32) | record.stx_dev_minor;
    place->has_mount = (record.stx_mask & STATX_MNT_ID) != 0;
    place->mount = record.stx_mnt_id;
    place->inode = record.stx_ino;
    place->has_born = (record.stx_mask & STATX_BTIME) != 0;
    place->born = record.stx_btime.tv_sec * 1000000000 + record.stx_btime.tv_nsec;
    return 0;
}

// What dl_iterate_phdr(3) gives; <link.h> declares it for _GNU_SOURCE only. Later members of the record are not read.
struct sluice_loaded_object {
    Elf64_Addr address;
    const char *name;
    const Elf64_Phdr *headers;
    Elf64_Half header_count;
};
int dl_iterate_phdr(int (*callback)(struct sluice_loaded_object *object, size_t size, void *data), void *data);

// Gives back the clean, read-only pages of a program or library; the kernel brings them again from the file where they
// are needed.
static inline int sluice_release_pages(struct sluice_loaded_object *object, size_t size, void *data) {
    (void)size;
    (void)data;
    const uintptr_t page = (uintptr_t)getpagesize();
    for (Elf64_Half i = 0; i < object->header_count; i++) {
        const Elf64_Phdr *header = &object->headers[i];
        if (header->p_type != PT_LOAD || (header->p_flags & PF_W)) continue;
        const uintptr_t start = (object->address + header->p_vaddr + page - 1) & ~(page - 1);
        const uintptr_t end = (object->address + header->p_vaddr + header->p_filesz) & ~(page - 1);
        if (start < end) madvise((void *)start, end - start, 4 /* MADV_DONTNEED */);
    }
    return 0;
}
static inline void sluice_release_start_pages(void) { dl_iterate_phdr(sluice_release_pages, 0); }
