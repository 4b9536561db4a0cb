"""Real file systems run full, turn read-only and stop: nothing is lost, and it goes on once they are well."""

import errno
import os
import re
import signal
import time

import pytest

from disks import image, make_disk, tmpfs  # noqa: F401
from faults import THOROUGH
from objects import assert_same_events, events_in

BUCKET = "scripted"
PAGE = 4096
MIB = 1 << 20
KINDS = {"ext4": image("ext4", 16 * MIB)} | ({"tmpfs": tmpfs(f"size={16 * MIB}")} if THOROUGH else {})
REFUSED = {"method": "PUT", "do": "answer", "status": 503, "code": "SlowDown", "times": None}


class Case:
    """One connector on a small disk, and what was dropped there."""

    def __init__(self, installation, disk, scripted_s3, producer):
        self.installation, self.disk, self.s3, self._producer = installation, disk, scripted_s3, producer
        self.lines: list[bytes] = []
        installation.connector(
            "orders", BUCKET, scripted_s3.endpoint, scripted_s3.KEYS,
            batch={"max_events": 20, "max_age": "1s"})
        self.daemon = installation.start()
        self.daemon.wait_for("connector verified")
        self.daemon.wait_until(
            (installation.spool / "episodes").exists, "it has written all that it writes at a start")

    def write(self, name: str, count: int, **members: object):
        """A file on the disk, ready to be moved into the spool."""
        lines = self._producer.lines(count, **members)
        self.lines += lines
        written = self.disk.root / name
        written.write_bytes(b"".join(lines))
        return written

    def drop(self, name: str, count: int, **members: object) -> None:
        written = self.write(name, count, **members)
        written.rename(self.installation.incoming("orders") / name)

    def wait_until_empty(self, seconds: float = 12) -> None:
        self.daemon.wait_until(
            lambda: not self.installation.waiting(), "everything was delivered", seconds=seconds)

    def assert_delivered_once(self) -> None:
        assert_same_events(events_in(self.s3.objects(BUCKET)), self.lines)
        for name, entry in self.s3.summary().items():
            assert len(entry["bodies"]) == 1, f"{name} had {len(entry['bodies'])} bodies"

    def troubles(self) -> list:
        """What was told; but the clocks of episodes are kept beside all else, and cost no event."""
        return [line for line in self.daemon.troubles() if "clocks of episodes" not in line.message]

    def failed_at(self) -> list[str]:
        """What could not be made, by the endings of their names."""
        ends = [re.search(r"(\w+)(\.new)?: No space left on device; make room", line.message)
                for line in self.daemon.said("intake failed")]
        return [found[1] for found in ends if found]


@pytest.fixture
def make_case(installation, make_disk, scripted_s3, producer):  # noqa: F811
    return lambda mount: Case(installation, make_disk(mount), scripted_s3, producer)


def test_no_byte_left_at_claim_block_and_seal(make_case):
    """A disk with room for nothing, one page, two … stops the daemon a step further each time."""
    case = make_case(tmpfs(f"size={8 * MIB}"))
    for number, (pages, events) in enumerate([(0, 20), (1, 80), (1, 20), (2, 20), (3, 20)]):
        written = case.write(f"{number}.jsonl", events, event_type="shop.Order")
        case.disk.fill(leave=pages * PAGE)
        written.rename(case.installation.incoming("orders") / written.name)
        if number < 3:
            case.daemon.wait_for("intake failed", count=number + 1)
        case.disk.make_room()
        case.wait_until_empty()
        case.daemon.wait_until(
            lambda: len(case.daemon.said("intake failed")) == len(case.daemon.said("intake resumed")),
            "it told that it goes on")
    case.assert_delivered_once()
    failed = set(case.failed_at())
    assert {"sequence", "object"} <= failed and failed & {"offsets", "envelope"}, case.daemon.transcript()
    assert len(case.troubles()) == len(case.failed_at()) <= 5, case.daemon.transcript()


