"""Whether memory, descriptors, threads and disk grow from cycle to cycle, measured in an empty spool."""

import itertools
import statistics
from typing import NamedTuple

from ledger import Findings
from supervisor import Measured

FEWEST = 6
"""Cycles in the life of one process, below which thirds of them say nothing."""


class Bound(NamedTuple):
    factor: float
    plus: int
    why: str


BOUNDS = {
    "memory": Bound(1.25, 16 << 10, "the heap keeps what the largest backlog so far took; a leak goes on"),
    "descriptors": Bound(1, 16, "idle connections to the store come and go"),
    "threads": Bound(1, 8, "the dispatch library keeps some of the threads that it once needed"),
    "files": Bound(1, 40, "tombstones wait for the next sync"),
    "disk": Bound(1.25, 1 << 20, "tombstones, and the blocks of directories"),
}
"""How much the median of the last third may be above that of the first, and why any more is creep."""


class Sample(NamedTuple):
    pid: int
    memory: int
    descriptors: int
    threads: int
    files: int
    disk: int


class Creep:
    def __init__(self):
        self.samples: list[Sample] = []

    def add(self, measured: Measured | None, files: int, disk: int) -> None:
        if measured:
            self.samples.append(Sample(measured.pid, measured.memory, measured.descriptors,
                                       measured.threads, files, disk))

    def last(self) -> str:
        if not self.samples:
            return "nothing measured"
        last = self.samples[-1]
        return (f"{last.memory >> 10} MiB, {last.descriptors} descriptors, {last.threads} threads; "
                f"spool {last.files} files, {last.disk >> 10} KiB")

    def longest_life(self) -> list[Sample]:
        """The samples of the process that lived through most cycles."""
        lives = [list(group) for _, group in itertools.groupby(self.samples, lambda each: each.pid)]
        return max(lives, key=len, default=[])

    def judge(self, findings: Findings) -> None:
        for name, samples in (
            ("memory", self.longest_life()), ("descriptors", self.longest_life()),
            ("threads", self.longest_life()), ("files", self.samples), ("disk", self.samples),
        ):
            if len(samples) < FEWEST:
                continue
            first, last = thirds([getattr(sample, name) for sample in samples])
            bound = BOUNDS[name]
            if last > first * bound.factor + bound.plus:
                findings.add(
                    f"{name} creeps: {first} in the first third of {len(samples)} cycles, {last} in the "
                    f"last; the bound is {bound.factor} times the first and {bound.plus} more ({bound.why})")


def thirds(values: list[int]) -> tuple[float, float]:
    """The medians of the first and of the last third."""
    third = max(1, len(values) // 3)
    return statistics.median(values[:third]), statistics.median(values[-third:])
