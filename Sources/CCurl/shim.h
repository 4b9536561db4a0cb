// curl_easy_setopt, curl_easy_getinfo and curl_multi_setopt are variadic, which Swift cannot call: one typed function
// per kind of argument. A few constants are macros with casts, which Swift does not see. epoll(7) is here because
// curl's sockets live in a private epoll descriptor.
#pragma once
#include <curl/curl.h>
#include <malloc.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

// libcurl copies header fields, bodies and what it is about to send into memory of its own, and wipes none of it.
// Through these all that it lets go of is cleansed, so that a session token does not outlive its use. glibc gives at
// least the bytes that were asked for, and all of malloc_usable_size(3) belongs to the caller.
static inline void sluice_cleansing_free(void *bytes) {
    if (bytes) explicit_bzero(bytes, malloc_usable_size(bytes));
    free(bytes);
}

// realloc(3) would leave the bytes behind where it moves them.
static inline void *sluice_cleansing_realloc(void *bytes, size_t size) {
    size_t room = bytes ? malloc_usable_size(bytes) : 0;
    if (bytes && size <= room) return bytes;
    void *moved = malloc(size);
    if (!bytes || !moved) return moved;
    memcpy(moved, bytes, room);
    sluice_cleansing_free(bytes);
    return moved;
}

static inline CURLcode sluice_global_init(void) {
    return curl_global_init_mem(
        CURL_GLOBAL_DEFAULT, malloc, sluice_cleansing_free, sluice_cleansing_realloc, strdup, calloc);
}
static inline const char *sluice_version(void) { return curl_version_info(CURLVERSION_NOW)->version; }

static inline CURLcode sluice_set_long(CURL *h, CURLoption o, long v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode sluice_set_offset(CURL *h, CURLoption o, int64_t v) { return curl_easy_setopt(h, o, (curl_off_t)v); }
static inline CURLcode sluice_set_string(CURL *h, CURLoption o, const char *v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode sluice_set_pointer(CURL *h, CURLoption o, void *v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode sluice_set_bytes(CURL *h, CURLoption o, const void *v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode sluice_set_list(CURL *h, CURLoption o, struct curl_slist *v) { return curl_easy_setopt(h, o, v); }

// OpenSSL would leave what it decrypted in its buffers, until the next answer or for ever.
static inline CURLcode sluice_cleanse_plaintext(CURL *h, void *tls, void *user) {
    (void)h, (void)user;
    SSL_CTX_set_options((SSL_CTX *)tls, SSL_OP_CLEANSE_PLAINTEXT);
    return CURLE_OK;
}
static inline CURLcode sluice_set_cleansing_tls(CURL *h) {
    return curl_easy_setopt(h, CURLOPT_SSL_CTX_FUNCTION, sluice_cleanse_plaintext);
}

typedef size_t (*sluice_data_callback)(char *bytes, size_t size, size_t count, void *user);
typedef int (*sluice_seek_callback)(void *user, curl_off_t offset, int origin);
typedef int (*sluice_before_request_callback)(void *user, char *ip, char *local_ip, int port, int local_port);
static inline CURLcode sluice_set_read(CURL *h, sluice_data_callback f) { return curl_easy_setopt(h, CURLOPT_READFUNCTION, f); }
static inline CURLcode sluice_set_write(CURL *h, sluice_data_callback f) { return curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, f); }
static inline CURLcode sluice_set_header(CURL *h, sluice_data_callback f) { return curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, f); }
static inline CURLcode sluice_set_seek(CURL *h, sluice_seek_callback f) { return curl_easy_setopt(h, CURLOPT_SEEKFUNCTION, f); }
static inline CURLcode sluice_set_before_request(CURL *h, sluice_before_request_callback f) {
    return curl_easy_setopt(h, CURLOPT_PREREQFUNCTION, f);
}

static inline CURLcode sluice_get_long(CURL *h, CURLINFO i, long *v) { return curl_easy_getinfo(h, i, v); }

typedef int (*sluice_socket_callback)(CURL *h, curl_socket_t fd, int what, void *user, void *socket_user);
typedef int (*sluice_timer_callback)(CURLM *m, long milliseconds, void *user);
static inline CURLMcode sluice_multi_set_long(CURLM *m, CURLMoption o, long v) { return curl_multi_setopt(m, o, v); }
static inline CURLMcode sluice_multi_set_pointer(CURLM *m, CURLMoption o, void *v) { return curl_multi_setopt(m, o, v); }
static inline CURLMcode sluice_multi_set_socket(CURLM *m, sluice_socket_callback f) {
    return curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, f);
}
static inline CURLMcode sluice_multi_set_timer(CURLM *m, sluice_timer_callback f) {
    return curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, f);
}

static inline CURLMcode sluice_multi_timed_out(CURLM *m, int *running) {
    return curl_multi_socket_action(m, CURL_SOCKET_TIMEOUT, 0, running);
}
