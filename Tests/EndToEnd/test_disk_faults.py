"""The disk fails in every way that it can, for a while: one clear line, then the daemon goes on by itself."""

import errno
import os
import time
from typing import NamedTuple

import pytest

from faults import FOR_EVER, THOROUGH, Faults, Rule, faults, faults_library  # noqa: F401
from objects import assert_same_events, events_in
from quarantine import refused_files, refused_lines

BUCKET = "scripted"
SECONDS_TO_RECOVER = 30
"""Intake waits for eight seconds at most before it tries again; the rest is for a slow machine."""


@pytest.fixture
def scripted(installation, scripted_s3, faults):  # noqa: F811
    installation.connector(
        "orders", BUCKET, scripted_s3.endpoint, scripted_s3.KEYS,
        batch={"max_events": 20, "max_age": "1s"})
    return scripted_s3


def some_lines(producer, count: int = 40) -> list[bytes]:
    """Of one type: batches of 20, which are full at once; what is left waits for its time."""
    return producer.lines(count, event_type="shop.Order")


def started(installation):
    """A daemon that has written all that one writes at its start."""
    daemon = installation.start()
    daemon.wait_for("connector verified")
    daemon.wait_until((installation.spool / "episodes").exists, "the clocks of episodes were kept")
    return daemon


def troubles(daemon) -> list[str]:
    """The kinds of what was told; but the clocks of episodes are kept beside all else, and cost no event."""
    return [line.kind for line in daemon.troubles() if "clocks of episodes" not in line.message]


def assert_balance(installation, scripted_s3, lines: list[bytes]) -> None:
    """Every line is delivered or in quarantine, once; no key had two bodies."""
    kept = [line.text + b"\n" for line in refused_lines(installation.spool)]
    for file in refused_files(installation.spool):
        kept += file.path.read_bytes().splitlines(keepends=True)
    assert_same_events(events_in(scripted_s3.objects(BUCKET)) + kept, lines)
    for name, entry in scripted_s3.summary().items():
        assert len(entry["bodies"]) == 1, f"{name} had {len(entry['bodies'])} bodies"


def test_the_library_is_asked_about_every_kind_of_call(
    installation, faults, scripted, producer  # noqa: F811
):
    faults.script(Rule("note", "any"))
    lines = some_lines(producer)
    installation.drop("a.jsonl", [*lines, b"no event\n"], "orders")
    daemon = installation.start()
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    seen = {(call.operation, call.path.removeprefix(f"{installation.spool}/")) for call in faults.log()}
    for operation, place in [
        ("mkdir", "active"), ("open", "incoming"), ("write", "sequence.new"), ("fsync", "sequence.new"),
        ("rename", "sequence.new ->"), ("rename", "incoming"),
        ("read", "active"), ("open", "sealed"), ("write", "sealed"), ("write", "connectors"),
        ("fsync", "connectors"), ("syncfs", str(installation.spool)), ("rename", "sealed"),
        ("fsync", "sealed"), ("read", "sealed"), ("unlink", "sealed"), ("unlink", "active"),
        ("write", "quarantine"), ("rename", "quarantine"),
    ]:
        assert any(call[0] == operation and call[1].startswith(place) for call in seen), \
            (operation, place)
    assert not faults.hits()


class Fault(NamedTuple):
    code: int
    operation: str
    pattern: str
    advice: str
    kind: str = "intake failed"
    lasts: bool = True
    """It is met again as long as it is there; else what follows a failure makes the call needless."""
    is_quick: bool = True
    """Met also where there is little time: another stands for those that are not."""


