"""`sluicectl cat` prints what others wrote: Avro containers of fastavro's, gzip, JSON Lines; from files, stdin and S3."""

import gzip
import io
import json
import pathlib
import random
import signal
import subprocess

import fastavro
import pytest
from backports import zstd

from random_containers import Generator, printed, same
from installation import binary
from seeds import new_seed

EVENT = {"type": "record", "name": "a.Event", "fields": [
    {"name": "id", "type": "string"}, {"name": "n", "type": ["null", "long"]}]}


def container(schema: dict, records: list, codec: str = "deflate", **options) -> bytes:
    file = io.BytesIO()
    fastavro.writer(file, fastavro.parse_schema(schema), records, codec=codec, **options)
    return file.getvalue()


def events(count: int) -> list[dict]:
    return [{"id": f"é{index}", "n": None if index % 3 else index} for index in range(count)]


def cat(*arguments: str | pathlib.Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [binary("sluicectl"), "cat", *arguments], input=stdin, capture_output=True, timeout=60)


def lines(output: bytes) -> list:
    assert not output or output.endswith(b"\n")
    return [json.loads(line) for line in output.splitlines()]


@pytest.mark.parametrize("codec", ["deflate", "null"])
@pytest.mark.parametrize("seed", [1, new_seed()])
def test_records_of_every_type_are_printed_value_for_value(tmp_path, codec, seed):
    generator = Generator(seed)
    print(f"seed {seed}")
    for number in range(60):
        schema = generator.schema()
        records = [generator.value(schema) for _ in range(20)]
        file = tmp_path / f"{number}.avro"
        file.write_bytes(container(schema, records, codec, sync_interval=200))
        result = cat(file)
        assert (result.returncode, result.stderr) == (0, b""), schema
        found = lines(result.stdout)
        assert len(found) == len(records)
        for one, record in zip(found, records):
            assert same(one, printed(record)), (schema, record, one)


@pytest.mark.parametrize("codec", ["deflate", "zstandard", "null"])
def test_schema_metadata_and_counts_are_printed(codec):
    file = container(EVENT, events(5000), codec, metadata={"x": "y"}, sync_interval=10_000)
    assert lines(cat("--schema", "-", stdin=file).stdout) == [EVENT]
    (told,) = lines(cat("--metadata", "-", stdin=file).stdout)
    blocks = sum(1 for _ in fastavro.block_reader(io.BytesIO(file)))
    assert blocks > 1
    assert told == {
        "object": "-", "format": "avro", "compression": codec if codec != "null" else "none",
        "events": 5000, "blocks": blocks, "metadata": {"avro.codec": codec, "x": "y"}}


def test_an_object_is_told_by_its_first_bytes(tmp_path):
    text = b'{"a": 1}\n\n{"b": "\xc3\xa9"}'
    objects = {
        "plain.avro": text, "empty.gz": b"", "two-members.jsonl": gzip.compress(text[:5]) +
        gzip.compress(text[5:]), "avro.txt": container(EVENT, events(2)),
        "avro.jsonl.gz": gzip.compress(container(EVENT, events(2))),
        "two-frames.gz": zstd.compress(text[:5]) + zstd.compress(text[5:])}
    for name, body in objects.items():
        (tmp_path / name).write_bytes(body)
    result = cat(*(tmp_path / name for name in objects), "-", stdin=text + b"\n")
    assert result.stderr == b""
    assert result.stdout == 2 * (text + b"\n") + 2 * b"".join(
        json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        for event in events(2)) + 2 * (text + b"\n")


def test_what_is_wrong_is_told_with_object_and_place_and_the_rest_is_printed(tmp_path):
    whole = container(EVENT, events(3000), sync_interval=5000)
    marker = whole[-16:]
    cases = {
        "cut.avro": (whole[:-1], f"at byte {len(whole) - 1}: it ends inside a sync marker"),
        "marker.avro": (whole[:-1] + bytes([whole[-1] ^ 1]),
                        f"at byte {len(whole) - 16}: the block does not end with the header's"),
        "snappy.avro": (whole.replace(b"\x0edeflate", b"\x0czstand", 1),
                        'the codec "zstand" is not known here; known are null, deflate, zstandard'),
        "more.avro": (container(EVENT, events(1), "null")[:-16] + marker, "the block does not end"),
        "cut.gz": (gzip.compress(b'{"a":1}\n')[:-3], "the gzip data ends early"),
        "cut.zst": (zstd.compress(b'{"a":1}\n')[:-1], "the zstd data ends early"),
        "wrong.zst": (zstd.compress(b'{"a":1}\n') + b"{}\n", "the zstd data is damaged after byte 20"),
        "twice.zst": (gzip.compress(zstd.compress(b"{}\n")), "it is zstd data within gzip data"),
        "program": (b"\x7fELF....", "it begins with the bytes 7f 45 4c 46"),
        "missing": (None, "No such file or directory"),
    }
    for name, (body, reason) in cases.items():
        if body is not None:
            (tmp_path / name).write_bytes(body)
        result = cat(tmp_path / name, "-", stdin=b'{"last": 1}\n')
        assert result.returncode == 1
        assert result.stdout.endswith(b'{"last": 1}\n')
        (said,) = result.stderr.decode().splitlines()
        assert said.startswith(f"error: {tmp_path / name}: ") and reason in said, said
    # What came before the fault was printed, in whole lines.
    found = lines(cat(tmp_path / "cut.avro").stdout)
    assert 0 < len(found) < 3000 and found == events(len(found))


