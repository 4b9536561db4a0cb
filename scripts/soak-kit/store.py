"""What the soak's S3 remembers, and how it fails.

It knows each key and the SHA-256 of its body for ever (on disk, in SQLite), and hands the events of a new
object to the ledger at once. Bodies are kept on disk until their cycle has come out even.
"""

import contextlib
import hashlib
import pathlib
import random
import shutil
import socket
import sqlite3
import threading
import time
from typing import NamedTuple

from conversation import Conversation, Gone
from ledger import Findings, Ledger
from reading import read_object
from world import CONNECTORS


class Failure(NamedTuple):
    """How requests of some connectors fail while it is in force."""

    kind: str
    connectors: frozenset[str]
    probability: float
    dice: random.Random
    code: str
    """Of the error that S3 answers with, where it answers with one."""
    ended: threading.Event

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
