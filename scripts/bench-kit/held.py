"""A start where very much is held: objects that rejected credentials have kept from being delivered."""

import base64
import json
import random
import shutil
from collections.abc import Iterator
from typing import NamedTuple

from running import Running, said_of
from workplace import Workplace

REJECTED = "rejected"
PAYLOADS = {"small": 150, "large": 9_900}
"""Random bytes in an event; Base64 and gzip make about as many of them again."""
MANY = 200_000
"""From so many objects on they are small, as each takes an inode and a block of the disk all the same."""
FILE_EVENTS = 5_000
TYPES = 200
"""Event types: of each one, a batch is sealed after the other."""
ASKED_TIMES = 50
SETTINGS = 'format = "jsonl"\n'


class Start(NamedTuple):
    ready: float
    """Seconds until it took event files."""
    tried: float
    """Seconds until everything was known to be held, and an attempt was rejected."""
    peak_bytes: int
    starting: list[float]
    """Seconds that each answer to /status took until then."""
    answers: dict[str, list[float]]
    """The same of each path after that."""


def starts(place: Workplace, count: int, connectors: int, runs: int, seed: int) -> Iterator[Start]:
    """Fills a spool with objects that cannot be delivered, then starts the daemon on it, and asks how things stand."""
    names = [f"held-{number}" for number in range(1, connectors + 1)]
    with place.sink(0, REJECTED) as sink:
        config = place.configure(names, sink.port, SETTINGS, "[batch]\nmax_events = 1\n")
        for name in names:
            settings = place.scratch / "connectors.d" / f"{name}.toml"
            # All of them in the bucket that the sink rejects.
            settings.write_text(settings.read_text().replace(
                f'bucket = "{name}"', f'bucket = "{REJECTED}"\nfolder = "{name}"'))
        _produce(place, names, count, seed)
        place.settle_disk()
        filled = _start(place, config, sink, count)
        sizes = [path.stat().st_size for path in place.spool.glob("sealed/*/*.object")]
        print(f"Filled with {count:,} objects ({sum(sizes) / 1e6:,.0f} MB) in {filled.tried:.0f} s; "
              f"peak memory {filled.peak_bytes / 2**20:.1f} MiB", flush=True)
        for _ in range(runs):
            yield _start(place, config, sink, count)
    if not place.keep:
        shutil.rmtree(place.spool)


def _produce(place: Workplace, names: list[str], count: int, seed: int) -> None:
    rng = random.Random(seed)
    payload = PAYLOADS["small" if count >= MANY else "large"]
    each = max(1, min(FILE_EVENTS, count // len(names)))
    for index, first in enumerate(range(0, count, each)):
        with (place.spool / "incoming" / names[index % len(names)] / f"{first:09d}.jsonl").open("w") as file:
            for number in range(first, min(first + each, count)):
                file.write(json.dumps({
                    "id": str(number), "event_type": f"bench.Held{number % TYPES}", "time": number,
                    "payload": base64.b64encode(rng.randbytes(payload)).decode()}) + "\n")


def _start(place: Workplace, config, sink, count: int) -> Start:
    """Runs the daemon until everything is held and an attempt was rejected, and asks it then."""
    before = sink.counts()["rejected"]
    with Running(place, config) as daemon:
        ready, starting = None, []

        def has_tried() -> bool:
            nonlocal ready
            if ready is None and daemon.has_said(b" started: "):
                ready = daemon.lived
            if not daemon.socket.exists():
                return False
            began = daemon.lived
            try:
                held = daemon.held()
            except OSError:
                # It does not listen yet.
                return False
            starting.append(daemon.lived - began)
            return ready is not None and sink.counts()["rejected"] > before and held == count
        daemon.wait(has_tried, every=0.02)
        tried = daemon.lived
        return Start(ready, tried, daemon.memory(), starting, daemon.ask(ASKED_TIMES))


def said(start: Start, count: int, number: int) -> str:
    return (f"Start {number} with {count:,} held objects: ready after {start.ready:.2f} s, tried after {start.tried:.2f} s; "
            f"peak memory {start.peak_bytes / 2**20:.1f} MiB; the slowest of {len(start.starting)} answers meanwhile "
            f"{max(start.starting) * 1000:.0f} ms\n  then, of {ASKED_TIMES} each: {said_of(start.answers)}")
