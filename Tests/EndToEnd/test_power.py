"""The power fails under load, for real: what was not synced is gone, and still every event is delivered once.

The spool lies on a file system of its own. Its shutdown ioctl drops what is not on the disk, the journal's
open transaction with it; the daemon is killed, and the file system is mounted again.
"""

import contextlib
import errno
import json
import os
import random
import threading
from collections import Counter

import pytest

from disks import image, make_disk  # noqa: F401
from faults import Faults, Rule, faults_library  # noqa: F401
from objects import events_in

BUCKET = "scripted"
CUTS = int(os.environ.get("SLUICE_POWER_CUTS") or 0)
"""Rounds on each file system, instead of the few that CI has time for."""
SIZE = {"ext4": 32 << 20, "xfs": 320 << 20}
MOMENTS = [
    ("rename", "*/incoming/* -> */active/*"), ("write", "*.object"), ("rename", "*.offsets"),
    ("write", "*.envelope.new"), ("syncfs", "*"), ("rename", "*.envelope.new -> *"),
    ("fsync", "*/sealed/*"), ("unlink", "*/active/*"), ("rename", "*.delivered"),
    ("unlink", "*.object"), ("unlink", "*.envelope"), ("fsync", "*/active"), ("unlink", "*.delivered"),
]
"""Where in the way of an event the power fails, before the call or after it."""
DAMAGE = {"spool damaged", "batch held", "identity conflict", "destination misconfigured"}


class Producer:
    """Drops files from another thread as fast as it can, as a careful program does, until the disk stops."""

    def __init__(self, installation, lines, number: int):
        self.dropped: list[bytes] = []
        """Surely in the spool: file and directory were synced."""
        self.perhaps: list[bytes] = []
        """Renamed, and the sync of the directory failed: whether they are there, nobody knows."""
        self._installation, self._lines, self._number = installation, lines, number
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        staging = self._installation.spool.parent / "staging"
        incoming = self._installation.incoming("orders")
        with contextlib.suppress(OSError):
            staging.mkdir(exist_ok=True)
            for count in range(200):
                if self._is_over.wait(0.01):
                    return
                lines = self._lines()
                name = f"{self._number}-{count}.jsonl"
                file = os.open(staging / name, os.O_WRONLY | os.O_CREAT, 0o644)
                directory = os.open(incoming, os.O_RDONLY)
                try:
                    os.write(file, b"".join(lines))
                    os.fsync(file)
                    os.rename(staging / name, incoming / name)
                    self.perhaps += lines
                    os.fsync(directory)
                    # An xfs that is being shut down may say 0 of a directory, but not of a file.
                    os.fsync(file)
                    del self.perhaps[-len(lines):]
                    self.dropped += lines
                finally:
                    os.close(file)
                    os.close(directory)


def assert_no_damage(daemon) -> None:
    """What a disk without power cannot be asked for is no damage."""
    told = [line for line in daemon.troubles()
            if line.kind in DAMAGE and os.strerror(errno.EIO) not in line.message]
    assert not told, daemon.transcript()


def assert_nothing_lost_or_doubled(scripted_s3, dropped: list[bytes], perhaps: list[bytes]) -> None:
    have = Counter(events_in(scripted_s3.objects(BUCKET)))
    ids = Counter(json.loads(line)["id"] for line in have.elements())
    missing = set(dropped) - set(have)
    foreign = set(have) - set(dropped) - set(perhaps)
    twice = [identifier for identifier, count in ids.items() if count > 1]
    assert not missing and not foreign and not twice, (
        f"{len(missing)} of {len(dropped)} events are missing, {len(twice)} are there twice, "
        f"{len(foreign)} are nobody's; missing {next(iter(missing), None)!r}, twice {twice[:1]}, "
        f"nobody's {next(iter(foreign), None)!r}")
    for name, entry in scripted_s3.summary().items():
        assert len(entry["bodies"]) == 1, f"{name} had {len(entry['bodies'])} bodies"


