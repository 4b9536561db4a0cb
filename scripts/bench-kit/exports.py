"""One large file as it is, beside `aws s3 cp` of the same file to the same sink, in turns."""

import hashlib
import pathlib
import shutil
import sys
from typing import NamedTuple

from workplace import Sink, Workplace

BLOCK = 1 << 20
CONNECTOR = "exports"


class Round(NamedTuple):
    daemon: dict
    """Seconds, CPU seconds and peak memory, from a claimed file to its end."""
    aws: dict
    whole: bool


class Exports(NamedTuple):
    size: int
    rounds: list[Round]

    @property
    def whole(self) -> bool:
        return all(each.whole for each in self.rounds)


def exports(place: Workplace, size: int, rounds: int) -> Exports:
    """`size` bytes, which are the same in each run."""
    aws = shutil.which("aws")
    if not aws:
        sys.exit("--export compares with the AWS command line: install awscli (apt-get install awscli)")
    file = place.scratch / "export.bin"
    digest = _write(file, size)
    return Exports(size, [_round(place, file, size, digest, aws) for _ in range(rounds)])


def _write(file: pathlib.Path, size: int) -> str:
    """Blocks that no two are alike; their digest."""
    digest, noise = hashlib.sha256(), hashlib.shake_256(b"export").digest(BLOCK)
    with file.open("wb") as out:
        for number in range(-(-size // BLOCK)):
            block = (number.to_bytes(8, "big") + noise[8:])[:size - number * BLOCK]
            digest.update(block)
            out.write(block)
    return digest.hexdigest()


def _round(place: Workplace, file: pathlib.Path, size: int, digest: str, aws: str) -> Round:
    with place.sink(size) as sink:
        config = place.configure([CONNECTOR], sink.port)
        _make_export_connector(place)
        shutil.copyfile(file, place.spool / "incoming" / CONNECTOR / "export.bin")
        place.settle_disk()
        daemon = place.drain(config)
        whole = _stored(sink) == digest
    shutil.rmtree(place.spool)
    with place.sink(size) as sink:
        place.settle_disk()
        own = place.measure(
            "env", "AWS_ACCESS_KEY_ID=BENCH", "AWS_SECRET_ACCESS_KEY=bench", "AWS_DEFAULT_REGION=us-east-1",
            "AWS_CONFIG_FILE=/dev/null", "AWS_REQUEST_CHECKSUM_CALCULATION=when_required", aws, "s3", "cp",
            "--no-progress", "--endpoint-url", f"http://127.0.0.1:{sink.port}", file,
            f"s3://{CONNECTOR}/export.bin", log=place.scratch / "aws.log")
        whole = whole and _stored(sink) == digest
    return Round(daemon, own, whole)


def _make_export_connector(place: Workplace) -> None:
    path = place.scratch / "connectors.d" / f"{CONNECTOR}.toml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("integration_id")]
    path.write_text('kind = "data-export"\n' + "\n".join(lines) + "\n")


def _stored(sink: Sink) -> str:
    """The SHA-256 of the only object."""
    (row,) = (sink.directory / "index.tsv").read_text().splitlines()
    digest = hashlib.sha256()
    for number in row.split("\t")[0].split("+"):
        with (sink.directory / number).open("rb") as part:
            while block := part.read(BLOCK):
                digest.update(block)
    return digest.hexdigest()

