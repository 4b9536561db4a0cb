"""Asks a running daemon over HTTP, at its Unix socket or a loopback port."""

import http.client
import json
import pathlib
import socket
from typing import NamedTuple


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def document(self) -> dict:
        assert self.headers["Content-Type"] == "application/json", self
        return json.loads(self.body)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: pathlib.Path, timeout: float):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = connect(self._path, self.timeout)


Address = pathlib.Path | tuple[str, int]
"""The path of a Unix socket, or host and port."""


def connect(address: Address, timeout: float = 10) -> socket.socket:
    if isinstance(address, tuple):
        return socket.create_connection(address, timeout)
    connected = socket.socket(socket.AF_UNIX)
    # Where many others wait in line, this waits as well; with a time limit it would fail at once.
    connected.connect(str(address))
    connected.settimeout(timeout)
    return connected


def ask(
    address: Address, target: str, method: str = "GET", *, host: str | None = None,
    timeout: float = 10
) -> Answer:
    """One request on a connection of its own."""
    connection = (http.client.HTTPConnection(*address, timeout=timeout)
                  if isinstance(address, tuple) else _UnixConnection(address, timeout))
    try:
        connection.request(method, target, headers={"Host": host} if host else {})
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()
