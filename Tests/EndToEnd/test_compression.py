"""Each compression, of objects of one block and of many, is read whole by whoever else knows it."""

import gzip
import io
import json
import pathlib
import subprocess

import polars
import pytest

from avro_objects import by_fastavro, by_polars, container
from installation import Installation, binary
from objects import assert_same_events, events_in, parse_key

TYPE = "shop.Order"
SCHEMA = {"type": "record", "name": "shop.Order", "fields": [
    {"name": "id", "type": "string"}, {"name": "note", "type": "string"}]}


def orders(count: int) -> list[dict]:
    """Runs, repetitions and noise: what compressors treat apart."""
    return [{"id": f"{number:024}", "note": f"{hash((number, 7)):x}" * (number % 9) + 40 * "-"}
            for number in range(count)]


def deliver(installation: Installation, destination, name: str, events: list[dict], **settings):
    """The objects of a connector, one of few events among them: it waits for its max_age."""
    installation.connector(
        name, destination.bucket, destination.s3.endpoint, destination.keys, folder=name,
        batch={"max_events": len(events) - 3}, **settings)
    lines = [json.dumps({"event_type": TYPE, **event}).encode() + b"\n" for event in events]
    installation.drop("orders.jsonl", lines, name)
    installation.drain()
    objects = {key: body for key, body in destination.objects().items()
               if parse_key(key).folder == name}
    assert len(objects) == 2
    return lines, objects


def cat(path: pathlib.Path, body: bytes, *options: str) -> list[dict]:
    path.write_bytes(body)
    result = subprocess.run(
        [binary("sluicectl"), "cat", *options, path], capture_output=True, timeout=60)
    assert (result.returncode, result.stderr) == (0, b"")
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("compression, level", [("gzip", None), ("gzip", 12), ("zstd", None)])
def test_json_lines_are_one_member_or_one_frame(
        installation, destination, tmp_path, compression, level):
    settings = {"compression_level": level} if level else {}
    lines, objects = deliver(
        installation, destination, "lines", orders(9000), compression=compression, **settings)
    # That it is one, and that it ends where the object ends, is looked at there.
    assert_same_events(events_in(objects), lines)
    client = destination.s3.client("s3")
    for key, body in objects.items():
        head = client.head_object(Bucket=destination.bucket, Key=key)
        assert head["ContentType"] == f"application/{compression}"
        assert key.endswith(".gz" if compression == "gzip" else ".zst")
        (told,) = cat(tmp_path / "object", body, "--metadata")
        assert (told["format"], told["compression"]) == ("jsonl", compression)
        events = cat(tmp_path / "object", body)
        assert told["events"] == len(events)
        assert polars.read_ndjson(io.BytesIO(body)).to_dicts() == events
        if compression == "gzip":
            assert len(gzip.decompress(body).splitlines()) == len(events)


@pytest.mark.parametrize(
    "compression, level", [("deflate", None), ("zstandard", 5)])
def test_avro_containers_have_blocks_of_the_codec(
        installation, destination, tmp_path, compression, level):
    installation.schema(TYPE, SCHEMA)
    settings = {"compression_level": level} if level else {}
    events = orders(9000)
    _, objects = deliver(
        installation, destination, "avro", events, format="avro", compression=compression, **settings)
    delivered = []
    for body in objects.values():
        assert container(body).codec == compression
        records = by_fastavro(body)
        delivered += records
        # polars knows no zstandard.
        if compression == "deflate":
            assert by_polars(body) == records
        assert cat(tmp_path / "object", body) == records
        (told,) = cat(tmp_path / "object", body, "--metadata")
        assert (told["format"], told["compression"]) == ("avro", compression)
    assert sorted(delivered, key=lambda record: record["id"]) == events


def test_check_says_how_objects_are_compressed(installation, destination):
    for name, settings in {
            "a": {"format": "avro", "compression": "zstandard"},
            "b": {"compression": "zstd", "compression_level": 3}}.items():
        installation.connector(
            name, destination.bucket, destination.s3.endpoint, destination.keys, folder=name, **settings)
    said = installation.sluicectl("check")
    assert said.returncode == 0, said.stderr
    assert "Avro, zstandard; schemas for" in said.stdout
    assert "JSON Lines, zstd of level 3\n" in said.stdout
    (a, b) = json.loads(installation.sluicectl("check", "--json").stdout)["connectors"]
    assert (a["compression"], a["compression_level"]) == ("zstandard", 1)
    assert (b["compression"], b["compression_level"]) == ("zstd", 3)
    assert b["example_key"].endswith(".jsonl.zst")
