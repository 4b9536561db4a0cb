/*
 * sink: the least that can stand in for S3 while something is measured.
 *
 *   sink DIRECTORY [BUCKET]   listens on a free loopback port and prints it; rejects the credentials of
 *                             whoever puts into BUCKET
 *
 * Answers PUT (with If-None-Match: *), HEAD and GET of objects with path addressing (a key is what its
 * percent-encoded path means), uploads in parts, GET of a bucket (as empty) and of its location, and
 * GET /-/counts (JSON). It checks no signature. One thread per connection.
 *
 * Each accepted body becomes DIRECTORY/<n>, and DIRECTORY/index.tsv gets a line "<n> <size> <bucket/key>";
 * for an upload in parts "<n>+<n>+…", the bodies of its parts in order. Nothing is ever overwritten: a key
 * that is stored twice has two lines, so a reader can compare bodies.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { HEAD_LIMIT = 32 << 10, CHUNK = 256 << 10, BUCKETS = 1 << 14, META_LIMIT = 2 << 10 };
enum { PARTS = 10001, UPLOADS = 64 };

/* An upload in parts: the number of the file of each, 0 where there is none. There are few in a sink's life. */
struct upload {
    long file[PARTS];
    long long size;
    bool ended;
};

struct object {
    struct object *next;
    long number;
    long long size;
    char *meta; /* its x-amz-meta-* header lines */
    char key[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct object *objects[BUCKETS];
static struct upload *uploads[UPLOADS];
static int last_upload;
static FILE *index_file;
static const char *directory, *rejected_bucket;
static long last_number;
static struct {
    long connections, requests, stored, refused, again, heads, gets, rejected, parts;
    long long bytes;
} counts;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static struct object **slot(const char *key)
{
    uint64_t hash = 14695981039346656037u;
    for (const char *c = key; *c; c++) hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    return &objects[(hash ^ hash >> 32) % BUCKETS];
}

/* The newest object of that key; the caller holds the lock. */
static struct object *find(const char *key)
{
    struct object *object = *slot(key);
    while (object && strcmp(object->key, key)) object = object->next;
    return object;
}

static bool send_all(int peer, const char *bytes, size_t count)
{
    while (count) {
        ssize_t sent = send(peer, bytes, count, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes += sent;
        count -= sent;
    }
    return true;
}

static bool answer(int peer, const char *status, const char *headers, const char *body)
{
    char text[HEAD_LIMIT];
    int length = snprintf(text, sizeof text,
                          "HTTP/1.1 %s\r\nx-amz-request-id: SINK\r\nContent-Length: %zu\r\n%s\r\n%s",
                          status, strlen(body), headers, body);
    return send_all(peer, text, length);
}

static bool refuse(int peer, const char *status, const char *code, bool with_body)
{
    char body[512] = "";
    if (with_body)
        snprintf(body, sizeof body,
                 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code>"
                 "<Message>%s</Message><RequestId>SINK</RequestId></Error>", code, status + 4);
    return answer(peer, status, "", body);
}

/* The value of a header, up to its line's end; NULL where there is none. */
static const char *header(const char *head, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (!strncasecmp(line, name, length) && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " ");
    }
    return NULL;
}

static void path_of(long number, char path[4096])
{
    snprintf(path, 4096, "%s/%ld", directory, number);
}

/* Reads the body from the buffer and then from the peer into a new file; the file's number, or -1. */
static long receive(int peer, char *buffer, size_t *have, long long size)
{
    char path[4096];
    pthread_mutex_lock(&lock);
    long number = ++last_number;
    pthread_mutex_unlock(&lock);
    path_of(number, path);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0) die(path);
    for (long long left = size; left;) {
        if (!*have) {
            ssize_t got = recv(peer, buffer, CHUNK, 0);
            if (got <= 0) {
                close(file);
                unlink(path);
                return -1;
            }
            *have = got;
        }
        size_t take = (long long)*have < left ? *have : (size_t)left;
        for (size_t done = 0; done < take;) {
            ssize_t written = write(file, buffer + done, take - done);
            if (written < 0) die(path);
            done += written;
        }
        left -= take;
        *have -= take;
        memmove(buffer, buffer + take, *have);
    }
    close(file);
    return number;
}

static bool put(int peer, const char *key, const char *head, char *buffer, size_t *have)
{
    const char *length = header(head, "content-length"), *expect = header(head, "expect");
    const char *only_new = header(head, "if-none-match");
    if (!length) return refuse(peer, "411 Length Required", "MissingContentLength", true) && false;
    if (expect && !send_all(peer, "HTTP/1.1 100 Continue\r\n\r\n", 25)) return false;
    long long size = atoll(length);
    long number = receive(peer, buffer, have, size);
    if (number < 0) return false;
    size_t bucket = strcspn(key, "/");
    if (rejected_bucket && strlen(rejected_bucket) == bucket && !strncmp(rejected_bucket, key, bucket)) {
        char path[4096];
        path_of(number, path);
        unlink(path);
        pthread_mutex_lock(&lock);
        counts.rejected++;
        pthread_mutex_unlock(&lock);
        return refuse(peer, "403 Forbidden", "InvalidAccessKeyId", true);
    }

    struct object *object = calloc(1, sizeof *object + strlen(key) + 1);
    char meta[META_LIMIT] = "";
    size_t used = 0;
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        const char *end = strstr(line, "\r\n");
        if (!end || strncasecmp(line, "x-amz-meta-", 11)) continue;
        size_t count = end + 2 - line;
        if (used + count >= sizeof meta) break;
        memcpy(meta + used, line, count);
        used += count;
    }
    *object = (struct object){.number = number, .size = size, .meta = strdup(meta)};
    strcpy(object->key, key);

