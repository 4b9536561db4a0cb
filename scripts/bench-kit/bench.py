#!/usr/bin/env python3
"""Measures sluiced beside the least work that the same machine could do.

Without an option that says what: a full spool is drained in each format, in turns with floors. A floor
reads, compresses with the same codec and level, hashes and stores, on as many threads as there are
processors, and does nothing else. Each drain is verified event by event, Avro with fastavro and every
value.

--files, --streams, --connectors, --large, --held: what should stay flat, or bounded (scale.py, held.py).
--export: one large file as it is, beside "aws s3 cp".
--latency: from the rename into the spool until S3 has the event. --episode: what rejected credentials
cost. --encode: JSON to Avro alone, on one core. --instructions: what valgrind counts, which does not
depend on the machine's mood. --against: this tree and another revision, in turns.

Several of these may be asked for at once; --everything is all but --against. With --write-docs what was
measured replaces its part of docs/performance.md and of the chart beside it.
"""

import argparse
import os
import pathlib
import shutil
import sys
import tempfile

import against
import drains
import encode
import episodes
import exports
import held
import instructions
import latency
import parts
import scale
from document import Document
from workplace import CONNECTORS, Workplace

LATENCY_RATE = 1000


def arguments_of() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_argument_group("what is measured")
    what.add_argument("--drain", action="store_true", help="the default, for when it is asked for beside others")
    what.add_argument("--files", type=int, metavar="N", nargs="?", const=1_000_000,
                      help="so many files of one event each, beside the file system's own rename and unlink")
    what.add_argument("--streams", type=int, metavar="N", nargs="?", const=10_000,
                      help="the million events in so many event types, all of whose batches are open at once")
    what.add_argument("--connectors", type=int, metavar="N", nargs="?", const=1000,
                      help="the million events for so many connectors; with --held, what is held is spread over them")
    what.add_argument("--large", type=float, metavar="GB", nargs="?", const=10, help="one file of so many GB")
    what.add_argument("--export", type=float, metavar="GIB", nargs="?", const=4,
                      help="one file of so many GiB that goes as it is, in turns with aws s3 cp")
    what.add_argument("--held", type=int, metavar="N", nargs="?", const=1_000_000,
                      help="start with so many objects that rejected credentials hold")
    what.add_argument("--latency", type=int, metavar="SECONDS", nargs="?", const=30,
                      help=f"{LATENCY_RATE:,} events a second for so long, with max_age = \"1s\"")
    what.add_argument("--episode", action="store_true",
                      help="drain four connectors with and without one whose credentials are rejected")
    what.add_argument("--encode", action="store_true",
                      help="JSON to Avro alone, on one core and without compression")
    what.add_argument("--instructions", action="store_true",
                      help="count instructions per event, and compare with those in instructions.json")
    what.add_argument("--everything", action="store_true", help="all of these at their full size; takes an hour")
    what.add_argument("--against", metavar="REV", help="compare with another revision of this repository")
    how = parser.add_argument_group("how")
    how.add_argument("--events", type=int, default=1_000_000, help="default 1,000,000")
    how.add_argument("--event-files", type=int, default=100, metavar="N", help="that they lie in, default 100")
    how.add_argument("--runs", type=int, help="rounds, default 3, with --encode 9, with --against 5")
    how.add_argument("--format", choices=drains.FORMS, nargs="+", default=list(drains.FORMS),
                     help="what sluiced drains into, default all of them")
    how.add_argument("--seed", type=int, default=1, help="of the corpus")
    how.add_argument("--scratch", type=pathlib.Path,
                     help="work in this directory and keep it; its corpora are used again")
    how.add_argument("--keep", action="store_true", help="keep the scratch directory with the last run's objects")
    how.add_argument("--write-docs", action="store_true", help="write what was measured into docs/")
    how.add_argument("--accept", action="store_true",
                     help="with --instructions: what was counted is right from now on")
    arguments = parser.parse_args()
    if arguments.everything:
        arguments.drain = arguments.episode = arguments.encode = arguments.instructions = True
        for name, full in [("files", 1_000_000), ("streams", 10_000), ("connectors", 1000), ("large", 10), ("export", 4),
                           ("held", 1_000_000), ("latency", 30)]:
            if getattr(arguments, name) is None:
                setattr(arguments, name, full)
    # Spread over connectors is a way to hold; only beside everything else both are meant.
    arguments.holders = arguments.connectors or 1 if arguments.held and not arguments.everything else 1
    if arguments.held and not arguments.everything:
        arguments.connectors = None
    asked = ("files", "streams", "connectors", "large", "export", "held", "latency", "episode", "encode", "instructions",
             "against")
    arguments.drain = arguments.drain or not any(getattr(arguments, name) for name in asked)
    return arguments


def run(place: Workplace, a: argparse.Namespace, document: Document) -> bool:
    """Whether all that was stored is what went in, and nothing counted is off."""
    rounds, whole = a.runs or 3, True

    def corpus():
        return place.corpus(a.events, min(a.event_files, a.events), CONNECTORS, seed=a.seed)

    if a.instructions:
        whole = instructions.check(place, accept=a.accept) and whole
    if a.encode:
        encode.measure(place, corpus(), a.runs or 9)
    if a.drain:
        measured = drains.Drains(place, corpus(), a.format)
        whole = measured.run(rounds) and whole
        print(measured.table(), flush=True)
        document.take("drains", parts.drains(measured))
        document.draw(measured)
    if a.latency:
        document.take("latency", parts.latency(latency.measure(place, LATENCY_RATE, a.latency), LATENCY_RATE))
    rows = []
    if a.files:
        rows.append(parts.files(scale.files(place, a.files, a.seed), a.files))
    if a.streams:
        rows.append(parts.streams(scale.streams(place, a.streams, a.events, a.seed), a.streams, a.events))
    if a.connectors:
        rows += parts.connectors(scale.connectors(place, a.connectors, a.events, a.seed), a.connectors, a.events)
    if a.large:
        rows.append(parts.large(scale.large_file(place, int(a.large * 1e9), min(a.events, 100_000), a.seed)))
    if a.export:
        rows.append(parts.exports(exports.exports(place, int(a.export * (1 << 30)), rounds)))
    if a.held:
        starts = []
        for start in held.starts(place, a.held, a.holders, rounds, a.seed):
            starts.append(start)
            print(held.said(start, a.held, len(starts)), flush=True)
        rows.append(parts.held(starts, a.held))
    for row in rows:
        whole = whole and row.whole
        document.take(row.name, row.text)
    if a.episode:
        episodes.compare(place, corpus(), rounds)
    if a.against:
        whole = against.compare(place, a.against, corpus(), a.format, a.runs or 5) and whole
    return whole


def main() -> None:
    arguments = arguments_of()
    scratch = arguments.scratch
    if scratch is None:
        scratch = pathlib.Path(tempfile.mkdtemp(
            prefix="sluice-bench-", dir=os.environ.get("TMPDIR", "/var/tmp")))
    scratch.mkdir(parents=True, exist_ok=True)
    scratch = scratch.resolve()
    document = Document()
    try:
        place = Workplace(scratch, arguments.keep)
        place.compile()
        if not run(place, arguments, document):
            sys.exit("Not all is as it should be; see the lines above.")
        if arguments.write_docs:
            document.write()
    finally:
        if arguments.keep:
            print(f"\nEverything is kept in {scratch}")
        elif arguments.scratch is None:
            shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
