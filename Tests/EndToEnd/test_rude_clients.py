"""Clients that say nothing, talk nonsense or never come to an end, and those who suffer no harm from them."""

import socket

import pytest

from http_client import ask, connect
from objects import events_in
from test_status_service import free_port

MANY = 200


@pytest.fixture
def busy(installation, destination):
    """A daemon that delivers, with a port beside its socket."""
    installation.port = ("127.0.0.1", free_port())
    installation.listen = [str(installation.socket), f"127.0.0.1:{installation.port[1]}"]
    installation.configure()
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys,
        batch={"max_age": "1s"})
    return installation.start()


def is_closed(client: socket.socket) -> bool:
    """Whether the daemon has hung up, and said nothing or what is wrong before."""
    client.settimeout(0)
    try:
        while said := client.recv(4096):
            assert said.startswith(b"HTTP/1.1 4") or b"</html>" in said, said
        return True
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_many_silent_clients_take_no_place_from_others(
    installation, destination, busy, producer
):
    silent = []
    try:
        for _ in range(MANY):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(installation.port)
            silent.append(client)
        installation.drop("a.jsonl", producer.lines(100, event_type="shop.Order"), "orders")
        # The socket has places of its own.
        assert installation.ask("/healthz").status == 200
        # On the port a place becomes free every second, long before silence ends a connection by itself.
        assert ask(installation.port, "/healthz", timeout=30).status == 200
        busy.wait_until(lambda: len(events_in(destination.objects())) == 100, "it delivers")
    finally:
        for client in silent:
            client.close()


def test_a_client_that_sends_a_byte_a_second_does_not_keep_its_place(installation, busy):
    slow = [connect(installation.port) for _ in range(32)]
    try:
        header = iter(b"GET /status HTTP/1.1\r\nX-Slow: " + b"a" * 5000)

        def trickle() -> bool:
            byte = bytes([next(header)])
            for client in slow:
                if not is_closed(client):
                    client.settimeout(5)
                    try:
                        client.sendall(byte)
                    except ConnectionError:
                        pass
            return all(is_closed(client) for client in slow)

        busy.wait_until(trickle, "all places are free again")
    finally:
        for client in slow:
            client.close()
    assert ask(installation.port, "/healthz").status == 200


@pytest.mark.parametrize("nonsense", [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)), b"\0" * 70_000,
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000, b"POST /drain HTTP/1.1\r\nHost: a\r\n"
    b"Content-Length: 99999999999999999999\r\n\r\n", b"GET " + b"/" * 60_000,
], ids=["TLS", "zeros", "headers", "length", "path"])
def test_nonsense_is_refused_and_harms_nobody(installation, busy, nonsense):
    for address in (installation.socket, installation.port):
        with connect(address) as client:
            try:
                client.sendall(nonsense)
                client.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            busy.wait_until(lambda: is_closed(client), "it is refused", seconds=15)
        assert ask(address, "/healthz").text == "ok\n"
    assert busy.troubles() == []
