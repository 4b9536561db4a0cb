"""The configuration is edited between a crash and the next start.

What was claimed before the crash goes by the routing of then, sealed or not: to the same connectors, in the same
form, once. What was not claimed goes by the new one. Buckets and credentials are those of the day.
"""

import itertools
import json
import re
from collections import Counter

import pytest

from avro_objects import by_fastavro
from objects import gunzip
from quarantine import refused_lines

BUCKET = "scripted"
TYPES = ("a.A", "b.B")
HELD = 75
"""The exit status of `--until-empty` where something stays."""


def schema(of: str, number: object = "int") -> dict:
    return {"type": "record", "name": of.split(".")[1], "fields": [
        {"name": "id", "type": "string"}, {"name": "n", "type": number}]}


class Drain:
    """A daemon that is killed in the midst of it, and what its store has of whom."""

    def __init__(self, installation, store):
        self.installation, self.store = installation, store
        self._numbers = itertools.count()

    def configure(self, name: str, **settings: object) -> None:
        batch = {"max_events": 20, "max_age": "60s"} | settings.pop("batch", {})
        settings = {"bucket": BUCKET, "folder": name} | settings
        self.installation.connector(
            name, settings.pop("bucket"), self.store.endpoint, self.store.KEYS, batch=batch,
            **settings)

    def remove(self, name: str) -> None:
        (self.installation.connectors / f"{name}.toml").unlink()

    def events(self, count: int, n: object = None) -> list[dict]:
        """Events of both types by turns."""
        numbers = itertools.islice(self._numbers, count)
        return [{"event_type": TYPES[number % 2], "id": f"e{number}", "time": 1_795_000_000,
                 "n": number if n is None else n} for number in numbers]

    def drop(self, events: list[dict]) -> None:
        self.installation.drop(
            f"{events[0]['id']}.jsonl", [json.dumps(event).encode() + b"\n" for event in events])

    def crash(self, *names: str, refused: int = 0) -> list[dict]:
        """Kills a daemon that delivered some events, holds others, and has read others from active/ only.

        Some answers were lost, too. `refused` events of those, of which the schemas know nothing.
        """
        daemon = self.installation.start()

        def held_of_all(objects: int) -> bool:
            return all(self.installation.status(name)["held"]["objects"] == objects
                       for name in names)

        daemon.wait_until(lambda: not self.installation.waiting(), "what was left was delivered")
        before = {name: self.installation.status(name)["delivered"]["objects"] for name in names}
        first, second = self.events(50), self.events(50)
        first += self.events(refused, n="no number")
        self.drop(first)
        daemon.wait_until(
            lambda: all(self.installation.status(name)["delivered"]["objects"] == before[name] + 2
                        for name in names), "two objects each were delivered")
        self.store.script({"method": "PUT", "do": "lose"},
                          {"method": "PUT", "do": "hang", "times": None})
        self.drop(second)
        daemon.wait_until(lambda: held_of_all(2), "two objects each were held")
        daemon.wait_until(
            lambda: self.installation.status()["spool"]["unsealed_batches"] >= 2 * len(names),
            "others were open")
        daemon.kill()
        assert list(self.installation.spool.glob("active/*"))
        for name in names:
            assert len(list(self.installation.spool.glob(f"sealed/{name}/*.envelope"))) == 2
            assert list(self.installation.spool.glob(f"sealed/{name}/*.delivered"))
        self.store.mend()
        return [event for event in first + second if event["n"] != "no number"]

    def objects(self, name: str) -> dict[str, bytes]:
        """What lies in the folder of a connector, in any bucket."""
        saved = self.store.saved
        return {path.relative_to(saved).as_posix(): path.read_bytes()
                for path in saved.glob(f"*/{name}/**/*.*") if path.is_file()}

    def delivered(self, name: str) -> list[dict]:
        found = []
        for key, body in self.objects(name).items():
            if key.endswith(".avro"):
                type_of = re.search("event_type=([^/]+)/", key)[1]
                found += [{"event_type": type_of} | event for event in by_fastavro(body)]
            else:
                found += [json.loads(line) for line in gunzip(body).splitlines()]
        return found

    def assert_delivered(self, name: str, *events: dict) -> None:
        """Each once, and nothing else."""
        have = Counter(event["id"] for event in self.delivered(name))
        want = Counter(event["id"] for event in events)
        assert have == want, (
            f"{name}: {(want - have).total()} of {want.total()} are missing, "
            f"{(have - want).total()} are too many")

    def assert_one_body_a_key(self) -> None:
        for name, entry in self.store.summary().items():
            assert len(entry["bodies"]) == 1, name

    def orphans(self) -> dict[str, int]:
        return {each["name"]: each["events"] for each in self.installation.status()["orphans"]}


