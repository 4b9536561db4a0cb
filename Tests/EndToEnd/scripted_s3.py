#!/usr/bin/env python3
"""An S3 for tests that does as it is told: the standard library only, objects in memory.

It stores, answers and lists as S3 does (PutObject, HeadObject, GetObject, DeleteObject, ListObjectsV2,
GetBucketLocation, If-None-Match: *, x-amz-meta-*, and uploads in parts), checks that x-amz-content-sha256 and
x-amz-checksum-crc32 are those of the body, and remembers every request and every distinct body that a
key ever had. It does not check signatures. On top of that a script of rules makes it fail as networks
and stores do.

    scripted_s3.py [--port N | --unix PATH] [--save DIR] [--cert FILE --key FILE] [--region R]

Its first line on stdout is "port N". Buckets come from the path, or from a host "<bucket>.localhost".
It ends when its standard input does, if --until-eof is given.

Control, over the same port:

    POST   /__script     a JSON list of rules, added behind those there are
    PUT    /__script     a JSON list of rules, which take the place of those there are
    DELETE /__script     forgets all rules
    GET    /__requests   {"connections", "peak", "requests": [{method, bucket, key, query, headers, …}]}
    GET    /__objects    {"<bucket>/<key>": {size, sha256, headers, bodies: [sha256, …], puts}}
    GET    /__uploads    {"<upload ID>": {key, parts: [number, …]}}: what was begun and not ended
    POST   /__uploads/forget   ends all of them, as a lifecycle rule does
    POST   /__forget     forgets requests, objects, uploads and rules

A rule is {"method", "bucket", "key", "query", "times", "probability", "seed", "do", …}. It applies to
requests whose method and bucket are equal, and whose key (or query) contains the text, where these are
given; "times" times (default: 1; null: always), and then with "probability" (default: 1). The first rule
that applies acts:

    {"do": "answer", "status": 503, "code": "SlowDown", "message", "headers": {}, "body", "early": true}
                    an error document; early: sent before the body is read, then the connection is closed;
                    a header that is null is left out; "ahead": N makes its Date N seconds later than the
                    request was signed
    {"do": "lose"}                        stores (or completes an upload), then closes without an answer;
                    "seconds": N has it wait before that
    {"do": "cut", "bytes": N}             stores, then closes after N bytes of the answer
    {"do": "reset", "after": K}           resets the connection after K bytes of the body (default 0)
    {"do": "redirect", "region": R}       301 PermanentRedirect without Location
    {"do": "exists", "same": true}        stores this body (or, with false, another), then answers 412
    {"do": "skew", "seconds": N}          403 RequestTimeTooSkewed with a Date that is N seconds off
    {"do": "hang", "seconds": N}          waits before it answers as usual
    {"do": "drip", "seconds": N}          answers one byte a second, for N seconds at most
    {"do": "huge", "bytes": N}            503 (or "status") with a body of N bytes
    {"do": "continue", "times": N}        sends "100 Continue" N times, then closes
    {"do": "garbage"}                     400 with a body that is no document
"""

import argparse
import base64
import calendar
import email.utils
import hashlib
import json
import os
import random
import re
import signal
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse
import zlib
from xml.etree import ElementTree
from xml.sax.saxutils import escape

REASONS = {200: "OK", 204: "No Content", 206: "Partial Content", 301: "Moved Permanently",
           400: "Bad Request", 403: "Forbidden", 404: "Not Found", 409: "Conflict",
           412: "Precondition Failed", 501: "Not Implemented", 503: "Service Unavailable"}
NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


class Gone(Exception):
    """The connection is over, whoever ended it."""


class Rule:
    def __init__(self, words):
        self.words = dict(words)
        self.left = words.get("times", 1)
        self.probability = words.get("probability", 1)
        self.dice = random.Random(words.get("seed", 0))

    def applies(self, request):
        words = self.words
        if any(words.get(name, getattr(request, name)) != getattr(request, name)
               for name in ("method", "bucket")):
            return False
        if words.get("key", "") not in request.key or words.get("query", "") not in request.query:
            return False
        if self.left == 0 or self.dice.random() >= self.probability:
            return False
        if self.left is not None:
            self.left -= 1
        return True


