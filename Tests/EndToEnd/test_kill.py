"""A daemon that is killed at any moment, and started again, delivers every event exactly once."""

import random
import time
from collections import Counter

from objects import assert_same_events, events_in, parse_key

KILLS = 50
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


def test_kills_at_random_moments_lose_and_double_nothing(
    installation, make_destination, producer
):
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    destinations = {"one": make_destination(), "two": make_destination()}
    for name, destination in destinations.items():
        destination.s3.client("s3").put_bucket_versioning(
            Bucket=destination.bucket, VersioningConfiguration={"Status": "Enabled"})
        installation.connector(
            name, destination.bucket, destination.s3.endpoint, destination.keys,
            batch={"max_events": 40, "max_age": "1s"})
    dropped: dict[str, list[bytes]] = {name: [] for name in destinations}
    found_at_kill = Counter()

    rounds = kills_with_work = 0
    while kills_with_work < KILLS:
        rounds += 1
        assert rounds <= 3 * KILLS, "too few of the kills found the daemon at work"
        for name, lines in dropped.items():
            for number in range(3):
                more = producer.lines(rng.randrange(1, 120))
                lines += more
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
    assert found_at_kill["active"] and found_at_kill["sealed"]
    installation.drain(seconds=120)

    assert installation.waiting() == []
    for name, destination in destinations.items():
        versions = bodies_of_keys(destination)
        for key, bodies in versions.items():
            assert len(set(bodies)) == 1, f"{key} held {len(set(bodies))} different bodies"
            assert parse_key(key).integration == f"id-{name}"
        assert_same_events(
            events_in({key: bodies[0] for key, bodies in versions.items()}), dropped[name])
