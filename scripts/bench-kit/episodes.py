"""What rejected credentials cost: the other connectors' speed, and memory and time where very much is held."""

import base64
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from typing import NamedTuple

REJECTED = "connector-4"
ALL_WELL, EPISODE = "all deliver", "one rejected"
EX_TEMPFAIL = 75
PAYLOAD = 9_900
"""Random bytes in an event; Base64 and gzip make about as many of them again."""
FILE_EVENTS = 500
TYPES = 200
"""Event types: of each one, a batch is sealed after the other."""
PATIENCE = 3600
ASKED = ["/status", "/metrics", "/healthz", "/history"]
ASKED_TIMES = 50


def compare(bench) -> None:
    """Three connectors drain while the fourth does, or while its credentials are rejected."""
    ratios = []
    for number in range(bench.arguments.runs):
        took = {name: _drain(bench, *rejected)
                for name, rejected in [(ALL_WELL, ()), (EPISODE, (REJECTED,))]}
        ratios.append(took[ALL_WELL] / took[EPISODE])
        print(f"Round {number + 1}: the three others took "
              + ", ".join(f"{seconds:.2f} s ({name})" for name, seconds in took.items())
              + f"; speed in the episode: {ratios[-1]:.2f} of the other", flush=True)
    print(f"\nMedian: {statistics.median(ratios):.2f}. Compare only within one run.")


def _drain(bench, *rejected: str) -> float:
    """Seconds until the last object of the other connectors was stored."""
    with bench.sink(*rejected) as (objects, port):
        config = bench.fill_spool(port)
        began = time.time()
        bench.measure(
            bench.binaries / "sluiced", "--until-empty", "--config", config,
            log=bench.scratch / "sluiced.log", status=EX_TEMPFAIL if rejected else 0)
        rows = [row.rstrip("\n").split("\t") for row in (objects / "index.tsv").open()]
        ended = max((objects / number).stat().st_mtime for number, _, key in rows
                    if not key.startswith(f"{REJECTED}/"))
    shutil.rmtree(bench.scratch / "spool")
    return ended - began


def measure_held(bench, count: int, connectors: int) -> None:
    """Fills a spool with objects that cannot be delivered, then starts the daemon on it, and asks how things stand."""
    names = [f"held-{number}" for number in range(1, connectors + 1)]
    bench.bytes = 0
    print(f"Corpus: {count:,} events for {connectors:,} connectors, each of which becomes an object of about 10 kB",
          flush=True)
    shutil.rmtree(bench.corpus, ignore_errors=True)
    rng = random.Random(bench.arguments.seed)
    file_events = max(1, min(FILE_EVENTS, count // connectors))
    for first in range(0, count, file_events):
        corpus = bench.corpus / names[first // file_events % connectors]
        corpus.mkdir(parents=True, exist_ok=True)
        with (corpus / f"{first:09d}.jsonl").open("w") as file:
            for number in range(first, min(first + file_events, count)):
                payload = base64.b64encode(rng.randbytes(PAYLOAD)).decode()
                file.write(json.dumps({
                    "id": str(number), "event_type": f"bench.Held{number % TYPES}",
                    "time": number, "payload": payload}) + "\n")
    with bench.sink(REJECTED) as (_, port):
        config = bench.fill_spool(port)
        for name in names:
            settings = bench.scratch / "connectors.d" / f"{name}.toml"
            # All of them in the bucket that the sink rejects.
            text = settings.read_text().replace(f'bucket = "{name}"', f'bucket = "{REJECTED}"\nfolder = "{name}"')
            settings.write_text(text + "\n[batch]\nmax_events = 1\n")
        filled = _run(bench, config, port, count)
        print(f"Filled in {filled.until_held:.0f} s; peak memory {filled.peak / 2**20:.1f} MiB", flush=True)
        size = sum(path.stat().st_size for path in bench.scratch.glob("spool/sealed/*/*.object"))
        for number in range(bench.arguments.runs):
            run = _run(bench, config, port, count)
            print(f"Start {number + 1} with {count:,} held objects ({size / 1e6:,.0f} MB): ready after "
                  f"{run.until_ready:.2f} s; peak memory {run.peak / 2**20:.1f} MiB", flush=True)
            print(f"  answers, of {ASKED_TIMES} each: " + "; ".join(
                f"{path} median {statistics.median(times) * 1000:.1f} ms, slowest {max(times) * 1000:.1f} ms"
                for path, times in run.answers.items()), flush=True)


class _Run(NamedTuple):
    until_held: float
    """Seconds until everything was held and an attempt was rejected."""
    until_ready: float
    peak: int
    """Bytes."""
    answers: dict[str, list[float]]
    """Seconds that each answer took, by its path."""


def _run(bench, config: pathlib.Path, port: int, count: int) -> _Run:
    """Runs the daemon until everything is held and an attempt was rejected, and asks it then."""
    def rejected() -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/counts") as answer:
            return json.load(answer)["rejected"]

    before, began = rejected(), time.monotonic()
    log = bench.scratch / "sluiced.log"
    with log.open("wb") as output, subprocess.Popen(
        [bench.binaries / "sluiced", "--config", config], stderr=output) as daemon:
        try:
            ready = None
            while True:
                if daemon.poll() is not None or time.monotonic() - began > PATIENCE:
                    sys.exit(f"the daemon did not come so far; see {log}")
                if ready is None:
                    ready = time.monotonic() - began if b" started: " in log.read_bytes() else None
                elif rejected() > before and _held(bench, config) == count:
                    break
                time.sleep(0.005 if ready is None else 0.5)
            held = time.monotonic() - began
            answers = {path: [_ask(bench.scratch / "http.sock", path) for _ in range(ASKED_TIMES)]
                       for path in ASKED}
            status = pathlib.Path(f"/proc/{daemon.pid}/status").read_text()
            peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024
        finally:
            daemon.send_signal(signal.SIGTERM)
    return _Run(held, ready, peak, answers)


def _ask(path: pathlib.Path, what: str) -> float:
    """Seconds from connecting to the last byte of an answer."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(path))
    connection.request("GET", what)
    connection.getresponse().read()
    connection.close()
    return time.monotonic() - began


def _held(bench, config: pathlib.Path) -> int:
    said = subprocess.run(
        [bench.binaries / "sluicectl", "status", "--json", "--config", config], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ)
    if not said.stdout:
        return 0
    return sum(each["held"]["objects"] for each in json.loads(said.stdout)["connectors"])