class Store:
    """Everything that is remembered; one lock for all of it."""

    def __init__(self, region, directory):
        self.lock = threading.RLock()
        self.region = region
        self.directory = directory
        self.forget()

    def forget(self):
        with self.lock:
            self.rules, self.requests, self.objects, self.uploads = [], [], {}, {}
            self.connections = self.open = self.peak = 0

    def rule_for(self, request):
        with self.lock:
            return next((rule.words for rule in self.rules if rule.applies(request)), None)

    def put(self, request, body, only_if_new):
        """Stores a body; False where the key exists and must not."""
        with self.lock:
            name = request.name
            there = self.objects.get(name)
            if there and there["body"] is not None and only_if_new:
                return False
            entry = there or {"bodies": [], "puts": 0}
            digest = hashlib.sha256(body).hexdigest()
            if digest not in entry["bodies"]:
                entry["bodies"].append(digest)
            kept = {k: v for k, v in request.headers.items()
                    if k.startswith("x-amz-meta-") or k == "content-type"}
            kept["Last-Modified"] = email.utils.formatdate(usegmt=True)
            kept["ETag"] = f'"{hashlib.md5(body).hexdigest()}"'
            entry.update(body=body, sha256=digest, headers=kept, puts=entry["puts"] + 1,
                         modified=time.time())
            self.objects[name] = entry
        if self.directory:
            path = os.path.join(self.directory, *name.split("/"))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path + ".part", "wb") as file:
                file.write(body)
            os.replace(path + ".part", path)
        return True

    def get(self, name):
        with self.lock:
            entry = self.objects.get(name)
            return dict(entry) if entry and entry["body"] is not None else None

    def delete(self, name):
        with self.lock:
            if name in self.objects:
                self.objects[name]["body"] = None

    def keys(self, bucket, prefix):
        with self.lock:
            return sorted((name[len(bucket) + 1:], len(entry["body"]))
                          for name, entry in self.objects.items()
                          if entry["body"] is not None and name.startswith(f"{bucket}/{prefix}"))

    def summary(self):
        with self.lock:
            return {name: {"size": len(entry["body"] or b""), "sha256": entry["sha256"],
                           "headers": entry["headers"], "bodies": entry["bodies"],
                           "puts": entry["puts"]}
                    for name, entry in self.objects.items()}


class Request:
    def __init__(self, head):
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = lines[0].split(" ", 2)
        # A proxy is given the whole URL.
        path = re.sub("^https?://[^/]*", "", self.target)
        self.fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:] if line]
        self.headers = {name.lower(): value for name, value in self.fields}
        self.length = int(self.headers.get("content-length", 0))
        path, _, self.query = path.partition("?")
        path = urllib.parse.unquote(path)
        host = self.headers.get("host", "").rsplit(":", 1)[0]
        if host.endswith(".localhost"):
            self.bucket, self.key = host[:-len(".localhost")], path[1:]
        else:
            self.bucket, _, self.key = path[1:].partition("/")
        self.name = f"{self.bucket}/{self.key}"

    @property
    def is_of_upload(self):
        return self.argument("uploads") is not None or self.argument("uploadId") is not None

    def argument(self, name):
        return dict(urllib.parse.parse_qsl(self.query, keep_blank_values=True)).get(name)


