"""A port in front of a server, at which connections break in whatever way a test wants.

A fault is a function that gets each `Visit`, one connection, from its beginning. Without a fault requests
pass to the server, and its answers back, as they are. It knows nothing of S3 or STS, so it fits both.
"""

import contextlib
import itertools
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable


class Stream:
    """One end of a connection, read by parts of HTTP."""

    def __init__(self, end: socket.socket):
        self.socket = end
        self._buffer = bytearray()

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.socket.sendall(piece)

    def receive(self, count: int) -> bytes:
        """So many bytes, or what came before the end."""
        while len(self._buffer) < count and self._fill(count):
            pass
        return self._take(count)

    def read_head(self) -> bytes:
        """Up to the empty line; nothing where the connection ended before it."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if not self._fill(1 << 16):
                return b""
        return self._take(end + 4)

    def read_body(self, head: bytes) -> bytes:
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        return self.receive(int(length[1]) if length else 0)

    def _fill(self, most: int) -> bool:
        more = self.socket.recv(min(1 << 18, most))
        self._buffer += more
        return bool(more)

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken


class Visit(Stream):
    """One connection of a client, from the side of the wire."""

    def __init__(self, client: socket.socket, target: int):
        super().__init__(client)
        self._target = target

    def reset(self) -> None:
        """Ends the connection with RST, which also discards what was sent and not yet read."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def finish(self) -> None:
        """Ends the connection so that the client can read all that was sent."""
        self.socket.shutdown(socket.SHUT_WR)
        self.receive(1)

    def read_request(self) -> bytes:
        """A whole request; nothing at the end of the connection."""
        head = self.read_head()
        (head, expected) = re.subn(rb"(?i)\r\nexpect: *100-continue", b"", head)
        if expected:
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return head + self.read_body(head)

    def ask(self, request: bytes) -> bytes:
        """The server's whole answer."""
        with socket.create_connection(("127.0.0.1", self._target)) as connection:
            server = Stream(connection)
            server.send(request)
            head = server.read_head()
            return head if request.startswith(b"HEAD ") else head + server.read_body(head)

    def pass_on(self) -> None:
        """Carries requests to the server, and its answers back."""
        while request := self.read_request():
            self.send(self.ask(request))


Fault = Callable[[Visit], None]


class Wire:
    """Use as a context manager; `url` is where clients go.

    With `tls` it speaks that with clients; a fault sees the bytes below it.
    """

    def __init__(
        self, target: int, fault: Fault | None = None, tls: ssl.SSLContext | None = None
    ):
        self.fault = fault
        """What happens to connections made from now on."""
        self.tls = tls
        self.visits = 0
        """How many connections there were."""
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def mend(self) -> None:
        self.fault = None

    def __enter__(self) -> "Wire":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone would leave the thread in accept(2), which keeps the port open.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.visits += 1
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        fault = self.fault
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(client)
            if self.tls and not fault:
                client = stack.enter_context(self.tls.wrap_socket(client, server_side=True))
            (fault or Visit.pass_on)(Visit(client, self._target))


# Faults. What they are called with is what differs.


def reset_at_once(visit: Visit) -> None:
    visit.reset()


def reset_after(count: int) -> Fault:
    """Resets once so many bytes have come: in a handshake, a head or a body."""

    def fault(visit: Visit) -> None:
        visit.receive(count)
        visit.reset()

    return fault


def reset_in_body(visit: Visit) -> None:
    visit.read_head()
    visit.receive(100)
    visit.reset()


def reset_before_answer(visit: Visit) -> None:
    visit.read_request()
    visit.reset()


def lose_answer(visit: Visit) -> None:
    """The server has done what it was asked, and nobody hears of it."""
    visit.ask(visit.read_request())
    visit.reset()


def cut_answer(visit: Visit) -> None:
    """Like `lose_answer`, in the middle of the answer's first header."""
    visit.send(visit.ask(visit.read_request())[:20])
    visit.finish()


def reply(*pieces: bytes, endless: bytes = b"", is_done: bool = False) -> Fault:
    """Answers with these bytes in place of the server, then ends the connection.

    `endless` is sent again and again behind them, for as long as the client takes it. With `is_done` the
    server does what it was asked, and its own answer is lost.
    """

    def fault(visit: Visit) -> None:
        request = visit.read_request()
        if is_done:
            visit.ask(request)
        visit.send(*pieces)
        while endless:
            visit.send(endless)
        visit.finish()

    return fault


def drip(*pieces: bytes, endless: bytes = b"", seconds: float = 1) -> Fault:
    """Like `reply`, with a pause before each piece."""

    def fault(visit: Visit) -> None:
        visit.read_request()
        for piece in itertools.chain(pieces, itertools.repeat(endless) if endless else []):
            time.sleep(seconds)
            visit.send(piece)

    return fault


def answer_in_plain(visit: Visit) -> None:
    """A server without TLS, which makes nothing of a handshake."""
    visit.receive(20)
    visit.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    visit.finish()


def crawl(visit: Visit) -> None:
    """Reads one byte of the request a second; of a large body almost nothing leaves the client."""
    visit.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    while visit.socket.recv(1):
        time.sleep(1)


def never_answer(visit: Visit) -> None:
    visit.read_request()
    visit.receive(1)