@pytest.fixture
def drain(installation, scripted_s3):
    made = Drain(installation, scripted_s3)
    yield made
    made.assert_one_body_a_key()


def test_a_connector_that_was_added_gets_only_what_came_after(installation, drain):
    drain.configure("one")
    claimed, new = drain.crash("one"), drain.events(30)
    drain.configure("two")
    drain.drop(new)
    installation.drain()
    drain.assert_delivered("one", *claimed, *new)
    drain.assert_delivered("two", *new)


def test_a_connector_that_was_removed_keeps_what_was_claimed_until_it_is_back(installation, drain):
    drain.configure("one")
    drain.configure("two")
    claimed, new = drain.crash("one", "two"), drain.events(30)
    drain.remove("two")
    drain.drop(new)
    installation.drain(status=HELD)
    drain.assert_delivered("one", *claimed, *new)

    daemon = installation.start()
    before = len(drain.delivered("two"))
    # One answer was lost: that object is there, and nobody knows.
    held = len(claimed) - 40
    assert drain.orphans() == {"two": held}
    assert before - 40 in (0, 20)
    assert daemon.stop() == 0
    drain.configure("two")
    more = drain.events(10)
    drain.drop(more)
    installation.drain()
    drain.assert_delivered("one", *claimed, *new, *more)
    drain.assert_delivered("two", *claimed, *more)


def test_a_connector_that_was_renamed_is_another_one(installation, drain):
    drain.configure("one")
    claimed, new = drain.crash("one"), drain.events(30)
    drain.remove("one")
    drain.configure("uno")
    drain.drop(new)
    installation.drain(status=HELD)
    drain.assert_delivered("uno", *new)
    daemon = installation.start()
    assert drain.orphans() == {"one": len(claimed) - 40}
    assert daemon.stop() == 0
    # Beside the new one, it may have as little as nothing to do with events of its own.
    drain.configure("one", events=["nothing.Of.This"])
    installation.drain()
    drain.assert_delivered("one", *claimed)
    drain.assert_delivered("uno", *new)


def test_a_connector_that_was_narrowed_delivers_what_it_wanted_before(installation, drain):
    drain.configure("one")
    claimed, new = drain.crash("one"), drain.events(30)
    drain.configure("one", events=[TYPES[0]])
    drain.drop(new)
    installation.drain()
    drain.assert_delivered(
        "one", *claimed, *(event for event in new if event["event_type"] == TYPES[0]))
    refused = [json.loads(each.text) for each in refused_lines(installation.spool)]
    assert refused == [event for event in new if event["event_type"] == TYPES[1]]


def test_a_format_that_was_changed_there_and_back_is_that_of_the_claim(installation, drain):
    def endings() -> Counter:
        return Counter(key.rsplit(".", 1)[1] for key in drain.objects("one"))

    for name in TYPES:
        installation.schema(name, schema(name))
    drain.configure("one")
    claimed = drain.crash("one")
    drain.configure("one", format="avro")
    second = drain.crash("one")
    # 20 delivered of each type before either crash; what the first left was sealed as it was read.
    assert endings()["gz"] and endings()["avro"]
    drain.configure("one")
    third = drain.events(30)
    drain.drop(third)
    installation.drain()
    drain.assert_delivered("one", *claimed, *second, *third)
    by_ending = {ending: Counter(
        event["id"] for key, body in drain.objects("one").items() if key.endswith(ending)
        for event in (by_fastavro(body) if ending == "avro" else map(
            json.loads, gunzip(body).splitlines()))) for ending in ("avro", "gz")}
    assert by_ending["avro"].keys() == {event["id"] for event in second}
    assert by_ending["gz"].keys() == {event["id"] for event in claimed + third}


