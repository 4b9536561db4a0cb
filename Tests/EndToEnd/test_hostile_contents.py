"""Bombs, endless lines, depth and odd text in event files: memory is bounded, and nobody waits for ever."""

import gzip
import os
import re
import sys
import zlib

import pytest

from memory import peak_memory, peak_until_it_ends
from objects import assert_same_events, events_in, gunzip
from quarantine import refused_files, refused_lines

BUCKET = "scripted"
MEMORY = 64 << 20
"""What the daemon may take, whatever lies in a file."""
BIG = bool(os.environ.get("SLUICE_BIG"))
"""Sizes of gigabytes, instead of those that take a hundredth of the time."""


@pytest.fixture
def spool(installation, scripted_s3):
    installation.connector(
        "orders", BUCKET, scripted_s3.endpoint, scripted_s3.KEYS, batch={"max_age": "1s"})
    return installation


def drain(spool, seconds: float = 120):
    """Drains the spool; the daemon that did, which stayed within its memory."""
    daemon = spool.start("--until-empty", wait=False)
    peak = peak_until_it_ends(daemon, seconds)
    print(f"peak memory {peak >> 20} MiB")
    assert 0 < peak <= MEMORY, f"{peak >> 20} MiB\n{daemon.transcript()}"
    return daemon


def delivered(scripted_s3) -> list[bytes]:
    return events_in(scripted_s3.objects(BUCKET))


def bomb(*pieces: tuple[bytes, int]) -> bytes:
    """A gzip file of pieces, each repeated so many times; made piece by piece, for it is large."""
    packer, packed = zlib.compressobj(9, wbits=31), []
    for piece, times in pieces:
        packed += [packer.compress(piece) for _ in range(times)]
    return b"".join(packed) + packer.flush()


PIECE = 1 << 20
PIECES = (10 << 10) if BIG else 128
"""What bombs hold: 10 GiB, or 128 MiB."""


@pytest.mark.parametrize("filling", [pytest.param(b"\0", id="NULs"), pytest.param(b"[", id="brackets")])
def test_a_line_of_gigabytes_in_a_gzip_file_is_passed_over(spool, scripted_s3, producer, filling):
    before, after, other = producer.lines(10), producer.lines(10), producer.lines(10)
    packed = bomb((b"".join(before), 1), (filling * PIECE, PIECES), (b"\n" + b"".join(after), 1))
    assert len(packed) < 20 << 20
    spool.drop("a-bomb.jsonl.gz", packed)
    spool.drop("b.jsonl", other)
    daemon = drain(spool)
    assert_same_events(delivered(scripted_s3), before + after + other)
    (kept,) = refused_files(spool.spool)
    assert kept.path.read_bytes() == packed and "line 11" in kept.reason
    (line,) = refused_lines(spool.spool)
    assert line.number == 11 and line.text == b""
    assert [line.kind for line in daemon.troubles()] == ["events quarantined", "file quarantined"]


def test_a_line_of_gigabytes_in_a_sparse_file_is_passed_over(spool, scripted_s3, producer):
    before, after = producer.lines(10), producer.lines(10)
    made = spool.directory / "sparse"
    with made.open("wb") as file:
        file.write(b"".join(before))
        file.seek((2 << 30) if BIG else (200 << 20), os.SEEK_CUR)
        file.write(b"\n" + b"".join(after))
    spool.incoming().mkdir(exist_ok=True)
    made.rename(spool.incoming() / "sparse.jsonl")
    drain(spool)
    assert_same_events(delivered(scripted_s3), before + after)
    (kept,) = refused_files(spool.spool)
    assert kept.reason.startswith("line 11 is")


