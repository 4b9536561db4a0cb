"""An S3 that checks what it is given, remembers little, and fails as it is told.

It verifies signatures and digests, knows each key and the SHA-256 of its body for ever (on disk, in SQLite), and
hands the events of a new object to the ledger at once. Bodies are kept on disk until their cycle has come out even.
Every other request is answered as S3 does, as far as sluiced goes: HeadObject, GetBucketLocation, listings.
"""

import contextlib
import hashlib
import hmac
import pathlib
import random
import re
import shutil
import socket
import sqlite3
import struct
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler
from typing import NamedTuple
from xml.sax.saxutils import escape

from ledger import Findings, Ledger
from reading import read_object
from world import CONNECTORS

ACCESS_KEY_ID, SECRET = "SOAK", "soak-secret"
REGION = "eu-west-1"
LONGEST_HANG = 20


class Gone(Exception):
    """The connection is over."""


class Failure(NamedTuple):
    """How requests of some connectors fail while it is in force."""

    kind: str
    connectors: frozenset[str]
    probability: float
    dice: random.Random
    code: str = ""
    ended: threading.Event = threading.Event()

    def applies(self, connector: str) -> bool:
        return connector in self.connectors and self.dice.random() < self.probability


class Store:
    def __init__(self, directory: pathlib.Path, ledger: Ledger, findings: Findings, sabotage: str | None):
        self.directory = directory
        self._ledger, self._findings, self._sabotage = ledger, findings, sabotage
        self._failures: list[Failure] = []
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._busy = 0
        self.objects = self.requests = 0
        self._bodies = directory / "bodies"
        self._bodies.mkdir(parents=True)
        self._keys = sqlite3.connect(
            directory / "objects.sqlite", check_same_thread=False, isolation_level=None)
        self._keys.executescript("""
            PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
            CREATE TABLE objects (
                name TEXT PRIMARY KEY, number INTEGER, size INTEGER, sha256 TEXT, meta TEXT,
                connector TEXT, type TEXT, offset INTEGER, events INTEGER, time REAL
            ) WITHOUT ROWID;
            CREATE INDEX places ON objects (connector, type, offset);
            """)
        self._listener: socket.socket | None = None
        self.port = 0
        self.open()

    # Being there, and not.

    def open(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self) -> None:
        """Refuses connections, and ends those there are."""
        listener, self._listener = self._listener, None
        # Closing alone would leave the other thread in accept(2).
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, address = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection, address), daemon=True).start()

    def _serve(self, connection: socket.socket, address: tuple) -> None:
        with self._lock:
            self._connections.add(connection)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(120)
            Conversation(connection, address, self)
        except (Gone, OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    # Failing.

    def fail(self, failure: Failure) -> None:
        with self._lock:
            self._failures.append(failure)

    def mend(self, failure: Failure) -> None:
        with self._lock:
            self._failures = [each for each in self._failures if each is not failure]
        failure.ended.set()

    def failure_for(self, connector: str) -> Failure | None:
        with self._lock:
            self.requests += 1
            return next((each for each in self._failures if each.applies(connector)), None)

    @contextlib.contextmanager
    def busy(self):
        with self._lock:
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1

    @property
    def is_idle(self) -> bool:
        """Whether everything that was stored is also in the ledger."""
        return self._busy == 0

    # Objects.

    def find(self, name: str) -> tuple[int, str] | None:
        """Size and metadata of an object."""
        with self._lock:
            return self._keys.execute(
                "SELECT size, meta FROM objects WHERE name = ?", (name,)).fetchone()

    def put(self, bucket: str, key: str, body: bytes, meta: str) -> bool:
        """Stores an object; False where there is one."""
        name, digest = f"{bucket}/{key}", hashlib.sha256(body).hexdigest()
        connector = bucket.removeprefix("soak-")
        with self._lock:
            row = self._keys.execute(
                "SELECT sha256, number FROM objects WHERE name = ?", (name,)).fetchone()
            if row is None:
                self.objects += 1
                number = self.objects
                is_other = self._sabotage == "other" and number >= 10
                if is_other:
                    self._sabotage, digest = None, hashlib.sha256(body + b"?").hexdigest()
                self._keys.execute(
                    "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, '', 0, 0, ?)",
                    (name, number, len(body), digest, meta, connector, time.time()))
        if row:
            if row[0] != digest:
                with contextlib.suppress(OSError):
                    (self._bodies / f"{row[1]}.second").write_bytes(body)
                self._findings.add(f"{name} was sent with two bodies: SHA-256 {row[0]}, then {digest}")
            return False
        (self._bodies / str(number)).write_bytes(body)
        self._account(connector, key, body, number)
        if is_other:
            # The answer is lost, so the body comes again, and is another than is remembered.
            raise Gone
        return True

    def _account(self, connector: str, key: str, body: bytes, number: int) -> None:
        sabotage = self._sabotage if number >= 10 and self._sabotage != "other" else None
        if sabotage == "alter" and connector != "plain":
            # In what is compressed it would show as damage, and not as another event.
            sabotage = None
        if sabotage:
            self._sabotage = None
        if sabotage == "alter":
            body = body[:len(body) // 2] + bytes([body[len(body) // 2] ^ 4]) + body[len(body) // 2 + 1:]
        contents = read_object(key, body, CONNECTORS[connector], self._ledger.events)
        for fault in contents.faults[:1]:
            self._findings.add(f"connector {connector}: object {number}, {key}: {fault}")
        with self._lock:
            self._keys.execute(
                "UPDATE objects SET type = ?, offset = ?, events = ? WHERE name = ?",
                (contents.event_type, contents.offset, len(contents.numbers),
                 f"soak-{connector}/{key}"))
        if sabotage == "forget":
            return
        self._ledger.deliver(connector, contents.numbers, key)
        if sabotage == "double":
            self._ledger.deliver(connector, contents.numbers, key + " (under another key)")

    def events_between(self, connector: str, event_type: str, first: int, last: int) -> int:
        """How many events lie in objects whose offsets are in a range."""
        with self._lock:
            return self._keys.execute(
                "SELECT coalesce(sum(events), 0) FROM objects WHERE connector = ? AND type = ? "
                "AND offset BETWEEN ? AND ?", (connector, event_type, first, last)).fetchone()[0]

    def close_cycle(self) -> None:
        """Forgets the bodies."""
        shutil.rmtree(self._bodies)
        self._bodies.mkdir()


class Conversation(BaseHTTPRequestHandler):
    """One connection, from its first request to its last."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "SoakS3", ""

    def __init__(self, connection: socket.socket, address: tuple, store: Store):
        self.store = store
        super().__init__(connection, address, None)

    def log_message(self, *_: object) -> None:
        pass

    def do_PUT(self) -> None:
        self._answer_request()

    do_GET = do_HEAD = do_PUT

    def _answer_request(self) -> None:
        path, _, query = self.path.partition("?")
        bucket, _, key = urllib.parse.unquote(path)[1:].partition("/")
        connector = bucket.removeprefix("soak-")
        if connector not in CONNECTORS:
            return self._refuse(404, "NoSuchBucket")
        failure = self.store.failure_for(connector)
        kind = failure.kind if failure else None
        if kind == "reset":
            self.rfile.read(failure.dice.randrange(1 + self._length))
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise Gone
        body = self._read_body(failure.ended if kind == "slow" else None)
        if kind == "storm":
            return self._refuse(500 if failure.code == "InternalError" else 503, failure.code)
        if kind == "hang":
            failure.ended.wait(LONGEST_HANG)
        if kind == "slow":
            failure.ended.wait(failure.dice.random() * 3)
        if not self._is_signed_by(SECRET, path, query):
            return self._refuse(403, "SignatureDoesNotMatch")
        if self.headers.get("x-amz-content-sha256") not in (
                "UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest()):
            return self._refuse(400, "XAmzContentSHA256Mismatch")
        if kind == "denied" and (key or failure.code != "AccessDenied"):
            return self._refuse(403, failure.code)
        if not key:
            return self._answer_bucket(query)
        self._answer_object(bucket, key, body, kind)

    def _answer_object(self, bucket: str, key: str, body: bytes, kind: str | None) -> None:
        if self.command == "PUT":
            meta = "".join(f"{name.lower()}\t{value}\n" for name, value in self.headers.items()
                           if name.lower().startswith("x-amz-meta-"))
            with self.store.busy():
                is_new = self.store.put(bucket, key, body, meta)
            if kind == "lost":
                raise Gone
            return self._answer(200) if is_new else self._refuse(412, "PreconditionFailed")
        found = self.store.find(f"{bucket}/{key}")
        if not found or self.command == "GET":
            return self._refuse(404, "NoSuchKey")
        fields = dict(line.split("\t", 1) for line in found[1].splitlines())
        self._answer(200, b"", fields | {"Content-Length": str(found[0])})

    def _answer_bucket(self, query: str) -> None:
        if "location" in query:
            return self._answer(200, b"<LocationConstraint>%s</LocationConstraint>" % REGION.encode())
        self._answer(200, b"<ListBucketResult><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated>"
                          b"</ListBucketResult>")

    @property
    def _length(self) -> int:
        return int(self.headers.get("content-length", 0))

    def _read_body(self, slowly_until: threading.Event | None) -> bytes:
        pieces, left = [], self._length
        while left:
            piece = self.rfile.read(min(left, 1 << 16 if slowly_until else 1 << 20))
            if not piece:
                raise Gone
            pieces.append(piece)
            left -= len(piece)
            if slowly_until:
                slowly_until.wait(0.05)
        return b"".join(pieces)

    def _is_signed_by(self, secret: str, path: str, query: str) -> bool:
        """Verifies a signature of version 4, as "Create a signed AWS API request" says."""
        match = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?"
            r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})", self.headers.get("authorization", ""))
        if not match or match[1] != ACCESS_KEY_ID:
            return False
        _, day, region, names, signature = match.groups()
        items = sorted(item if "=" in item else item + "=" for item in query.split("&") if item)
        fields = "".join(f"{name}:{' '.join(self.headers.get(name, '').split())}\n"
                         for name in names.split(";"))
        request = "\n".join([self.command, path, "&".join(items), fields, names,
                             self.headers.get("x-amz-content-sha256", "")])
        text = "\n".join(["AWS4-HMAC-SHA256", self.headers.get("x-amz-date", ""),
                          f"{day}/{region}/s3/aws4_request",
                          hashlib.sha256(request.encode("latin-1")).hexdigest()])
        key = f"AWS4{secret}".encode()
        for part in (day, region, "s3", "aws4_request", text):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.compare_digest(key.hex(), signature)

    def _refuse(self, status: int, code: str) -> None:
        text = (f"<Error><Code>{escape(code)}</Code><Message>told to</Message>"
                "<RequestId>4442587FB7D0A2F9</RequestId></Error>")
        self._answer(status, text.encode())

    def _answer(self, status: int, body: bytes = b"", fields: dict[str, str] | None = None) -> None:
        self.send_response(status)
        fields = {"x-amz-request-id": "4442587FB7D0A2F9", "Content-Length": str(len(body))} | (fields or {})
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
