#!/usr/bin/env python3
"""Runs sluiced for long, under mixed load and seeded faults, and checks all the time: see scripts/soak.

A run is a row of cycles. In each, producers work and faults come and go for two minutes; then all is mended,
the producers rest until the spool is empty, and every event of the cycle must be accounted for: delivered, in
quarantine, or dropped and recorded. Doubled, altered and unknown events, a second body under a key and an
unasked end of the daemon are found at once. The first finding ends the run, and what there is of evidence is
kept.
"""

import argparse
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "kit"))

from balance import Auditor  # noqa: E402
from creep import Creep  # noqa: E402
from disk import make_disk  # noqa: E402
from faults import DISK, Injector, plan  # noqa: E402
from installation import Installation  # noqa: E402
from ledger import Findings, Ledger  # noqa: E402
from producers import Producers  # noqa: E402
from report import Progress, print_summary  # noqa: E402
from store import Store  # noqa: E402
from supervisor import Supervisor  # noqa: E402
from world import Events  # noqa: E402

BINARIES = pathlib.Path(os.environ.get("SLUICE_BIN_DIR", ROOT / ".build" / "release")).resolve()
LONGEST_STORM = 120
"""Seconds of a cycle in which faults come and go."""
DRAIN_WITHIN = 300
"""Seconds from mending to an empty spool: five minutes is the longest pause between probes."""
REST = 8
"""Seconds of idling before a long soak measures the daemon."""
CALM_FROM = 20
"""Minutes of a run from which its middle has no kills: a process has to live for memory to creep."""
CALM_SHARE = (0.3, 0.85)
"""Where that middle begins and ends."""


class Soak:
    def __init__(self, options: argparse.Namespace, directory: pathlib.Path):
        self.options, self.directory = options, directory
        self.seed: int = options.seed
        self.interrupted = threading.Event()
        self.findings = Findings()
        self.events = Events(self.seed)
        self.ledger = Ledger(self.events, self.findings)
        self.disk, self.why_no_disk = (None, "switched off") if options.no_disk else make_disk(directory)
        home = self.disk.mount if self.disk else directory
        self.spool = home / "spool"
        self.store = Store(directory / "store", self.ledger, self.findings, options.sabotage)
        self.installation = Installation(directory, self.spool, BINARIES, self.store.port)
        self.supervisor = Supervisor(self.installation, self.findings, directory / "journal.jsonl")
        self.producers = Producers(self.spool, home / "staging", self.ledger, self.seed, options.load)
        self.injector = Injector(
            self.store, self.supervisor, self.installation, self.producers, self.disk)
        self.auditor = Auditor(
            self.installation, self.ledger, self.store, self.supervisor, self.findings)
        self.creep = Creep()
        self.cycles = 0
        self.began = time.monotonic()
        self.progress = Progress(self)

    # The run.

    def run(self) -> bool:
        """Whether nothing was found."""
        if self.disk is None:
            print(f"no faults of the disk ({', '.join(sorted(DISK))}): {self.why_no_disk}", flush=True)
        signal.signal(signal.SIGINT, lambda *_: self._interrupt())
        signal.signal(signal.SIGTERM, lambda *_: self._interrupt())
        self.supervisor.start()
        seconds = self.options.minutes * 60
        while not self._is_over() and (left := seconds - self.elapsed) > 0:
            # A last cycle that would be too short for anything becomes part of the one before it.
            storm = min(LONGEST_STORM, seconds * 0.6)
            if left < 1.5 * storm:
                storm = max(5, left * 0.75)
            self._storm(storm)
            self._quiet()
        if not self.findings.found.is_set():
            self.supervisor.terminate()
            self.creep.judge(self.findings)
        return not self.findings.found.is_set()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began

    def _is_over(self) -> bool:
        return self.findings.found.is_set() or self.interrupted.is_set()

    def _interrupt(self) -> None:
        if self.interrupted.is_set():
            os._exit(130)
        self.interrupted.set()

    def _are_kills_due(self) -> bool:
        if self.options.minutes < CALM_FROM:
            return True
        return not CALM_SHARE[0] < self.elapsed / (60 * self.options.minutes) < CALM_SHARE[1]

    def _storm(self, seconds: float) -> None:
        self.cycles += 1
        faults = plan(self.seed, self.cycles, seconds, kills=self._are_kills_due(),
                      disk=self.disk is not None)
        over = threading.Event()
        end = time.monotonic() + seconds
        self.producers.resume()
        threads = self.injector.run(faults, over)
        while not self._is_over() and time.monotonic() < end:
            time.sleep(0.1)
            self._look()
        over.set()
        for thread in threads:
            thread.join()

    def _look(self) -> None:
        self.supervisor.check_alive()
        self.supervisor.measure()
        self.progress.tick()

    def _quiet(self) -> None:
        """Mends everything, waits for an empty spool and checks the balance."""
        began = time.monotonic()
        self.producers.pause()
        self.supervisor.signal(signal.SIGHUP)
        if self._drain():
            self.auditor.decide_on_archive(random.Random(f"{self.seed} archive {self.cycles}"))
            # What is sent again may be the first that finds out that credentials work.
            self._drain()
        if self.findings.found.is_set():
            return
        self.auditor.read_quarantine()
        balance = self.auditor.balance()
        if self.findings.found.is_set():
            return
        self.auditor.sweep_quarantine()
        self.ledger.close_cycle(balance)
        self.store.close_cycle()
        self.supervisor.close_cycle()
        self.producers.sweep()
        self._rest()
        self.creep.add(self.supervisor.measure(), *self.installation.disk_use())
        self.progress.say(f"cycle {self.cycles} is even after {time.monotonic() - began:.0f} s: "
                          f"{self.creep.last()}")

    def _drain(self) -> bool:
        end = time.monotonic() + DRAIN_WITHIN
        still = 0
        while not self.findings.found.is_set():
            left = self.installation.left()
            # Twice in a row: what is on its way from one directory to the next could be missed.
            still = still + 1 if not left and self.store.is_idle else 0
            if still >= 5:
                return True
            if time.monotonic() > end:
                self.findings.add(f"the spool was not empty {DRAIN_WITHIN} s after everything was mended; "
                                  f"left: {left}; status: {self.installation.status()}")
            time.sleep(0.1)
            self._look()
        return False

    def _rest(self) -> None:
        """Until the threads have gone that only the load needed: an idle one ends after five seconds."""
        end = time.monotonic() + (REST if self.options.minutes >= CALM_FROM else 1)
        while not self._is_over() and time.monotonic() < end:
            time.sleep(0.1)
            self._look()

    # The end.

    def close(self) -> None:
        self.producers.stop()
        if self.supervisor.process and self.supervisor.process.poll() is None:
            self.supervisor.kill()
        self.store.close()

    def keep_evidence(self) -> None:
        """Leaves in the directory what a finding can be understood by."""
        self.supervisor.flush_log()
        notes = [f"seed {self.seed}, {self.elapsed:.0f} s, cycle {self.cycles}", *self.findings.texts]
        self.ledger.save(self.directory, notes.append)
        (self.directory / "findings.txt").write_text("\n".join(notes) + "\n")
        if self.disk:
            shutil.copytree(self.spool, self.directory / "spool", symlinks=True)


