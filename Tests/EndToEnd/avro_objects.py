"""Reads objects in Avro with fastavro and polars, and compares records value for value."""

import io
import json
import math
import struct
from collections import Counter
from collections.abc import Iterable

import fastavro
import polars

from objects import parse_key


def container(body: bytes) -> fastavro.reader:
    return fastavro.reader(io.BytesIO(body))


def by_fastavro(body: bytes) -> list[dict]:
    return list(container(body))


def by_polars(body: bytes) -> list[dict]:
    return polars.read_avro(io.BytesIO(body)).to_dicts()


def binary_records(body: bytes) -> bytes:
    """The records of all blocks as they lie in the object, unpacked and without what stands around them."""
    return b"".join(block.bytes_.getvalue() for block in fastavro.block_reader(io.BytesIO(body)))


def records_by_type(objects: dict[str, bytes], read=by_fastavro) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for key, body in objects.items():
        found.setdefault(parse_key(key).type, []).extend(read(body))
    return found


def exact(value: object) -> object:
    """The value, such that equal ones have the same text: floats by their bits, bytes as a list, names in order."""
    match value:
        case float():
            return "NaN" if math.isnan(value) else ["float", struct.pack(">d", value).hex()]
        case bytes():
            return ["bytes", value.hex()]
        case dict():
            return {name: exact(value[name]) for name in sorted(value)}
        case list():
            return [exact(item) for item in value]
        case bool() | int() | str() | None:
            return value
    raise TypeError(f"{value!r} is no value of Avro")


def assert_same_records(have: Iterable[dict], want: Iterable[dict], what: str) -> None:
    """Each record is there once, with each value exactly as it should be, and nothing else is."""
    texts = [Counter(json.dumps(exact(record)) for record in records) for records in (have, want)]
    assert texts[1], f"{what}: nothing was wanted"
    missing, extra = texts[1] - texts[0], texts[0] - texts[1]
    assert not missing and not extra, (
        f"{what}: {missing.total()} of {texts[1].total()} records are missing, {extra.total()} are "
        f"too many; missing {next(iter(missing), None)}, too many {next(iter(extra), None)}")
