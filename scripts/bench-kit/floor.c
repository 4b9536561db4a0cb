/*
 * floor: the work that nobody who delivers compressed event files can leave out.
 *
 *   floor [--threads N] [--codec zlib|libdeflate|zstd] [--level N] [--block BYTES] [--put PORT] CORPUS
 *
 * Reads CORPUS/<connector>/<file>, compresses 16 MiB of one connector at a time into one object, and
 * forgets it: with zlib or libdeflate a gzip member, with zstd a frame. libdeflate takes all of it in one
 * call, the others a piece at a time. With --block each so many bytes are compressed apart, as in Avro's
 * containers: raw deflate, or a frame. With --put it also hashes each object (SHA-256) and stores it in the
 * sink at PORT. It looks at no event, keeps nothing on disk, and tries nothing twice.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <libdeflate.h>
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
#include <zstd.h>

enum { GROUP = 16 << 20, READ = 256 << 10 };

/* Files of one connector that are compressed together. */
struct group {
    const char *connector;
    char **files;
    int count, number;
    long long bytes;
};

static struct group *groups;
static enum codec { ZLIB, LIBDEFLATE, ZSTD } codec = ZLIB;
static const char *const codec_names[] = {"zlib", "libdeflate", "zstd"};
static int group_count, level = 6, port;
static size_t block_bytes; /* 0: all that becomes one object is compressed as one */
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

/* One thread's codec, and what it has of the object in hand. */
struct packer {
    z_stream zlib;
    struct libdeflate_compressor *libdeflate;
    ZSTD_CCtx *zstd;
    unsigned char *out;
    size_t size, room;
};

static void open_packer(struct packer *packer)
{
    *packer = (struct packer){.room = 1 << 20};
    packer->out = must(malloc(packer->room));
    switch (codec) {
    case ZLIB:
        /* 15 bits of window; negative: raw, and 16 more: with a gzip header and trailer. */
        if (deflateInit2(&packer->zlib, level, Z_DEFLATED, block_bytes ? -15 : 15 + 16, 8,
                         Z_DEFAULT_STRATEGY) != Z_OK)
            die("deflateInit2");
        break;
    case LIBDEFLATE:
        packer->libdeflate = must(libdeflate_alloc_compressor(level));
        break;
    case ZSTD:
        packer->zstd = must(ZSTD_createCCtx());
        if (ZSTD_isError(ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_compressionLevel, level)))
            die("ZSTD_CCtx_setParameter");
        break;
    }
}

static void close_packer(struct packer *packer)
{
    if (codec == ZLIB) deflateEnd(&packer->zlib);
    libdeflate_free_compressor(packer->libdeflate);
    ZSTD_freeCCtx(packer->zstd);
    free(packer->out);
}

static void make_room(struct packer *packer, size_t bytes)
{
    if (packer->room - packer->size >= bytes) return;
    while (packer->room - packer->size < bytes) packer->room *= 2;
    packer->out = must(realloc(packer->out, packer->room));
}

/* Compresses a piece behind what is there. The last one ends the member or frame, and the next begins anew. */
static void pack(struct packer *packer, const unsigned char *in, size_t count, bool is_last)
{
    size_t packed = 0;
    switch (codec) {
    case ZLIB:
        packer->zlib.next_in = (unsigned char *)in;
        packer->zlib.avail_in = count;
        for (int result = Z_OK; result != Z_STREAM_END && (is_last || packer->zlib.avail_in);) {
            make_room(packer, READ);
            size_t room = packer->room - packer->size;
            packer->zlib.next_out = packer->out + packer->size;
            packer->zlib.avail_out = room;
            result = deflate(&packer->zlib, is_last ? Z_FINISH : Z_NO_FLUSH);
            packer->size += room - packer->zlib.avail_out;
        }
        if (is_last) deflateReset(&packer->zlib);
        return;
    case LIBDEFLATE:
        make_room(packer, libdeflate_gzip_compress_bound(packer->libdeflate, count));
        packed = (block_bytes ? libdeflate_deflate_compress : libdeflate_gzip_compress)(
            packer->libdeflate, in, count, packer->out + packer->size, packer->room - packer->size);
        if (!packed) die("libdeflate");
        break;
    case ZSTD: {
        ZSTD_inBuffer input = {in, count, 0};
        size_t left;
        do {
            /* With room for all of it, a frame of one piece needs no buffer between. */
            make_room(packer, is_last ? ZSTD_compressBound(count) : ZSTD_CStreamOutSize());
            ZSTD_outBuffer output = {packer->out + packer->size, packer->room - packer->size, 0};
            left = ZSTD_compressStream2(packer->zstd, &output, &input,
                                        is_last ? ZSTD_e_end : ZSTD_e_continue);
            if (ZSTD_isError(left)) die("zstd");
            packer->size += output.pos;
        } while (is_last ? left : input.pos < count);
        break;
    }
    }
    packer->size += packed;
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
                          "PUT /%s/%06d HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
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

/* Compresses and stores one group. `in` has room for a piece. */
static void do_group(const struct group *group, struct packer *packer, unsigned char *in, size_t piece, int peer)
{
    size_t have = 0;
    packer->size = 0;
    for (int f = 0; f < group->count; f++) {
        int file = open(group->files[f], O_RDONLY | O_CLOEXEC);
        if (file < 0) die(group->files[f]);
        ssize_t got;
        while ((got = read(file, in + have, piece - have)) > 0) {
            have += got;
            bytes_in += got;
            if (have < piece) continue;
            pack(packer, in, have, block_bytes > 0);
            have = 0;
        }
        if (got < 0) die(group->files[f]);
        close(file);
    }
    if (have || !block_bytes) pack(packer, in, have, true);
    if (port) store(peer, group, packer->out, packer->size);
    bytes_out += packer->size;
}

static void *work(void *unused)
{
    (void)unused;
    int peer = port ? dial() : -1;
    size_t piece = block_bytes ? block_bytes : READ;
    /* One call has to have all of it. */
    if (codec == LIBDEFLATE && !block_bytes)
        for (int g = 0; g < group_count; g++)
            if ((size_t)groups[g].bytes >= piece) piece = groups[g].bytes + 1;
    unsigned char *in = must(malloc(piece));
    struct packer packer;
    open_packer(&packer);
    for (int g; (g = next_group++) < group_count;) do_group(&groups[g], &packer, in, piece, peer);
    close_packer(&packer);
    free(in);
    if (port) close(peer);
    return NULL;
}

static bool set_codec(const char *name)
{
    for (int c = ZLIB; c <= ZSTD; c++)
        if (!strcmp(name, codec_names[c])) {
            codec = c;
            return true;
        }
    return false;
}

int main(int argc, char **argv)
{
    int threads = sysconf(_SC_NPROCESSORS_ONLN);
    const char *corpus = NULL;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--threads") && i + 1 < argc) threads = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--level") && i + 1 < argc) level = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--block") && i + 1 < argc) block_bytes = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--put") && i + 1 < argc) port = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--codec") && i + 1 < argc && set_codec(argv[i + 1])) i++;
        else if (argv[i][0] != '-' && !corpus) corpus = argv[i];
        else corpus = NULL, i = argc;
    }
    if (!corpus || threads < 1 || threads > 256 || level < 1 || level > 12) {
        fprintf(stderr, "usage: floor [--threads N] [--codec zlib|libdeflate|zstd] [--level N] [--block BYTES] "
                        "[--put PORT] CORPUS\n");
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
