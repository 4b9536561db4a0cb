"""JSON to Avro alone: everything in memory, one core, no compression."""

import json
import statistics
import subprocess
import sys

import tables
from workplace import Corpus, Workplace


def measure(place: Workplace, corpus: Corpus, passes: int) -> None:
    files = sorted(corpus.directory.glob("*/*.jsonl"))
    output = subprocess.run(
        [place.binaries / "EncodeBench", str(passes), place.schemas, *files],
        check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, list[dict]] = {}
    for row in map(json.loads, output.splitlines()):
        if row["events"] != corpus.events:
            sys.exit(f"{row['events']:,} events were read")
        found.setdefault(row["pass"], []).append(row)
    rows = []
    for name, each in found.items():
        wall = sorted(row["bytes_in"] / row["wall"] / 1e9 for row in each)
        cpu = statistics.median(row["bytes_in"] / row["cpu"] / 1e9 for row in each)
        rows.append([name, f"{statistics.median(wall):.2f}", f"{wall[0]:.2f}", f"{wall[-1]:.2f}", f"{cpu:.2f}",
                     f"{each[0]['bytes_out'] / 1e6:.1f}"])
    print("\n" + tables.shown(["JSON on one core", "GB/s", "lowest", "highest", "GB/s of CPU", "MB out"], rows))
    print(f"\nMedians of {passes} passes over the same text; by the wall, and by the CPU time that the process got.")