    pthread_mutex_lock(&lock);
    bool there = find(key);
    bool refused = there && only_new && *only_new == '*';
    if (refused) {
        counts.refused++;
    } else {
        object->next = *slot(key);
        *slot(key) = object;
        counts.stored++;
        counts.again += there;
        counts.bytes += size;
        fprintf(index_file, "%ld\t%lld\t%s\n", number, size, key);
        fflush(index_file);
    }
    pthread_mutex_unlock(&lock);
    if (!refused) return answer(peer, "200 OK", "ETag: \"sink\"\r\n", "");

    char path[4096];
    path_of(number, path);
    unlink(path);
    free(object->meta);
    free(object);
    return refuse(peer, "412 Precondition Failed", "PreconditionFailed", true);
}

/* The number behind a name in a query; 0 where there is none. */
static long argument(const char *query, const char *name)
{
    const char *at = strstr(query, name);
    return at ? atol(at + strlen(name)) : 0;
}

static struct upload *upload_of(const char *query)
{
    long number = argument(query, "uploadId=");
    return number > 0 && number <= last_upload && !uploads[number - 1]->ended ? uploads[number - 1] : NULL;
}

static bool begin_upload(int peer)
{
    struct upload *upload = calloc(1, sizeof *upload);
    if (!upload) die("calloc");
    pthread_mutex_lock(&lock);
    if (last_upload == UPLOADS) {
        fprintf(stderr, "sink: more than %d uploads\n", UPLOADS);
        exit(1);
    }
    uploads[last_upload++] = upload;
    int number = last_upload;
    pthread_mutex_unlock(&lock);
    char body[512];
    snprintf(body, sizeof body,
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
             "<InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
             "<UploadId>%d</UploadId></InitiateMultipartUploadResult>", number);
    return answer(peer, "200 OK", "Content-Type: application/xml\r\n", body);
}

static bool put_part(int peer, const char *query, const char *head, char *buffer, size_t *have)
{
    const char *length = header(head, "content-length"), *expect = header(head, "expect");
    long part = argument(query, "partNumber=");
    if (!length || part < 1 || part >= PARTS) return refuse(peer, "400 Bad Request", "InvalidPart", true) && false;
    if (expect && !send_all(peer, "HTTP/1.1 100 Continue\r\n\r\n", 25)) return false;
    long long size = atoll(length);
    long number = receive(peer, buffer, have, size);
    if (number < 0) return false;
    pthread_mutex_lock(&lock);
    struct upload *upload = upload_of(query);
    if (upload) {
        upload->file[part] = number;
        upload->size += size;
        counts.parts++;
    }
    pthread_mutex_unlock(&lock);
    if (!upload) return refuse(peer, "404 Not Found", "NoSuchUpload", true);
    return answer(peer, "200 OK", "ETag: \"sink\"\r\n", "");
}

