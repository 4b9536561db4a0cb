"""With few descriptors or little memory the process ends or goes on, and loses and doubles nothing."""

import os
import pathlib
import re
import resource
import time

import pytest

from daemon import Daemon
from faults import THOROUGH
from installation import binary
from objects import assert_same_events, events_in

BUCKET = "scripted"
MIB = 1 << 20
SECONDS_TO_RECOVER = 30


@pytest.fixture
def scripted(installation, scripted_s3):
    installation.connector(
        "orders", BUCKET, scripted_s3.endpoint, scripted_s3.KEYS,
        batch={"max_events": 100, "max_age": "1s"})
    return scripted_s3


@pytest.fixture
def start_limited(installation):
    """Starts daemons under limits of prlimit(1)."""
    made: list[Daemon] = []

    def start(limit: str) -> Daemon:
        made.append(Daemon(
            ["prlimit", limit, binary("sluiced"), "--config", installation.config],
            installation.environment, installation.user))
        return made[-1]

    yield start
    for daemon in made:
        daemon.close()


def assert_delivered_once(scripted_s3, lines: list[bytes]) -> None:
    assert_same_events(events_in(scripted_s3.objects(BUCKET)), lines)
    for name, entry in scripted_s3.summary().items():
        assert len(entry["bodies"]) == 1, f"{name} had {len(entry['bodies'])} bodies"


# Descriptors.


@pytest.mark.parametrize("descriptors", [*range(12, 128, 4), 127] if THOROUGH else [12, 64, 127])
def test_too_few_descriptors_are_refused_at_the_start(
    installation, scripted, producer, start_limited, descriptors
):
    lines = producer.lines(100)
    installation.drop("a.jsonl", lines, "orders")
    daemon = start_limited(f"--nofile={descriptors}")
    assert daemon.wait(10) == 1
    (told,) = daemon.troubles()
    assert told.kind == "start refused"
    assert re.search(rf"\b{descriptors} files.* 128\b.*LimitNOFILE", told.message), told.message
    installation.drain()
    assert_delivered_once(scripted, lines)


def test_as_many_descriptors_as_are_asked_for_are_enough(
    installation, scripted, producer, start_limited
):
    scripted.script({"method": "PUT", "do": "hang", "seconds": 0.2, "times": None})
    lines = producer.lines(3000)
    for number in range(30):
        installation.drop(f"{number}.jsonl", lines[number::30], "orders")
    daemon = start_limited("--nofile=128")
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    assert not daemon.troubles(), daemon.transcript()
    assert_delivered_once(scripted, lines)


def test_descriptors_that_are_taken_away_are_told_and_nothing_is_lost_once_they_are_back(
    installation, scripted, producer
):
    daemon = installation.start()
    daemon.wait_for("connector verified")
    (_, most) = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    open_now = len(list(pathlib.Path(f"/proc/{daemon.pid}/fd").iterdir()))
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (min(8, open_now), most))
    lines = producer.lines(1000)
    installation.drop("a.jsonl", lines, "orders")
    told = daemon.wait_for("intake failed")
    assert os.strerror(24) in told.message and "LimitNOFILE" in told.message, told.message
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (most, most))
    back = time.monotonic()
    daemon.wait_until(
        lambda: not installation.waiting(), "everything was delivered", seconds=SECONDS_TO_RECOVER)
    print(f"went on {time.monotonic() - back:.1f} s after they were back")
    assert len(daemon.said("intake failed")) == 1, daemon.transcript()
    assert_delivered_once(scripted, lines)


# Memory.


def used_address_space(pid: int) -> int:
    pages = pathlib.Path(f"/proc/{pid}/statm").read_text().split()[0]
    return int(pages) * os.sysconf("SC_PAGESIZE")


def wait_for_an_end_or_delivery(installation, daemon: Daemon, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while daemon.is_running and installation.waiting() and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.mark.parametrize(
    "spare", [0, 1, 4, 16] if THOROUGH else [1], ids=lambda spare: f"{spare} MiB to spare")
def test_memory_that_runs_out_under_load_costs_no_event(installation, scripted, producer, spare):
    daemon = installation.start()
    daemon.wait_for("connector verified")
    before = resource.prlimit(daemon.pid, resource.RLIMIT_AS)
    limit = used_address_space(daemon.pid) + spare * MIB
    resource.prlimit(daemon.pid, resource.RLIMIT_AS, (limit, before[1]))
    lines = producer.lines(4000)
    for number in range(4):
        installation.drop(f"{number}.jsonl", lines[number::4], "orders")
    wait_for_an_end_or_delivery(installation, daemon, 2)
    print(f"running: {daemon.is_running}, left: {len(installation.waiting())}")
    if daemon.is_running:
        # It waits for memory, and goes on once it gets some.
        resource.prlimit(daemon.pid, resource.RLIMIT_AS, before)
        wait_for_an_end_or_delivery(installation, daemon, 20)
        assert not daemon.is_running or not installation.waiting(), daemon.transcript()
    daemon.close()
    installation.drain()
    assert_delivered_once(scripted, lines)


@pytest.mark.parametrize("size", range(32, 200, 8) if THOROUGH else [112])
def test_a_start_with_too_little_memory_costs_no_event(
    installation, scripted, producer, start_limited, size
):
    lines = producer.lines(1000)
    installation.drop("a.jsonl", lines, "orders")
    daemon = start_limited(f"--as={size * MIB}")
    wait_for_an_end_or_delivery(installation, daemon, 2)
    daemon.close()
    installation.drain()
    assert_delivered_once(scripted, lines)


@pytest.fixture
def memory_group() -> pathlib.Path:
    """A control group of one's own, of either version, whose memory can be limited."""
    path = pathlib.Path("/sys/fs/cgroup/memory")
    parent = path if (path / "memory.limit_in_bytes").exists() else pathlib.Path("/sys/fs/cgroup")
    group = parent / f"sluice-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        if not any((group / name).exists() for name in ("memory.limit_in_bytes", "memory.max")):
            pytest.skip("control groups limit no memory here")
        yield group
    finally:
        deadline = time.monotonic() + 5
        while (group / "cgroup.procs").read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        group.rmdir()


def test_a_process_that_the_kernel_ends_for_its_memory_costs_no_event(
    installation, scripted, producer, memory_group
):
    lines = producer.lines(6000)
    daemon = installation.start()
    daemon.wait_for("connector verified")
    (memory_group / "cgroup.procs").write_text(str(daemon.pid))
    limit = next(memory_group / name for name in ("memory.limit_in_bytes", "memory.max")
                 if (memory_group / name).exists())
    # What it used before is not counted; what it takes from now on is.
    limit.write_text(str(2 * MIB))
    for number in range(6):
        installation.drop(f"{number}.jsonl", lines[number::6], "orders")
    wait_for_an_end_or_delivery(installation, daemon, 10)
    print(f"running: {daemon.is_running}, left: {len(installation.waiting())}")
    daemon.close()
    installation.drain()
    assert_delivered_once(scripted, lines)
