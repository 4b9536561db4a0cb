"""Compares, in a quiet spool, what went in with what came out: by event, or where there is no id by count."""

import collections
import pathlib
import random
import re
import time
import zlib

from installation import Installation
from ledger import ARCHIVED, DISCARDED, QUARANTINED, Findings, Ledger
from quarantine import refused_files, refused_lines
from reading import NUMBER, read_object
from store import Store
from supervisor import LINES_LOST, Loss, Supervisor
from world import CONNECTORS, NOBODY, is_malformed

TELL_WITHIN = 20
"""Seconds after a command of sluicectl until the journal must have told what it did."""
RETRIED = 0.7
"""The share of cycles in which what was archived is sent after all; in the others it is given up."""


class Auditor:
    def __init__(
        self, installation: Installation, ledger: Ledger, store: Store, supervisor: Supervisor,
        findings: Findings
    ):
        self._installation, self._ledger, self._store = installation, ledger, store
        self._supervisor, self._findings = supervisor, findings
        self._spool = installation.spool
        self.archived: collections.Counter = collections.Counter()
        self.discarded: collections.Counter = collections.Counter()
        """By connector, what was found in the archive, and what of that was given up, of all cycles."""
        self.archive_decisions: collections.Counter = collections.Counter()

    # What is kept.

    def decide_on_archive(self, dice: random.Random) -> None:
        """Reads what was archived; has it sent after all, or gives it up."""
        for name in CONNECTORS:
            # "-perhaps" follows where the answer to an attempt was lost.
            batches = sorted((self._spool / "expired" / name).glob("*.archived*"))
            if not batches:
                continue
            is_retried = dice.random() < RETRIED
            for path in batches:
                self._note_archived(name, path, ARCHIVED if is_retried else DISCARDED)
            command = ["retry", name] if is_retried else ["discard", name, "--yes"]
            said = self._installation.sluicectl("archive", *command)
            self.archive_decisions[command[0]] += 1
            if said.returncode:
                self._findings.add(f"sluicectl archive {' '.join(command)} ended with "
                                   f"{said.returncode}: {said.stderr.strip()}")

    def _note_archived(self, name: str, envelope: pathlib.Path, flag: int) -> None:
        fields = dict(re.findall(r"^([a-z0-9-]+): (.*)$", envelope.read_text(), re.MULTILINE))
        # The number of the loss stands only in the envelope's name.
        place = envelope.with_name(envelope.name.split(".")[0] + ".object")
        contents = read_object(
            fields["key"], place.read_bytes(), CONNECTORS[name], self._ledger.events)
        if contents.faults or len(contents.numbers) != int(fields["events"]):
            self._findings.add(f"{place}: {contents.faults or 'not as many events as it says'}")
        self._ledger.mark(name, contents.numbers, flag, str(place))
        self.archived[name] += len(contents.numbers)
        if flag == DISCARDED:
            self.discarded[name] += len(contents.numbers)

    def read_quarantine(self) -> None:
        for line in refused_lines(self._spool):
            match = NUMBER.search(line.text)
            name = line.connector or NOBODY
            if not match or not self._ledger.is_expected_in_quarantine(name, int(match[1])):
                self._findings.add(
                    f"{line.file}, line {line.number}, was refused by "
                    f"{line.connector or 'everybody'} without need: {line.reason}")
            else:
                self._ledger.mark(name, [int(match[1])], QUARANTINED, line.file)
        for file in refused_files(self._spool):
            self._read_kept_file(file.file, file.reason, file.path)

    def _read_kept_file(self, shown: str, reason: str, path: pathlib.Path) -> None:
        """What of it was not taken is in quarantine; everything before that must have been delivered."""
        match = re.fullmatch(r"(?:.*/)?(.+)-(\d+)-(\d+)\.(.*)", shown)
        first, count = int(match[2]), int(match[3])
        numbers = range(first, first + count)
        taken = re.search(r"taken up to byte (\d+)", reason)
        member = None if match[1] == "x" else match[1]
        lines = [self._ledger.events.line(number, member) for number in numbers]
        if path.stat().st_size == 0:
            return
        if shown.endswith(".gz") and not is_whole_gzip(path.read_bytes()):
            left, offset = list(numbers), int(taken[1]) if taken else 0
            for text in lines:
                if offset < len(text):
                    break
                offset -= len(text)
                left.pop(0)
        elif not taken and all(map(is_malformed, numbers)):
            left = list(numbers)
        else:
            self._findings.add(f"{shown} was kept whole without need: {reason}")
            return
        self._ledger.quarantine_rest(left, shown)

    def sweep_quarantine(self) -> None:
        """As whoever looks after a spool does, having seen to everything in it."""
        for path in (self._spool / "quarantine").iterdir():
            path.unlink()

    # The balance.

    def balance(self) -> dict[str, collections.Counter]:
        balance = self._ledger.balance()
        status = self._installation.status()
        if status is None:
            self._findings.add("the daemon does not answer sluicectl status")
            return balance
        known = {each["name"]: each for each in status["connectors"] + status["orphans"]}
        types = self._ledger.missing_types()
        for name in CONNECTORS:
            if name not in known:
                self._findings.add(f"connector {name}: status does not have it")
            else:
                self._compare(name, known[name], types)
            if left := balance[name].get("archived"):
                self._findings.add(
                    f"connector {name}: {left} events were archived and sent again, and never came")
        return balance

    def _compare(self, name: str, status: dict, types: collections.Counter) -> None:
        """The events of a connector that never came, and what the daemon says that it gave up."""
        missing = sum(count for (connector, _), count in types.items() if connector == name)
        held, dropped = status["held"]["events"], status["dropped"]["events"]
        perhaps = status["dropped"]["perhaps_delivered_events"]
        if held:
            self._findings.add(f"connector {name}: status has {held} events held in an empty spool")
        if status["archived"]["events"] != self.archived[name]:
            self._findings.add(
                f"connector {name}: {self.archived[name]} events were archived, and status says "
                f"{status['archived']['events']}")
        self._compare_discarded(name)
        if missing > dropped:
            example = next(iter(self._ledger.missing(name)), "one of an earlier cycle")
            self._findings.add(
                f"connector {name}: {missing - dropped} events are lost: {missing} never came, and "
                f"{dropped} are recorded as dropped; one of them is {example}")
        elif dropped - missing > perhaps:
            self._findings.add(
                f"connector {name}: {dropped} events are recorded as dropped ({perhaps} of them "
                f"perhaps delivered), but only {missing} never came")
        losses = [loss for loss in self._supervisor.losses
                  if (loss.kind, loss.connector) == ("dropped", name)]
        self._compare_journal(name, losses, dropped)
        for event_type in {loss.event_type for loss in losses} | {
                event_type for connector, event_type in types if connector == name}:
            self._compare_type(name, event_type, types[name, event_type], [
                loss for loss in losses if loss.event_type == event_type])

    def _compare_discarded(self, name: str) -> None:
        """What was given up from the archive is in no sum of status, so the journal has to tell of it."""
        deadline = time.monotonic() + TELL_WITHIN
        while True:
            losses = [loss for loss in self._supervisor.losses
                      if (loss.kind, loss.connector) == ("discarded", name)]
            told = sum(loss.events for loss in losses)
            again = sum(loss.events for loss in losses if loss.is_late)
            if told - again <= self.discarded[name] <= told:
                return
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        self._findings.add(f"connector {name}: {self.discarded[name]} events were discarded from the "
                           f"archive, and the journal tells of {told}, {again} of them after a restart")

    def _compare_journal(self, name: str, losses: list[Loss], dropped: int) -> None:
        told = sum(loss.events for loss in losses)
        # A line may come again after a crash, never be missing.
        again = sum(loss.events for loss in losses if loss.is_late)
        if told < dropped and not self._supervisor.counts[LINES_LOST]:
            self._findings.add(f"connector {name}: the journal tells of {told} dropped events, and "
                               f"status of {dropped}")
        if told - again > dropped:
            self._findings.add(f"connector {name}: the journal tells of {told} dropped events, "
                               f"{again} of them after a restart, and status of only {dropped}")

    def _compare_type(self, name: str, event_type: str, missing: int, losses: list[Loss]) -> None:
        told = sum(loss.events for loss in losses)
        stored = sum(self._store.events_between(name, event_type, loss.first, loss.last)
                     for loss in losses)
        perhaps = sum(loss.perhaps for loss in losses)
        again = sum(loss.events for loss in losses if loss.is_late)
        if missing > told and not self._supervisor.counts[LINES_LOST]:
            self._findings.add(
                f"connector {name}: {missing} events of type {event_type} never came, and the journal "
                f"tells of {told}")
        elif told - again - missing > min(perhaps, stored):
            self._findings.add(
                f"connector {name}: the journal tells of {told} dropped events of type {event_type}, "
                f"{perhaps} of them perhaps delivered, but {missing} never came and {stored} are there")


def is_whole_gzip(body: bytes) -> bool:
    stream = zlib.decompressobj(wbits=31)
    try:
        stream.decompress(body)
    except zlib.error:
        return False
    return stream.eof