/* Every part that came belongs to the object: what is measured sends no other. */
static bool complete_upload(int peer, const char *key, const char *query, const char *head, char *buffer, size_t *have)
{
    const char *length = header(head, "content-length");
    for (long long left = length ? atoll(length) : 0; left;) {
        if (!*have) {
            ssize_t got = recv(peer, buffer, CHUNK, 0);
            if (got <= 0) return false;
            *have = got;
        }
        size_t take = (long long)*have < left ? *have : (size_t)left;
        left -= take;
        *have -= take;
        memmove(buffer, buffer + take, *have);
    }
    pthread_mutex_lock(&lock);
    struct upload *upload = upload_of(query);
    if (upload) {
        upload->ended = true;
        counts.stored++;
        counts.bytes += upload->size;
        const char *between = "";
        for (int part = 1; part < PARTS; part++) {
            if (!upload->file[part]) continue;
            fprintf(index_file, "%s%ld", between, upload->file[part]);
            between = "+";
        }
        fprintf(index_file, "\t%lld\t%s\n", upload->size, key);
        fflush(index_file);
    }
    pthread_mutex_unlock(&lock);
    if (!upload) return refuse(peer, "404 Not Found", "NoSuchUpload", true);
    return answer(peer, "200 OK", "Content-Type: application/xml\r\n",
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<CompleteMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                  "<ETag>&quot;sink&quot;</ETag></CompleteMultipartUploadResult>");
}

/* HEAD and GET of an object. Objects are never freed once they are in the table. */
static bool get(int peer, const char *key, bool with_body)
{
    char headers[META_LIMIT + 256], path[4096], chunk[16 << 10];
    pthread_mutex_lock(&lock);
    const struct object *object = find(key);
    if (with_body) counts.gets++; else counts.heads++;
    pthread_mutex_unlock(&lock);
    if (!object) return refuse(peer, "404 Not Found", "NoSuchKey", with_body);

    int length = snprintf(headers, sizeof headers,
                          "HTTP/1.1 200 OK\r\nx-amz-request-id: SINK\r\nETag: \"sink\"\r\n"
                          "Content-Length: %lld\r\n%s\r\n", object->size, object->meta);
    if (!send_all(peer, headers, length)) return false;
    if (!with_body) return true;
    path_of(object->number, path);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) die(path);
    ssize_t got;
    while ((got = read(file, chunk, sizeof chunk)) > 0 && send_all(peer, chunk, got)) continue;
    close(file);
    return got == 0;
}

static bool tell_counts(int peer)
{
    char text[512];
    pthread_mutex_lock(&lock);
    snprintf(text, sizeof text,
             "{\"connections\": %ld, \"requests\": %ld, \"stored\": %ld, \"bytes\": %lld, "
             "\"refused\": %ld, \"stored_again\": %ld, \"heads\": %ld, \"gets\": %ld, "
             "\"rejected\": %ld, \"parts\": %ld}\n",
             counts.connections, counts.requests, counts.stored, counts.bytes, counts.refused,
             counts.again, counts.heads, counts.gets, counts.rejected, counts.parts);
    pthread_mutex_unlock(&lock);
    return answer(peer, "200 OK", "Content-Type: application/json\r\n", text);
}

