"""Sockets that systemd listens on for the daemon."""

import socket

import pytest

from http_client import ask, connect
from installation import Installation


def listening(installation: Installation, address: object) -> socket.socket:
    """A socket of somebody who outlives the daemon, as systemd does."""
    made = socket.socket(socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX)
    made.bind(address)
    made.listen(64)
    installation.passed.append(made)
    return made


@pytest.fixture
def activated(installation, destination):
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys)
    yield installation
    for each in installation.passed:
        each.close()


def test_a_passed_socket_is_served_and_outlives_a_stop(activated):
    listening(activated, str(activated.socket))
    inode = activated.socket.stat().st_ino
    daemon = activated.start()
    assert activated.sluicectl("pause", "orders").returncode == 0
    assert daemon.stop() == 0
    assert activated.socket.stat().st_ino == inode

    with connect(activated.socket) as waiting:
        waiting.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        # Nobody is there to answer: it waits in line until somebody is.
        activated.start()
        assert waiting.recv(15) == b"HTTP/1.1 200 OK"
    assert activated.socket.stat().st_ino == inode


def test_what_was_not_passed_the_daemon_opens_itself(activated):
    port = listening(activated, ("127.0.0.1", 0)).getsockname()
    activated.start()
    assert ask(port, "/status").status == 200
    assert ask(port, "/flush", "POST").status == 403
    assert activated.ask("/flush", "POST").status == 200


def test_a_passed_socket_that_others_could_reach_is_refused(activated):
    listening(activated, ("0.0.0.0", 0))
    daemon = activated.start(wait=False)
    assert daemon.wait(20) == 78
    said = daemon.wait_for("start refused").message
    assert "is no loopback address" in said and "ListenStream= in sluiced.socket" in said


def test_a_passed_socket_of_another_kind_is_refused(activated):
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind(str(activated.directory / "datagrams"))
    activated.passed.append(made)
    daemon = activated.start(wait=False)
    assert daemon.wait(20) == 78
    assert "no Unix or TCP stream socket" in daemon.wait_for("start refused").message
