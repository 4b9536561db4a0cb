#!/usr/bin/env python3
"""Compares what lies in a sink with the corpus it came from, event by event.

Prints counts as JSON, and fails when an event is lost, doubled, altered, made up or in the wrong
place, a gzip object is not exactly one member, or a key was stored with two bodies.
"""

import argparse
import json
import pathlib
import re
import sys
import zlib

_ID = re.compile(rb'"id":"([0-9a-f-]{36})"')
_TYPE = re.compile(rb'"event_type":"([A-Za-z0-9_.-]+)"')
_KEY_TYPE = re.compile(rb"/event_type=([A-Za-z0-9_.-]+)/")


def read_corpus(directory: pathlib.Path) -> dict[bytes, tuple[bytes, int]]:
    """Connector and hash of the line of each event, by id."""
    events = {}
    for path in sorted(directory.glob("*/*.jsonl")):
        connector = path.parent.name.encode()
        with path.open("rb") as file:
            for line in file:
                line = line.rstrip(b"\n")
                events[_ID.search(line)[1]] = connector, hash(line)
    return events


def gunzip(body: bytes) -> tuple[bytes, bool]:
    """The text of the first member, and whether it ends where the body ends."""
    stream = zlib.decompressobj(wbits=31)
    try:
        text = stream.decompress(body)
    except zlib.error:
        return b"", False
    return text, stream.eof and not stream.unused_data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("sink", type=pathlib.Path)
    arguments = parser.parse_args()

    expected = read_corpus(arguments.corpus)
    count = dict.fromkeys(
        ("doubled", "altered", "made_up", "misplaced", "not_one_member", "two_bodies"), 0)
    seen: set[bytes] = set()
    bodies: dict[bytes, bytes] = {}
    for row in (arguments.sink / "index.tsv").read_bytes().splitlines():
        number, _, key = row.split(b"\t")
        body = (arguments.sink / number.decode()).read_bytes()
        if key in bodies:
            count["two_bodies"] += bodies[key] != body
            continue
        bodies[key] = body
        text, whole = gunzip(body)
        count["not_one_member"] += not whole
        bucket, key_type = key.split(b"/", 1)[0], _KEY_TYPE.search(key)
        for line in text.splitlines():
            found, its_type = _ID.search(line), _TYPE.search(line)
            if not found or found[1] not in expected:
                count["made_up"] += 1
                continue
            connector, line_hash = expected[found[1]]
            if found[1] in seen:
                count["doubled"] += 1
            seen.add(found[1])
            count["altered"] += hash(line) != line_hash
            count["misplaced"] += bucket != connector or not (
                key_type and its_type and key_type[1] == its_type[1])
    count = {"events": len(expected), "lost": len(expected) - len(seen)} | count
    print(json.dumps(count | {"objects": len(bodies)}))
    sys.exit(any(value for name, value in count.items() if name != "events"))


if __name__ == "__main__":
    main()
