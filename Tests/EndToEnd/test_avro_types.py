"""Schemas of users: every Avro type, byte for byte what fastavro writes, and read back with logical types."""

import datetime
import decimal
import io
import itertools
import json
import random
import uuid

import fastavro

from avro_events import EventWriter, plain, tuples
from avro_objects import (
    assert_same_records, binary_records, by_fastavro, by_polars, container)
from random_containers import printed, same
from quarantine import refused_lines


def field(name: str, kind: object, **more: object) -> dict:
    return {"name": name, "type": kind, **more}


def record(name: str, *fields: dict, **more: object) -> dict:
    return {"type": "record", "name": name, "fields": list(fields), **more}


PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
COLOR = {"type": "enum", "name": "Color", "symbols": ["RED", "GREEN", "BLUE_2"], "default": "RED"}
FOUR = {"type": "fixed", "name": "Four", "size": 4}
POINT = record("Point", field("x", "double"), field("label", ["null", "string"], default=None))

SCHEMAS = {
    "user.Primitives": record("Primitives", *(field(f"a_{kind}", kind) for kind in PRIMITIVES)),
    "user.Nullable": record(
        "Nullable", *(field(f"a_{kind}", ["null", kind], default=None) for kind in PRIMITIVES[1:]),
        *(field(f"b_{kind}", [kind, "null"]) for kind in PRIMITIVES[1:])),
    "user.Named": record(
        "Named", field("color", COLOR), field("again", "Color"), field("four", FOUR),
        field("maybe_color", ["null", "acme.Color"], default=None),
        field("maybe_four", ["Four", "null"]), field("nothing", {
            "type": "fixed", "name": "acme.empty.Nothing", "size": 0}),
        namespace="acme"),
    "user.Nested": record(
        "acme.Nested", field("point", POINT), field("other", "Point"),
        field("maybe", ["null", "Point"], default=None),
        field("inner", record("deep.Inner", field("color", COLOR), field("back", "acme.Point")))),
    "user.Containers": record(
        "Containers", field("numbers", {"type": "array", "items": "long"}),
        field("points", {"type": "array", "items": POINT}, default=[]),
        field("maps", {"type": "map", "values": {"type": "map", "values": "int"}}),
        field("lists", {"type": "array", "items": {"type": "array", "items": ["null", "string"]}}),
        field("by_name", {"type": "map", "values": ["null", "boolean", "Point"]}, default={}),
        field("nothing", {"type": "array", "items": "null"})),
    "user.Unions": record(
        "Unions", field("numbers", ["null", "int", "long", "float", "double"]),
        field("texts", ["string", "bytes", COLOR, FOUR]),
        field("all", ["null", "boolean", "int", "double", "string", "bytes",
                      {"type": "array", "items": "string"}, {"type": "map", "values": "long"},
                      record("x.A", field("a", "int")), record("x.B", field("a", "int"))]),
        field("only", ["string"])),
    "user.Tree": record(
        "Tree", field("value", "int"), field("next", ["null", "Tree"], default=None),
        field("children", {"type": "array", "items": "Tree"})),
    "user.Logical": record(
        "Logical", field("date", {"type": "int", "logicalType": "date"}),
        field("millis", {"type": "long", "logicalType": "timestamp-millis"}),
        field("micros", ["null", {"type": "long", "logicalType": "timestamp-micros"}]),
        field("amount", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}),
        field("fixed_amount", {"type": "fixed", "name": "Amount", "size": 3,
                               "logicalType": "decimal", "precision": 6, "scale": 1}),
        field("uuid", {"type": "string", "logicalType": "uuid"}),
        field("odd", {"type": "string", "logicalType": "no-such-type"})),
    "user.Empty": record("Empty"),
    "user.Attributes": record(
        "Attributes", field("a", "int", doc="línea 🚰", order="descending", aliases=["old"]),
        field("b", {"type": "string", "x-mine": {"deep": [1, 2.5, None]}}, default="é\\\""),
        doc="says \"something\"", aliases=["Older"], owner="somebody"),
}
EVENTS = 40
"""Of each type."""


def without_logical_types(schema: object) -> object:
    match schema:
        case dict():
            return {name: without_logical_types(value) for name, value in schema.items()
                    if name != "logicalType"}
        case list():
            return [without_logical_types(item) for item in schema]
    return schema


def cat(installation, body: bytes) -> list[object]:
    """What `sluicectl cat` prints of an object."""
    path = installation.directory / "object"
    path.write_bytes(body)
    shown = installation.sluicectl("cat", path)
    assert (shown.returncode, shown.stderr) == (0, "")
    # Not by splitlines(), which takes more than line feeds for ends.
    return [json.loads(line) for line in shown.stdout.removesuffix("\n").split("\n")]


