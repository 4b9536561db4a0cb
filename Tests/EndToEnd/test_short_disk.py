"""A connector whose backlog fills the disk, or its own limit, does not hold up the others."""

import json
import os
import re

import pytest

from disks import make_disk, tmpfs  # noqa: F401 (a fixture)
from objects import assert_same_events

BUCKET = "scripted"
BATCH = {"max_age": "1s"}
DENIED = {"method": "PUT", "key": "bad/", "do": "answer", "status": 403,
          "code": "InvalidAccessKeyId", "times": None}
MIB = 1 << 20


def large_events(count: int, prefix: str) -> list[bytes]:
    """Events of 100 KiB that no compression makes smaller."""
    return [json.dumps({"event_type": "a.b", "id": f"{prefix}-{number}",
                        "x": os.urandom(50 << 10).hex()}).encode() + b"\n"
            for number in range(count)]


@pytest.fixture
def connectors(installation, scripted_s3):
    """Connectors "bad", whose credentials are rejected, and "good", in one bucket."""
    scripted_s3.script(DENIED)

    def configure(**settings_of_bad: object) -> None:
        for name in ("good", "bad"):
            installation.connector(
                name, BUCKET, scripted_s3.endpoint, scripted_s3.KEYS, folder=name, batch=BATCH,
                compression="none", credentials={"grace": "0s"},
                **(settings_of_bad if name == "bad" else {}))

    configure()
    scripted_s3.configure = configure
    return scripted_s3


def free(disk) -> int:
    room = os.statvfs(disk.root)
    return room.f_bavail * room.f_frsize


def delivered(scripted_s3, name: str) -> list[bytes]:
    folder = scripted_s3.saved / BUCKET / name
    return [line for path in folder.rglob("*.jsonl")
            for line in path.read_bytes().splitlines(keepends=True)]


def fill_with_backlog(installation, daemon, is_enough) -> list[bytes]:
    """Drops files for the connector in trouble until something is true."""
    lines: list[bytes] = []
    for number in range(200):
        if is_enough():
            return lines
        more = large_events(10, f"bad-{number}")
        installation.drop(f"{number}.jsonl", more, "bad")
        lines += more
        daemon.wait_until(
            lambda: is_enough() or not (
                list(installation.incoming("bad").iterdir())
                or list((installation.spool / "active").iterdir())),
            "it is sealed, or waits for good")
    raise AssertionError("200 MB filled nothing")


def test_the_others_go_on_with_the_reserve_when_a_backlog_has_filled_the_disk(
    installation, connectors, make_disk  # noqa: F811
):
    disk = make_disk(tmpfs("size=40m"))
    installation.configure(minimum_free="16MiB")
    daemon = installation.start()

    def is_short() -> bool:
        """Not only while a file and what it became are both there."""
        return free(disk) < 16 * MIB and not list((installation.spool / "active").iterdir())

    lines = fill_with_backlog(installation, daemon, is_short)
    daemon.wait_for("intake waiting")
    daemon.wait_for("credentials failing", "bad")
    told = daemon.said("intake waiting")[0].message
    assert re.search("minimum_free .*nothing is lost", told), told

    good: list[bytes] = []
    for number in range(6):
        more = large_events(20, f"good-{number}")
        installation.drop(f"good-{number}.jsonl", more, "good")
        good += more
        daemon.wait_until(lambda: len(delivered(connectors, "good")) == len(good),
                          "the good connector has delivered them")
    late = large_events(3, "late")
    installation.drop("late.jsonl", late, "bad")
    installation.drop("last.jsonl", last := large_events(3, "last"), "good")
    daemon.wait_until(lambda: len(delivered(connectors, "good")) == len(good + last), "and the last")
    assert (installation.incoming("bad") / "late.jsonl").exists(), "it waits where it was dropped"
    assert len(daemon.said("intake waiting")) == 1
    assert delivered(connectors, "bad") == []

    connectors.mend()
    daemon.reload()
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered", seconds=60)
    daemon.wait_for("intake resumed")
    assert_same_events(delivered(connectors, "bad"), lines + late)
    assert_same_events(delivered(connectors, "good"), good + last)


def test_at_its_max_held_only_the_files_of_that_connector_wait(installation, connectors):
    connectors.configure(max_held="2MiB")
    daemon = installation.start()
    lines = fill_with_backlog(installation, daemon, lambda: daemon.said("intake waiting", "bad"))
    told = daemon.wait_for("intake waiting", "bad").message
    assert "max_held" in told and "incoming/bad/ wait" in told, told
    held = sum(path.stat().st_size for path in installation.spool.glob("sealed/bad/*.object"))
    assert held <= 4 * MIB, "a file more than the limit at the most"

    good = large_events(30, "good")
    installation.drop("good.jsonl", good, "good")
    daemon.wait_until(
        lambda: len(delivered(connectors, "good")) == len(good), "the good one was delivered")
    status = installation.status("bad")
    assert status["held"]["files_wait"] is True
    assert status["held"]["most_bytes"] == 2 * MIB
    assert "max_held" in installation.sluicectl("status").stdout
    assert len(daemon.said("intake waiting")) == 1

    connectors.mend()
    daemon.reload()
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered", seconds=60)
    daemon.wait_for("intake resumed", "bad")
    assert_same_events(delivered(connectors, "bad"), lines)
    assert_same_events(delivered(connectors, "good"), good)


def test_a_run_until_empty_ends_where_files_wait_for_a_limit(installation, connectors):
    connectors.configure(max_held="1MiB")
    for number in range(4):
        installation.drop(f"{number}.jsonl", large_events(10, f"{number}"), "bad")
    daemon = installation.drain(status=75)
    daemon.wait_for("intake waiting", "bad")
    assert installation.waiting()


def test_files_alone_that_fill_the_disk_are_delivered(
    installation, connectors, make_disk  # noqa: F811
):
    """Nobody has to make room where what takes it can be delivered."""
    disk = make_disk(tmpfs("size=24m"))
    installation.configure(minimum_free="8MiB")
    lines: list[bytes] = []
    # The ballast is there before the disk is full.
    installation.drain()
    while free(disk) > 2 * MIB:
        more = large_events(10, f"{len(lines)}")
        installation.drop(f"{len(lines)}.jsonl", more, "good")
        lines += more
    disk.fill(leave=64 << 10)
    daemon = installation.start()
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered", seconds=60)
    assert_same_events(delivered(connectors, "good"), lines)