NOT_EPISODES = "*/spool/[!e]*"
ROOM, DISK, READ_ONLY = "make room", "kernel's log", "mount it for writing"
FAULTS = {
    "no room at claim: the sequence": Fault(errno.ENOSPC, "write", "*/sequence.new", ROOM),
    "no room at claim: the rename": Fault(errno.ENOSPC, "rename", "*/incoming/* -> *", ROOM),
    "no room at a block": Fault(errno.ENOSPC, "write", "*.object", ROOM),
    "no inode at a block": Fault(errno.ENOSPC, "open", "*.object (to write)", ROOM, is_quick=False),
    "no room at an envelope": Fault(errno.ENOSPC, "write", "*.envelope.new", ROOM),
    "no inode at an envelope": Fault(errno.ENOSPC, "open", "*.envelope.new (to write)", ROOM, is_quick=False),
    "no room at the offsets": Fault(errno.ENOSPC, "write", "*.offsets.new", ROOM, is_quick=False),
    "no room at the seal": Fault(errno.ENOSPC, "rename", "*.envelope.new -> *", ROOM),
    "no room at settling": Fault(errno.ENOSPC, "rename", "*.delivered", ROOM, "spool failing"),
    "no room in quarantine": Fault(errno.ENOSPC, "write,rename", "*/quarantine/*", ROOM),
    "over the quota at a block": Fault(errno.EDQUOT, "write", "*.object", "quota"),
    "fsync of the sequence": Fault(errno.EIO, "fsync", "*/sequence.new", DISK, is_quick=False),
    "fsync of the offsets": Fault(errno.EIO, "fsync", "*.offsets.new", DISK, is_quick=False),
    "fsync of the sealed names": Fault(
        errno.EIO, "fsync", "*/sealed/orders", DISK, lasts=False, is_quick=False),
    "fsync of the claimed names": Fault(errno.EIO, "fsync", "*/active", DISK, lasts=False),
    "syncfs": Fault(errno.EIO, "syncfs", "*", DISK),
    "write of an object": Fault(errno.EIO, "write", "*.object", DISK, is_quick=False),
    "read-only": Fault(errno.EROFS, "mkdir,rename,unlink", "*", READ_ONLY),
    "too many open files": Fault(errno.EMFILE, "open", NOT_EPISODES, "LimitNOFILE"),
    "too many open files on the machine": Fault(
        errno.ENFILE, "open", NOT_EPISODES, "fs.file-max", is_quick=False),
    "no memory": Fault(errno.ENOMEM, "open", NOT_EPISODES, "memory"),
}
TIMES = {"once": 1, "three times": 3, "until it is mended": FOR_EVER}
LONG = {"no room at a block", "syncfs"}
"""Those that are met again and again even where there is little time."""


def cases():
    for name, fault in FAULTS.items():
        for how, times in TIMES.items():
            is_quick = fault.is_quick and (times == FOR_EVER or not fault.lasts)
            if (THOROUGH or is_quick) and (times == 1 or fault.lasts):
                seconds = 10 if THOROUGH else 0.4 if name in LONG else 0
                yield pytest.param(fault, times, seconds, id=f"{name}, {how}")


def rules(fault: Fault, times: int) -> list[Rule]:
    rule = Rule(fault.code, fault.operation, fault.pattern, times=times)
    # Whatever reads goes on as before.
    return [rule, rule._replace(operation="open", pattern="* (to write)")] \
        if fault.code == errno.EROFS else [rule]


@pytest.mark.parametrize("fault, times, seconds", list(cases()))
def test_a_fault_of_the_disk_is_told_once_and_passes(
    installation, faults, scripted, producer, fault, times, seconds  # noqa: F811
):
    daemon = started(installation)
    faults.script(*rules(fault, times))
    # Settling is a rename as long as something of the event file is not sealed.
    count = 50 if fault.kind == "spool failing" else 40
    lines = [*some_lines(producer, count), *(b"no event %d\n" % number for number in range(3))]
    installation.drop("a.jsonl", lines, "orders")

    told = daemon.wait_for(fault.kind)
    if times == FOR_EVER:
        # However often it is tried again, it is told once.
        daemon.wait_until(
            lambda: faults.hits()[-1].time - faults.hits()[0].time >= seconds, "it was tried again")
        faults.mend()
    else:
        daemon.wait_until(lambda: len(faults.hits()) >= times, "the faults were met")
    mended = time.monotonic()
    daemon.wait_until(
        lambda: not installation.waiting(), "everything was delivered", seconds=SECONDS_TO_RECOVER)
    print(f"went on {time.monotonic() - mended:.1f} s after it was mended")

    assert troubles(daemon).count("events quarantined") == 1, daemon.transcript()
    assert sorted(troubles(daemon)) == sorted([fault.kind, "events quarantined"]), daemon.transcript()
    for part in [os.strerror(fault.code), fault.advice]:
        assert part in told.message, (part, told.message)
    assert any(call.shown in told.message for call in faults.hits()), told.message
    if fault.kind == "intake failed":
        daemon.wait_for("intake resumed")
        assert len(daemon.said("intake resumed")) == 1, daemon.transcript()
    assert_balance(installation, scripted, lines)