def test_every_type_is_written_byte_for_byte_as_fastavro_writes_it(installation, destination):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for name, compression in (("plain", "none"), ("packed", "deflate")):
        installation.connector(
            name, destination.bucket, destination.s3.endpoint, destination.keys,
            format="avro", compression=compression, integration_id=name, folder=name)
    lines, wanted = [], {}
    for event_type, schema in SCHEMAS.items():
        installation.schema(event_type, schema)
        writer = EventWriter(json.loads(json.dumps(schema)), rng)
        for _ in range(EVENTS):
            text, value = writer.event(event_type=event_type)
            lines.append((event_type, text.encode() + b"\n"))
            wanted.setdefault(event_type, []).append(value)
    # Mixed, but those of one type in their order.
    order = [event_type for event_type, _ in lines]
    rng.shuffle(order)
    by_type = {event_type: iter([line for kind, line in lines if kind == event_type])
               for event_type in SCHEMAS}
    installation.drop("a.jsonl", [next(by_type[event_type]) for event_type in order])
    daemon = installation.drain()

    assert not refused_lines(installation.spool) and daemon.troubles() == []
    objects = destination.objects()
    assert len(objects) == 2 * len(SCHEMAS)
    for key, body in objects.items():
        event_type = key.split("/event_type=")[1].split("/")[0]
        parsed = fastavro.parse_schema(without_logical_types(SCHEMAS[event_type]))
        assert container(body).metadata["avro.codec"] == (
            "null" if key.startswith("plain/") else "deflate")
        made = io.BytesIO()
        for value in wanted[event_type]:
            fastavro.schemaless_writer(made, parsed, tuples(value))
        assert binary_records(body) == made.getvalue(), f"{event_type}, seed {seed}"
        if event_type == "user.Nullable":
            # polars reads no null, map or union of more types, and no type by its name.
            records = [plain(value) for value in wanted[event_type]]
            assert_same_records(by_polars(body), records, "by polars")
        if event_type != "user.Logical":
            records = [plain(value) for value in wanted[event_type]]
            assert_same_records(by_fastavro(body), records, event_type)
            for shown, value in zip(cat(installation, body), records, strict=True):
                assert same(shown, printed(value)), f"{event_type}: {shown}"
        # What a reader is told is the schema that the user wrote, with every attribute.
        assert json.loads(container(body).metadata["avro.schema"]) == SCHEMAS[event_type]


def test_logical_types_are_read_as_what_they_stand_for(installation, destination):
    installation.connector(
        "avro", destination.bucket, destination.s3.endpoint, destination.keys, format="avro")
    installation.schema("user.Logical", SCHEMAS["user.Logical"])
    event = {
        "event_type": "user.Logical", "date": 20_454, "millis": 1_767_225_600_123,
        "micros": -1, "amount": (-123_456).to_bytes(3, "big", signed=True).decode("latin-1"),
        "fixed_amount": (1_000).to_bytes(3, "big").decode("latin-1"),
        "uuid": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "odd": "as it is",
    }
    installation.drop("a.jsonl", json.dumps(event).encode())
    installation.drain()

    (body,) = destination.objects().values()
    utc = datetime.UTC
    assert by_fastavro(body) == [{
        "date": datetime.date(2026, 1, 1),
        "millis": datetime.datetime(2026, 1, 1, 0, 0, 0, 123_000, utc),
        "micros": datetime.datetime(1969, 12, 31, 23, 59, 59, 999_999, utc),
        "amount": decimal.Decimal("-1234.56"), "fixed_amount": decimal.Decimal("100.0"),
        "uuid": uuid.UUID("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"), "odd": "as it is",
    }]


def test_records_that_fill_several_blocks_and_batches_are_all_read(installation, destination):
    """A block is about 256 KiB; records as long as events may be, and of no byte at all, are in some."""
    installation.connector(
        "avro", destination.bucket, destination.s3.endpoint, destination.keys, format="avro",
        batch={"max_events": 700})
    installation.schema("user.Long", record("Long", field("n", "int"), field("text", "string")))
    installation.schema("user.Empty", SCHEMAS["user.Empty"])
    rng = random.Random(1)
    wanted = [{"n": n, "text": rng.randbytes(rng.choice([10, 1_000, 40_000])).hex()}
              for n in range(1_000)]
    wanted.append({"n": 1_000, "text": "x" * 899_900})
    lines = [json.dumps({"event_type": "user.Long"} | value).encode() + b"\n" for value in wanted]
    installation.drop("a.jsonl", itertools.chain(lines, [b'{"event_type":"user.Empty"}\n'] * 1_500))
    installation.drain()

    bodies = destination.objects()
    have = [each for key, body in bodies.items() if "Long" in key for each in by_fastavro(body)]
    assert_same_records(have, wanted, "user.Long")
    long = [body for key, body in bodies.items() if "Long" in key]
    assert len(long) == 2
    assert any(len(list(fastavro.block_reader(io.BytesIO(body)))) > 10 for body in long)
    empty = [len(by_fastavro(body)) for key, body in bodies.items() if "Empty" in key]
    assert sorted(empty) == [100, 700, 700]
