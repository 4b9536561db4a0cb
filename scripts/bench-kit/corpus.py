#!/usr/bin/env python3
"""Makes the event files of a benchmark: DIRECTORY/<connector>/<number>.jsonl.

Each file depends on the seed and its number only, so the same arguments give the same bytes on any
machine. Beside the files stands `corpus.json` with what was made; where it says the same already,
nothing is done.
"""

import argparse
import json
import multiprocessing
import os
import pathlib
import random
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "kit"))
from events import START, World, line  # noqa: E402


def connector_name(number: int) -> str:
    return f"connector-{number + 1}"


def begin(seed: int) -> None:
    global world
    world = World(seed)


def make_file(job: tuple[pathlib.Path, int, int, int, int]) -> int:
    path, seed, number, count, streams = job
    rng = random.Random(f"file {seed} {number}")
    events = world.events(rng, count, START + number * 60)
    if streams:
        # One of each type after the other: no two neighbours go into one stream.
        for index, event in enumerate(events):
            event["event_type"] += f".{(number * count + index) % streams}"
    text = b"".join(map(line, events))
    path.write_bytes(text)
    return len(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--connectors", type=int, default=4)
    parser.add_argument("--streams", type=int, default=0,
                        help="so many event types in turn, instead of eight at random; files must be of one size")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    asked = {key: getattr(arguments, key) for key in ("events", "files", "connectors", "streams", "seed")}
    note = arguments.directory / "corpus.json"
    if note.exists() and asked.items() <= json.loads(note.read_text()).items():
        return
    shutil.rmtree(arguments.directory, ignore_errors=True)
    for number in range(arguments.connectors):
        (arguments.directory / connector_name(number)).mkdir(parents=True)

    each, more = divmod(arguments.events, arguments.files)
    jobs = [
        (
            arguments.directory / connector_name(n % arguments.connectors) / f"{n:06d}.jsonl",
            arguments.seed, n, each + (n < more), arguments.streams,
        )
        for n in range(arguments.files)
    ]
    with multiprocessing.Pool(os.cpu_count(), begin, (arguments.seed,)) as pool:
        total = sum(pool.imap_unordered(make_file, jobs, chunksize=max(1, len(jobs) // 200)))
    note.write_text(json.dumps(asked | {"bytes": total}) + "\n")


if __name__ == "__main__":
    main()
