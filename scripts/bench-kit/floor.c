/*
 * floor: the work that nobody who delivers compressed event files can leave out.
 *
 *   floor [--threads N] [--level N] [--put PORT] CORPUS
 *
 * Reads CORPUS/<connector>/<file>, compresses 16 MiB of one connector at a time into one gzip member
 * with zlib, and forgets it. With --put it also hashes each member (SHA-256) and stores it in the sink
 * at PORT. It looks at no event, keeps nothing on disk, and tries nothing twice.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { GROUP = 16 << 20, READ = 256 << 10 };

/* Files of one connector that are compressed together. */
struct group {
    const char *connector;
    char **files;
    int count, number;
    long long bytes;
};

static struct group *groups;
static int group_count, level = 6, port;
static _Atomic int next_group;
static _Atomic long long bytes_in, bytes_out;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void *must(void *memory)
{
    if (!memory) die("malloc");
    return memory;
}

static int real_names(const struct dirent *entry) { return entry->d_name[0] != '.'; }

static void find_groups(const char *corpus)
{
    struct dirent **connectors;
    int connector_count = scandir(corpus, &connectors, real_names, alphasort);
    if (connector_count < 0) die(corpus);
    for (int c = 0; c < connector_count; c++) {
        char *path;
        struct dirent **files;
        if (asprintf(&path, "%s/%s", corpus, connectors[c]->d_name) < 0) die("asprintf");
        struct stat status;
        if (stat(path, &status)) die(path);
        if (!S_ISDIR(status.st_mode)) continue;
        int file_count = scandir(path, &files, real_names, alphasort);
        if (file_count < 0) die(path);
        struct group *group = NULL;
        for (int f = 0; f < file_count; f++) {
            char *file;
            if (asprintf(&file, "%s/%s", path, files[f]->d_name) < 0) die("asprintf");
            if (stat(file, &status)) die(file);
            if (!group || group->bytes + status.st_size > GROUP) {
                groups = must(realloc(groups, (group_count + 1) * sizeof *groups));
                group = &groups[group_count];
                *group = (struct group){.connector = connectors[c]->d_name, .number = group_count};
                group_count++;
            }
            group->files = must(realloc(group->files, (group->count + 1) * sizeof *group->files));
            group->files[group->count++] = file;
            group->bytes += status.st_size;
        }
    }
}

/* Deflates until all input is taken or, with Z_FINISH, the member is ended. */
static void compress_some(z_stream *stream, unsigned char **out, size_t *room, int flush)
{
    for (;;) {
        int result = deflate(stream, flush);
        if (result == Z_STREAM_END || (flush == Z_NO_FLUSH && !stream->avail_in)) return;
        if (stream->avail_out) continue;
        *out = must(realloc(*out, *room * 2));
        stream->next_out = *out + *room;
        stream->avail_out = *room;
        *room *= 2;
    }
}

static int dial(void)
{
    int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (peer < 0 || connect(peer, (void *)&address, sizeof address)) die("connect");
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return peer;
}

static void send_all(int peer, const void *bytes, size_t count)
{
    for (const char *next = bytes; count;) {
        ssize_t sent = send(peer, next, count, MSG_NOSIGNAL);
        if (sent <= 0) die("send");
        next += sent;
        count -= sent;
    }
}

static void store(int peer, const struct group *group, const unsigned char *body, size_t size)
{
    unsigned char digest[32];
    char hex[65] = "", text[2048];
    if (!EVP_Digest(body, size, digest, NULL, EVP_sha256(), NULL)) die("EVP_Digest");
    for (int i = 0; i < 32; i++) sprintf(hex + 2 * i, "%02x", digest[i]);
    int length = snprintf(text, sizeof text,
                          "PUT /%s/%06d.jsonl.gz HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                          "x-amz-content-sha256: %s\r\nContent-Length: %zu\r\n\r\n",
                          group->connector, group->number, port, hex, size);
    send_all(peer, text, length);
    send_all(peer, body, size);
    size_t have = 0;
    do {
        ssize_t got = recv(peer, text + have, sizeof text - 1 - have, 0);
        if (got <= 0) die("recv");
        have += got;
        text[have] = 0;
    } while (!strstr(text, "\r\n\r\n"));
    if (strncmp(text, "HTTP/1.1 200", 12)) {
        fprintf(stderr, "floor: the sink answers %s", text);
        exit(1);
    }
}

static void *work(void *unused)
{
    (void)unused;
    int peer = port ? dial() : -1;
    size_t room = 1 << 20;
    unsigned char *in = must(malloc(READ)), *out = must(malloc(room));
    z_stream stream = {0};
    /* 15 bits of window, and 16 for a gzip header and trailer. */
    if (deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) die("deflate");
    for (int g; (g = next_group++) < group_count;) {
        const struct group *group = &groups[g];
        deflateReset(&stream);
        stream.next_out = out;
        stream.avail_out = room;
        for (int f = 0; f < group->count; f++) {
            int file = open(group->files[f], O_RDONLY | O_CLOEXEC);
            if (file < 0) die(group->files[f]);
            ssize_t got;
            while ((got = read(file, in, READ)) > 0) {
                stream.next_in = in;
                stream.avail_in = got;
                compress_some(&stream, &out, &room, Z_NO_FLUSH);
            }
            if (got < 0) die(group->files[f]);
            close(file);
        }
        compress_some(&stream, &out, &room, Z_FINISH);
        if (port) store(peer, group, out, stream.total_out);
        bytes_in += stream.total_in;
        bytes_out += stream.total_out;
    }
    deflateEnd(&stream);
    free(in);
    free(out);
    if (port) close(peer);
    return NULL;
}

int main(int argc, char **argv)
{
    int threads = sysconf(_SC_NPROCESSORS_ONLN);
    const char *corpus = NULL;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--threads") && i + 1 < argc) threads = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--level") && i + 1 < argc) level = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--put") && i + 1 < argc) port = atoi(argv[++i]);
        else if (argv[i][0] != '-' && !corpus) corpus = argv[i];
        else corpus = NULL, i = argc;
    }
    if (!corpus || threads < 1 || threads > 256 || level < 1 || level > 9) {
        fprintf(stderr, "usage: floor [--threads N] [--level 1-9] [--put PORT] CORPUS\n");
        return 64;
    }
    find_groups(corpus);
    pthread_t workers[256];
    for (int i = 0; i < threads; i++)
        if (pthread_create(&workers[i], NULL, work, NULL)) die("pthread_create");
    for (int i = 0; i < threads; i++) pthread_join(workers[i], NULL);
    printf("{\"bytes_in\": %lld, \"bytes_out\": %lld, \"objects\": %d}\n",
           (long long)bytes_in, (long long)bytes_out, group_count);
    return 0;
}
