"""A producer keeps a descriptor of a file that was claimed: it writes into the file, cuts it or holds it.

An owner may reopen a descriptor for writing by /proc/self/fd once the daemon's lease is given back, wherever
the file lies by then. That harms no other file, and what becomes of the file itself is told.
"""

import contextlib
import ctypes
import errno
import fcntl
import mmap
import os
import pathlib
import random
import re
import signal
import time
from collections.abc import Iterator

import pytest

import unprivileged
from installation import Installation
from objects import assert_same_events, events_in
from quarantine import refused_files
from unprivileged import ALICE, BOB, acting_as

BUCKET = "scripted"
F_SETLEASE = 1024
AT_FDCWD, AT_SYMLINK_FOLLOW = -100, 0x400


@pytest.fixture
def spool(installation, scripted_s3):
    installation.connector(
        "orders", BUCKET, scripted_s3.endpoint, scripted_s3.KEYS, batch={"max_age": "1h"})
    unprivileged.set_up(installation)
    return installation


class Kept:
    """A file that ALICE dropped, and of which she keeps a descriptor open for reading."""

    def __init__(self, spool: Installation, name: str, lines: list[bytes]):
        path = unprivileged.drop(spool, ALICE, name, b"".join(lines))
        with acting_as(ALICE):
            self.descriptor = os.open(path, os.O_RDONLY)

    @contextlib.contextmanager
    def reopened(self, flags: int) -> Iterator[int]:
        with acting_as(ALICE):
            again = os.open(f"/proc/self/fd/{self.descriptor}", flags)
        try:
            yield again
        finally:
            os.close(again)

    def link(self, path: pathlib.Path) -> None:
        """Gives it another name: os.link would take the link in /proc for what is meant."""
        linked = ctypes.CDLL(None, use_errno=True).linkat(
            AT_FDCWD, f"/proc/self/fd/{self.descriptor}".encode(), AT_FDCWD, os.fsencode(path),
            AT_SYMLINK_FOLLOW)
        assert linked == 0, os.strerror(ctypes.get_errno())

    def close(self) -> None:
        os.close(self.descriptor)


@pytest.fixture
def keep(spool):
    kept = []

    def keep(name: str, lines: list[bytes]) -> Kept:
        kept.append(Kept(spool, name, lines))
        return kept[-1]

    yield keep
    for file in kept:
        file.close()


def claimed(spool: Installation, name: str) -> bool:
    return any((spool.spool / "active").glob(f"[!.]*.{name}"))


def kept_reason(spool: Installation, name: str) -> str:
    (file,) = [file for file in refused_files(spool.spool) if file.file.endswith(name)]
    return file.reason


def claim_and_stop(spool: Installation, *names: str):
    """Claims the files, reads them, and ends before anything of them is sealed."""
    daemon = spool.start()
    daemon.wait_until(lambda: all(claimed(spool, name) for name in names), "the files were claimed")
    daemon.kill()
    return daemon


# Between the claim and the end of reading: a killed daemon reads again, so a test has all the time it wants.


def test_what_is_added_to_a_claimed_file_is_kept_and_told(spool, scripted_s3, producer, keep):
    lines, good = producer.lines(50), producer.lines(20)
    file = keep("grown.jsonl", lines)
    unprivileged.drop(spool, BOB, "good.jsonl", b"".join(good))
    claim_and_stop(spool, "grown.jsonl", "good.jsonl")
    with file.reopened(os.O_WRONLY | os.O_APPEND) as descriptor:
        os.write(descriptor, b'{"event_type":"a.b","id":"late"}\n')
    daemon = spool.drain()
    assert_same_events(events_in(scripted_s3.objects(BUCKET)), lines + good)
    assert "added to it after it was claimed" in kept_reason(spool, "grown.jsonl")
    assert [line.kind for line in daemon.troubles()] == ["file quarantined"]


def test_a_claimed_file_that_is_cut_is_kept_and_told(spool, scripted_s3, producer, keep):
    lines, good = producer.lines(50), producer.lines(20)
    file = keep("cut.jsonl", lines)
    unprivileged.drop(spool, BOB, "good.jsonl", b"".join(good))
    claim_and_stop(spool, "cut.jsonl", "good.jsonl")
    with file.reopened(os.O_WRONLY) as descriptor:
        os.ftruncate(descriptor, len(b"".join(lines[:30])) + 7)
    daemon = spool.drain()
    assert_same_events(events_in(scripted_s3.objects(BUCKET)), lines[:30] + good)
    assert "shorter after it was claimed" in kept_reason(spool, "cut.jsonl")
    assert [line.kind for line in daemon.troubles()] == ["file quarantined"]


