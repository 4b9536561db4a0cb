"""A daemon that is killed at any moment, and started again, delivers every event exactly once.

SLUICE_KILLS=500 has it killed so often in each test, SLUICE_SEED=… at the same moments as before.
"""

import gzip
import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable

from avro_objects import assert_same_records, records_by_type
from objects import assert_same_events, events_in, parse_key
from quarantine import refused_lines
from versions import bodies_of_keys, keep_versions

KILLS = int(os.environ.get("SLUICE_KILLS", "50"))
FEWER_KILLS = int(os.environ.get("SLUICE_KILLS", "12"))
SEED = int(os.environ.get("SLUICE_SEED", "20261122"))


def drop_and_kill(
    installation, rng: random.Random, drop: Callable[[int], None], kills: int, stuck: str = ""
) -> None:
    """Drops files and kills daemons until so many of them were found at work, some with sealed batches.

    What is held for the connector that is `stuck` is no work.
    """
    found_at_kill = Counter()
    rounds = kills_with_work = 0
    # Grows where the machine is too busy for a daemon to come as far as to its work.
    patience = 1.0
    while kills_with_work < kills or not (found_at_kill["active"] and found_at_kill["sealed"]):
        rounds += 1
        assert rounds <= 3 * kills, "too few of the kills found the daemon at work"
        drop(rounds)
        daemon = installation.start(wait=False)
        # From before its first system call on the spool to long after its first delivery.
        time.sleep(patience * rng.choice([0.02, 0.1, 0.5]) * rng.random())
        assert daemon.is_running, daemon.transcript()
        daemon.kill()
        left = {
            "incoming": any(installation.spool.glob("incoming/*/*.jsonl*")),
            "active": any(installation.spool.glob("active/*")),
            "object without envelope": any(
                not path.with_suffix(".envelope").exists()
                for path in installation.spool.glob("sealed/*/*.object")),
            "sealed": any(path.parent.name != stuck
                          for path in installation.spool.glob("sealed/*/*.envelope")),
            "half-written": any(installation.spool.glob("**/*.new")),
        }
        found_at_kill.update(name for name, there in left.items() if there)
        was_at_work = left["active"] or left["sealed"]
        kills_with_work += was_at_work
        patience = max(1, patience / 1.2) if was_at_work else min(10, patience * 1.2)
    print(f"{rounds} kills; what lay in the spool afterwards: {dict(found_at_kill)}")


def dropping(
    installation, rng: random.Random, dropped: dict[str, list[bytes]],
    lines: Callable[[int], list[bytes]]
) -> Callable[[int], None]:
    """Drops three small files for each connector, and remembers what was in them."""
    def drop(rounds: int) -> None:
        for name, so_far in dropped.items():
            for number in range(3):
                more = lines(rng.randrange(1, 120))
                so_far += more
                installation.drop(f"{rounds}-{number}.jsonl", more, name)
    return drop


def drain(installation) -> None:
    installation.drain(seconds=120 + 2 * KILLS)
    assert installation.waiting() == []


def only_bodies(destination, name: str) -> dict[str, bytes]:
    """What each key of a connector holds, which must be all that it ever held."""
    versions = bodies_of_keys(destination)
    for key, bodies in versions.items():
        assert len(set(bodies)) == 1, f"{key} held {len(set(bodies))} different bodies"
        assert parse_key(key).integration == f"id-{name}"
    return {key: bodies[0] for key, bodies in versions.items()}


def test_kills_at_random_moments_lose_and_double_nothing(
    installation, make_destination, producer
):
    print(f"seed {SEED}")
    destinations = {name: keep_versions(make_destination()) for name in ("one", "two")}
    for name, destination in destinations.items():
        installation.connector(
            name, destination.bucket, destination.s3.endpoint, destination.keys,
            batch={"max_events": 40, "max_age": "1s"})
    dropped: dict[str, list[bytes]] = {name: [] for name in destinations}
    rng = random.Random(SEED)
    drop_and_kill(installation, rng, dropping(installation, rng, dropped, producer.lines), KILLS)
    drain(installation)
    for name, destination in destinations.items():
        assert_same_events(events_in(only_bodies(destination, name)), dropped[name])


