"""Reads objects back: the numbers of their events, and what is wrong with them."""

import io
import re
import zlib
from typing import NamedTuple

import fastavro

from world import Connector, Events

KEY = re.compile(
    r".*/event_type=(?P<type>[^/]+)/date=[^/]+/\d+/.*"
    r"\+(?P<offset>\d+)\.(?P<ending>avro|jsonl(\.gz)?)")
NUMBER = re.compile(rb'"id":"(\d+)"')


class Contents(NamedTuple):
    event_type: str
    offset: int
    numbers: list[int]
    faults: list[str]


def read_object(key: str, body: bytes, connector: Connector, events: Events) -> Contents:
    match = KEY.fullmatch(key)
    if not match:
        return Contents("", 0, [], ["its key is not in the layout"])
    contents = Contents(match["type"], int(match["offset"]), [], [])
    try:
        if match["ending"] == "avro":
            _read_records(body, contents, events)
        else:
            _read_lines(body if match["ending"] == "jsonl" else _gunzip(body), contents, connector,
                        events)
    except (ValueError, EOFError, zlib.error, KeyError, IndexError) as error:
        contents.faults.append(f"it cannot be read: {error!r}")
    for number in contents.numbers:
        if events.event_type(number) != contents.event_type:
            contents.faults.append(f"event {number} is of another type")
            break
    return contents


def _gunzip(body: bytes) -> bytes:
    stream = zlib.decompressobj(wbits=31)
    text = stream.decompress(body) + stream.flush()
    if not stream.eof or stream.unused_data:
        raise ValueError("it is not one whole gzip member")
    return text


def _read_lines(text: bytes, contents: Contents, connector: Connector, events: Events) -> None:
    for line in text.splitlines(keepends=True):
        number = int(NUMBER.search(line)[1]) if NUMBER.search(line) else -1
        if number < 0 or not events.is_right_line(line, number, connector):
            contents.faults.append(f"event {number} is altered: {line[:300]!r}")
        else:
            contents.numbers.append(number)


def _read_records(body: bytes, contents: Contents, events: Events) -> None:
    for record in fastavro.reader(io.BytesIO(body)):
        number = int(record["id"])
        if not events.is_right_record(record, number):
            contents.faults.append(f"event {number} is altered: {record!r}")
        else:
            contents.numbers.append(number)
