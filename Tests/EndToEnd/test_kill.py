"""A daemon that is killed at any moment, and started again, delivers every event exactly once."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable

from avro_objects import assert_same_records, records_by_type
from objects import assert_same_events, events_in, parse_key
from quarantine import refused_lines

KILLS = 50
AVRO_KILLS = 12
SEED = 20_261_122


def bodies_of_keys(destination) -> dict[str, list[bytes]]:
    """Every body that a key ever had: the bucket keeps all versions."""
    s3 = destination.s3.client("s3")
    bodies: dict[str, list[bytes]] = {}
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=destination.bucket)
    for page in pages:
        assert not page.get("DeleteMarkers")
        for version in page.get("Versions", []):
            answer = s3.get_object(
                Bucket=destination.bucket, Key=version["Key"], VersionId=version["VersionId"])
            bodies.setdefault(version["Key"], []).append(answer["Body"].read())
    return bodies


def versioned(destination):
    destination.s3.client("s3").put_bucket_versioning(
        Bucket=destination.bucket, VersioningConfiguration={"Status": "Enabled"})
    return destination


def drop_and_kill(
    installation, rng: random.Random, dropped: dict[str, list[bytes]],
    lines: Callable[[int], list[bytes]], kills: int
) -> None:
    """Drops files for each connector and kills daemons until so many of them were found at work, some
    with sealed batches; then drains."""
    found_at_kill = Counter()
    rounds = kills_with_work = 0
    while kills_with_work < kills or not (found_at_kill["active"] and found_at_kill["sealed"]):
        rounds += 1
        assert rounds <= 3 * kills, "too few of the kills found the daemon at work"
        for name, so_far in dropped.items():
            for number in range(3):
                more = lines(rng.randrange(1, 120))
                so_far += more
                installation.drop(f"{rounds}-{number}.jsonl", more, name)
        daemon = installation.start(wait=False)
        # From before its first system call on the spool to long after its first delivery.
        time.sleep(rng.choice([0.02, 0.1, 0.5]) * rng.random())
        assert daemon.is_running, daemon.transcript()
        daemon.kill()
        left = {
            "incoming": any(installation.spool.glob("incoming/*/*.jsonl")),
            "active": any(installation.spool.glob("active/*")),
            "object without envelope": any(
                not path.with_suffix(".envelope").exists()
                for path in installation.spool.glob("sealed/*/*.object")),
            "sealed": any(installation.spool.glob("sealed/*/*.envelope")),
        }
        found_at_kill.update(name for name, there in left.items() if there)
        kills_with_work += left["active"] or left["sealed"]
    print(f"{rounds} kills; what lay in the spool afterwards: {dict(found_at_kill)}")
    installation.drain(seconds=120)
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
    destinations = {name: versioned(make_destination()) for name in ("one", "two")}
    for name, destination in destinations.items():
        installation.connector(
            name, destination.bucket, destination.s3.endpoint, destination.keys,
            batch={"max_events": 40, "max_age": "1s"})
    dropped: dict[str, list[bytes]] = {name: [] for name in destinations}
    drop_and_kill(installation, random.Random(SEED), dropped, producer.lines, KILLS)

    for name, destination in destinations.items():
        assert_same_events(events_in(only_bodies(destination, name)), dropped[name])


def test_avro_objects_are_made_again_the_same_after_a_kill(
    installation, make_destination, producer
):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    destination = versioned(make_destination())
    schemas = installation.shipped_schemas()
    installation.connector(
        "one", destination.bucket, destination.s3.endpoint, destination.keys, format="avro",
        batch={"max_events": 40, "max_age": "1s"})

    def lines(count: int) -> list[bytes]:
        # One in some is refused, so quarantine is made again as well.
        return [line.replace(b'"time":', b'"time":"never","tim":') if number % 50 == 7 else line
                for number, line in enumerate(producer.lines(4 * count))]

    dropped: dict[str, list[bytes]] = {"one": []}
    drop_and_kill(installation, random.Random(seed), dropped, lines, AVRO_KILLS)

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
