"""Events of the shipped schemas become Avro objects, which independent readers read back value for value."""

import datetime
import random

import pytest

from avro_events import EventWriter, plain
from avro_objects import assert_same_records, by_fastavro, by_polars, records_by_type
from objects import parse_key
from quarantine import refused_files, refused_lines
from seeds import new_seed

EVENTS = 20
"""Of each type."""


def hour_now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d-%H")


@pytest.mark.parametrize("seed", [new_seed()])
def test_all_shipped_types_are_read_back_as_they_were_meant(installation, destination, seed):
    rng = random.Random(seed)
    schemas = installation.shipped_schemas()
    assert len(schemas) == 94
    installation.connector(
        "avro", destination.bucket, destination.s3.endpoint, destination.keys, format="avro")
    lines, wanted = [], {}
    for event_type, schema in schemas.items():
        writer = EventWriter(schema, rng)
        for number in range(EVENTS):
            text, record = writer.event(event_type=event_type, id=f"{number}")
            lines.append(text.encode() + b"\n")
            wanted.setdefault(event_type, []).append(plain(record))
    rng.shuffle(lines)
    for number in range(3):
        installation.drop(f"{number}.jsonl", lines[number::3])
    first_hour = hour_now()
    daemon = installation.drain()

    assert not refused_lines(installation.spool) and not refused_files(installation.spool)
    assert daemon.troubles() == []
    objects = destination.objects()
    for key in map(parse_key, objects):
        assert key.folder == "currents" and key.integration == "id-avro" and key.ending == "avro"
        assert key.hour in (first_hour, hour_now())
        assert key.schema_id == schemas[key.type]["schema_id"]
    for read in (by_fastavro, by_polars):
        have = records_by_type(objects, read)
        assert have.keys() == schemas.keys()
        for event_type, records in wanted.items():
            assert_same_records(have[event_type], records, f"{event_type} {read.__name__}")
