#!/usr/bin/env python3
"""Measures how fast sluiced drains a spool, beside the floor on the same machine.

The floor compresses the same bytes with zlib at the same level on as many threads as there are
processors, and does nothing else; a second floor also hashes each object and stores it. sluiced
drains into JSON Lines with gzip and into Avro with deflate, at the same level. All of them run in
turns, and each drain is verified event by event, Avro with fastavro and every value.

--encode measures turning JSON into Avro alone, on one core and without compression. --episode and
--held measure what rejected credentials cost (see episodes.py).
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator

KIT = pathlib.Path(__file__).resolve().parent
ROOT = KIT.parent.parent
sys.path.insert(0, str(KIT.parent / "kit"))

import episodes  # noqa: E402
from corpus_schemas import write_schemas  # noqa: E402

LEVEL = 6
CONNECTORS = 4
PROGRAMS = {"measure": [], "sink": ["-lpthread"], "floor": ["-lpthread", "-lz", "-lcrypto"]}
FLOOR, STORING = "floor: zlib alone", "floor: and SHA-256, PUT"
DRAINS = {"jsonl": "sluiced, JSON Lines", "avro": "sluiced, Avro"}

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
format = "{format}"

[credentials]
access_key_id = "BENCH"
secret_access_key_file = "{secret}"
grace = "0s"
"""


