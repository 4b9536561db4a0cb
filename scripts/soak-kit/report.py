"""What a person sees of a soak: a line now and then, and tables at the end."""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING

from creep import Creep
from faults import WEIGHTS
from world import CONNECTORS, NOBODY

if TYPE_CHECKING:
    from soak import Soak

EVERY = 10
"""Seconds between lines; on a terminal one line is written anew each second."""
FATES = ["delivered", "missing", "quarantined", "discarded"]
TITLES = {"missing": "dropped"}
"""Once a balance is even, what never came has been dropped and recorded."""


class Progress:
    def __init__(self, soak: Soak):
        self._soak = soak
        self._is_terminal = sys.stdout.isatty()
        self._next = self._before = time.monotonic()
        self._counts = (0, 0)

    def tick(self) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (1 if self._is_terminal else EVERY)
        line = self._line(now)
        print(f"\r\x1b[K{line}" if self._is_terminal else line, end="" if self._is_terminal else "\n",
              flush=True)

    def say(self, text: str) -> None:
        print(f"\r\x1b[K{text}" if self._is_terminal else text, flush=True)

    def _line(self, now: float) -> str:
        soak = self._soak
        counts = (soak.ledger.announced, sum(soak.ledger.delivered.values()))
        seconds = max(0.001, now - self._before)
        rates = [(new - old) / seconds for new, old in zip(counts, self._counts)]
        self._before, self._counts = now, counts
        dropped = sum(loss.events for loss in soak.supervisor.losses if loss.kind == "dropped")
        quarantined = sum(fates["quarantined"] for fates in soak.ledger.fates.values())
        minutes, left = divmod(int(soak.elapsed), 60)
        text = (f"{minutes:3}:{left:02} in {counts[0]:,} ({rates[0]:,.0f}/s), "
                f"delivered {counts[1]:,} ({rates[1]:,.0f}/s), dropped {dropped:,}, "
                f"quarantined {quarantined:,}, held {soak.ledger.waiting():,}")
        if measured := soak.supervisor.measure():
            text += f"; {measured.memory >> 10} MiB, {measured.descriptors} fds"
        return text + "; " + (", ".join(soak.injector.in_force) or "no faults")


def print_summary(soak: Soak) -> None:
    print(f"\n{soak.elapsed / 60:.1f} minutes, {soak.cycles} cycles, {soak.producers.files:,} event files "
          f"({soak.producers.refusals} not taken by the disk), {soak.ledger.announced:,} events in, "
          f"{soak.store.objects:,} objects in {soak.store.requests:,} requests, "
          f"{soak.supervisor.starts} starts ({soak.supervisor.refused_starts} refused)")
    print("\nfault            times   seconds in force")
    for kind in WEIGHTS:
        if times := soak.injector.counts[kind]:
            print(f"{kind:<14} {times:>7} {soak.injector.seconds[kind]:>10.0f}")
    print(f"\n{'connector':<14}" + "".join(f"{TITLES.get(fate, fate):>13}" for fate in FATES))
    for name in [*CONNECTORS, NOBODY]:
        fates = soak.ledger.fates[name]
        title = "(malformed)" if name == NOBODY else name
        print(f"{title:<14}" + "".join(f"{fates[fate]:>13,}" for fate in FATES))
    decisions = soak.auditor.archive_decisions
    print(f"the archive was sent after all {decisions['retry']} times, and given up "
          f"{decisions['discard']} times")
    _print_measures(soak.creep, soak.supervisor.peak)


def _print_measures(creep: Creep, peak: int) -> None:
    life = creep.longest_life()
    if not life:
        return
    print(f"\nwhen empty, in one process ({len(life)} of {len(creep.samples)} cycles)\n"
          f"{'':<14}{'first':>10}{'median':>10}{'last':>10}{'most':>10}")
    for name, unit in (("memory", 1024), ("descriptors", 1), ("threads", 1), ("files", 1), ("disk", 1024)):
        values = [getattr(sample, name) / unit for sample in life]
        title = {"memory": "memory, MiB", "disk": "spool, KiB"}.get(name, name)
        print(f"{title:<14}{values[0]:>10,.0f}{statistics.median(values):>10,.0f}{values[-1]:>10,.0f}"
              f"{max(values):>10,.0f}")
    print(f"peak memory of any process: {peak >> 10} MiB")