def print_plan(options: argparse.Namespace) -> None:
    """The faults of each cycle, as they would come in a run whose cycles need no time to become even."""
    for cycle in range(1, 1 + max(1, int(options.minutes * 60 / LONGEST_STORM))):
        share = (cycle - 1) * LONGEST_STORM / (options.minutes * 60)
        kills = options.minutes < CALM_FROM or not CALM_SHARE[0] < share < CALM_SHARE[1]
        for fault in plan(options.seed, cycle, LONGEST_STORM, kills=kills, disk=not options.no_disk):
            print(f"cycle {cycle:<3} {fault.at:6.1f} s  {fault.kind:<9} {fault.lasts:5.1f} s  "
                  f"{fault.probability}  {fault.code or '-':<22} {' '.join(sorted(fault.connectors))}")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/soak", description="Runs sluiced under mixed load and seeded faults, and checks all "
        "the time. Ends with status 0 if every event was accounted for, and nothing crept or crashed.")
    parser.add_argument("minutes", type=float, metavar="MINUTES", help="how long, e.g. 60, or 0.5")
    parser.add_argument("--seed", type=int, help="repeats the schedule of an earlier run")
    parser.add_argument("--load", type=float, default=1, help="how fast the producers are (default: 1)")
    parser.add_argument("--no-disk", action="store_true", help="no faults of the disk")
    parser.add_argument("--scratch", type=pathlib.Path, default=pathlib.Path("/var/tmp"),
                        help="where files go (default: /var/tmp)")
    parser.add_argument("--sabotage", choices=["forget", "double", "alter", "other"],
                        help="the store does so with one object: a soak that does not fail then is broken")
    parser.add_argument("--plan", action="store_true", help="only print what would go wrong, and when")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.randrange(2**32)
    print(f"seed {options.seed}", flush=True)
    if options.plan:
        print_plan(options)
        return 0
    directory = pathlib.Path(tempfile.mkdtemp(prefix="sluice-soak-", dir=options.scratch))
    soak = Soak(options, directory)
    passed = False
    try:
        passed = soak.run()
        print_summary(soak)
    finally:
        soak.close()
        if not passed:
            soak.keep_evidence()
        if soak.disk:
            soak.disk.close()
        (directory / "disk.ext4").unlink(missing_ok=True)
    if passed:
        shutil.rmtree(directory)
        print("soak passed")
        return 0
    for text in soak.findings.texts[1:6]:
        print(f"also: {text}")
    print(f"soak FAILED: {soak.findings.texts[0]}\nThe evidence is in {directory}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
