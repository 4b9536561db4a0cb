"""A daemon with nothing to do does nothing."""

import os
import pathlib
import re
import time

from objects import events_in

SECONDS = 10


def cpu_ticks(pid: int) -> int:
    """User and system time, in clock ticks: proc(5)."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def wake_ups(pid: int) -> dict[str, int]:
    """How often each of its threads went to sleep, and so was woken."""
    counts = {}
    for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
        try:
            text = status.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # The thread has just ended.
        counts[status.parent.name] = int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M)[1])
    return counts


def wake_ups_since(before: dict[str, int], pid: int) -> int:
    return sum(count - before.get(thread, 0) for thread, count in wake_ups(pid).items())


def resident_bytes(pid: int) -> int:
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_an_idle_daemon_uses_no_cpu_hardly_wakes_up_and_is_small(
    installation, destination, producer
):
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys,
        batch={"max_age": "1s"})
    daemon = installation.start()
    # It has worked before: connections, workers and buffers are there.
    lines = producer.lines(2000)
    installation.drop("a.jsonl", lines, "orders")
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    assert len(events_in(destination.objects())) == len(lines)

    def settled() -> bool:
        """One quiet second: what comes after a delivery is over."""
        ticks, woken = cpu_ticks(daemon.pid), wake_ups(daemon.pid)
        time.sleep(1)
        return cpu_ticks(daemon.pid) == ticks and wake_ups_since(woken, daemon.pid) == 0

    daemon.wait_until(settled, "a second without work", seconds=20)
    ticks, before = cpu_ticks(daemon.pid), wake_ups(daemon.pid)
    # This is the measurement itself, not a wait for something to happen.
    time.sleep(SECONDS)
    ticks, woken = cpu_ticks(daemon.pid) - ticks, wake_ups_since(before, daemon.pid)
    memory = resident_bytes(daemon.pid)
    print(f"in {SECONDS} s: {ticks} ticks of CPU, {woken} wake-ups; {memory / 2**20:.1f} MiB resident")
    assert ticks <= 1
    assert woken <= SECONDS // 2
    assert memory <= 20 << 20
    assert daemon.is_running
