"""How fast a full spool is drained in each format, beside the floor of its codec."""

import shutil
import statistics
from typing import NamedTuple

import tables
from workplace import Corpus, Workplace

BLOCK = 256 << 10
"""Bytes of a container's block, of which the daemon makes as many."""


class Floor(NamedTuple):
    name: str
    options: tuple[str | int, ...]
    is_encoded: bool = False
    """Compresses what the events are in Avro, a block at a time."""
    stores: bool = True


class Form(NamedTuple):
    name: str
    format: str
    settings: str
    floor: str
    """The one of FLOORS that it is compared with."""


FLOORS = {
    "zlib alone": Floor("floor: zlib 6 alone", ("--codec", "zlib", "--level", 6), stores=False),
    "zlib": Floor("floor: zlib 6, SHA-256, PUT", ("--codec", "zlib", "--level", 6)),
    "libdeflate": Floor("floor: libdeflate 6, …", ("--codec", "libdeflate", "--level", 6)),
    "zstd": Floor("floor: zstd 1, …", ("--codec", "zstd", "--level", 1)),
    "avro zlib": Floor(
        "floor: encoded, zlib 6, …", ("--codec", "zlib", "--level", 6, "--block", BLOCK), is_encoded=True),
    "avro libdeflate": Floor(
        "floor: encoded, libdeflate 6, …", ("--codec", "libdeflate", "--level", 6, "--block", BLOCK),
        is_encoded=True),
    "avro zstd": Floor(
        "floor: encoded, zstd 1, …", ("--codec", "zstd", "--level", 1, "--block", BLOCK), is_encoded=True),
}
FORMS = {
    "jsonl": Form("sluiced, JSON Lines, gzip", "jsonl", 'format = "jsonl"\n', "zlib"),
    "jsonl-zstd": Form(
        "sluiced, JSON Lines, zstd", "jsonl", 'format = "jsonl"\ncompression = "zstd"\n', "zstd"),
    "avro": Form("sluiced, Avro, deflate", "avro", 'format = "avro"\n', "avro libdeflate"),
    "avro-zstd": Form(
        "sluiced, Avro, zstandard", "avro", 'format = "avro"\ncompression = "zstandard"\n', "avro zstd"),
}
BESIDE = {"jsonl": ["zlib alone", "libdeflate"], "avro": ["avro zlib"]}
"""Floors that are measured beside the one of a form."""
HEADS = ["", "events/s", "CPU µs/event", "memory", "descriptors", "objects", "MB out", "speed", "CPU", "size"]


class Drains:
    def __init__(self, place: Workplace, corpus: Corpus, names: list[str]):
        self.place = place
        self.corpus = corpus
        self.forms = {name: FORMS[name] for name in names}
        for name in [name for name, form in self.forms.items() if not place.accepts(form.settings)]:
            print(f"{self.forms.pop(name).name}: not known to this revision")
        wanted = {form.floor for form in self.forms.values()} | {
            beside for name in self.forms for beside in BESIDE.get(name, [])}
        self.floors = {name: floor for name, floor in FLOORS.items() if name in wanted}
        self.encoded = (
            place.encoded(corpus) if any(floor.is_encoded for floor in self.floors.values()) else None)
        self.rounds: list[dict[str, dict]] = []

    def run(self, rounds: int) -> bool:
        """Floors and drains in turns; whether all that was stored is what went in."""
        whole = True
        for number in range(rounds):
            took = {
                name: self.place.floor(
                    self.encoded if floor.is_encoded else self.corpus, *floor.options, stores=floor.stores)
                for name, floor in self.floors.items()}
            for name, form in self.forms.items():
                took[name] = drained = drain(self.place, self.corpus, form)
                whole = whole and drained["whole"]
                print(f"Round {number + 1}, {form.name}: {drained['wall']:.2f} s; verified: {drained['said']}",
                      flush=True)
            self.rounds.append(took)
        return whole

    def ratios(self, form: str, column: str, floor: str | None = None) -> list[float]:
        """To the floor of the form, in each round; of "speed" the larger is the better."""
        floor = floor or self.forms[form].floor
        found = [each[form]["wall" if column == "speed" else column]
                 / each[floor]["wall" if column == "speed" else column] for each in self.rounds]
        return [1 / each for each in found] if column == "speed" else found

    def median(self, name: str, column: str) -> float:
        return statistics.median(each[name][column] for each in self.rounds)

    def rows(self) -> list[list[str]]:
        rows = []
        for name, about in [*self.floors.items(), *self.forms.items()]:
            events = self.corpus.events
            row = [
                about.name, tables.rate(events / self.median(name, "wall")),
                f"{self.median(name, 'cpu') / events * 1e6:.2f}", tables.mebibytes(self.median(name, "peak_bytes")),
                f"{self.median(name, 'descriptors'):.0f}", tables.rate(self.median(name, "objects")),
                f"{self.median(name, 'bytes_out') / 1e6:.1f}"]
            if name in self.forms:
                row += [tables.spread(self.ratios(name, column)) for column in ("speed", "cpu", "bytes_out")]
            else:
                row += ["", "", ""]
            rows.append(row)
        return rows

    NOTE = ("speed, CPU and size: as multiples of the floor of the same codec and level, in the same round: "
            "medians, and in\nparentheses the lowest and highest.")

    def table(self) -> str:
        return (f"\n{tables.shown(HEADS, self.rows())}\n\nMedians of {len(self.rounds)} rounds; peak memory and "
                f"descriptors of one process. The last columns:\n{self.NOTE} Compare only within one run.")


def drain(place: Workplace, corpus: Corpus, form: Form, tables_of: str = "") -> dict:
    """Drains a spool that is full at the start, and compares what came out with what went in."""
    with place.sink(corpus.bytes) as sink:
        took = place.drain(place.fill(corpus, sink.port, form.settings, tables_of))
        sizes = [size for _, size, _ in sink.rows()]
        took |= {"bytes_out": sum(sizes), "objects": len(sizes)} | place.verify(corpus, sink, form.format)
    shutil.rmtree(place.spool)
    return took
