"""What stays flat: very many files, event types, connectors, and one very large file."""

import json
import shutil
import subprocess
from typing import NamedTuple

from drains import FLOORS, FORMS, drain
from running import Running
from workplace import Corpus, Workplace

FORM = FORMS["jsonl"]
OPEN = "[batch]\nmax_age = \"1h\"\n"
"""Batches stay open until nothing is left to be read."""
IDLE_SECONDS = 10


class Drained(NamedTuple):
    took: dict
    """By the daemon."""
    floor: dict

    def speed(self) -> float:
        return self.floor["wall"] / self.took["wall"]


def streams(place: Workplace, count: int, events: int, seed: int) -> Drained:
    """Events of so many types, each type's far apart: all of their batches are open at once."""
    corpus = place.corpus(events, files=10, connectors=1, streams=count, seed=seed)
    floor = place.floor(corpus, *FLOORS[FORM.floor].options)
    return Drained(drain(place, corpus, FORM, OPEN), floor)


def large_file(place: Workplace, size: int, events: int, seed: int) -> Drained:
    """One event file of about so many bytes: a corpus, as often as that takes."""
    corpus = place.corpus(events, files=1, connectors=1, seed=seed)
    copies = max(1, round(size / corpus.bytes))
    large = Corpus(place.scratch / "large", corpus.events * copies, corpus.bytes * copies)
    shutil.rmtree(large.directory, ignore_errors=True)
    (large.directory / "connector-1").mkdir(parents=True)
    (source,) = (corpus.directory / "connector-1").iterdir()
    file = large.directory / "connector-1" / source.name
    with file.open("wb") as output:
        for _ in range(copies):
            with source.open("rb") as text:
                shutil.copyfileobj(text, output, 1 << 20)
    floor = place.floor(large, *FLOORS[FORM.floor].options)
    with place.sink(large.bytes // 5) as sink:
        config = place.configure(["connector-1"], sink.port, FORM.settings)
        file.rename(place.spool / "incoming" / "connector-1" / file.name)
        place.settle_disk()
        took = place.drain(config)
        took |= place.verify(corpus, sink, FORM.format, copies)
    shutil.rmtree(place.spool)
    shutil.rmtree(large.directory)
    return Drained(took | {"events": large.events, "bytes": large.bytes}, floor)


class Files(NamedTuple):
    took: dict
    names: dict
    """What renaming and unlinking as many files takes the file system alone: `seconds`, and `cpu` of them."""


def files(place: Workplace, count: int, seed: int) -> Files:
    """As many files of one event each."""
    corpus = place.corpus(count, seed=seed)
    beside = place.scratch / "names-beside"
    beside.mkdir(exist_ok=True)
    names = json.loads(subprocess.run(
        [place.scratch / "names", beside, str(count)], check=True, stdout=subprocess.PIPE).stdout)
    with place.sink(corpus.bytes) as sink:
        config = place.configure(corpus.connectors, sink.port, FORM.settings)
        for connector in corpus.connectors:
            _scatter(place, corpus, connector)
        place.settle_disk()
        took = place.drain(config)
        took |= place.verify(corpus, sink, FORM.format)
    shutil.rmtree(place.spool)
    return Files(took, names)


def _scatter(place: Workplace, corpus: Corpus, connector: str) -> None:
    subprocess.run(
        [place.scratch / "scatter", "1", place.spool / "incoming" / connector,
         *sorted((corpus.directory / connector).iterdir())], check=True)


class Connectors(NamedTuple):
    drained: Drained
    ready: float
    reload: float
    idle_cpu: float
    """The share of one processor."""
    idle_bytes: int
    idle_descriptors: int
    peak_bytes: int
    """Of the process that started, reloaded and rested."""


def connectors(place: Workplace, count: int, events: int, seed: int) -> Connectors:
    """So many connectors, of which each gets a file; then how they rest, and how long a start and a reload take."""
    corpus = place.corpus(events, files=count, connectors=count, seed=seed)
    floor = place.floor(corpus, *FLOORS[FORM.floor].options)
    drained = Drained(drain(place, corpus, FORM), floor)
    with place.sink(0) as sink:
        config = place.configure(corpus.connectors, sink.port, FORM.settings)
        with Running(place, config) as daemon:
            ready = daemon.wait_until_ready()
            # Each connector's bucket is asked for at the start.
            daemon.wait(lambda: _rests(daemon), every=1)
            reload = daemon.reload()
            daemon.wait(lambda: _rests(daemon), every=1)
            return Connectors(
                drained, ready, reload, daemon.idle_cpu(IDLE_SECONDS), daemon.memory("VmRSS"), daemon.descriptors(),
                daemon.memory())


def _rests(daemon: Running) -> bool:
    return daemon.idle_cpu(1) < 0.02
