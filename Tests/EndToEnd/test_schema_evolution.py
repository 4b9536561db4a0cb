"""Schemas change under a daemon: what was delivered before and after reads as one, and no ID ever means two."""

import io
import json

import fastavro
import pytest

from avro_objects import by_fastavro, container
from objects import parse_key

QUICK = {"max_age": "1s"}
TYPE = "shop.Order"
OLD = {
    "type": "record", "name": "Order", "namespace": "shop", "fields": [
        {"name": "id", "type": "string"}, {"name": "count", "type": "int"},
        {"name": "dropped", "type": ["null", "string"], "default": None}]}
NEW = {
    "type": "record", "name": "Order", "namespace": "shop", "fields": [
        {"name": "note", "type": "string", "default": "none"},
        {"name": "id", "type": "string"},
        # A long reads what was written as an int.
        {"name": "count", "type": "long"},
        {"name": "color", "type": ["null", {"type": "enum", "name": "Color", "symbols": ["RED"]}],
         "default": None}]}


def event(number: int, **members: object) -> bytes:
    return json.dumps({"event_type": TYPE, "id": f"{number}", "count": number} | members).encode() \
        + b"\n"


@pytest.fixture
def connected(installation, destination):
    installation.connector(
        "avro", destination.bucket, destination.s3.endpoint, destination.keys, format="avro",
        batch=QUICK)
    return installation


def deliver(installation, daemon, name: str, lines: list[bytes]) -> None:
    before = len(daemon.said("object delivered"))
    installation.drop(name, lines)
    daemon.wait_for("object delivered", count=before + 1)
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")


def by_schema_id(destination) -> dict[int, bytes]:
    found = {}
    for key, body in destination.objects().items():
        assert parse_key(key).type == TYPE and parse_key(key).schema_id not in found
        found[parse_key(key).schema_id] = body
    return found


@pytest.mark.parametrize("ids", [(None, None), (1001, 1002)], ids=["derived", "explicit"])
def test_objects_of_both_versions_read_with_the_readers_schema(connected, destination, ids):
    old, new = (schema | ({"schema_id": number} if number else {})
                for schema, number in zip((OLD, NEW), ids))
    connected.schema(TYPE, old)
    daemon = connected.start()
    deliver(connected, daemon, "1.jsonl", [event(1), event(2, dropped="x")])
    connected.schema(TYPE, new)
    daemon.reload()
    daemon.wait_for("reloaded")
    deliver(connected, daemon, "2.jsonl", [event(2**40, note="n"), event(4, note="", color="RED")])

    objects = by_schema_id(destination)
    assert len(objects) == 2
    before, after = (next(body for body in objects.values()
                          if json.loads(container(body).metadata["avro.schema"]) == schema)
                     for schema in (old, new))
    if ids[0]:
        assert objects == {ids[0]: before, ids[1]: after}

    def read(body: bytes, schema: dict) -> list[dict]:
        return list(fastavro.reader(io.BytesIO(body), reader_schema=fastavro.parse_schema(schema)))

    assert by_fastavro(before) == [{"id": "1", "count": 1, "dropped": None},
                                   {"id": "2", "count": 2, "dropped": "x"}]
    assert read(before, new) == [{"note": "none", "id": "1", "count": 1, "color": None},
                                 {"note": "none", "id": "2", "count": 2, "color": None}]
    assert read(after, new) == by_fastavro(after) == [
        {"note": "n", "id": str(2**40), "count": 2**40, "color": None},
        {"note": "", "id": "4", "count": 4, "color": "RED"}]
    assert daemon.troubles() == []
    assert daemon.stop() == 0


def test_a_used_id_is_refused_to_another_schema_at_reload_and_at_start_and_by_check(connected, destination):
    connected.schema(TYPE, OLD | {"schema_id": 1001})
    daemon = connected.start()
    deliver(connected, daemon, "1.jsonl", [event(1)])
    connected.schema(TYPE, NEW | {"schema_id": 1001})
    daemon.reload()
    refusal = daemon.wait_for("reload refused").message
    assert f"{TYPE}.avsc" in refusal and "1001" in refusal and "schema_id" in refusal
    # The old one goes on.
    deliver(connected, daemon, "2.jsonl", [event(2, dropped="y")])
    bodies = destination.objects()
    assert {parse_key(key).schema_id for key in bodies} == {1001}
    assert sorted(record["id"] for body in bodies.values() for record in by_fastavro(body)) == \
        ["1", "2"]
    assert all(json.loads(container(body).metadata["avro.schema"]) == OLD | {"schema_id": 1001}
               for body in bodies.values())
    assert daemon.stop() == 0

    connected.drop("3.jsonl", [event(3, note="z")])
    checked = connected.sluicectl("check")
    assert checked.returncode == 78 and f"{TYPE}.avsc: has changed" in checked.stderr
    refused = connected.start(wait=False)
    assert refused.wait() == 78
    assert f"{TYPE}.avsc: has changed, and its schema ID 1001" in refused.other_output
    assert destination.objects() == bodies

    # What changes nothing in the data is the same schema.
    connected.schema(TYPE, OLD | {"schema_id": 1001, "doc": "with a word"})
    connected.drain()
    connected.schema(TYPE, NEW | {"schema_id": 1002})
    connected.drop("4.jsonl", [event(4, note="z")])
    connected.drain()
    assert {parse_key(key).schema_id for key in destination.objects()} == {1001, 1002}


def test_what_was_claimed_before_a_reload_goes_by_the_schema_of_then(connected, destination):
    """The open batch is sealed under the old schema; no object has records of two."""
    def connect(max_age: str) -> None:
        connected.connector(
            "avro", destination.bucket, destination.s3.endpoint, destination.keys, format="avro",
            batch={"max_age": max_age})

    connect("1h")
    connected.schema(TYPE, OLD)
    daemon = connected.start()
    connected.drop("1.jsonl", [event(number) for number in range(100)])
    daemon.wait_until(
        lambda: connected.status()["spool"]["active_files"] == 1, "the file was claimed")
    connect("1s")
    connected.schema(TYPE, NEW)
    daemon.reload()
    daemon.wait_for("object delivered")
    deliver(
        connected, daemon, "2.jsonl", [event(number, note="n") for number in range(100, 150)])

    read = [by_fastavro(body) for body in by_schema_id(destination).values()]
    assert sorted(len(records) for records in read) == [50, 100]
    assert sorted(int(record["id"]) for records in read for record in records) == list(range(150))
    for records in read:
        assert {"note" in record for record in records} == {len(records) == 50}