class World:
    """A daemon on a disk of its own, and the lives that it has there."""

    def __init__(self, installation, disk, library, scripted_s3, producer, always: tuple[Rule, ...] = ()):
        self.seed = random.randrange(2**32)
        print(f"seed {self.seed}")
        self._rng = random.Random(self.seed)
        self._installation, self._disk, self._s3, self._producer = installation, disk, scripted_s3, producer
        self._faults = Faults(library, installation.directory, installation.spool)
        self._always = always
        self._dropped: list[bytes] = []
        self._perhaps: list[bytes] = []
        installation.environment |= self._faults.environment
        installation.connector(
            "orders", BUCKET, scripted_s3.endpoint, scripted_s3.KEYS,
            batch={"max_events": 20, "max_age": "1s"})
        # Answers are lost as well, so that nobody knows what is stored.
        scripted_s3.script(
            {"method": "PUT", "do": "lose", "times": None, "probability": 0.1, "seed": self.seed})

    def live(self, rounds: int, *, kills_first: bool = False) -> None:
        moments: Counter[str] = Counter()
        for number in range(rounds):
            self._faults.script(*self._always)
            daemon = self._installation.start()
            at_work = Producer(
                self._installation, lambda: self._producer.lines(self._rng.randrange(5, 40)), number)
            try:
                moments[self._cut_power(daemon, kills_first)] += 1
            finally:
                at_work.end()
            self._dropped += at_work.dropped
            self._perhaps += at_work.perhaps
            assert_no_damage(daemon)
            self._disk.unmount()
            self._disk.mount()
        print(f"the power failed at {dict(moments)}")

    def settle(self) -> None:
        """Delivers the rest; then everything must be where it belongs."""
        self._faults.mend()
        self._s3.mend()
        assert_no_damage(self._installation.drain())
        print(f"{len(self._dropped)} events dropped, {len(self._perhaps)} perhaps")
        assert self._dropped, "no load"
        assert_nothing_lost_or_doubled(self._s3, self._dropped, self._perhaps)

    def _cut_power(self, daemon, kills_first: bool) -> str:
        """At a random moment, or at a certain call; answers which it was.

        `kills_first`: the daemon may not meet a file system that is being shut down, for its answers are wrong.
        """
        rng = self._rng
        if rng.random() < 0.4:
            threading.Event().wait(rng.choice([0.1, 0.4, 1]) * rng.random())
            if not kills_first:
                self._disk.shut_down()
            daemon.kill()
            moment = "a random moment"
        else:
            when, (operation, pattern) = rng.choice(["before", "after"]), rng.choice(MOMENTS)
            what = "kill" if kills_first else "power"
            self._faults.script(
                Rule(f"{what}-{when}", operation, pattern, first=rng.choice([1, 2, 5, 20])), *self._always)
            moment = f"{when} {operation} {pattern}"
            try:
                daemon.wait(3)
            except AssertionError:
                moment = "a moment without work"
                daemon.kill()
        # It may have been shut down at that call.
        with contextlib.suppress(OSError):
            self._disk.shut_down()
        return moment


@pytest.mark.parametrize(
    "kind, options, rounds",
    [pytest.param("ext4", ["commit=60"], CUTS or 8, id="ext4"),
     pytest.param("ext4", ["commit=60", "data=writeback"], CUTS or 3, id="ext4, data=writeback"),
     pytest.param("xfs", [], CUTS or 2, id="xfs")])
def test_power_cuts_under_load_lose_and_double_nothing(
    installation, make_disk, faults_library, scripted_s3, producer, kind, options, rounds  # noqa: F811
):
    disk = make_disk(image(kind, SIZE[kind], *options))
    world = World(installation, disk, faults_library, scripted_s3, producer)
    world.live(rounds, kills_first=kind == "xfs")
    world.settle()


def test_the_same_cuts_are_seen_where_nothing_is_synced(
    installation, make_disk, faults_library, scripted_s3, producer  # noqa: F811
):
    """What shows that the others can fail: syncs that only say that they were done."""
    disk = make_disk(image("ext4", SIZE["ext4"], "commit=60"))
    world = World(
        installation, disk, faults_library, scripted_s3, producer, always=(Rule("skip", "syncfs,fsync"),))
    with pytest.raises(AssertionError):
        world.live(4)
        world.settle()
