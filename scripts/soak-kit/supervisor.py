"""Runs the daemon as a service manager would: starts it again after a kill, reads its log, measures it."""

import collections
import json
import os
import pathlib
import signal
import subprocess
import threading
import time
from typing import NamedTuple

from installation import Installation
from ledger import Findings

STARTED = "13b095731ad441f4910a92cfbed54827"
START_REFUSED = "26026fa00e404b099bf5cf5f79f01401"
LINES_LOST = "17ab7ae458704f21867d25141b6ec9ed"
LOSSES = {
    "afce88b8a4924d559d83d58c1d1398f4": "dropped",
    "a84b668761ba4c2fb0c5cd4bd443cfe8": "archived",
    "550233cbfde545e1b5960ba2bdabec0e": "discarded",
}
"""MESSAGE_IDs that the soak listens to."""
END_WITHIN, START_WITHIN = 20, 120
"""Seconds for SIGTERM (the daemon promises five; this machine may be busy) and for a start."""


class Loss(NamedTuple):
    """A line of the journal that says what was given up."""

    kind: str
    connector: str
    event_type: str
    events: int
    perhaps: int
    first: int
    last: int
    is_late: bool
    """Told after a restart, so perhaps for the second time."""


class Measured(NamedTuple):
    """A process, as /proc shows it; memory in KiB."""

    pid: int
    memory: int
    peak: int
    descriptors: int
    threads: int


class Supervisor:
    def __init__(self, installation: Installation, findings: Findings, log: pathlib.Path):
        self._installation, self._findings = installation, findings
        self._log_path = log
        self._log = log.open("wb")
        self._log_lock = threading.Lock()
        self.control = threading.RLock()
        """Held while something is done to the process, so that two faults do not meet in it."""
        self.disk_fails = threading.Event()
        """Set while the disk is at fault: until then a start may be refused."""
        self._mended = 0.0
        self._reading = threading.Event()
        self._reading.set()
        self._expects_end = threading.Event()
        self._started = threading.Event()
        self.losses: list[Loss] = []
        self.counts: collections.Counter = collections.Counter()
        """By MESSAGE_ID."""
        self._other: collections.deque[str] = collections.deque(maxlen=200)
        self.starts = self.refused_starts = 0
        self.peak = 0
        self.process: subprocess.Popen | None = None

    # Life.

    def start(self) -> None:
        with self.control:
            deadline = time.monotonic() + START_WITHIN
            while not self._findings.found.is_set():
                self._launch()
                while not self._started.wait(0.05) and self.process.poll() is None:
                    if time.monotonic() > deadline and not self.disk_fails.is_set():
                        self._findings.add(f"the daemon did not start within {START_WITHIN} s")
                        return
                if self.process.poll() is None:
                    self.starts += 1
                    return
                self._reader.join(10)
                if self.process.returncode < 0 or not (
                        self.disk_fails.is_set() or time.monotonic() < self._mended + 5):
                    self._findings.add(f"the daemon did not start: {self.ending()}")
                    return
                self.refused_starts += 1
                time.sleep(1)

    def disk_is_mended(self) -> None:
        self._mended = time.monotonic()
        self.disk_fails.clear()

    def _launch(self) -> None:
        self._started.clear()
        self._expects_end.clear()
        self.process = subprocess.Popen(
            [self._installation.binaries / "sluiced", "--config", self._installation.config],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            # A Ctrl-C is for the soak alone.
            start_new_session=True)
        self._reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self._reader.start()

    def kill(self) -> None:
        with self.control:
            self._expects_end.set()
            self.process.kill()
            self._wait(END_WITHIN)

    def terminate(self) -> None:
        """Stops it as a service manager does; anything but a prompt end with status 0 is a finding."""
        with self.control:
            self._expects_end.set()
            self.process.terminate()
            if not self._wait(END_WITHIN):
                self._findings.add(f"the daemon did not end within {END_WITHIN} s of SIGTERM")
                # Its threads' stacks are worth more than an orderly end.
                self.process.send_signal(signal.SIGABRT)
                self._wait(END_WITHIN)
            elif self.process.returncode != 0:
                self._findings.add(f"after SIGTERM the daemon {self.ending()}")

    def _wait(self, seconds: float) -> bool:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self._reading.set()
        self._reader.join(30)
        return True

    def signal(self, number: signal.Signals) -> None:
        with self.control:
            self.process.send_signal(number)

    def check_alive(self) -> None:
        """Finds an end that nobody asked for."""
        if self.control.acquire(blocking=False):
            try:
                if self.process.poll() is not None and not self._expects_end.is_set():
                    self._reader.join(10)
                    self._findings.add(f"the daemon {self.ending()}, and nobody had asked it to")
            finally:
                self.control.release()

    def ending(self) -> str:
        status = self.process.returncode
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        return f"{how}; last on its stderr: {' | '.join(list(self._other)[-8:]) or 'nothing'}"

    # The log.

    def stall(self) -> None:
        """Reads no more of standard error, as a journald does that hangs."""
        self._reading.clear()

    def unstall(self) -> None:
        self._reading.set()

    def _read(self, process: subprocess.Popen) -> None:
        for raw in process.stderr:
            with self._log_lock:
                self._log.write(raw)
            self._take(raw)
            self._reading.wait()

    def _take(self, raw: bytes) -> None:
        try:
            fields = json.loads(raw)
            identifier = fields["MESSAGE_ID"]
        except (ValueError, KeyError, TypeError):
            self._other.append(raw.decode(errors="replace").rstrip())
            return
        self.counts[identifier] += 1
        if identifier == STARTED:
            self._started.set()
        elif identifier == START_REFUSED:
            self._other.append(fields["MESSAGE"])
        elif identifier in LOSSES and "SLUICE_FIRST_OFFSET" in fields:
            self.losses.append(Loss(
                LOSSES[identifier], fields["SLUICE_CONNECTOR"], fields["SLUICE_EVENT_TYPE"],
                *(int(fields[f"SLUICE_{name}"]) for name in
                  ("DROPPED_EVENTS", "PERHAPS_DELIVERED_EVENTS", "FIRST_OFFSET", "LAST_OFFSET")),
                "before the last restart" in fields["MESSAGE"]))

    def flush_log(self) -> None:
        with self._log_lock:
            self._log.flush()

    def close_cycle(self) -> None:
        """Keeps the log of this cycle and of the one before."""
        with self._log_lock:
            self._log.close()
            self._log_path.rename(self._log_path.with_suffix(".before"))
            self._log = self._log_path.open("wb")

    # Measures.

    def measure(self) -> Measured | None:
        process = pathlib.Path(f"/proc/{self.process.pid}")
        try:
            text = (process / "status").read_text()
            fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
            measured = Measured(
                self.process.pid, int(fields["VmRSS"].split()[0]), int(fields["VmHWM"].split()[0]),
                len(os.listdir(process / "fd")), int(fields["Threads"]))
        except (OSError, KeyError):
            return None
        self.peak = max(self.peak, measured.peak)
        return measured