def test_no_inode_left_stops_intake_and_sealing(make_case):
    case = make_case(tmpfs(f"size={8 * MIB}", "nr_inodes=400"))
    # Claimed, but open until its second is over.
    case.drop("a.jsonl", 10, event_type="shop.Order")
    case.daemon.wait_until(
        lambda: any(case.installation.spool.glob("active/*.jsonl")), "it was claimed")
    written = case.write("b.jsonl", 10, event_type="shop.Order")
    case.disk.fill_inodes()
    told = case.daemon.wait_for("intake failed")
    assert case.failed_at() and "make room" in told.message, told.message
    waiting = case.daemon.wait_for("intake waiting")
    assert "inodes" in waiting.message
    written.rename(case.installation.incoming("orders") / "b.jsonl")
    assert case.troubles() == [told, waiting], case.daemon.transcript()
    case.disk.make_room()
    case.wait_until_empty()
    case.assert_delivered_once()


@pytest.mark.parametrize("mount", KINDS.values(), ids=KINDS.keys())
def test_a_disk_without_a_byte_left_is_emptied_by_deliveries(make_case, mount):
    case = make_case(mount)
    case.s3.script(REFUSED)
    case.drop("a.jsonl", 400)
    case.daemon.wait_for("throttled")
    case.daemon.wait_until(
        lambda: not any(case.installation.spool.glob("active/*")), "everything was sealed")
    case.disk.fill()
    assert os.statvfs(case.disk.root).f_bavail * os.statvfs(case.disk.root).f_frsize < 64 << 10
    case.s3.mend()
    case.wait_until_empty(seconds=30)
    assert {line.kind for line in case.troubles()} == {"throttled"}, case.daemon.transcript()
    case.assert_delivered_once()


@pytest.mark.parametrize("mount", KINDS.values(), ids=KINDS.keys())
def test_a_disk_that_turns_read_only_is_told_and_costs_nothing_once_it_is_writable(make_case, mount):
    case = make_case(mount)
    case.s3.script(REFUSED)
    case.drop("held.jsonl", 20, event_type="shop.Order")
    case.daemon.wait_for("throttled")
    case.drop("open.jsonl", 10, event_type="shop.Order")
    case.daemon.wait_until(
        lambda: any(case.installation.spool.glob("active/*.open.jsonl")), "it was claimed")
    case.disk.remount("ro")
    failed = case.daemon.wait_for("intake failed")
    assert os.strerror(errno.EROFS) in failed.message and "mount it for writing" in failed.message
    # What is held is delivered all the same. It cannot be taken off the disk, and is not sent again.
    case.s3.mend()
    case.daemon.wait_until(
        lambda: any(line.kind == "spool failing" for line in case.troubles()), "it was told")
    (unsettled,) = (line for line in case.troubles() if line.kind == "spool failing")
    assert os.strerror(errno.EROFS) in unsettled.message and "nothing is sent twice" in unsettled.message
    assert len(case.s3.objects(BUCKET)) == 1
    case.disk.remount("rw")
    mended = time.monotonic()
    case.wait_until_empty(seconds=15)
    print(f"went on {time.monotonic() - mended:.1f} s after it was mended")
    kinds = [line.kind for line in case.troubles()]
    assert sorted(kinds) == ["intake failed", "spool failing", "throttled"], case.daemon.transcript()
    case.assert_delivered_once()
    assert all(entry["puts"] == 1 for entry in case.s3.summary().values())


def test_a_file_system_that_stops_is_told_and_does_not_hinder_the_end(make_case):
    case = make_case(image("ext4", 16 * MIB))
    case.s3.script(REFUSED)
    case.drop("held.jsonl", 20, event_type="shop.Order")
    case.daemon.wait_for("throttled")
    (case.disk.root / "spool/incoming/orders/later.jsonl").write_bytes(b"")
    written = case.write("later", 30, event_type="shop.Order")
    os.sync()
    written.rename(case.installation.incoming("orders") / "later.jsonl")
    directory = os.open(case.installation.incoming("orders"), os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)
    case.disk.shut_down()
    told = case.daemon.wait_for("intake failed")
    assert os.strerror(errno.EIO) in told.message and "kernel's log" in told.message
    assert case.installation.sluicectl("status").returncode == 1
    # What is held cannot be read either, which may be told as well.
    case.s3.mend()
    assert len(case.daemon.said("intake failed")) == 1, case.daemon.transcript()
    case.daemon.signal(signal.SIGTERM)
    assert case.daemon.wait(5) == 0
    case.disk.unmount()
    case.disk.mount()
    case.installation.drain()
    case.assert_delivered_once()