@pytest.mark.parametrize("by", ["write", "mapping"])
def test_a_claimed_file_that_is_overwritten_before_it_is_read_counts_as_it_is_then(
    spool, scripted_s3, producer, keep, by
):
    old, good = producer.lines(50), producer.lines(20)
    new = [with_another_id(line) for line in old]
    file = keep("other.jsonl", old)
    unprivileged.drop(spool, BOB, "good.jsonl", b"".join(good))
    claim_and_stop(spool, "other.jsonl", "good.jsonl")
    with file.reopened(os.O_RDWR) as descriptor:
        if by == "write":
            os.pwrite(descriptor, b"".join(new), 0)
        else:
            with mmap.mmap(descriptor, 0) as memory:
                memory[:] = b"".join(new)
    daemon = spool.drain()
    assert_same_events(events_in(scripted_s3.objects(BUCKET)), new + good)
    assert daemon.troubles() == [] and refused_files(spool.spool) == []


def with_another_id(line: bytes) -> bytes:
    """Another event in as many bytes."""
    return re.sub(rb'"id":"([^"]*)"', lambda match: b'"id":"' + match[1][::-1] + b'"', line, count=1)


def test_a_file_with_a_time_to_come_is_not_taken_for_a_changed_one(spool, scripted_s3, producer, keep):
    lines = producer.lines(50)
    file = keep("tomorrow.jsonl", lines)
    with acting_as(ALICE):
        os.utime(file.descriptor, (time.time() + 86_400,) * 2)
    claim_and_stop(spool, "tomorrow.jsonl")
    daemon = spool.drain()
    assert_same_events(events_in(scripted_s3.objects(BUCKET)), lines)
    assert daemon.troubles() == [] and refused_files(spool.spool) == []


def test_who_writes_into_a_file_while_it_is_read_is_told(spool, scripted_s3, producer, keep):
    """Opened before reading begins: from then on the daemon's lease keeps writers off."""
    lines, good = producer.lines(50), producer.lines(20)
    file = keep("open.jsonl", lines)
    claim_and_stop(spool, "open.jsonl")
    with file.reopened(os.O_RDWR):
        unprivileged.drop(spool, BOB, "good.jsonl", b"".join(good))
        daemon = spool.drain()
    assert_same_events(events_in(scripted_s3.objects(BUCKET)), lines + good)
    assert "wrote into it" in kept_reason(spool, "open.jsonl")
    assert [line.kind for line in daemon.troubles()] == ["file quarantined"]


@pytest.mark.parametrize("change", ["unlink", "chmod 0", "link"])
def test_what_else_its_owner_may_do_to_a_claimed_file_harms_no_other(
    spool, scripted_s3, producer, keep, change
):
    lines, good = producer.lines(50), producer.lines(20)
    file = keep("mine.jsonl", lines)
    unprivileged.drop(spool, BOB, "good.jsonl", b"".join(good))
    claim_and_stop(spool, "mine.jsonl", "good.jsonl")
    (claimed_path,) = (spool.spool / "active").glob("[!.]*.mine.jsonl")
    with acting_as(ALICE):
        if change == "unlink":
            with pytest.raises(PermissionError):
                claimed_path.unlink()
        elif change == "chmod 0":
            os.fchmod(file.descriptor, 0)
        else:
            # The same file under a second name, in the spool: it comes twice, as a copy would.
            file.link(spool.incoming() / "again.jsonl")
    daemon = spool.drain()
    delivered = events_in(scripted_s3.objects(BUCKET))
    if change == "unlink":
        assert_same_events(delivered, lines + good)
        assert refused_files(spool.spool) == []
    elif change == "chmod 0":
        assert_same_events(delivered, good)
        assert "cannot be opened" in kept_reason(spool, "mine.jsonl")
    else:
        assert_same_events(delivered, lines + good)
        assert "2 hard links" in kept_reason(spool, "again.jsonl")
    assert len(daemon.troubles()) == len(refused_files(spool.spool))