class Uploads:
    """What S3 does for an upload in parts. Each answer is a status, a body or (code, message), and headers."""

    SMALLEST = 5 << 20

    def __init__(self, store):
        self.store = store

    def carry_out(self, request, body):
        with self.store.lock:
            if request.method == "POST" and request.argument("uploads") is not None:
                return self.begin(request)
            upload = self.store.uploads.get(request.argument("uploadId"))
            if not upload or upload["name"] != request.name:
                return 404, ("NoSuchUpload", "The specified upload does not exist."), {}
            if request.method == "PUT":
                return self.take(request, body, upload)
            if request.method == "POST":
                return self.complete(request, body, upload)
            del self.store.uploads[request.argument("uploadId")]
            return 204, b"", {}

    def begin(self, request):
        # Of characters that a query has to encode.
        identifier = f"{len(self.store.requests)}~/+=&%41"
        self.store.uploads[identifier] = {"name": request.name, "request": request, "parts": {}}
        text = (f"<InitiateMultipartUploadResult {NAMESPACE}><Key>{escape(request.key)}</Key>"
                f"<UploadId>{escape(identifier)}</UploadId></InitiateMultipartUploadResult>")
        return 200, xml(text), {}

    def take(self, request, body, upload):
        algorithm = upload["request"].headers.get("x-amz-checksum-algorithm")
        if (algorithm == "CRC32") != ("x-amz-checksum-crc32" in request.headers):
            return 400, ("InvalidRequest", "Checksum Type mismatch occurred"), {}
        # S3's is no more than a name, and one that XML has to escape.
        tag = f'"{hashlib.md5(body).hexdigest()}<&>"'
        upload["parts"][int(request.argument("partNumber"))] = (tag, body)
        return 200, b"", {"ETag": tag}

    def complete(self, request, body, upload):
        listed = []
        for part in xml_of(body).iter("Part"):
            fields = {field.tag: field.text for field in part}
            listed.append((int(fields["PartNumber"]), fields["ETag"], fields.get("ChecksumCRC32")))
        numbers = [number for number, _, _ in listed]
        if numbers != sorted(set(numbers)) or not numbers:
            return 400, ("InvalidPartOrder", "The list of parts was not in ascending order."), {}
        bodies = []
        for number, tag, checksum in listed:
            (kept, bytes_of_it) = upload["parts"].get(number, (None, b""))
            crc = base64.b64encode(struct.pack(">I", zlib.crc32(bytes_of_it))).decode()
            if kept != tag or checksum not in (None, crc):
                return 400, ("InvalidPart", "One or more of the parts could not be found."), {}
            bodies.append(bytes_of_it)
        if any(len(each) < self.SMALLEST for each in bodies[:-1]):
            return 400, ("EntityTooSmall", "Your proposed upload is too small"), {}
        # What the object is to be called and have with it, the upload began with.
        only_if_new = request.headers.get("if-none-match") == "*"
        if not self.store.put(upload["request"], b"".join(bodies), only_if_new):
            return 412, ("PreconditionFailed", "At least one of the pre-conditions did not hold"), {}
        del self.store.uploads[request.argument("uploadId")]
        text = (f"<CompleteMultipartUploadResult {NAMESPACE}><Key>{escape(request.key)}</Key>"
                f"<ETag>&quot;{len(listed)}&quot;</ETag></CompleteMultipartUploadResult>")
        return 200, xml(text), {}


def xml_of(body):
    """A document without its namespace."""
    return ElementTree.fromstring(body.decode().replace(f" {NAMESPACE}", ""))