def test_keys_are_those_of_the_claim_and_buckets_those_of_the_day(installation, drain):
    drain.configure("one")
    claimed, new = drain.crash("one"), drain.events(30)
    drain.configure("one", folder="new", integration_id="other", bucket="another")
    drain.drop(new)
    installation.drain()
    drain.assert_delivered("new", *new)
    assert all("/dataexport.test.S3.integration.other/" in key for key in drain.objects("new"))
    assert all("/dataexport.test.S3.integration.id-one/" in key for key in drain.objects("one"))
    # An envelope does not name its bucket: the object whose answer was lost lies in both, the rest in one.
    twice = [key for key in drain.objects("one") if key.startswith("another/")
             and key.replace("another/", f"{BUCKET}/", 1) in drain.objects("one")]
    assert len(twice) == 1
    both = Counter(event["id"] for event in drain.delivered("one"))
    once = Counter(event["id"] for event in claimed)
    assert both.keys() == once.keys()
    assert (both - once).total() == 20
    assert any(key.startswith("another/") for key in drain.objects("one"))


def test_events_that_a_mended_schema_takes_go_and_those_in_quarantine_stay(installation, drain):
    for name in TYPES:
        installation.schema(name, schema(name))
    drain.configure("one", format="avro")
    claimed = drain.crash("one", refused=6)
    for name in TYPES:
        installation.schema(name, schema(name, ["int", "string"]))
    new = drain.events(20) + drain.events(20, n="no number")
    drain.drop(new)
    daemon = installation.drain()
    drain.assert_delivered("one", *claimed, *new)
    assert sum(event["n"] == "no number" for event in drain.delivered("one")) == 20
    refused = [json.loads(each.text) for each in refused_lines(installation.spool)]
    assert len(refused) == len({event["id"] for event in refused}) == 6
    assert all(event["n"] == "no number" for event in refused)
    assert {line.kind for line in daemon.troubles()} <= {"events quarantined"}
    # No object has events of two schemas, and none is of another than its key says.
    ids = {re.search(r"/(\d+)/zone-a/", key)[1] for key in drain.objects("one")}
    assert len(ids) == 2 * len(TYPES)


@pytest.mark.parametrize("most", [7, 100])
def test_the_size_of_batches_is_that_of_the_claim(installation, drain, most):
    drain.configure("one")
    claimed, new = drain.crash("one"), drain.events(200)
    drain.configure("one", batch={"max_events": most})
    drain.drop(new)
    installation.drain()
    drain.assert_delivered("one", *claimed, *new)
    first_new = int(new[0]["id"][1:])
    sizes = {True: [], False: []}
    for body in drain.objects("one").values():
        events = [json.loads(line) for line in gunzip(body).splitlines()]
        (is_new,) = {int(event["id"][1:]) >= first_new for event in events}
        sizes[is_new].append(len(events))
    assert max(sizes[False]) == 20
    assert max(sizes[True]) == most


def test_a_transform_that_was_added_changes_only_what_came_after(installation, drain):
    drain.configure("one")
    claimed, new = drain.crash("one"), drain.events(30)
    drain.configure("one", transform={"n": "remove"})
    drain.drop(new)
    installation.drain()
    drain.assert_delivered("one", *claimed, *new)
    values = {event["id"]: event["n"] for event in drain.delivered("one")}
    assert all(values[event["id"]] == event["n"] for event in claimed)
    assert all(values[event["id"]] == "[REDACTED]" for event in new)