def test_avro_objects_are_made_again_the_same_after_a_kill(
    installation, make_destination, producer
):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    destination = keep_versions(make_destination())
    schemas = installation.shipped_schemas()
    installation.connector(
        "one", destination.bucket, destination.s3.endpoint, destination.keys, format="avro",
        batch={"max_events": 40, "max_age": "1s"})

    def lines(count: int) -> list[bytes]:
        # One in some is refused, so quarantine is made again as well.
        return [line.replace(b'"time":', b'"time":"never","tim":') if number % 50 == 7 else line
                for number, line in enumerate(producer.lines(4 * count))]

    dropped: dict[str, list[bytes]] = {"one": []}
    rng = random.Random(seed)
    drop_and_kill(
        installation, rng, dropping(installation, rng, dropped, lines), FEWER_KILLS)
    drain(installation)

    refused = refused_lines(installation.spool)
    assert_same_events(
        [each.text + b"\n" for each in refused],
        [line for line in dropped["one"] if b'"never"' in line])
    wanted: dict[str, list[dict]] = {}
    for line in dropped["one"]:
        event = json.loads(line)
        if event["time"] != "never":
            fields = schemas[event["event_type"]]["fields"]
            wanted.setdefault(event["event_type"], []).append(
                {field["name"]: event.get(field["name"]) for field in fields})
    have = records_by_type(only_bodies(destination, "one"))
    assert have.keys() == wanted.keys()
    for event_type, records in wanted.items():
        assert_same_records(have[event_type], records, event_type)


REJECTED = {"method": "PUT", "do": "answer", "status": 403, "code": "InvalidAccessKeyId",
            "times": None}


class MixedLoad:
    """Small files and big ones, plain and compressed, for one connector or for all, some lines of them broken."""

    def __init__(self, installation, rng: random.Random, producer, names: list[str]):
        self._installation, self._rng, self._producer = installation, rng, producer
        self.events: dict[str, list[bytes]] = {name: [] for name in names}
        self.refused: list[bytes] = []
        self.largest = 0

    def drop(self, rounds: int) -> None:
        for number in range(self._rng.randrange(2, 6)):
            name = self._rng.choice([*self.events, None])
            size = self._rng.choice([1, 20, 120, 120, 2500])
            lines = self._producer.lines(size)
            for wanting in [name] if name else self.events:
                self.events[wanting] += lines
            if self._rng.random() < 0.3:
                broken = f'{{"event_type":"a.b","id":"{rounds}-{number}" and no more\n'.encode()
                self.refused.append(broken)
                lines = [*lines, broken]
                self._rng.shuffle(lines)
            text = b"".join(lines)
            self.largest = max(self.largest, len(text))
            packed = self._rng.random() < 0.4
            self._installation.drop(
                f"{rounds}-{number}.jsonl{'.gz' if packed else ''}",
                gzip.compress(text, 1) if packed else text, name)


def test_kills_under_a_mixed_load_with_a_slow_store_and_a_connector_in_trouble(
    installation, scripted_s3, producer
):
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    for name in ("good", "bad"):
        installation.connector(
            name, "scripted", scripted_s3.endpoint, scripted_s3.KEYS, folder=name,
            batch={"max_events": 400, "max_age": "1s"})
    load = MixedLoad(installation, rng, producer, ["good", "bad"])
    # Uploads are under way at many of the kills, and some were stored although nobody heard of it.
    scripted_s3.script(
        REJECTED | {"key": "id-bad/"},
        {"method": "PUT", "do": "lose", "times": None, "probability": 0.05, "seed": SEED},
        {"method": "PUT", "do": "hang", "seconds": 0.3, "times": None, "probability": 0.5,
         "seed": SEED})
    drop_and_kill(installation, rng, load.drop, FEWER_KILLS, stuck="bad")
    scripted_s3.mend()
    drain(installation)

    objects = scripted_s3.objects("scripted")
    for name, events in load.events.items():
        assert_same_events(
            events_in({key: body for key, body in objects.items() if key.startswith(f"{name}/")}),
            events)
    assert Counter(each.text + b"\n" for each in refused_lines(installation.spool)) == Counter(
        load.refused)
    for key, entry in scripted_s3.summary().items():
        assert len(entry["bodies"]) == 1, f"{key} held {len(entry['bodies'])} different bodies"
    print(f"{sum(map(len, load.events.values()))} events, the largest file of {load.largest} bytes, "
          f"{len(objects)} objects, {len(load.refused)} lines refused")