@pytest.mark.parametrize("seed", [1, new_seed()])
def test_changed_bytes_end_in_a_sentence_and_never_in_a_crash(seed):
    print(f"seed {seed}")
    rng = random.Random(seed)
    generator = Generator(seed)
    for _ in range(60):
        schema = generator.schema()
        body = bytearray(container(
            schema, [generator.value(schema) for _ in range(5)], rng.choice(["deflate", "null"])))
        for _ in range(rng.randint(1, 5)):
            body[rng.randrange(len(body))] = rng.randrange(256)
        result = cat("-", stdin=bytes(body))
        assert result.returncode in (0, 1), (result.returncode, bytes(body))
        assert (result.returncode == 0) == (result.stderr == b""), result.stderr
        assert result.stdout == b"" or result.stdout.endswith(b"\n")


def test_nobody_is_told_when_the_reader_has_enough(tmp_path):
    file = tmp_path / "events.avro"
    file.write_bytes(container(EVENT, events(100_000)))
    with subprocess.Popen([binary("sluicectl"), "cat", file], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        assert json.loads(process.stdout.readline()) == events(1)[0]
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) in (0, -signal.SIGPIPE)


@pytest.mark.parametrize("kind", ["deflate", "zstandard", "null", "jsonl.gz", "jsonl.zst"])
def test_memory_does_not_grow_with_the_object(tmp_path, kind):
    file = tmp_path / "large"
    # Distinct, so that the file is large too; the blocks are fastavro's, of 16 kB.
    rng = random.Random(1)
    records = [{"id": rng.randbytes(500).hex(), "n": None} for _ in range(100_000)]
    if kind.startswith("jsonl"):
        text = b"".join(json.dumps(record).encode() + b"\n" for record in records)
        file.write_bytes(gzip.compress(text, 1) if kind == "jsonl.gz" else zstd.compress(text, 1))
    else:
        file.write_bytes(container(EVENT, records, kind))
    assert file.stat().st_size > 40 << 20
    # Past this much memory of its own it would not get any.
    limit = ["prlimit", f"--data={32 << 20}"]
    with open(file, "rb") as stdin:
        result = subprocess.run(
            [*limit, binary("sluicectl"), "cat", "-"], stdin=stdin, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, timeout=60)
    assert (result.returncode, result.stderr) == (0, b"")


def test_an_object_in_s3_is_fetched_with_its_connector_s_credentials(
        installation, destination, s3):
    client = s3.client("s3")
    body = container(EVENT, events(1000))
    client.put_object(Bucket=destination.bucket, Key="currents/a=b/ü +.avro", Body=body)
    client.put_object(Bucket=destination.bucket, Key="elsewhere/a.avro", Body=body)
    installation.connector("orders", destination.bucket, s3.endpoint, destination.keys)
    address = f"s3://{destination.bucket}/"

    result = installation.sluicectl("cat", address + "currents/a=b/ü +.avro")
    assert (result.returncode, result.stderr) == (0, "")
    assert [json.loads(line) for line in result.stdout.splitlines()] == events(1000)

    result = installation.sluicectl(
        "cat", "--metadata", address + "currents/none.avro", address + "currents/a=b/ü +.avro")
    assert result.returncode == 1
    assert result.stderr == f"error: {address}currents/none.avro: it is not there\n"
    assert json.loads(result.stdout)["events"] == 1000

    result = installation.sluicectl("cat", address + "elsewhere/a.avro")
    assert (result.returncode, result.stdout) == (1, "")
    assert "no connector has this bucket and a folder with this key" in result.stderr

    installation.set_secret("orders", "wrong")
    result = installation.sluicectl("cat", address + "currents/a=b/ü +.avro")
    assert (result.returncode, result.stdout) == (1, "")
    assert "SignatureDoesNotMatch" in result.stderr, result.stderr
