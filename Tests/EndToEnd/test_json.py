"""What is an event and what is not: Python's json judges thousands of lines, valid and broken, as the daemon does."""

import json
import random

from avro_events import EventWriter
from objects import gunzip
from quarantine import refused_files, refused_lines

LINES = 5_000
LONGEST = 900_000
DEEPEST = 512

PIECES = [piece.encode() for piece in [
    '"', "\\", "\\u", "\\ud800", "\\udc00\\ud800", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "E+",
    "null", "true", "NaN", "-Infinity", "\ufeff", "\x00", "\x1f", "\x7f", "\t", "\r", " ", "é", "日",
    "\u2028", "🚰", '"event_type":"user.Any",', '"id":1,', "01", "1.", ".5", "+1", "'", "//", "tru"]] + [
    b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xff", b"\xe2\x82", b"\x80"]
SCHEMA = {"type": "record", "name": "Any", "fields": [
    {"name": "id", "type": ["null", "string"]}, {"name": "n", "type": "double"},
    {"name": "i", "type": "long"}, {"name": "b", "type": {"type": "array", "items": ["null", "boolean"]}},
    {"name": "m", "type": {"type": "map", "values": {"type": "array", "items": "string"}}},
    {"name": "text", "type": "string"}]}


def refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


# Numbers stay text: Python reads no integers of thousands of digits.
DECODER = json.JSONDecoder(parse_constant=refuse, parse_int=str, parse_float=str)


def depth(value: object) -> int:
    """Levels of objects and arrays."""
    deepest, level = 0, [value]
    while level := [item for item in level if isinstance(item, (dict, list))]:
        deepest += 1
        level = [inner for item in level
                 for inner in (item.values() if isinstance(item, dict) else item)]
    return deepest


def is_event(line: bytes) -> bool:
    """As RFC 8259 has it, and the limits of Sluice: an object, its depth, its length, and UTF-8 without a mark.

    A lone surrogate may stand in an escape, and of members with one name the last counts: so it is for Python.
    """
    text = line.strip(b" \t\r")
    if len(text) > LONGEST:
        return False
    try:
        document = DECODER.decode(text.decode())
    except ValueError:
        return False
    # What it says of its type decides where it goes, which is judged elsewhere.
    return isinstance(document, dict) and depth(document) <= DEEPEST \
        and document.get("event_type") == "user.Any"


def mutated(line: bytes, rng: random.Random) -> bytes:
    text = bytearray(line)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(text) + 1)
        match rng.randrange(5):
            case 0: text[at:at] = rng.choice(PIECES)
            case 1: text[at:at + 1] = rng.randbytes(1)
            case 2: del text[at:at + rng.randrange(1, 8)]
            case 3: text[at:at + 1] = rng.choice(PIECES)
            case 4: text[at:at] = text[rng.randrange(len(text) + 1):][:rng.randrange(9)]
    return bytes(text).replace(b"\n", b"")


def edges() -> list[bytes]:
    """Lines about the limits, some on each side."""
    def event(member: str) -> bytes:
        return ('{"event_type":"user.Any",' + member + "}").encode()

    made = [event('"a":' + "[" * levels + "]" * levels) for levels in (1, 510, 511, 512, 600)]
    made += [event('"a":' + '{"a":' * levels + "1" + "}" * levels) for levels in (511, 512)]
    # White space around an event is no part of it.
    made += [event('"a":"' + "x" * (size - len(event('"a":""'))) + '"') + b" " * spaces
             for size in (LONGEST - 1, LONGEST, LONGEST + 1) for spaces in (0, 3)]
    made += [event(f'"a":{value}') for value in (
        "NaN", "Infinity", "-Infinity", "1e999999", "-0", "0" * 30, "1" * 5_000, "1e+", "0x1", '"\\ud800"',
        '"\\udc00\\ud800"', '"\\ud83d\\ude80"', '"\\x41"', '"\\u12g4"', '"\\u123"', '"\x7f"', "1,", "[1,]", "{,}")]
    return made + [b"\xef\xbb\xbf" + event('"a":1'), b"[" + event('"a":1') + b"]", b'"x"', b"1", b"null",
                   event('"a":1') * 2, event('"a":1') + b",", event('"a":"\x00"'), event('"a":"\x1f"'),
                   event('"a":"tab\t"'), b" \t\r" + event('"a":1') + b"\r"]


def test_the_daemon_and_python_agree_on_every_line(installation, destination):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    writer = EventWriter(SCHEMA, rng)
    lines = edges()
    valid = [writer.event(event_type="user.Any")[0].encode() for _ in range(400)]
    while len(lines) < LINES:
        line = rng.choice(valid)
        lines.append(line if rng.random() < 0.3 else mutated(line, rng))
    rng.shuffle(lines)
    # A file in whose first hundred lines there is no event would be refused whole.
    lines.insert(0, b'{"event_type":"user.Any"}')
    lines = [line for line in lines if line.strip(b" \t\r")]
    installation.connector(
        "jsonl", destination.bucket, destination.s3.endpoint, destination.keys,
        events=["user.Any"])
    installation.drop("a.jsonl", b"\n".join(lines))
    installation.drain()

    assert not refused_files(installation.spool)
    verdicts = [is_event(line) for line in lines]
    good = [line.strip(b" \t\r") for line, fine in zip(lines, verdicts) if fine]
    bad = [line for line, fine in zip(lines, verdicts) if not fine]
    assert len(good) > LINES / 4 and len(bad) > LINES / 4
    # Not by splitlines(), which takes a carriage return for an end.
    delivered = [line for body in destination.objects().values()
                 for line in gunzip(body).removesuffix(b"\n").split(b"\n")]
    refused = [each.text for each in refused_lines(installation.spool)]
    assert sorted(delivered) == sorted(good), differences(delivered, good)
    assert [line.strip(b" \t\r") for line in refused] == [line.strip(b" \t\r") for line in bad]


def differences(have: list[bytes], want: list[bytes]) -> str:
    return (f"not refused: {sorted(set(have) - set(want), key=len)[:3]}; "
            f"refused: {sorted(set(want) - set(have), key=len)[:3]}")
