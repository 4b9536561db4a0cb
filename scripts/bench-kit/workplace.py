"""Where a benchmark works: built programs, a scratch directory with corpora and spools, and sinks that play S3."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterable, Iterator
from typing import NamedTuple

KIT = pathlib.Path(__file__).resolve().parent
ROOT = KIT.parent.parent
sys.path.insert(0, str(KIT.parent / "kit"))

from corpus_schemas import write_schemas  # noqa: E402

PROGRAMS = {
    "measure": [], "sink": ["-lpthread"], "names": [], "scatter": [],
    "floor": ["-lpthread", "-lz", "-ldeflate", "-lzstd", "-lcrypto"],
}
CONNECTORS = 4

_SLUICE_TOML = """\
[spool]
directory = "{spool}"
minimum_free = "64MiB"

[schemas]
directories = ["{schemas}"]

[http]
listen = "{scratch}/http.sock"
"""
_CONNECTOR_TOML = """\
bucket = "{name}"
integration_id = "bench-{name}"
region = "us-east-1"
endpoint = "http://127.0.0.1:{port}"
addressing = "path"
{settings}
[credentials]
access_key_id = "BENCH"
secret_access_key_file = "{secret}"
grace = "0s"
{tables}"""


class Corpus(NamedTuple):
    directory: pathlib.Path
    """Of `<connector>/<file>`."""
    events: int
    bytes: int

    @property
    def connectors(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir() if path.is_dir())


class Sink(NamedTuple):
    directory: pathlib.Path
    port: int

    def rows(self) -> list[tuple[pathlib.Path, int, str]]:
        """File, size and bucket/key of each object, in the order in which they were stored."""
        rows = [row.rstrip("\n").split("\t") for row in (self.directory / "index.tsv").open()]
        return [(self.directory / number, int(size), key) for number, size, key in rows]

    def counts(self) -> dict[str, int]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/counts") as answer:
            return json.load(answer)


class Workplace:
    def __init__(self, scratch: pathlib.Path, keep: bool = False):
        self.scratch = scratch
        self.keep = keep
        self.schemas = scratch / "schemas"
        self.spool = scratch / "spool"
        self.log = scratch / "sluiced.log"
        self.binaries = pathlib.Path(
            os.environ.get("SLUICE_BIN_DIR", ROOT / ".build" / "release")).resolve()
        write_schemas(self.schemas)

    def compile(self) -> None:
        for name, libraries in PROGRAMS.items():
            subprocess.run(
                ["gcc", "-O2", "-Wall", "-Wextra", "-o", self.scratch / name, KIT / f"{name}.c",
                 *libraries], check=True)

    # Corpora

    def corpus(
        self, events: int, files: int = 100, connectors: int = CONNECTORS, streams: int = 0, seed: int = 1
    ) -> Corpus:
        """Event files from a seed, made once. With `streams`, so many event types have as many events each."""
        directory = self.scratch / (
            f"corpus-{events}-{files}-{connectors}-{streams}-{seed}")
        subprocess.run(
            [sys.executable, KIT / "corpus.py", directory, "--events", str(events), "--files", str(files),
             "--connectors", str(connectors), "--streams", str(streams), "--seed", str(seed)], check=True)
        total = json.loads((directory / "corpus.json").read_text())["bytes"]
        print(f"Corpus: {events:,} events in {files:,} files, {connectors:,} connectors, "
              f"{streams or 8:,} event types; {total / 1e6:,.1f} MB, {total / events:.0f} bytes an event", flush=True)
        return Corpus(directory, events, total)

    def encoded(self, corpus: Corpus) -> Corpus:
        """The same in Avro's encoding, a file for each connector and event type: what a floor compresses for Avro."""
        directory = corpus.directory.with_name(corpus.directory.name + "-encoded")
        if not (directory / "done").exists():
            shutil.rmtree(directory, ignore_errors=True)
            for connector in corpus.connectors:
                (directory / connector).mkdir(parents=True)
                subprocess.run(
                    [self.binaries / "EncodeBench", "--write", directory / connector, self.schemas,
                     *sorted((corpus.directory / connector).iterdir())], check=True)
            (directory / "done").touch()
        total = sum(path.stat().st_size for path in directory.glob("*/*"))
        return Corpus(directory, corpus.events, total)

    # Programs

    @contextlib.contextmanager
    def sink(self, bytes_expected: int, *rejected: str) -> Iterator[Sink]:
        """A running sink. It may reject who puts into one bucket.

        It plays S3, whose disks are not this machine's: what it stores stays in memory where there is
        room, so that the daemon's syncs do not pay for it.
        """
        memory = pathlib.Path("/dev/shm")
        has_room = memory.is_dir() and shutil.disk_usage(memory).free > 2 * bytes_expected
        directory = pathlib.Path(
            tempfile.mkdtemp(prefix="sluice-sink-", dir=memory if has_room else self.scratch))
        process = subprocess.Popen(
            [self.scratch / "sink", directory, *rejected], stdout=subprocess.PIPE, text=True)
        try:
            yield Sink(directory, int(process.stdout.readline()))
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            if not self.keep:
                shutil.rmtree(directory)

    def measure(self, *command: str | pathlib.Path, log: pathlib.Path, status: int = 0) -> dict:
        """Runs a program to its end: wall and CPU seconds, peak memory, descriptors."""
        result = self.scratch / "measured.json"
        with log.open("wb") as output:
            ended = subprocess.run(
                [self.scratch / "measure", result, *command], stdout=output, stderr=subprocess.STDOUT)
        if ended.returncode != status:
            sys.stderr.write("\n".join(log.read_text(errors="replace").splitlines()[-20:]) + "\n")
            sys.exit(f"{pathlib.Path(command[0]).name} ended with {ended.returncode}; "
                     f"its last lines stand above")
        return json.loads(result.read_text())

    def floor(self, corpus: Corpus, *options: str | int, stores: bool = True) -> dict:
        log = self.scratch / "floor.log"
        with contextlib.ExitStack() as stack:
            if stores:
                options = (*options, "--put", stack.enter_context(self.sink(corpus.bytes)).port)
            took = self.measure(
                self.scratch / "floor", *map(str, options), corpus.directory, log=log)
        return took | json.loads(log.read_text())

    # Spools

    def configure(
        self, connectors: Iterable[str], port: int, settings: str = "", tables: str = ""
    ) -> pathlib.Path:
        """An empty spool, and its configuration: `settings` and `tables` are lines of each connector's file."""
        shutil.rmtree(self.spool, ignore_errors=True)
        secret = self.scratch / "secret"
        secret.write_text("bench\n")
        secret.chmod(0o600)
        directory = self.scratch / "connectors.d"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        for name in connectors:
            (self.spool / "incoming" / name).mkdir(parents=True)
            (directory / f"{name}.toml").write_text(_CONNECTOR_TOML.format(
                name=name, port=port, secret=secret, settings=settings, tables=tables))
        config = self.scratch / "sluice.toml"
        config.write_text(_SLUICE_TOML.format(
            spool=self.spool, scratch=self.scratch, schemas=self.schemas))
        return config

    def fill(self, corpus: Corpus, port: int, settings: str = "", tables: str = "") -> pathlib.Path:
        """A new spool in which all files already lie when the daemon starts, and its configuration."""
        config = self.configure(corpus.connectors, port, settings, tables)
        for connector in corpus.connectors:
            shutil.copytree(
                corpus.directory / connector, self.spool / "incoming" / connector, dirs_exist_ok=True)
        self.settle_disk()
        return config

    def settle_disk(self) -> None:
        """What was just copied is on disk before anything is timed: the daemon's syncs pay for its own writes only."""
        os.sync()

    def accepts(self, settings: str) -> bool:
        """Whether the built programs know these settings of a connector: an older revision may not."""
        config = self.configure(["connector-1"], 1, settings)
        checked = subprocess.run(
            [self.binaries / "sluicectl", "check", "--config", config], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        return checked.returncode == 0

    def drain(self, config: pathlib.Path, status: int = 0) -> dict:
        """Runs the daemon until the spool is empty."""
        return self.measure(
            self.binaries / "sluiced", "--until-empty", "--config", config, log=self.log, status=status)

    def verify(self, corpus: Corpus, sink: Sink, format: str, copies: int = 1) -> dict:
        """Compares what was stored with the corpus, event by event; `whole` says how that came out."""
        verified = subprocess.run(
            [sys.executable, KIT / "verify.py", corpus.directory, sink.directory, format, "--copies", str(copies)],
            stdout=subprocess.PIPE, text=True)
        counts = json.loads(verified.stdout)
        return {"verified": counts, "whole": verified.returncode == 0,
                "said": ", ".join(f"{value:,} {name.replace('_', ' ')}" for name, value in counts.items())}