static int hexadecimal(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Turns a path into the key it means, in place. False for what is no path of a key that we can list. */
static bool decode(char *path)
{
    char *to = path;
    for (const char *from = path; *from; from++) {
        char byte = *from;
        if (byte == '%') {
            int high = hexadecimal(from[1]), low = high < 0 ? -1 : hexadecimal(from[2]);
            if (low < 0) return false;
            byte = (char)(high << 4 | low);
            from += 2;
        }
        if ((unsigned char)byte < ' ') return false;
        *to++ = byte;
    }
    *to = 0;
    return true;
}

/* Answers one request whose head is complete; false closes the connection. */
static bool serve_one(int peer, char *head, char *buffer, size_t *have)
{
    char method[16], target[4096];
    if (sscanf(head, "%15s %4095s", method, target) != 2 || *target != '/') return false;
    char *query = strchr(target, '?');
    if (query) *query++ = 0;
    if (!decode(target)) return refuse(peer, "400 Bad Request", "InvalidURI", true) && false;
    const char *key = target + 1, *slash = strchr(key, '/');
    if (!strcmp(method, "GET") && !strcmp(key, "-/counts")) return tell_counts(peer);

    pthread_mutex_lock(&lock);
    counts.requests++;
    pthread_mutex_unlock(&lock);
    bool is_object = slash && slash[1];
    if (!strcmp(method, "POST") && is_object && query && strstr(query, "uploadId="))
        return complete_upload(peer, key, query, head, buffer, have);
    if (!strcmp(method, "POST") && is_object && query && !strncmp(query, "uploads", 7)) return begin_upload(peer);
    if (!strcmp(method, "PUT") && is_object && query && strstr(query, "uploadId="))
        return put_part(peer, query, head, buffer, have);
    if (!strcmp(method, "PUT") && is_object) return put(peer, key, head, buffer, have);
    if (!strcmp(method, "HEAD") && is_object) return get(peer, key, false);
    if (!strcmp(method, "GET") && is_object) return get(peer, key, true);
    if (!strcmp(method, "HEAD")) return answer(peer, "200 OK", "", "");
    if (!strcmp(method, "GET") && query && !strncmp(query, "location", 8))
        return answer(peer, "200 OK", "Content-Type: application/xml\r\n",
                      "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>");
    if (!strcmp(method, "GET") && query)
        return answer(peer, "200 OK", "Content-Type: application/xml\r\n",
                      "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                      "<KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>");
    return refuse(peer, "501 Not Implemented", "NotImplemented", true) && false;
}

static void *serve(void *argument)
{
    int peer = (int)(intptr_t)argument, one = 1;
    char *buffer = malloc(CHUNK), *head = malloc(HEAD_LIMIT);
    if (!buffer || !head) die("malloc");
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    for (size_t have = 0;;) {
        char *end;
        while (!(end = memmem(buffer, have, "\r\n\r\n", 4)) && have < HEAD_LIMIT - 1) {
            ssize_t got = recv(peer, buffer + have, HEAD_LIMIT - 1 - have, 0);
            if (got <= 0) goto done;
            have += got;
        }
        if (!end) break;
        size_t length = end + 4 - buffer;
        memcpy(head, buffer, length);
        head[length] = 0;
        have -= length;
        memmove(buffer, buffer + length, have);
        const char *connection = header(head, "connection");
        bool last = connection && !strncasecmp(connection, "close", 5);
        if (!serve_one(peer, head, buffer, &have) || last) break;
    }
done:
    free(head);
    free(buffer);
    close(peer);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: sink DIRECTORY [BUCKET]\n");
        return 64;
    }
    directory = argv[1];
    rejected_bucket = argv[2];
    signal(SIGPIPE, SIG_IGN);
    char path[4096];
    snprintf(path, sizeof path, "%s/index.tsv", directory);
    if (!(index_file = fopen(path, "wxe"))) die(path);

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (listener < 0 || bind(listener, (void *)&address, size) || listen(listener, 512) ||
        getsockname(listener, (void *)&address, &size))
        die("listen");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);

    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (;;) {
        int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (peer < 0) {
            if (errno == EINTR || errno == ECONNABORTED) continue;
            die("accept");
        }
        pthread_mutex_lock(&lock);
        counts.connections++;
        pthread_mutex_unlock(&lock);
        pthread_t thread;
        if (pthread_create(&thread, &attributes, serve, (void *)(intptr_t)peer)) die("pthread_create");
    }
}
