"""The demo comes out even, and what verifies a benchmark sees what it is there for."""

import collections
import gzip
import io
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable

import fastavro
import pytest

from installation import ROOT, binary

BENCH_KIT = ROOT / "scripts" / "bench-kit"
FORMATS = {"jsonl": "jsonl.gz", "avro": "avro"}
Objects = dict[str, bytes]


def script(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts" / str(arguments[0]), *map(str, arguments[1:])], text=True,
        stdout=subprocess.PIPE, env={**os.environ, "SLUICE_BIN_DIR": str(binary("sluiced").parent)})


def test_the_demo_delivers_avro_that_others_read():
    shown = script("demo")
    assert shown.returncode == 0, shown.stdout
    for said in ["codec deflate", 'its field time is "noon", which is no int',
                 "every line is accounted for"]:
        assert said in shown.stdout


def test_the_benchmark_drains_into_both_formats_and_verifies_them(tmp_path):
    shown = script("bench", "--events", 2000, "--event-files", 8, "--runs", 1, "--format", "jsonl", "avro",
                   "--scratch", tmp_path)
    assert shown.returncode == 0, shown.stdout
    assert shown.stdout.count("verified: 2,000 events, 0 lost, 0 doubled, 0 altered") == 2
    for floor in ["floor: zlib 6, SHA-256, PUT", "floor: encoded, libdeflate 6"]:
        assert floor in shown.stdout


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    directory = tmp_path_factory.mktemp("corpus")
    subprocess.run(
        [sys.executable, BENCH_KIT / "corpus.py", directory, "--events", "200", "--files", "4",
         "--connectors", "2"], check=True)
    return directory


def delivered(corpus: pathlib.Path, format: str) -> Objects:
    """What a faultless delivery of the corpus leaves, made without the daemon."""
    events = collections.defaultdict(list)
    for path in sorted(corpus.glob("*/*.jsonl")):
        for line in path.read_bytes().splitlines(keepends=True):
            events[path.parent.name, json.loads(line)["event_type"]].append(line)
    return {
        f"{connector}/currents/event_type={event_type}/0.{FORMATS[format]}":
            gzip.compress(b"".join(lines)) if format == "jsonl" else container(lines)
        for (connector, event_type), lines in events.items()}


def container(lines: list[bytes], change: Callable[[dict], None] = lambda record: None) -> bytes:
    records = [json.loads(line) for line in lines]
    change(records[0])
    fields = {name: type(value) for record in records for name, value in record.items()}
    del fields["event_type"]
    schema = {"type": "record", "name": "Event", "fields": [
        {"name": name, "type": ["null", "int" if kind is int else "string"]}
        for name, kind in [*fields.items(), ("nobody_has_it", str)]]}
    body = io.BytesIO()
    fastavro.writer(body, schema, records, codec="deflate")
    return body.getvalue()


def verify(
    corpus: pathlib.Path, sink: pathlib.Path, format: str, objects: list[tuple[str, bytes]]
) -> dict[str, int]:
    """The counts that are not 0."""
    sink.mkdir()
    with (sink / "index.tsv").open("w") as index:
        for number, (key, body) in enumerate(objects):
            (sink / str(number)).write_bytes(body)
            index.write(f"{number}\t{len(body)}\t{key}\n")
    done = subprocess.run(
        [sys.executable, BENCH_KIT / "verify.py", corpus, sink, format], text=True,
        stdout=subprocess.PIPE)
    counts = {name: count for name, count in json.loads(done.stdout).items()
              if count and name not in ("events", "objects")}
    assert (done.returncode != 0) == bool(counts)
    return counts


@pytest.mark.parametrize("format", FORMATS)
def test_a_faultless_delivery_is_verified(corpus, tmp_path, format):
    objects = delivered(corpus, format)
    assert verify(corpus, tmp_path / "sink", format, list(objects.items())) == {}


@pytest.mark.parametrize("format", FORMATS)
def test_lost_doubled_and_misplaced_objects_are_seen(corpus, tmp_path, format):
    (first, body), (second, other), *rest = delivered(corpus, format).items()
    count = body_count(body, format)
    lost = verify(corpus, tmp_path / "lost", format, [(second, other), *rest])
    assert lost == {"lost": count}
    again = first.replace("/0.", "/1.")
    doubled = verify(
        corpus, tmp_path / "doubled", format, [(first, body), (again, body), (second, other), *rest])
    assert doubled == {"doubled": count}
    elsewhere = "connector-9/" + first.split("/", 1)[1]
    misplaced = verify(
        corpus, tmp_path / "misplaced", format, [(elsewhere, body), (second, other), *rest])
    assert misplaced == {"misplaced": count}
    two = verify(
        corpus, tmp_path / "two", format, [(first, body), (first, other), (second, other), *rest])
    assert two == {"two_bodies": 1}
    cut_off = verify(
        corpus, tmp_path / "cut", format, [(first, body[:-1]), (second, other), *rest])
    assert cut_off.pop("broken") == 1


def body_count(body: bytes, format: str) -> int:
    if format == "jsonl":
        return len(gzip.decompress(body).splitlines())
    return sum(1 for _ in fastavro.reader(io.BytesIO(body)))


@pytest.mark.parametrize("change, seen", [
    (lambda record: record.update(time=record["time"] + 1), "altered"),
    (lambda record: record.update(user_id=None), "altered"),
    (lambda record: record.update(nobody_has_it=""), "altered"),
    (lambda record: record.update(id="00000000-0000-0000-0000-000000000000"), "made_up"),
])
def test_a_single_altered_value_is_seen(corpus, tmp_path, change, seen):
    objects = delivered(corpus, "avro")
    key = next(iter(objects))
    connector, event_type = key.split("/")[0], key.split("event_type=")[1].split("/")[0]
    lines = [line for path in sorted((corpus / connector).iterdir())
             for line in path.read_bytes().splitlines(keepends=True)
             if json.loads(line)["event_type"] == event_type]
    objects[key] = container(lines, change)
    counts = verify(corpus, tmp_path / "sink", "avro", list(objects.items()))
    assert counts.pop(seen) == 1
    # An event that was made up stands where another is lost.
    assert counts == ({"lost": 1} if seen == "made_up" else {})
