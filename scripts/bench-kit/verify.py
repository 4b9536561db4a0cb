#!/usr/bin/env python3
"""Compares what lies in a sink with the corpus it came from, event by event.

Prints counts as JSON, and fails when an event is lost, doubled, altered, made up or in the wrong
place, an object is broken (its gzip is not exactly one member, its zstd is cut off, or fastavro cannot
read it to its end), or a key was stored with two bodies.

A line of JSON Lines must be the line of the corpus. A record of Avro must hold each of the event's
members but event_type, which stands in the key, and be null beside.
"""

import argparse
import collections
import json
import pathlib
import re
import sys
import zlib
from collections.abc import Iterator
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "kit"))
from containers import read_container  # noqa: E402

_ID = re.compile(rb'"id":"([0-9a-f-]{36})"')
_TYPE = re.compile(rb'"event_type":"([A-Za-z0-9_.-]+)"')
_KEY_TYPE = re.compile(rb"/event_type=([A-Za-z0-9_.-]+)/")


class Event(NamedTuple):
    connector: bytes
    type: bytes
    content: int
    """A hash of what must come out of it."""


def content_of(members: dict) -> int:
    return hash(frozenset(item for item in members.items() if item[1] is not None))


def read_corpus(directory: pathlib.Path, is_avro: bool) -> dict[bytes, Event]:
    """The events by their id."""
    events = {}
    for path in sorted(directory.glob("*/*.jsonl")):
        connector = path.parent.name.encode()
        with path.open("rb") as file:
            for line in file:
                line = line.rstrip(b"\n")
                if is_avro:
                    members = json.loads(line)
                    del members["event_type"]
                    content = content_of(members)
                else:
                    content = hash(line)
                events[_ID.search(line)[1]] = Event(connector, _TYPE.search(line)[1], content)
    return events


def gunzip(body: bytes) -> tuple[bytes, bool]:
    """The text of the first member, and whether it ends where the body ends."""
    stream = zlib.decompressobj(wbits=31)
    try:
        text = stream.decompress(body)
    except zlib.error:
        return b"", False
    return text, stream.eof and not stream.unused_data


def unzstd(body: bytes) -> tuple[bytes, bool]:
    """The text of all frames, and whether the last one is whole."""
    # What fastavro reads Avro's zstandard with; only who measures that needs it.
    from backports import zstd

    try:
        return zstd.decompress(body), True
    except zstd.ZstdError:
        return b"", False


def read_lines(body: bytes, key: bytes) -> tuple[list[tuple[bytes, int]], bool]:
    """Id and content of each event in an object of lines, and whether the object is whole."""
    text, whole = (unzstd if key.endswith(b".zst") else gunzip)(body)
    found = [(_ID.search(line), line) for line in text.splitlines()]
    return [(match[1] if match else b"", hash(line)) for match, line in found], whole


def read_records(body: bytes, key: bytes) -> tuple[list[tuple[bytes, int]], bool]:
    """The same of an object container file."""
    try:
        container = read_container(body)
    # Whatever fastavro stumbles over: the object is broken.
    except Exception:
        return [], False
    return [(record["id"].encode(), content_of(record)) for record in container.records], \
        container.codec in ("deflate", "zstandard")


def keys_and_bodies(sink: pathlib.Path) -> Iterator[tuple[bytes, bytes]]:
    for row in (sink / "index.tsv").read_bytes().splitlines():
        number, _, key = row.split(b"\t")
        yield key, (sink / number.decode()).read_bytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("sink", type=pathlib.Path)
    parser.add_argument("format", choices=["jsonl", "avro"])
    parser.add_argument("--copies", type=int, default=1, help="how often each event of the corpus went in")
    arguments = parser.parse_args()

    is_avro = arguments.format == "avro"
    expected = read_corpus(arguments.corpus, is_avro)
    count = dict.fromkeys(
        ("doubled", "altered", "made_up", "misplaced", "broken", "two_bodies"), 0)
    seen: collections.Counter[bytes] = collections.Counter()
    bodies: dict[bytes, int] = {}
    for key, body in keys_and_bodies(arguments.sink):
        if key in bodies:
            count["two_bodies"] += bodies[key] != hash(body)
            continue
        bodies[key] = hash(body)
        events, whole = (read_records if is_avro else read_lines)(body, key)
        count["broken"] += not whole
        bucket, key_type = key.split(b"/", 1)[0], _KEY_TYPE.search(key)
        in_place = key.endswith((b".avro",) if is_avro else (b".jsonl.gz", b".jsonl.zst"))
        for identifier, content in events:
            event = expected.get(identifier)
            if event is None:
                count["made_up"] += 1
                continue
            seen[identifier] += 1
            count["doubled"] += seen[identifier] > arguments.copies
            count["altered"] += content != event.content
            count["misplaced"] += not (
                in_place and bucket == event.connector and key_type and key_type[1] == event.type)
    lost = sum(max(0, arguments.copies - seen[identifier]) for identifier in expected)
    count = {"events": len(expected) * arguments.copies, "lost": lost} | count
    print(json.dumps(count | {"objects": len(bodies)}))
    sys.exit(any(value for name, value in count.items() if name != "events"))


if __name__ == "__main__":
    main()
