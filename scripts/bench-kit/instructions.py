"""How many instructions an event takes in the scanner, the encoder and the router: a check that no load disturbs.

valgrind counts those of one function and of what it calls. What the counts should be stands in instructions.json;
they belong to this compiler and to a release build.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
from typing import NamedTuple

import drains
import tables
from workplace import Corpus, KIT, Workplace

ACCEPTED = KIT / "instructions.json"
TOLERANCE = 0.03
"""Of a count; the C library's way of copying differs with the processor that valgrind plays."""
EVENTS = 5_000


class Count(NamedTuple):
    what: str
    function: str
    """As valgrind finds it among the mangled names."""
    settings: str | None
    """Of the connector that sluiced drains for; None: EncodeBench runs."""


COUNTS = {
    "scan": Count("scanner", "*EncodeBench4scan*", None),
    "encode": Count("scanner and encoder", "*EncodeBench6encode*", None),
    "route": Count("router, JSON Lines (with the scanner)", "*6RouterC4step*", drains.FORMS["jsonl"].settings),
    "route avro": Count(
        "router, Avro (with scanner and encoder)", "*6RouterC4step*", drains.FORMS["avro"].settings),
}


def check(place: Workplace, accept: bool = False) -> bool:
    """Counts, compares and prints; false where a count is off by more than the tolerance, either way."""
    if not shutil.which("valgrind"):
        sys.exit("valgrind is missing (Debian: apt-get install valgrind)")
    accepted = json.loads(ACCEPTED.read_text()) if ACCEPTED.exists() else {}
    corpus = place.corpus(EVENTS, files=4)
    counted = {name: count_of(place, corpus, each) for name, each in COUNTS.items()}
    rows, off = [], []
    for name, each in COUNTS.items():
        was = accepted.get(name)
        change = f"{(counted[name] / was - 1) * 100:+.1f} %" if was else ""
        rows.append([each.what, tables.rate(counted[name]), tables.rate(was) if was else "", change])
        if not was or abs(counted[name] / was - 1) > TOLERANCE:
            off.append(each.what)
    print("\n" + tables.shown(["instructions per event", "counted", "accepted", "change"], rows), flush=True)
    if accept:
        ACCEPTED.write_text(json.dumps(counted, indent=2) + "\n")
        print(f"Accepted, in {ACCEPTED.name}.")
        return True
    if off:
        print(f"Off by more than {TOLERANCE * 100:.0f} %: {', '.join(off)}. If that is as it should be: "
              "scripts/bench --instructions --accept")
    return not off


def count_of(place: Workplace, corpus: Corpus, each: Count) -> int:
    """Instructions per event."""
    if each.settings is None:
        collected = _run(place, each.function, _plain(place, "EncodeBench"), "1", place.schemas,
                         *sorted(corpus.directory.glob("*/*.jsonl")))
    else:
        with place.sink(corpus.bytes) as sink:
            collected = _run(place, each.function, _plain(place, "sluiced"), "--until-empty", "--config",
                             place.fill(corpus, sink.port, each.settings))
        shutil.rmtree(place.spool)
    return round(collected / corpus.events)


def _plain(place: Workplace, program: str) -> pathlib.Path:
    """A copy without debugging information, of which valgrind understands less than the compiler writes."""
    copy = place.scratch / f"plain-{program}"
    subprocess.run(["objcopy", "--strip-debug", place.binaries / program, copy], check=True)
    return copy


def _run(place: Workplace, function: str, *command: str | pathlib.Path) -> int:
    ended = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--toggle-collect={function}", *command],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=place.scratch,
        # Where things lie in a dictionary is drawn by chance otherwise.
        env={**os.environ, "SWIFT_DETERMINISTIC_HASHING": "1"})
    collected = re.search(r"Collected : (\d+)", ended.stderr)
    if ended.returncode or not collected or collected[1] == "0":
        sys.exit(f"valgrind counted nothing of {function}:\n" + "\n".join(ended.stderr.splitlines()[-20:]))
    return int(collected[1])
