// Tells the thread sanitizer what it cannot see: the slow paths of the standard library's Mutex.
//
// The fast paths of _MutexHandle are inlined into whoever locks, and instrumented there. Where a lock is contended, they
// call into libswiftSynchronization.so, which is not instrumented, so that the sanitizer sees two threads under one
// lock and nothing that orders them. These functions stand in front of those of the library (LD_PRELOAD), call them, and
// say what they do. Nothing is suppressed: a race that a lock does not order is reported as before.
//
// Source: stdlib/public/Synchronization/Mutex/LinuxImpl.swift, in Swift 6.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define SWIFT __attribute__((swiftcall))
// The register in which Swift hands over `self`.
#define SELF __attribute__((swift_context)) void *handle
#define NAME(name) __asm__("$s15Synchronization12_MutexHandleV" name)

// Missing in programs without the sanitizer, such as the package manager that starts the tests.
extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

SWIFT void lock_slow(uint32_t thread, SELF) NAME("9_lockSlowyys6UInt32VF");
SWIFT void unlock_slow(SELF) NAME("11_unlockSlowyyF");
SWIFT bool try_lock_slow(SELF) NAME("12_tryLockSlowSbyF");

static void *behind(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) abort();
    return found;
}

SWIFT void lock_slow(uint32_t thread, SELF)
{
    SWIFT void (*lock)(uint32_t, SELF) = behind("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
    lock(thread, handle);
    if (__tsan_acquire) __tsan_acquire(handle);
}

SWIFT void unlock_slow(SELF)
{
    SWIFT void (*unlock)(SELF) = behind("$s15Synchronization12_MutexHandleV11_unlockSlowyyF");
    if (__tsan_release) __tsan_release(handle);
    unlock(handle);
}

SWIFT bool try_lock_slow(SELF)
{
    SWIFT bool (*try_lock)(SELF) = behind("$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF");
    bool is_locked = try_lock(handle);
    if (is_locked && __tsan_acquire) __tsan_acquire(handle);
    return is_locked;
}
