"""Producers of all manners: tiny files and big ones, gzip, moved in or written in place, some broken."""

import contextlib
import gzip
import os
import pathlib
import random
import threading
import time
from collections.abc import Iterable

from ledger import Ledger, Route
from world import CONNECTORS

BIG_BYTES = 20 << 20
MOST_WAITING = 400_000
"""Events on the way, past which the producers of larger files wait, so that a soak fits on its disk."""
SEND_TO = [name for name, connector in CONNECTORS.items() if not connector.is_optional]


class Producers:
    """Five threads, each with dice of its own. `pause` returns when none is in the middle of a file."""

    def __init__(self, spool: pathlib.Path, staging: pathlib.Path, ledger: Ledger, seed: int, load: float):
        self._spool, self._staging, self._ledger = spool, staging, ledger
        self._load = load
        self._running = threading.Event()
        self._stopped = threading.Event()
        self._turns = {name: threading.Lock() for name in
                       ("tiny", "steady", "slow", "big", "broken")}
        self.files = self.refusals = 0
        """Files put into the spool, and how often a full or read-only disk did not take one."""
        staging.mkdir()
        for name in self._turns:
            dice = random.Random(f"{name} {seed}")
            threading.Thread(target=self._run, args=(name, dice), daemon=True).start()

    def resume(self) -> None:
        self._running.set()

    def pause(self) -> None:
        self._running.clear()
        for turn in self._turns.values():
            with turn:
                pass

    def stop(self) -> None:
        self._stopped.set()
        self._running.set()

    def _run(self, name: str, dice: random.Random) -> None:
        produce = getattr(self, f"_{name}")
        while not self._stopped.is_set():
            self._running.wait()
            with self._turns[name]:
                if self._running.is_set() and not self._stopped.is_set():
                    pause = produce(dice)
                else:
                    pause = 0
            time.sleep(pause / self._load)

    # The producers: each makes one file or a few, and says how long it rests.

    def _tiny(self, dice: random.Random) -> float:
        for _ in range(dice.randrange(1, 8)):
            self._move_in(self._route(dice), dice.randrange(1, 6), dice, "jsonl")
        return 0.4

    def _steady(self, dice: random.Random) -> float:
        if self._ledger.waiting() < MOST_WAITING:
            self._move_in(self._route(dice), dice.randrange(200, 1500), dice,
                          dice.choice(["jsonl", "jsonl.gz", "ndjson", "json.gz"]))
        return 0.8

    def _slow(self, dice: random.Random) -> float:
        self._write_in_place(self._route(dice, optional=0.3), dice.randrange(5, 300), dice)
        return 0.5

    def _big(self, dice: random.Random) -> float:
        if self._ledger.waiting() < MOST_WAITING:
            count = int(dice.random() ** 2 * BIG_BYTES / 700)
            self._move_in(Route(directory=dice.choice(SEND_TO)), max(2000, count), dice,
                          dice.choice(["jsonl", "jsonl.gz"]))
        return 20

    def _broken(self, dice: random.Random) -> float:
        self._move_in(self._route(dice), dice.randrange(50, 600), dice, "jsonl.gz", breaks=True)
        return 5

    @staticmethod
    def _route(dice: random.Random, optional: float = 0.1) -> Route:
        kind = dice.random()
        if kind < optional:
            return Route(directory=dice.choice([n for n in CONNECTORS if n not in SEND_TO]))
        if kind < 0.6:
            return Route(directory=dice.choice(SEND_TO))
        if kind < 0.8:
            return Route(member=dice.choice(SEND_TO))
        return Route()

    # Files.

    def name(self, numbers: range, ending: str, kind: str) -> str:
        return f"{kind}-{numbers.start}-{len(numbers)}.{ending}"

    def _target(self, route: Route, name: str) -> pathlib.Path:
        return self._spool / "incoming" / (route.directory or ".") / name

    def _lines(self, numbers: Iterable[int], route: Route) -> list[bytes]:
        return [self._ledger.events.line(number, route.member) for number in numbers]

    def _move_in(
        self, route: Route, count: int, dice: random.Random, ending: str, breaks: bool = False
    ) -> None:
        numbers = self._ledger.allocate(count)
        text = b"".join(self._lines(numbers, route))
        if ending.endswith(".gz"):
            text = gzip.compress(text, 1)
        if breaks:
            text = text[:dice.randrange(30, len(text) - 1)]
        # The member's name is needed to make the lines again where the file is kept whole.
        name = self.name(numbers, ending, route.member or "x")
        written, is_announced = self._staging / name, False
        try:
            written.write_bytes(text)
            self._ledger.announce(numbers, route)
            is_announced = True
            written.rename(self._target(route, name))
            self.files += 1
        except OSError:
            self.refusals += 1
            if is_announced:
                self._ledger.announce(numbers, route, withdraw=True)
            with contextlib.suppress(OSError):
                written.unlink()

    def _write_in_place(self, route: Route, count: int, dice: random.Random) -> None:
        """Writes line by line where the daemon looks; what does not fit is cut off at a line's end."""
        numbers = self._ledger.allocate(count)
        path = self._target(route, self.name(numbers, "jsonl", route.member or "x"))
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except OSError:
            self.refusals += 1
            return
        whole = size = 0
        try:
            for line in self._lines(numbers, route):
                # Halves, so that whoever took the file too early would have a torn line.
                half = dice.randrange(len(line))
                for piece in (line[:half], line[half:]):
                    if os.write(file, piece) != len(piece):
                        raise OSError("the disk is full")
                size += len(line)
                whole += 1
                if dice.random() < 0.05:
                    time.sleep(dice.random() * 0.4)
        except OSError:
            self.refusals += 1
            os.ftruncate(file, size)
        self._ledger.announce(numbers[:whole], route)
        os.close(file)
        self.files += 1

    def sweep(self) -> None:
        """Removes what a full disk left in the staging directory."""
        for path in self._staging.iterdir():
            path.unlink()
