"""HTTP with the soak's S3: one connection, as S3 answers, or as a failure says.

Signatures and digests are verified. Besides PutObject it knows what sluiced asks for: HeadObject,
GetBucketLocation and listings.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import socket
import struct
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from world import CONNECTORS

if TYPE_CHECKING:
    from store import Store

ACCESS_KEY_ID, SECRET = "SOAK", "soak-secret"
REGION = "eu-west-1"
LONGEST_HANG = 20
"""Seconds."""


class Gone(Exception):
    """The connection is over."""


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
