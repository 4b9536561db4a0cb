"""How much memory and time a running daemon takes, from /proc."""

import os
import pathlib
import time

from daemon import Daemon


def peak_memory(daemon: Daemon) -> int:
    """The most bytes it ever had in memory; 0 where it has just ended."""
    try:
        status = pathlib.Path(f"/proc/{daemon.pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    found = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0].split()[1]) << 10 if found else 0


def processor_seconds(daemon: Daemon) -> float:
    fields = pathlib.Path(f"/proc/{daemon.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_until_it_ends(daemon: Daemon, seconds: float) -> int:
    """Waits for the end of a daemon that should end by itself, with status 0."""
    peak, deadline = 0, time.monotonic() + seconds
    while daemon.is_running:
        peak = max(peak, peak_memory(daemon))
        if time.monotonic() > deadline:
            raise AssertionError(f"it still runs after {seconds} s\n{daemon.transcript()}")
        time.sleep(0.02)
    assert daemon.wait(5) == 0, daemon.transcript()
    return peak