class Connection:
    """One connection, in its own thread, from the first request to the last."""

    def __init__(self, server, sock, number):
        self.store, self.sock, self.number = server, sock, number
        self.buffer = b""
        self.counted = False

    def run(self):
        try:
            while self.serve():
                pass
        except (Gone, OSError, ValueError):
            pass
        finally:
            if self.counted:
                with self.store.lock:
                    self.store.open -= 1
            self.sock.close()

    def serve(self):
        head = self.read_head()
        if head is None:
            return False
        request = Request(head)
        if request.target.startswith("/__"):
            self.control(request, self.read_body(request))
            return True
        self.count()
        entry = {"connection": self.number, "method": request.method, "bucket": request.bucket,
                 "key": request.key, "query": request.query, "target": request.target,
                 "headers": request.fields, "length": request.length, "time": time.time()}
        with self.store.lock:
            self.store.requests.append(entry)
        rule = self.store.rule_for(request)
        if rule:
            entry["rule"] = rule["do"]
            return self.act(rule, request, entry)
        return self.ordinary(request, entry)

    def count(self):
        with self.store.lock:
            if not self.counted:
                self.counted = True
                self.store.connections += 1
                self.store.open += 1
                self.store.peak = max(self.store.peak, self.store.open)

    # The usual answers.

    def ordinary(self, request, entry):
        body = self.read_body(request)
        entry["sha256"] = hashlib.sha256(body).hexdigest()
        if not request.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 "):
            return self.error(request, 403, "AccessDenied", "Access Denied")
        wrong = self.wrong_digest(request, body)
        if wrong:
            return self.error(request, 400, *wrong)
        if request.key == "":
            return self.bucket(request)
        if request.is_of_upload:
            return self.answer_or_error(request, Uploads(self.store).carry_out(request, body))
        if request.method == "PUT":
            only_if_new = request.headers.get("if-none-match") == "*"
            if not self.store.put(request, body, only_if_new):
                return self.error(request, 412, "PreconditionFailed",
                                  "At least one of the pre-conditions you specified did not hold")
            digest = hashlib.md5(body).hexdigest()
            return self.answer(request, 200, b"", {"ETag": f'"{digest}"'})
        if request.method in ("GET", "HEAD"):
            there = self.store.get(request.name)
            if not there:
                return self.error(request, 404, "NoSuchKey", "The specified key does not exist.")
            return self.answer(request, 200, there["body"], there["headers"])
        if request.method == "DELETE":
            wanted, there = request.headers.get("if-match"), self.store.get(request.name)
            if wanted and there and wanted != there["headers"].get("ETag"):
                return self.error(request, 412, "PreconditionFailed", "It has another ETag")
            self.store.delete(request.name)
            return self.answer(request, 204, b"")
        return self.error(request, 501, "NotImplemented", "A header you provided implies more")

    def answer_or_error(self, request, outcome):
        status, told, headers = outcome
        if status < 300:
            return self.answer(request, status, told, headers)
        return self.error(request, status, *told, headers)

    def bucket(self, request):
        if request.argument("location") is not None:
            region = "" if self.store.region == "us-east-1" else self.store.region
            text = f"<LocationConstraint {NAMESPACE}>{region}</LocationConstraint>"
            return self.answer(request, 200, xml(text))
        if request.argument("list-type") == "2":
            return self.listing(request)
        return self.answer(request, 200, b"", {"x-amz-bucket-region": self.store.region})

    def listing(self, request):
        prefix = request.argument("prefix") or ""
        most = int(request.argument("max-keys") or 1000)
        after = request.argument("continuation-token") or ""
        keys = [pair for pair in self.store.keys(request.bucket, prefix) if pair[0] > after]
        page, more = keys[:most], len(keys) > most
        contents = "".join(f"<Contents><Key>{escape(key)}</Key><Size>{size}</Size></Contents>"
                           for key, size in page)
        token = f"<NextContinuationToken>{escape(page[-1][0])}</NextContinuationToken>" if more else ""
        text = (f"<ListBucketResult {NAMESPACE}><Name>{escape(request.bucket)}</Name>"
                f"<Prefix>{escape(prefix)}</Prefix><KeyCount>{len(page)}</KeyCount>"
                f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{contents}</ListBucketResult>")
        return self.answer(request, 200, xml(text))

    @staticmethod
    def wrong_digest(request, body):
        stated = request.headers.get("x-amz-content-sha256")
        if stated not in (None, "UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest()):
            return "XAmzContentSHA256Mismatch", "The provided x-amz-content-sha256 header does not match"
        stated = request.headers.get("x-amz-checksum-crc32")
        if stated and base64.b64decode(stated) != struct.pack(">I", zlib.crc32(body)):
            return "BadDigest", "The CRC32 you specified did not match the calculated checksum."
        return None

    # What the script says.

    def act(self, rule, request, entry):
        action = rule["do"]
        if action == "hang":
            time.sleep(rule.get("seconds", 3600))
            return self.ordinary(request, entry)
        if action == "reset":
            self.read_body(request, rule.get("after", 0))
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise Gone
        if action == "continue":
            for _ in range(rule.get("times", 1_000_000)):
                self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            raise Gone
        if rule.get("early"):
            self.refuse(rule, request)
            raise Gone
        body = self.read_body(request)
        entry["sha256"] = hashlib.sha256(body).hexdigest()
        if action == "answer":
            return self.refuse(rule, request)
        if action in ("lose", "cut"):
            if request.is_of_upload:
                Uploads(self.store).carry_out(request, body)
            else:
                self.store.put(request, body, False)
            time.sleep(rule.get("seconds", 0))
            self.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"[:rule.get("bytes", 0)])
            raise Gone
        if action == "exists":
            self.store.put(request, body if rule.get("same", True) else body + b"?", False)
            return self.error(request, 412, "PreconditionFailed", "It exists")
        if action == "redirect":
            return self.error(request, 301, "PermanentRedirect", "Use the bucket's own endpoint",
                              {"x-amz-bucket-region": rule["region"]})
        if action == "skew":
            date = email.utils.formatdate(time.time() + rule["seconds"], usegmt=True)
            return self.error(request, 403, "RequestTimeTooSkewed", "The difference is too large",
                              {"Date": date})
        if action == "huge":
            body = b"<Error><Code>SlowDown</Code>" + b" " * rule["bytes"]
            return self.answer(request, rule.get("status", 503), body)
        if action == "garbage":
            return self.answer(request, 400, b"<Error><Code>\xff\x00<<&&;</Co <html>" * 40)
        if action == "drip":
            self.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3600\r\n\r\n")
            for _ in range(rule.get("seconds", 3600)):
                self.send(b".")
                time.sleep(1)
            raise Gone
        raise ValueError(f"no such action: {action}")

    def refuse(self, rule, request):
        headers = dict(rule.get("headers", {}))
        if "ahead" in rule:
            signed = time.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
            headers["Date"] = email.utils.formatdate(calendar.timegm(signed) + rule["ahead"], usegmt=True)
        if "body" in rule:
            return self.answer(request, rule["status"], rule["body"].encode(), headers)
        return self.error(request, rule["status"], rule.get("code", ""), rule.get("message", ""),
                          headers)

    # Control.

    def control(self, request, body):
        store = self.store
        answer = {}
        with store.lock:
            if request.target == "/__script" and request.method == "POST":
                store.rules += [Rule(words) for words in json.loads(body)]
            elif request.target == "/__script" and request.method == "PUT":
                store.rules = [Rule(words) for words in json.loads(body)]
            elif request.target == "/__script" and request.method == "DELETE":
                store.rules = []
            elif request.target == "/__requests":
                answer = {"connections": store.connections, "peak": store.peak,
                          "requests": store.requests}
            elif request.target == "/__objects":
                answer = store.summary()
            elif request.target == "/__uploads":
                answer = {identifier: {"key": upload["request"].key, "parts": sorted(upload["parts"])}
                          for identifier, upload in store.uploads.items()}
            elif request.target == "/__uploads/forget":
                store.uploads = {}
            elif request.target == "/__forget" and request.method == "POST":
                store.forget()
            else:
                self.answer(request, 404, b"{}")
                return
            text = json.dumps(answer).encode()
        self.answer(request, 200, text)

    # The wire.

    def answer(self, request, status, body, headers=None):
        fields = {"Date": email.utils.formatdate(usegmt=True), "Server": "scripted-s3",
                  "x-amz-request-id": f"{self.number:08X}{len(self.store.requests):08X}",
                  "Content-Length": str(len(body))}
        fields.update(headers or {})
        fields = {name: value for name, value in fields.items() if value is not None}
        head = f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
        self.send(head.encode("latin-1") + (b"" if request.method == "HEAD" else body))
        return request.headers.get("connection", "").lower() != "close"

    def error(self, request, status, code, message, headers=None):
        text = (f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
                f"<Key>{escape(request.key)}</Key><RequestId>4442587FB7D0A2F9</RequestId></Error>")
        return self.answer(request, status, xml(text), headers)

    def send(self, data):
        self.sock.sendall(data)

    def read_head(self):
        while b"\r\n\r\n" not in self.buffer:
            if len(self.buffer) > 1 << 16:
                raise Gone
            more = self.sock.recv(1 << 16)
            if not more:
                return None
            self.buffer += more
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head

    def read_body(self, request, most=None):
        """The body, or its first `most` bytes."""
        wanted = request.length if most is None else min(most, request.length)
        if wanted and request.headers.get("expect", "").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        pieces, have = [self.buffer[:wanted]], len(self.buffer[:wanted])
        self.buffer = self.buffer[wanted:]
        while have < wanted:
            more = self.sock.recv(min(1 << 18, wanted - have))
            if not more:
                raise Gone
            pieces.append(more)
            have += len(more)
        return b"".join(pieces)


def xml(text):
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + text.encode()


def accept_for_ever(listener, store, tls):
    number = 0
    while True:
        sock, _ = listener.accept()
        number += 1
        if sock.family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def run(sock=sock, number=number):
            if tls:
                try:
                    sock = tls.wrap_socket(sock, server_side=True)
                except (OSError, ssl.SSLError):
                    sock.close()
                    return
            Connection(store, sock, number).run()

        threading.Thread(target=run, daemon=True).start()


def main():
    parser = argparse.ArgumentParser(description="An S3 for tests that does as it is told.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--unix", metavar="PATH", help="listen on a socket; the port is 0 then")
    parser.add_argument("--save", metavar="DIR", help="also write objects below DIR")
    parser.add_argument("--cert", metavar="FILE")
    parser.add_argument("--key", metavar="FILE")
    parser.add_argument("--region", default="us-east-1", help="what GetBucketLocation says")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input does")
    options = parser.parse_args()
    tls = None
    if options.cert:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.cert, options.key)
    if options.unix:
        listener = socket.create_server(options.unix, family=socket.AF_UNIX)
        print("port 0", flush=True)
    else:
        listener = socket.create_server(("127.0.0.1", options.port), backlog=512)
        print(f"port {listener.getsockname()[1]}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    store = Store(options.region, options.save)
    arguments = (listener, store, tls)
    threading.Thread(target=accept_for_ever, args=arguments, daemon=True).start()
    if options.until_eof:
        sys.stdin.read()
    else:
        threading.Event().wait()


if __name__ == "__main__":
    main()