FAILED_SYNCS = {
    "syncfs": ("syncfs", "*"),
    "fsync of the offsets": ("fsync", "*.offsets.new"),
    "fsync of the sealed names": ("fsync", "*/sealed/orders"),
}


@pytest.mark.parametrize("operation, pattern", FAILED_SYNCS.values(), ids=FAILED_SYNCS.keys())
def test_what_a_failed_sync_covered_is_made_anew_before_anything_is_sent(
    installation, faults, scripted, producer, operation, pattern  # noqa: F811
):
    daemon = started(installation)
    faults.script(Rule(errno.EIO, operation, pattern, times=1), Rule("note", "write,syncfs,fsync"))
    lines = some_lines(producer, 40)
    installation.drop("a.jsonl", lines, "orders")
    daemon.wait_until(lambda: faults.hits(), "the sync failed")
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")

    (failed,) = faults.hits()
    before = [call for call in faults.log() if call.time < failed.time]
    after = [call for call in faults.log() if call.time > failed.time]
    first_sent = min(request["time"] for request in scripted.requests("PUT"))
    # A sync of everything that came after it, and did not fail, stands before the first request.
    assert any(call.operation == "syncfs" and call.time < first_sent for call in after)
    written = {call.path for call in before if call.path.endswith(".object")}
    assert written
    again = {call.path for call in after if call.path.endswith(".object") and call.time < first_sent}
    # Of a directory only names were to be synced: the file system has them in its journal, or it stops.
    if pattern != "*/sealed/orders":
        assert again >= written, "an object was not written again"
    assert_balance(installation, scripted, lines)


def test_where_nothing_can_be_watched_it_is_looked_for_until_it_can(
    installation, faults, scripted, producer  # noqa: F811
):
    faults.script(Rule(errno.ENOSPC, "watch"))
    daemon = started(installation)
    told = daemon.wait_for("intake failed")
    assert "cannot be watched" in told.message and "max_user_watches" in told.message, told.message
    lines = some_lines(producer)
    installation.drop("a.jsonl", lines, "orders")
    daemon.wait_until(lambda: not installation.waiting(), "it was found")
    met = len(faults.hits())
    assert met > 1, "watching was not tried again"
    faults.script(Rule("note", "watch"))
    daemon.wait_until(
        lambda: any(call.path.endswith("/incoming/orders") for call in faults.log()), "it is watched again")
    assert troubles(daemon) == [told.kind], daemon.transcript()
    assert_balance(installation, scripted, lines)


# Reading.


@pytest.mark.parametrize("times", [1, 2] if THOROUGH else [1])
def test_an_event_file_that_cannot_be_read_for_a_moment_is_read_again(
    installation, faults, scripted, producer, times  # noqa: F811
):
    daemon = started(installation)
    faults.script(Rule(errno.EIO, "read", "*/active/*", times=times))
    lines = some_lines(producer)
    installation.drop("a.jsonl", lines, "orders")
    told = daemon.wait_for("intake failed")
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    assert len(faults.hits()) == times
    assert "read " in told.message and "/active/" in told.message and DISK in told.message
    assert troubles(daemon) == [told.kind], daemon.transcript()
    assert_balance(installation, scripted, lines)