def test_a_producer_that_holds_its_files_by_leases_stops_nobody_else(spool, scripted_s3, producer, keep):
    """A write lease makes everybody else's open fail; nobody but root and the owner may take one."""
    held, good = producer.lines(5), producer.lines(20)
    spool.connector(
        "orders", BUCKET, scripted_s3.endpoint, scripted_s3.KEYS, batch={"max_age": "1s"})
    unprivileged.set_up(spool)
    daemon = spool.start()
    made = spool.incoming() / "held.tmp"
    with acting_as(ALICE):
        made.write_bytes(b"".join(held))
        descriptor = os.open(made, os.O_RDWR)
        before = signal.signal(signal.SIGIO, signal.SIG_IGN)
        fcntl.fcntl(descriptor, F_SETLEASE, fcntl.F_WRLCK)
        made.rename(made.with_name("held.jsonl"))
    try:
        unprivileged.drop(spool, BOB, "good.jsonl", b"".join(good))
        daemon.wait_until(
            lambda: len(delivered_now(scripted_s3)) == len(good), "the others' events were delivered")
        waiting = daemon.wait_for("file waiting")
        assert waiting.fields["SLUICE_FILE"] == "incoming/held.jsonl"
        assert [line.kind for line in daemon.troubles()] in ([], ["file waiting"])
        assert not daemon.said("intake failed"), daemon.transcript()
    finally:
        os.close(descriptor)
        signal.signal(signal.SIGIO, before)
    daemon.wait_until(lambda: not spool.waiting(), "the held file was delivered too")
    assert_same_events(delivered_now(scripted_s3), held + good)


def delivered_now(scripted_s3) -> list[bytes]:
    return events_in(scripted_s3.objects(BUCKET))


def test_a_producer_that_never_rests_harms_nobody(spool, scripted_s3, producer):
    """Alice writes, cuts, renames and deletes what she reaches, all the time; Bob's events come all, once."""
    seed = int(os.environ.get("SLUICE_SEED", random.randrange(1 << 32)))
    rng = random.Random(seed)
    print(f"seed {seed}")
    spool.connector(
        "orders", BUCKET, scripted_s3.endpoint, scripted_s3.KEYS, batch={"max_age": "1s"})
    unprivileged.set_up(spool)
    daemon = spool.start()
    good: list[bytes] = []
    kept: list[int] = []
    text = b"".join(producer.lines(3000))
    try:
        for round_ in range(40):
            with acting_as(ALICE):
                path = spool.incoming() / f"alice-{round_}.jsonl"
                path.write_bytes(text)
                with contextlib.suppress(FileNotFoundError):
                    kept.append(os.open(path, os.O_RDONLY))
                for descriptor in rng.sample(kept, min(4, len(kept))):
                    _meddle(rng, descriptor, text)
                with contextlib.suppress(FileNotFoundError):
                    rng.choice([path.unlink, lambda: path.rename(path.with_suffix(".tmp")), bool])()
            lines = producer.lines(50)
            good += lines
            unprivileged.drop(spool, BOB, f"bob-{round_}.jsonl", b"".join(lines))
            if round_ in (15, 30):
                daemon.kill()
                daemon = spool.start()
        for path in spool.incoming().glob("alice-*"):
            path.unlink(missing_ok=True)
        daemon.wait_until(lambda: not spool.waiting(), "everything was delivered", seconds=60)
    finally:
        for descriptor in kept:
            os.close(descriptor)
    assert not daemon.said("intake failed") and not daemon.said("spool failing"), daemon.transcript()
    # Hers are whole events all the same, whatever she did to a file.
    wanted = set(good)
    assert_same_events([line for line in delivered_now(scripted_s3) if line in wanted], good)


def _meddle(rng: random.Random, descriptor: int, text: bytes) -> None:
    try:
        again = os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR | os.O_NONBLOCK)
    except OSError as error:
        # It is being read under a lease, or gone.
        assert error.errno in (errno.EWOULDBLOCK, errno.ENOENT), error
        return
    try:
        match rng.randrange(4):
            case 0: os.ftruncate(again, rng.randrange(len(text)))
            case 1: os.pwrite(again, b'{"event_type":"torn.' * 500, rng.randrange(len(text)))
            case 2: os.ftruncate(again, len(text) + rng.randrange(10_000))
            case 3: os.pwrite(again, text[:100_000], rng.randrange(len(text)))
    finally:
        os.close(again)
