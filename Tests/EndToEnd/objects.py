"""Reads objects of the Currents layout, and compares them with what was dropped."""

import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

KEY = re.compile(
    r"(?P<folder>[^=]+)/dataexport\.test\.S3\.integration\.(?P<integration>[^/+]+)"
    r"/event_type=(?P<type>[^/]+)/date=(?P<hour>\d{4}-\d\d-\d\d-\d\d)/(?P<schema>\d+)/zone-a"
    r"/dataexport\.test\.S3\.integration\.(?P=integration)\+0\+(?P<offset>\d+)"
    r"\.(?P<ending>avro|jsonl\.gz|jsonl\.zst|jsonl)")


class Key(NamedTuple):
    folder: str
    integration: str
    type: str
    hour: str
    offset: int
    schema_id: int
    ending: str


def parse_key(text: str) -> Key:
    match = KEY.fullmatch(text)
    assert match, f"a key that is not in the layout: {text}"
    assert (match["ending"] == "avro") == (match["schema"] != "0"), text
    return Key(match["folder"], match["integration"], match["type"], match["hour"],
               int(match["offset"]), int(match["schema"]), match["ending"])


def gunzip(body: bytes) -> bytes:
    """The text of a gzip object, which must be one member that ends where the object ends."""
    stream = zlib.decompressobj(wbits=31)
    text = stream.decompress(body) + stream.flush()
    assert stream.eof, "the gzip member is cut off"
    assert not stream.unused_data, "something follows the first gzip member"
    return text


def unzstd(body: bytes) -> bytes:
    """The text of a zstd object, which must be one frame that ends where the object ends."""
    from backports import zstd  # Only those who compress so need it.

    frame = zstd.ZstdDecompressor()
    text = frame.decompress(body)
    assert frame.eof, "the zstd frame is cut off"
    assert not frame.unused_data, "something follows the first zstd frame"
    return text


def events_in(objects: dict[str, bytes]) -> list[bytes]:
    """All lines of all objects; each line ends with a line feed and stands under its event type."""
    lines = []
    for key, body in objects.items():
        text = unzstd(body) if key.endswith(".zst") else gunzip(body)
        assert text.endswith(b"\n"), f"the last line of {key} has no line feed"
        event_type = parse_key(key).type
        for line in text.splitlines(keepends=True):
            assert json.loads(line)["event_type"] == event_type, f"{key} holds {line!r}"
            lines.append(line)
    return lines


def assert_same_events(delivered: Iterable[bytes], dropped: Iterable[bytes]) -> None:
    """Every dropped event is there once, with every byte as it was, and nothing else is."""
    have, want = Counter(delivered), Counter(dropped)
    assert have, "nothing was delivered"
    if have != want:
        ids = Counter(json.loads(line)["id"] for line in have.elements())
        missing, extra = want - have, have - want
        twice = [identifier for identifier, count in ids.items() if count > 1]
        raise AssertionError(
            f"{missing.total()} of {want.total()} lines are missing, {extra.total()} are too many, "
            f"{len(twice)} ids are there twice; "
            f"missing {next(iter(missing), None)!r}, too many {next(iter(extra), None)!r}")
