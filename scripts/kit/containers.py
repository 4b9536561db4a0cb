"""Reads Avro objects with fastavro, and says what their events should be."""

import io
import json
import pathlib
from typing import NamedTuple

import fastavro

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "etc" / "schemas"


class Container(NamedTuple):
    codec: str
    schema: dict
    records: list[dict]


def read_container(body: bytes) -> Container:
    """All of an object container file; raises an error where it is cut off or broken."""
    reader = fastavro.reader(io.BytesIO(body))
    return Container(reader.codec, reader.writer_schema, list(reader))


def shipped_schema(event_type: str) -> dict:
    return json.loads((SCHEMAS / f"{event_type}.avsc").read_text())


def record_of(event: dict, schema: dict) -> dict:
    """The record that an event becomes: each field of its schema, and null where the event has none."""
    return {field["name"]: event.get(field["name"]) for field in schema["fields"]}
