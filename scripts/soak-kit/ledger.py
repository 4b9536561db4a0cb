"""Accounts for every event by its number: one byte an event and connector, for one cycle.

When a cycle has come out even, everything in it is final: the tables are emptied, and whatever turns up
below their first number is too late, or there for the second time. So memory does not grow with the length
of a run.
"""

import collections
import pathlib
import re
import threading
from collections.abc import Callable, Iterable
from typing import NamedTuple

from world import CONNECTORS, NOBODY, Events, is_malformed

WANTED, DELIVERED, REFUSED, QUARANTINED, ARCHIVED, DISCARDED = 1, 2, 4, 8, 16, 32
"""What is expected of an event (WANTED, REFUSED), and what has become of it."""


class Findings:
    """What must not be. The first ends the soak."""

    def __init__(self):
        self._lock = threading.Lock()
        self.texts: list[str] = []
        self.found = threading.Event()

    def add(self, text: str) -> None:
        with self._lock:
            if len(self.texts) < 20:
                self.texts.append(text)
            self.found.set()


class Route(NamedTuple):
    """How a file says where its events go: by its directory, by a member in them, or not at all."""

    directory: str | None = None
    member: str | None = None


class Ledger:
    def __init__(self, events: Events, findings: Findings):
        self.events, self._findings = events, findings
        self._lock = threading.RLock()
        self._tables = {name: bytearray() for name in [*CONNECTORS, NOBODY]}
        self._base = self._next = 1
        self.announced = 0
        """Events that were put into the spool, malformed ones among them."""
        self.delivered = collections.Counter()
        self.fates: dict[str, collections.Counter] = {
            name: collections.Counter() for name in self._tables}
        """By connector, of all cycles that came out even."""
        self.missing_by_type: collections.Counter = collections.Counter()
        """(connector, event type) of what never came, and so must have been dropped, in all those cycles."""

    # What goes in.

    def allocate(self, count: int) -> range:
        """Numbers for the events of a file that is to be made."""
        with self._lock:
            numbers = range(self._next, self._next + count)
            self._next += count
            for table in self._tables.values():
                table.extend(bytes(count))
            return numbers

    def announce(self, numbers: Iterable[int], route: Route, *, withdraw: bool = False) -> None:
        """Says that events are about to be seen by the daemon; or that it came to nothing."""
        only = route.directory or route.member
        with self._lock:
            for number in numbers:
                self.announced += -1 if withdraw else 1
                if is_malformed(number):
                    self._expect(NOBODY, number, REFUSED, withdraw)
                    continue
                for name in [only] if only else self.events.template(number).wanted_by:
                    refused = self.events.is_refused(number, CONNECTORS[name])
                    self._expect(name, number, REFUSED if refused else WANTED, withdraw)

    def _expect(self, name: str, number: int, flag: int, withdraw: bool) -> None:
        self._tables[name][number - self._base] = 0 if withdraw else flag

    # What comes out.

    def deliver(self, name: str, numbers: list[int], key: str) -> None:
        with self._lock:
            table, base = self._tables[name], self._base
            self.delivered[name] += len(numbers)
            for number in numbers:
                if not base <= number < self._next:
                    self._findings.add(
                        f"connector {name}: event {number} came in {key} after it was accounted for"
                        if number < base else
                        f"connector {name}: {key} holds event {number}, which nobody made")
                elif table[number - base] & DELIVERED:
                    self._findings.add(
                        f"connector {name}: event {number} was delivered twice, the second time in {key}")
                elif not table[number - base] & WANTED:
                    self._findings.add(
                        f"connector {name}: event {number} came in {key} and is none of its events")
                else:
                    table[number - base] |= DELIVERED

    def mark(self, name: str, numbers: Iterable[int], flag: int, where: str) -> None:
        """Notes what was found in quarantine/ or expired/."""
        with self._lock:
            for number in numbers:
                if not self._base <= number < self._next:
                    self._findings.add(
                        f"connector {name}: event {number} lies in {where}, though it is of no "
                        "event of this cycle")
                else:
                    self._tables[name][number - self._base] |= flag

    def quarantine_rest(self, numbers: Iterable[int], where: str) -> None:
        """Notes that a file was kept whole, and that these of its events were not taken."""
        with self._lock:
            for number in numbers:
                for name, table in self._tables.items():
                    value = table[number - self._base]
                    if value & DELIVERED:
                        self._findings.add(
                            f"connector {name}: event {number} was delivered, though {where} says "
                            "that its file was not taken so far")
                    if value & (WANTED | REFUSED):
                        table[number - self._base] = REFUSED | QUARANTINED

    def is_expected_in_quarantine(self, name: str, number: int) -> bool:
        with self._lock:
            inside = self._base <= number < self._next
            return inside and bool(self._tables[name][number - self._base] & REFUSED)

    # The balance.

    def waiting(self) -> int:
        """How many events are on their way, once for each connector that wants them."""
        with self._lock:
            return sum(table.count(WANTED) for table in self._tables.values())

    FATES = {
        WANTED | DELIVERED: "delivered", REFUSED | QUARANTINED: "quarantined", WANTED: "missing",
        WANTED | DISCARDED: "discarded", WANTED | ARCHIVED: "archived",
        WANTED | DELIVERED | ARCHIVED: "delivered", WANTED | DELIVERED | DISCARDED: "delivered",
    }
    """What a value of a table means. Delivered and archived is a batch whose answer was lost."""

    def balance(self) -> dict[str, collections.Counter]:
        """What has become of the events of this cycle; anything that cannot be is a finding."""
        balance = {}
        with self._lock:
            for name, table in self._tables.items():
                counts: collections.Counter = collections.Counter()
                for value in range(1, 64):
                    if not (count := table.count(value)):
                        continue
                    if fate := self.FATES.get(value):
                        counts[fate] += count
                    else:
                        number = self._base + table.index(value)
                        self._findings.add(
                            f"connector {name}: {count} events are {describe(value)}; "
                            f"the first is {number}")
                balance[name] = counts
        return balance

    def missing(self, name: str) -> list[int]:
        with self._lock:
            return [self._base + match.start()
                    for match in re.finditer(b"%c" % WANTED, self._tables[name], re.DOTALL)]

    def missing_types(self) -> collections.Counter:
        """Of this cycle and all before it."""
        types = self.missing_by_type.copy()
        for name in CONNECTORS:
            types.update((name, self.events.event_type(number)) for number in self.missing(name))
        return types

    def close_cycle(self, balance: dict[str, collections.Counter]) -> None:
        """Makes everything final that there is."""
        with self._lock:
            self.missing_by_type = self.missing_types()
            for name, counts in balance.items():
                self.fates[name].update(counts)
            for table in self._tables.values():
                table.clear()
            self._base = self._next

    def save(self, directory: pathlib.Path, write: Callable[[str], None]) -> None:
        """Keeps the tables, for whoever looks into a failure."""
        for name, table in self._tables.items():
            (directory / f"ledger-{name}.bytes").write_bytes(table)
        write(f"byte 0 of each ledger is event {self._base}; of its bits, 1 is wanted, 2 delivered, "
              "4 to be refused, 8 quarantined, 16 archived, 32 discarded")


def describe(value: int) -> str:
    words = {WANTED: "wanted", REFUSED: "to be refused", DELIVERED: "delivered",
             QUARANTINED: "in quarantine", ARCHIVED: "archived", DISCARDED: "discarded"}
    return " and ".join(word for flag, word in words.items() if value & flag) + (
        ", and nowhere to be found" if value == REFUSED else "")
