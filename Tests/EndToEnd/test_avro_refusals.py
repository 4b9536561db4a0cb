"""What a schema refuses goes to quarantine with the path to the value at fault; all else is delivered."""

import json

import pytest

from avro_objects import assert_same_records, by_fastavro, records_by_type
from objects import assert_same_events, events_in, parse_key
from quarantine import refused_lines

SCHEMA = {
    "type": "record", "name": "Order", "namespace": "shop", "schema_id": 77, "fields": [
        {"name": "id", "type": "string"},
        {"name": "count", "type": "int"},
        {"name": "total", "type": ["null", "long"], "default": None},
        {"name": "weight", "type": "float", "default": 1.5},
        {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["NEW", "PAID"]}},
        {"name": "key", "type": {"type": "fixed", "name": "Key", "size": 2}},
        {"name": "items", "type": {"type": "array", "items": {
            "type": "record", "name": "Item", "fields": [
                {"name": "sku", "type": "string"}, {"name": "price", "type": ["null", "int"]}]}}},
        {"name": "tags", "type": {"type": "map", "values": {"type": "array", "items": "boolean"}}},
        {"name": "either", "type": ["null", "int", "Item"]},
    ],
}
GOOD = {
    "id": "x", "count": 1, "total": 2, "weight": 0.5, "state": "NEW", "key": "ab",
    "items": [{"sku": "a", "price": 1}], "tags": {"a": [True]}, "either": None,
}
READ = GOOD | {"key": b"ab"}
"""The same as readers give it."""
MISSING = object()
REFUSED = [
    ({"id": 5}, 'its field id is 5, which is no string'),
    ({"id": None}, 'its field id is null, which is no string'),
    ({"id": MISSING}, 'it has no field "id", which schema shop.Order (id 77) requires'),
    # Only a reader fills in a default.
    ({"weight": MISSING}, 'it has no field "weight", which schema shop.Order (id 77) requires'),
    ({"count": 2**31}, 'its field count is 2147483648, which is no int'),
    ({"count": -2**31 - 1}, 'its field count is -2147483649, which is no int'),
    ({"count": 1.5}, 'its field count is 1.5, which is no int'),
    ({"count": "1"}, 'its field count is "1", which is no int'),
    ({"count": True}, 'its field count is true, which is no int'),
    ({"total": 2**63}, 'its field total is 9223372036854775808, which is no long'),
    ({"total": {"int": 1}}, 'its field total is {"int": 1}, which is no long'),
    ({"weight": 1e39}, 'its field weight is 1e+39, which is no float'),
    ({"state": "SENT"}, 'its field state is "SENT", which is no symbol of shop.State'),
    ({"key": "abc"}, 'its field key is "abc", which is no shop.Key '
                     '(a string of 2 code points up to 255)'),
    ({"key": "a€"}, 'its field key is "a€", which is no shop.Key '
                    '(a string of 2 code points up to 255)'),
    ({"items": {}}, 'its field items is {}, which is no array'),
    ({"items": [GOOD["items"][0], {"sku": "b", "price": "dear"}]},
     'its field items[1].price is "dear", which is no int'),
    ({"items": [GOOD["items"][0]] * 3 + [{"price": 1}]},
     'it has no field "items[3].sku", which schema shop.Order (id 77) requires'),
    ({"tags": {"a": [True], "größe": [False, 0]}}, 'its field tags["größe"][1] is 0, which is no boolean'),
    ({"either": "x"}, 'its field either is "x", which no branch of the union takes'),
    ({"id": "x" * 50, "count": "y" * 100},
     f'its field count is "{"y" * 59}…, which is no int'),
]


def line(event: dict) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode() + b"\n"


def test_what_the_schema_refuses_is_quarantined_with_its_path_and_the_rest_goes_on(
    installation, make_destination
):
    avro, jsonl = make_destination(), make_destination()
    installation.connector("avro", avro.bucket, avro.s3.endpoint, avro.keys, format="avro")
    installation.connector("jsonl", jsonl.bucket, jsonl.s3.endpoint, jsonl.keys)
    installation.schema("shop.Order", SCHEMA)
    lines, reasons, good = [], [], []
    for number, (changes, reason) in enumerate(REFUSED):
        good.append(GOOD | {"id": f"good {number}"})
        lines.append(line({"event_type": "shop.Order"} | good[-1]))
        bad = {"event_type": "shop.Order", "note": f"bad {number}"} | GOOD | changes
        lines.append(line({name: value for name, value in bad.items() if value is not MISSING}))
        reasons.append((2 * number + 2, reason))
    uncovered = line({"event_type": "shop.Unknown", "id": "unknown"})
    lines.append(uncovered)
    installation.drop("a.jsonl", lines)
    daemon = installation.drain()

    refused = refused_lines(installation.spool)
    *by_schema, without = refused
    assert [(each.number, each.reason) for each in by_schema] == reasons
    assert [each.text + b"\n" for each in refused] == lines[1::2] + [uncovered]
    assert {each.connector for each in refused} == {"avro"}
    assert "shop.Unknown" in without.reason and "schema" in without.reason
    assert daemon.wait_for("events quarantined")

    assert_same_records(
        records_by_type(avro.objects())["shop.Order"],
        [READ | {"id": each["id"]} for each in good], "avro")
    (key,) = avro.objects()
    assert parse_key(key).schema_id == 77
    assert_same_events(events_in(jsonl.objects()), lines)


def test_members_that_no_schema_has_are_ignored_and_told_once_a_file(installation, destination):
    installation.connector(
        "avro", destination.bucket, destination.s3.endpoint, destination.keys, format="avro")
    installation.schema("shop.Order", SCHEMA)
    installation.drop("a.jsonl", [
        line({"event_type": "shop.Order", "color": "red", "size": {"deep": [1]}} | GOOD)] * 3)
    daemon = installation.drain()

    (body,) = destination.objects().values()
    assert by_fastavro(body) == [READ] * 3
    said = [each for each in daemon.lines if "no field for" in each.message]
    assert len(said) == 1
    assert "color" in said[0].message and "6" in said[0].message and "a.jsonl" in said[0].message
    assert daemon.troubles() == []


@pytest.mark.parametrize("unmatched", ["quarantine", "discard"])
def test_types_without_a_schema_are_no_loss_of_a_connector_that_needs_none(
    installation, make_destination, unmatched
):
    installation.configure(unmatched=unmatched)
    avro, jsonl = make_destination(), make_destination()
    installation.connector(
        "avro", avro.bucket, avro.s3.endpoint, avro.keys, format="avro", events=["shop.*"])
    installation.connector(
        "jsonl", jsonl.bucket, jsonl.s3.endpoint, jsonl.keys, events=["shop.Unknown"])
    installation.schema("shop.Order", SCHEMA)
    unknown = line({"event_type": "shop.Unknown", "id": "u"})
    installation.drop("a.jsonl", [line({"event_type": "shop.Order"} | GOOD), unknown])
    installation.drain()

    assert by_fastavro(*avro.objects().values()) == [READ]
    assert events_in(jsonl.objects()) == [unknown]
    assert [(each.connector, each.text + b"\n") for each in refused_lines(installation.spool)] == [
        ("avro", unknown)]