def test_an_event_file_that_the_device_gives_out_no_more_is_set_aside_and_holds_up_no_other(
    installation, faults, scripted, producer  # noqa: F811
):
    daemon = started(installation)
    faults.script(Rule(errno.EIO, "read", "*/active/*.bad.jsonl"))
    (bad, good) = (some_lines(producer), some_lines(producer))
    installation.drop("bad.jsonl", bad, "orders")
    daemon.wait_for("intake failed")
    installation.drop("good.jsonl", good, "orders")
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    assert troubles(daemon) == ["intake failed", "file quarantined"], daemon.transcript()
    (file,) = refused_files(installation.spool)
    assert file.file.endswith("bad.jsonl") and os.strerror(errno.EIO) in file.reason
    assert_balance(installation, scripted, bad + good)


def test_an_object_that_the_device_gives_out_no_more_is_held_and_sent_once_it_does(
    installation, faults, scripted, producer  # noqa: F811
):
    daemon = started(installation)
    faults.script(Rule(errno.EIO, "read", "*.object"))
    lines = some_lines(producer, 20)
    installation.drop("a.jsonl", lines, "orders")
    told = daemon.wait_for("spool damaged")
    assert os.strerror(errno.EIO) in told.message and ".object" in told.message
    assert troubles(daemon) == [told.kind], daemon.transcript()
    assert installation.status("orders")["held"]["events"] == 20
    # One that cannot be read says nothing of those that can.
    (object_,) = {call.path for call in faults.hits()}
    faults.script(Rule(errno.EIO, "read", object_))
    more = some_lines(producer, 20)
    installation.drop("b.jsonl", more, "orders")
    daemon.wait_until(lambda: events_in(scripted.objects(BUCKET)), "the next was delivered")
    assert_same_events(events_in(scripted.objects(BUCKET)), more)
    faults.mend()
    daemon.stop()
    installation.drain()
    assert_balance(installation, scripted, lines + more)


@pytest.mark.skipif(not THOROUGH, reason="it is probed slowly; SLUICE_THOROUGH=1 runs it")
@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENOMEM], ids=["EMFILE", "ENOMEM"])
def test_an_object_that_cannot_be_opened_for_want_of_something_waits_for_it(
    installation, faults, scripted, producer, code  # noqa: F811
):
    daemon = started(installation)
    faults.script(Rule(code, "open", "*.object"))
    lines = some_lines(producer, 20)
    installation.drop("a.jsonl", lines, "orders")
    told = daemon.wait_for("destination misconfigured")
    assert os.strerror(code) in told.message and "spool cannot be read" in told.message
    faults.mend()
    mended = time.monotonic()
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    print(f"went on {time.monotonic() - mended:.1f} s after it was mended")
    assert troubles(daemon) == [told.kind], daemon.transcript()
    assert_balance(installation, scripted, lines)


# Starting.


AT_START = {
    "no room for a directory": (errno.ENOSPC, "mkdir", "*/sealed"),
    "no room for the format": (errno.ENOSPC, "write", "*/format.new"),
    "fsync of the identity": (errno.EIO, "fsync", "*/identity.new"),
    "the spool cannot be opened": (errno.EMFILE, "open", "*/spool"),
    "read-only": (errno.EROFS, "mkdir", "*"),
}


@pytest.mark.parametrize("code, operation, pattern", AT_START.values(), ids=AT_START.keys())
def test_a_spool_that_cannot_be_made_is_refused_and_made_at_the_next_start(
    installation, faults, scripted, producer, code, operation, pattern  # noqa: F811
):
    faults.script(Rule(code, operation, pattern))
    daemon = installation.start(wait=False)
    assert daemon.wait(10) not in (0, 78)
    (told,) = daemon.troubles()
    assert told.kind == "start refused"
    (call, *_) = faults.hits()
    assert os.strerror(code) in told.message and call.shown in told.message, told.message
    faults.mend()
    lines = some_lines(producer)
    installation.drop("a.jsonl", lines, "orders")
    installation.drain()
    assert_balance(installation, scripted, lines)
