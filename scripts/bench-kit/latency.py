"""Latency: how long an event takes from the rename into the spool until S3 has it."""

import gzip
import json
import random
import shutil
import sys
import time
from typing import NamedTuple

from running import Running
from workplace import CONNECTORS, Workplace

SETTINGS = 'format = "jsonl"\n'
TABLES = '[batch]\nmax_age = "1s"\n'


class Latency(NamedTuple):
    events: int
    seconds: list[float]
    """Of each event, in order."""

    def at(self, share: float) -> float:
        return self.seconds[min(len(self.seconds) - 1, int(len(self.seconds) * share))]


def measure(place: Workplace, rate: int, duration: int) -> Latency:
    """`rate` files of one event a second, for some seconds, into batches that are sealed after one second."""
    names = [f"connector-{number}" for number in range(1, CONNECTORS + 1)]
    with place.sink(0) as sink:
        config = place.configure(names, sink.port, SETTINGS, TABLES)
        with Running(place, config) as daemon:
            daemon.wait_until_ready()
            renamed = _produce(place, names, rate, duration)
            stored = 0

            def all_stored() -> bool:
                nonlocal stored
                status = daemon.status()
                stored = sum(each["delivered"]["events"] for each in status["connectors"])
                return stored >= len(renamed)
            daemon.wait(all_stored, every=0.2)
        seconds = []
        for path, _, _ in sink.rows():
            # The object's last byte came at its file's time of change.
            moment = path.stat().st_mtime_ns
            for line in gzip.decompress(path.read_bytes()).splitlines():
                seconds.append((moment - renamed.pop(json.loads(line)["id"])) / 1e9)
    if renamed:
        sys.exit(f"{len(renamed)} events were not stored")
    shutil.rmtree(place.spool)
    return Latency(len(seconds), sorted(seconds))


def _produce(place: Workplace, names: list[str], rate: int, duration: int) -> dict[str, int]:
    """When each event was renamed, by its id: nanoseconds since 1970."""
    renamed: dict[str, int] = {}
    rng = random.Random(1)
    staging = place.scratch / "staging"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    began = time.monotonic()
    for number in range(rate * duration):
        identifier = f"{number:08d}-{rng.getrandbits(64):016x}"
        name = f"{number:08d}.jsonl"
        (staging / name).write_text(json.dumps({
            "id": identifier, "event_type": f"bench.Latency{number % 8}", "time": number,
            "payload": f"{rng.getrandbits(1024):x}"}) + "\n")
        delay = began + number / rate - time.monotonic()
        if delay > 0:
            time.sleep(delay)
        renamed[identifier] = time.time_ns()
        (staging / name).rename(place.spool / "incoming" / names[number % len(names)] / name)
    took = time.monotonic() - began
    if took > duration * 1.1:
        print(f"The producer was slow: {rate * duration / took:,.0f} files a second")
    shutil.rmtree(staging)
    return renamed