class Bench:
    def __init__(self, scratch: pathlib.Path, arguments: argparse.Namespace):
        self.scratch = scratch
        self.arguments = arguments
        self.corpus = scratch / "corpus"
        self.schemas = scratch / "schemas"
        self.binaries = pathlib.Path(
            os.environ.get("SLUICE_BIN_DIR", ROOT / ".build" / "release")).resolve()

    def compile(self) -> None:
        for name, libraries in PROGRAMS.items():
            subprocess.run(
                ["gcc", "-O2", "-Wall", "-Wextra", "-o", self.scratch / name, KIT / f"{name}.c",
                 *libraries], check=True)

    def prepare(self) -> None:
        a = self.arguments
        write_schemas(self.schemas)
        print(f"Corpus: {a.events:,} events in {a.files:,} files, {CONNECTORS} connectors, 8 types",
              flush=True)
        subprocess.run(
            [sys.executable, KIT / "corpus.py", self.corpus, "--events", str(a.events), "--files",
             str(a.files), "--connectors", str(CONNECTORS), "--seed", str(a.seed)], check=True)
        self.bytes = json.loads((self.corpus / "corpus.json").read_text())["bytes"]
        print(f"        {self.bytes / 1e6:,.1f} MB, {self.bytes / a.events:.0f} bytes an event; "
              f"zlib level {LEVEL}, {os.cpu_count()} processors")

    @contextlib.contextmanager
    def sink(self, *rejected: str) -> Iterator[tuple[pathlib.Path, int]]:
        """A running sink: the directory it fills, and its port. It may reject who puts into one bucket.

        It plays S3, whose disks are not this machine's: what it stores stays in memory where there is
        room, so that the daemon's syncs do not pay for it.
        """
        memory = pathlib.Path("/dev/shm")
        has_room = memory.is_dir() and shutil.disk_usage(memory).free > 2 * self.bytes
        directory = pathlib.Path(
            tempfile.mkdtemp(prefix="sluice-sink-", dir=memory if has_room else self.scratch))
        process = subprocess.Popen(
            [self.scratch / "sink", directory, *rejected], stdout=subprocess.PIPE, text=True)
        try:
            yield directory, int(process.stdout.readline())
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            if not self.arguments.keep:
                shutil.rmtree(directory)

    def measure(
        self, *command: str | pathlib.Path, log: pathlib.Path, status: int = 0
    ) -> dict:
        result = self.scratch / "measured.json"
        with log.open("wb") as output:
            ended = subprocess.run(
                [self.scratch / "measure", result, *command], stdout=output, stderr=subprocess.STDOUT)
        if ended.returncode != status:
            sys.stderr.write("\n".join(log.read_text(errors="replace").splitlines()[-20:]) + "\n")
            sys.exit(f"{pathlib.Path(command[0]).name} ended with {ended.returncode}; "
                     f"its last lines stand above")
        return json.loads(result.read_text())

    def floor(self, *options: str) -> dict:
        log = self.scratch / "floor.log"
        took = self.measure(
            self.scratch / "floor", "--level", str(LEVEL), *options, self.corpus, log=log)
        return took | json.loads(log.read_text())

    def storing_floor(self) -> dict:
        with self.sink() as (_, port):
            return self.floor("--put", str(port))

    def drain(self, format: str) -> dict:
        with self.sink() as (objects, port):
            took = self.measure(
                self.binaries / "sluiced", "--until-empty", "--config",
                self.fill_spool(port, format), log=self.scratch / "sluiced.log")
            verified = subprocess.run(
                [sys.executable, KIT / "verify.py", self.corpus, objects, format],
                stdout=subprocess.PIPE, text=True)
            counts = json.loads(verified.stdout)
            sizes = [int(row.split("\t")[1]) for row in (objects / "index.tsv").open()]
        shutil.rmtree(self.scratch / "spool")
        return took | {"bytes_out": sum(sizes), "objects": len(sizes), "verified": counts,
                       "failed": verified.returncode != 0}

    def fill_spool(self, port: int, format: str = "jsonl") -> pathlib.Path:
        """A new spool in which all files already lie when the daemon starts, and its configuration."""
        spool, staging = self.scratch / "spool", self.scratch / "staging"
        for directory in (spool, staging):
            shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(self.corpus, staging)
        secret = self.scratch / "secret"
        secret.write_text("bench\n")
        secret.chmod(0o600)
        connectors = self.scratch / "connectors.d"
        connectors.mkdir(exist_ok=True)
        for directory in (path for path in staging.iterdir() if path.is_dir()):
            incoming = spool / "incoming" / directory.name
            incoming.mkdir(parents=True)
            for file in directory.iterdir():
                file.rename(incoming / file.name)
            (connectors / f"{directory.name}.toml").write_text(
                _CONNECTOR_TOML.format(
                    name=directory.name, port=port, secret=secret, format=format))
        shutil.rmtree(staging)
        config = self.scratch / "sluice.toml"
        config.write_text(_SLUICE_TOML.format(
            spool=spool, scratch=self.scratch, schemas=self.schemas))
        # What was just copied is on disk before anything is timed: the daemon's syncs pay for its
        # own writes only.
        os.sync()
        return config

    def run(self) -> bool:
        formats = list(DRAINS) if self.arguments.format == "both" else [self.arguments.format]
        rounds, whole = [], True
        for number in range(self.arguments.runs):
            took = {FLOOR: self.floor(), STORING: self.storing_floor()}
            # In turns, so that neither format always follows the other.
            for format in formats if number % 2 == 0 else reversed(formats):
                took[DRAINS[format]] = drained = self.drain(format)
                whole = whole and not drained["failed"]
                print(f"Round {number + 1}, {DRAINS[format]}: {drained['wall']:.2f} s; verified: "
                      + ", ".join(f"{value:,} {name.replace('_', ' ')}"
                                  for name, value in drained["verified"].items()), flush=True)
            rounds.append(took)
        self.print_table(rounds, [FLOOR, STORING, *(DRAINS[format] for format in formats)])
        if len(formats) == 2:
            self.print_comparison(rounds)
        return whole

    def print_comparison(self, rounds: list[dict]) -> None:
        """Avro beside JSON Lines, round by round."""
        def ratios(column: str, faster: bool = False) -> str:
            found = [each[DRAINS["avro"]][column] / each[DRAINS["jsonl"]][column] for each in rounds]
            found = sorted(1 / each if faster else each for each in found)
            return f"{statistics.median(found):.2f} ({found[0]:.2f} to {found[-1]:.2f})"

        print(f"\nAvro as a multiple of JSON Lines, in the same round: events/s {ratios('wall', True)}, "
              f"CPU {ratios('cpu')},\nmemory {ratios('peak_bytes')}.")

    def print_table(self, rounds: list[dict], names: list[str]) -> None:
        heads = ["", "events/s", "MB/s", "CPU s", "memory", "descriptors", "objects", "MB out",
                 "speed", "CPU"]
        rows = []
        for name in names:
            def median(column: str) -> float:
                return statistics.median(each[name][column] for each in rounds)

            def to_floor(column: str, faster: bool) -> str:
                ratios = [each[name][column] / each[FLOOR][column] for each in rounds]
                middle = statistics.median(ratios)
                return f"{1 / middle if faster else middle:.2f}"

            wall = median("wall")
            rows.append([
                name, f"{self.arguments.events / wall:,.0f}", f"{self.bytes / wall / 1e6:.1f}",
                f"{median('cpu'):.2f}", f"{median('peak_bytes') / 2**20:.1f} MiB",
                f"{median('descriptors'):.0f}", f"{median('objects'):,.0f}",
                f"{median('bytes_out') / 1e6:.1f}", to_floor("wall", True), to_floor("cpu", False)])
        widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
        print()
        for row in [heads, *rows]:
            print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                            for i, (cell, width) in enumerate(zip(row, widths))))
        print(f"\nMedians of {len(rounds)} rounds; peak memory and descriptors of one process. The last "
              "two columns: events/s and\nCPU seconds as multiples of the first floor's, in the same "
              "round. Compare only within one run.")

    def encode(self) -> None:
        """JSON to Avro alone: everything in memory, one core, no compression."""
        files = sorted(self.corpus.glob("*/*.jsonl"))
        output = subprocess.run(
            [self.binaries / "EncodeBench", str(self.arguments.runs), self.schemas, *files],
            check=True, stdout=subprocess.PIPE, text=True).stdout
        passes: dict[str, list[dict]] = {}
        for row in map(json.loads, output.splitlines()):
            if row["events"] != self.arguments.events:
                sys.exit(f"{row['events']:,} events were read")
            passes.setdefault(row["pass"], []).append(row)
        print(f"\n{'JSON on one core':<18}  {'GB/s':>5}  {'lowest':>6}  {'highest':>7}  "
              f"{'GB/s of CPU':>11}  {'MB out':>6}")
        for name, rows in passes.items():
            wall = sorted(row["bytes_in"] / row["wall"] / 1e9 for row in rows)
            cpu = statistics.median(row["bytes_in"] / row["cpu"] / 1e9 for row in rows)
            print(f"{name:<18}  {statistics.median(wall):>5.2f}  {wall[0]:>6.2f}  {wall[-1]:>7.2f}  "
                  f"{cpu:>11.2f}  {rows[0]['bytes_out'] / 1e6:>6.1f}")
        print(f"\nMedians of {self.arguments.runs} passes over the same text; by the wall, and by the CPU "
              "time that the process got.")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, help="default 100, with --small-files 20,000")
    parser.add_argument("--small-files", action="store_true", help="20,000 files of 50 events")
    parser.add_argument("--runs", type=int, help="rounds, default 3, with --encode 9")
    parser.add_argument("--format", choices=[*DRAINS, "both"], default="both",
                        help="what sluiced drains into, default both")
    parser.add_argument("--encode", action="store_true",
                        help="JSON to Avro alone, on one core and without compression")
    parser.add_argument("--episode", action="store_true",
                        help="drain four connectors with and without one whose credentials are rejected")
    parser.add_argument("--held", type=int, metavar="N",
                        help="start with so many objects of 10 kB that rejected credentials hold")
    parser.add_argument("--connectors", type=int, metavar="N", default=1,
                        help="spread what is held over so many connectors, default 1")
    parser.add_argument("--seed", type=int, default=1, help="of the corpus")
    parser.add_argument("--scratch", type=pathlib.Path,
                        help="work in this directory and keep it; its corpus is used again")
    parser.add_argument("--keep", action="store_true",
                        help="keep the scratch directory with the last run's objects")
    arguments = parser.parse_args()
    if arguments.files is None:
        arguments.files = max(1, arguments.events // 50) if arguments.small_files else 100

    if arguments.runs is None:
        arguments.runs = 9 if arguments.encode else 3

    scratch = arguments.scratch
    if scratch is None:
        scratch = pathlib.Path(tempfile.mkdtemp(
            prefix="sluice-bench-", dir=os.environ.get("TMPDIR", "/var/tmp")))
    scratch.mkdir(parents=True, exist_ok=True)
    scratch = scratch.resolve()
    try:
        bench = Bench(scratch, arguments)
        if arguments.encode:
            bench.prepare()
            bench.encode()
            return
        bench.compile()
        if arguments.held:
            episodes.measure_held(bench, arguments.held, arguments.connectors)
            return
        bench.prepare()
        if arguments.episode:
            episodes.compare(bench)
        elif not bench.run():
            sys.exit("The objects do not hold what went into the spool; see the lines above.")
    finally:
        if arguments.keep:
            print(f"\nEverything is kept in {scratch}")
        elif arguments.scratch is None:
            shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