def test_gigabytes_of_empty_lines_are_nothing(spool, scripted_s3, producer):
    lines = producer.lines(10)
    spool.drop("empty.jsonl.gz", bomb((b"\n" * PIECE, PIECES // 8), (b"".join(lines), 1)))
    spool.drop("only.jsonl", b"\n" * 1_000_000)
    daemon = drain(spool)
    assert_same_events(delivered(scripted_s3), lines)
    assert daemon.troubles() == [] and refused_files(spool.spool) == []


def test_refused_lines_by_the_gigabyte_do_not_fill_the_disk(spool, scripted_s3, producer):
    """Each is kept with its reason, so a bomb of short ones would take fifty times its size."""
    lines, other = producer.lines(10), producer.lines(10)
    bad = (b"x" * 1023 + b"\n") * 1024
    packed = bomb((b"".join(lines[:5]), 1), (bad, 80), (b"".join(lines[5:]), 1))
    spool.drop("refused.jsonl.gz", packed)
    spool.drop("z.jsonl", other)
    daemon = drain(spool)
    assert_same_events(delivered(scripted_s3), lines + other)
    (kept,) = refused_files(spool.spool)
    assert "are not kept apart" in kept.reason and kept.path.read_bytes() == packed
    used = sum(path.stat().st_size for path in (spool.spool / "quarantine").iterdir())
    assert used < (64 << 20) + len(packed) + (1 << 20)
    (said,) = daemon.said("events quarantined")
    assert int(said.fields["SLUICE_EVENTS"]) == 80 << 10
    assert len(daemon.troubles()) == 2


def test_a_gzip_file_of_members_without_text_is_nothing(spool, scripted_s3, producer):
    lines = producer.lines(10)
    empty = gzip.compress(b"", mtime=0)
    spool.drop("members.jsonl.gz", gzip.compress(b"".join(lines[:5])) + empty * 500_000
               + b"".join(gzip.compress(line) for line in lines[5:]) + b"\0" * 1_000_000)
    daemon = drain(spool)
    assert_same_events(delivered(scripted_s3), lines)
    assert daemon.troubles() == []


def test_garbage_after_gzip_data_keeps_the_file_and_says_what_was_taken(spool, scripted_s3, producer):
    lines, other = producer.lines(4_000), producer.lines(10)
    packed = gzip.compress(b"".join(lines)) + b"garbage" * 100
    spool.drop("garbage.jsonl.gz", packed)
    spool.drop("z.jsonl", other)
    drain(spool)
    (kept,) = refused_files(spool.spool)
    taken = int(re.search(r"taken up to byte (\d+) of its text", kept.reason)[1])
    # All that stands before the garbage is whole.
    assert taken == len(b"".join(lines))
    assert_same_events(
        delivered(scripted_s3), b"".join(lines)[:taken].splitlines(keepends=True) + other)
    assert kept.path.read_bytes() == packed


def test_event_types_that_are_made_up_take_bounded_memory(spool, scripted_s3):
    """Each is a stream of its own, with an open batch; too many are sealed early. All are held: nothing answers."""
    spool.connector("orders", BUCKET, "http://127.0.0.1:9", scripted_s3.KEYS, batch={"max_age": "1s"})
    count = 100_000 if BIG else 9_000
    lines = [b'{"event_type":"made.up-%0100d","id":"%d"}\n' % (n, n) for n in range(count)]
    spool.drop("types.jsonl", lines)
    daemon = spool.start()
    sealed = spool.spool / "sealed" / "orders"
    daemon.wait_until(
        lambda: sum(1 for _ in sealed.glob("*.envelope")) == count, "all were sealed", seconds=600)
    peak = peak_memory(daemon)
    print(f"{count} types: peak memory {peak >> 20} MiB")
    assert 0 < peak < MEMORY + count * 1500
    daemon.kill()
    held = [gunzip(path.with_suffix(".object").read_bytes()) for path in sealed.glob("*.envelope")]
    assert_same_events(held, lines)
    assert (spool.spool / "connectors" / "orders.offsets").stat().st_size < 4 << 20


def test_long_names_of_types_are_not_remembered(spool, scripted_s3, producer):
    """Nor are the names of connectors: what is refused leaves nothing behind but its line in quarantine."""
    good = producer.lines(10)
    long = [b'{"event_type":"%05d%s"}\n' % (n, b"x" * 800_000) for n in range(150)]
    long += [b'{"event_type":"a.b","connector":"%05d%s"}\n' % (n, b"x" * 800_000) for n in range(30)]
    spool.drop("long.jsonl.gz", gzip.compress(b"".join(good + long), 1))
    daemon = drain(spool)
    assert_same_events(delivered(scripted_s3), good)
    kept = refused_lines(spool.spool)
    assert len(kept) < len(long) and all(len(line.reason) < 1000 for line in kept)
    assert all(len(line.message) < 2000 for line in daemon.lines)


DEEP = 440_000
ODD = {
    # What is refused, and what is taken as it is.
    "brackets beyond depth": (b'{"event_type":"a.b","x":' + b"[" * DEEP + b"]" * DEEP + b"}", "deeper"),
    "objects beyond depth": (b'{"a":' * 140_000 + b"1" + b"}" * 140_000, "deeper"),
    "brackets never closed": (b'{"event_type":"a.b","x":' + b"[" * 2 * DEEP, "deeper"),
    "10 million brackets": (b'{"event_type":"a.b","x":' + b"[" * 10_000_000, "longer than"),
    "depth in connector": (b'{"event_type":"a.b","connector":' + b"[" * 600 + b"]" * 600 + b"}", "deeper"),
    "NUL": (b'{"event_type":"a.b","id":"\0"}', "invalid JSON"),
    "NULs around": (b'\0\0{"event_type":"a.b"}', "object"),
    "control in id": (b'{"event_type":"a.b","id":"a\x1b[31m"}', "invalid JSON"),
    "mark inside": (b'\xef\xbb\xbf{"event_type":"a.b"}', "object"),
    "surrogate in UTF-8": (b'{"event_type":"a.b","id":"\xed\xa0\x80"}', "UTF-8"),
    "overlong": (b'{"event_type":"a\xc0\xaeb"}', "UTF-8"),
    "escaped slash in type": (b'{"event_type":"a\\u002fb"}', "event_type"),
    "escaped NUL in type": (b'{"event_type":"a\\u0000b"}', "event_type"),
    "lone surrogate in type": (b'{"event_type":"a\\ud800b"}', "event_type"),
    "type twice, the last one bad": (b'{"event_type":"a.b","event_type":"../x"}', "event_type"),
    "digits without end": (b'{"event_type":"a.b","n":' + b"9" * 100_000, "invalid JSON"),
    "leading zeros": (b'{"event_type":"a.b","n":000001}', "invalid JSON"),
    "bare carriage return": (b'{"event_type":"a.b",\r"n":1}\r{}', "invalid JSON"),
    "100,000 digits": (b'{"event_type":"odd.b","n":' + b"9" * 100_000 + b"}", None),
    "fraction": (b'{"event_type":"odd.b","n":-0.' + b"1" * 100_000 + b"e-" + b"9" * 1000 + b"}", None),
    "deep enough": (b'{"event_type":"odd.b","x":' + b"[" * 511 + b"]" * 511 + b"}", None),
    "escaped name": (b'{"event\\u005ftype":"odd.escaped"}', None),
    "escaped type": (b'{"event_type":"odd\\u002eb"}', None),
    "twice": (b'{"event_type":"odd.first","event_type":"odd.last"}', None),
    "lone surrogate": (b'{"event_type":"odd.b","id":"\\ud800"}', None),
    "escaped controls": (b'{"event_type":"odd.b","id":"\\u0000\\u001b[31m\\n\\u009b"}', None),
    "raw C1": ('{"event_type":"odd.b","id":"\u009b31m\u2028\u202e"}'.encode(), None),
    "nearly too long": (b'{"event_type":"odd.b","x":"' + b"y" * 899_900 + b'"}', None),
}


def test_odd_text_is_refused_with_its_reason_or_taken_as_it_is(spool, scripted_s3, producer):
    # json.loads refuses long numbers otherwise.
    sys.set_int_max_str_digits(0)
    good = producer.lines(200)
    taken = [text + b"\n" for text, reason in ODD.values() if reason is None]
    text = b"\xef\xbb\xbf" + b"".join(good[:100]).replace(b"\n", b"\r\n")
    text += b"".join(line + b"\n" for line, _ in ODD.values()) + b"\n\r\n \n" + b"".join(good[100:])
    spool.drop("odd.jsonl", text)
    daemon = drain(spool)
    objects = scripted_s3.objects(BUCKET)
    # A type that is escaped, or given twice, counts as JSON readers have it.
    assert_same_events(events_in(objects), good + taken)
    refused = refused_lines(spool.spool)
    wanted = [(line, reason) for line, reason in ODD.values() if reason]
    assert len(refused) == len(wanted)
    for (line, reason), found in zip(wanted, refused):
        assert found.text == (line if len(line) <= 1 << 20 else b""), reason
        assert reason in found.reason, (reason, found.reason, line[:60])
    (kept,) = refused_files(spool.spool)
    assert "longer than" in kept.reason
    assert len(daemon.troubles()) == 2
