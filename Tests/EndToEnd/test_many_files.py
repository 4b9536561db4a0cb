"""Very many files at once, at the start and while the daemon runs: all are delivered, in bounded memory."""

import os
import pathlib
import time

import pytest

from memory import peak_memory, peak_until_it_ends
from objects import assert_same_events, events_in

BUCKET = "scripted"
BIG = bool(os.environ.get("SLUICE_BIG"))
COUNT = 200_000 if BIG else 5_000
MEMORY = 96 << 20


@pytest.fixture
def spool(installation, scripted_s3):
    installation.connector(
        "orders", BUCKET, scripted_s3.endpoint, scripted_s3.KEYS, batch={"max_age": "5s"})
    spool = installation
    spool.incoming().mkdir()
    return spool


def write(spool, numbers: range) -> list[bytes]:
    lines = [b'{"event_type":"many.%d","id":"%d"}\n' % (number % 3, number) for number in numbers]
    for number, line in zip(numbers, lines):
        with open(spool.incoming() / f"{number}.jsonl", "wb", buffering=0) as file:
            file.write(line)
    return lines


def test_many_files_that_are_there_at_the_start(spool, scripted_s3):
    lines = write(spool, range(COUNT))
    begun = time.monotonic()
    daemon = spool.start("--until-empty", wait=False)
    peak = peak_until_it_ends(daemon, 900)
    print(f"{COUNT} files at the start: {time.monotonic() - begun:.1f} s, peak memory {peak >> 20} MiB")
    assert_same_events(events_in(scripted_s3.objects(BUCKET)), lines)
    assert peak <= MEMORY and daemon.troubles() == []


def test_many_files_that_come_faster_than_they_are_watched(spool, scripted_s3):
    """A stopped daemon reads no events of inotify: the queue overflows, and everything is looked through."""
    daemon = spool.start()
    limit = int(pathlib.Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    # Making, closing and removing are events of a file each.
    count = max(COUNT, min(limit, 20_000) * 6 // 10) if not BIG else COUNT
    begun = time.monotonic()
    daemon.signal(19)
    try:
        lines = write(spool, range(count))
    finally:
        daemon.signal(18)
    written = time.monotonic() - begun
    peak = 0

    def is_empty() -> bool:
        nonlocal peak
        peak = max(peak, peak_memory(daemon))
        return not spool.waiting()

    daemon.wait_until(is_empty, "everything was delivered", seconds=900)
    print(f"{count} files at once: written in {written:.1f} s, delivered in "
          f"{time.monotonic() - begun:.1f} s, peak memory {peak >> 20} MiB")
    assert 2 * count > limit or BIG, "the queue did not overflow"
    assert_same_events(events_in(scripted_s3.objects(BUCKET)), lines)
    assert 0 < peak <= MEMORY and daemon.troubles() == []
