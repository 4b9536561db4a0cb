"""docs/operating.md: the container's configuration and the rotation of logs do what the page says."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from installation import Installation
from objects import assert_same_events, events_in
from pages import block

PAGE = "operating.md"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def _children(pid: int) -> list[int]:
    return [int(word) for word in
            pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _configure(installation: Installation) -> None:
    shown = block(PAGE, "Containers without systemd", "toml")
    changes = {
        '"/spool"': f'"{installation.spool}"', "/run/sluice.sock": f"{installation.directory}/http.sock",
        "127.0.0.1:9464": f"127.0.0.1:{_free_port()}", "shop-0": "zone-a",
        '[spool]\n': '[spool]\nminimum_free = "1MiB"\n', "[identity]\n": '[identity]\ncluster = "test"\n',
    }
    for old, new in changes.items():
        assert old in shown, old
        shown = shown.replace(old, new)
    installation.config.write_text(shown)


def test_as_process_1_of_a_container_it_delivers_reloads_and_ends(installation, destination, producer):
    in_container = ["unshare", "--pid", "--fork", "--kill-child=SIGKILL"]
    if subprocess.run([*in_container, "true"], capture_output=True).returncode:
        pytest.skip("this machine allows no PID namespaces of one's own")
    _configure(installation)
    installation.connector("shop", destination.bucket, destination.s3.endpoint, destination.keys)
    installation.prefix = in_container
    daemon = installation.start()
    (process_1,) = _children(daemon.pid)
    lines = producer.lines(20)
    installation.drop("a.jsonl", lines, "shop")
    # The health check of the page; an open batch is no trouble.
    assert installation.sluicectl("status").returncode == 0
    installation.sluicectl("flush")
    daemon.wait_for("object delivered")
    os.kill(process_1, signal.SIGHUP)
    daemon.wait_for("reloaded")
    os.kill(process_1, signal.SIGTERM)
    assert daemon.wait(10) == 0
    installation.prefix = []
    installation.drain()
    assert_same_events(events_in(destination.objects()), lines)


@pytest.fixture
def rotate(installation, tmp_path):
    """Runs logrotate as the page configures it, for a log of the test's; answers the log."""
    if not (program := shutil.which("logrotate", path="/usr/sbin:/usr/bin")):
        pytest.skip("needs logrotate")
    log = installation.directory / "log" / "events.jsonl"
    log.parent.mkdir(mode=0o755)
    changes = {
        "/var/log/shop": str(log.parent), "/var/spool/sluice/incoming/shop/": f"{installation.incoming('shop')}/",
        "systemctl kill --signal=HUP shop": f"kill -HUP $(cat {log.parent}/shop.pid)",
        "create 0640 shop sluice": "create 0644", "hourly": "size 1",
    }
    shown = block(PAGE, "Rotating logs into the spool")
    for old, new in changes.items():
        assert old in shown, old
        shown = shown.replace(old, new)
    configuration = tmp_path / "logrotate.conf"
    configuration.write_text(shown)
    configuration.chmod(0o644)

    def run() -> None:
        result = subprocess.run(
            [program, "--state", tmp_path / "state", configuration], capture_output=True, text=True)
        assert (result.returncode, result.stderr) == (0, "")

    run.log = log
    return run


SHOP = """
import signal, sys
log, pid = sys.argv[1:]
again = []
signal.signal(signal.SIGHUP, lambda *_: again.append(True))
open(pid, "w").write(str(__import__("os").getpid()))
file = open(log, "ab", buffering=0)
for line in sys.stdin.buffer:
    # It goes on with the old file for one more line, as a busy program would.
    file.write(line)
    if again:
        file.close()
        file, again = open(log, "ab", buffering=0), []
    print("written", flush=True)
"""


def test_rotated_logs_are_delivered_with_the_lines_that_came_late(
    installation, destination, producer, rotate
):
    installation.connector("shop", destination.bucket, destination.s3.endpoint, destination.keys)
    daemon = installation.start()
    lines = producer.lines(30)
    with subprocess.Popen(
        [sys.executable, "-c", SHOP, rotate.log, rotate.log.parent / "shop.pid"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as shop:
        for number, line in enumerate(lines, 1):
            shop.stdin.write(line)
            shop.stdin.flush()
            assert shop.stdout.readline() == b"written\n"
            if number % 10 == 0:
                rotate()
        shop.stdin.close()
    os.rename(rotate.log, installation.incoming("shop") / "rest.jsonl")
    daemon.stop()
    installation.drain()
    assert_same_events(events_in(destination.objects()), lines)
