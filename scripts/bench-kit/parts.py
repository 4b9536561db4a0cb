"""What was measured, as people read it: a line on the terminal, and a part of docs/performance.md."""

import statistics
from typing import NamedTuple

import drains as measuring
import tables
from exports import Exports
from held import Start
from latency import Latency
from scale import Connectors, Drained, Files


class Part(NamedTuple):
    name: str
    text: str
    """Markdown; it stands in the document between the marks of its name."""
    whole: bool = True
    """Whether what was stored is what went in."""


def _told(name: str, text: str, took: dict | None = None) -> Part:
    if took is not None:
        text += f" Verified: {took['said']}."
    print("\n" + text.replace("**", ""), flush=True)
    return Part(name, text, took is None or took["whole"])


def drains(measured: measuring.Drains) -> str:
    return ("![Events a second in each format, and the floor of each codec](performance.svg)\n\n"
            f"{tables.markdown(measuring.HEADS, measured.rows())}\n\n{measured.corpus.events:,} events of "
            f"{measured.corpus.bytes / measured.corpus.events:.0f} bytes; medians of {len(measured.rounds)} rounds, "
            f"memory and descriptors the most that one process had. "
            f"{measuring.Drains.NOTE.replace(chr(10), ' ')} Every round was verified: nothing lost, nothing doubled.")


def latency(measured: Latency, rate: int) -> str:
    return _told(
        "latency",
        f"**{rate:,} files of one event a second, `max_age = \"1s\"`**, from the rename into the spool until the object "
        f"is stored, of {measured.events:,} events: median {measured.at(0.5):.2f} s, p99 {measured.at(0.99):.2f} s, "
        f"slowest {measured.at(1):.2f} s.").text


def files(measured: Files, count: int) -> Part:
    own, names = count / measured.took["wall"], count / measured.names["seconds"]
    return _told(
        "files",
        f"**{count:,} files of one event each**: {own:,.0f} files/s, {own / names:.2f} of what the file system takes "
        f"to rename and unlink as many on one thread ({names:,.0f} files/s); "
        f"{measured.took['cpu'] / count * 1e6:.1f} µs of CPU a file (renaming and unlinking alone "
        f"{measured.names['cpu'] / count * 1e6:.1f}); {tables.mebibytes(measured.took['peak_bytes'])}.",
        measured.took)


def streams(measured: Drained, count: int, events: int) -> Part:
    took = measured.took
    return _told(
        "streams",
        f"**{events:,} events of {count:,} types, all batches open at once**: {events / took['wall']:,.0f} events/s, "
        f"{measured.speed():.2f} of the zlib 6 floor; {tables.mebibytes(took['peak_bytes'])}; {took['objects']:,} objects "
        f"of {took['bytes_out'] / took['objects'] / 1000:.1f} kB.", took)


def connectors(measured: Connectors, count: int, events: int) -> list[Part]:
    took = measured.drained.took
    return [
        _told(
            "connectors",
            f"**{events:,} events for {count:,} connectors**: {events / took['wall']:,.0f} events/s, "
            f"{measured.drained.speed():.2f} of the zlib 6 floor; {tables.mebibytes(took['peak_bytes'])}, "
            f"{took['descriptors']} descriptors, {took['objects']:,} objects.", took),
        _told(
            "idle connectors",
            f"**{count:,} connectors at rest**: ready {measured.ready:.2f} s after the start, reloaded in "
            f"{measured.reload:.2f} s; then {measured.idle_cpu * 100:.2f} % of one processor, "
            f"{tables.mebibytes(measured.idle_bytes)} (peak {tables.mebibytes(measured.peak_bytes)}), "
            f"{measured.idle_descriptors} descriptors."),
    ]


def large(measured: Drained) -> Part:
    took = measured.took
    return _told(
        "large",
        f"**One file of {took['bytes'] / 1e9:.1f} GB**: {took['events'] / took['wall']:,.0f} events/s, "
        f"{measured.speed():.2f} of the zlib 6 floor; {tables.mebibytes(took['peak_bytes'])}.", took)


def exports(measured: Exports) -> Part:
    daemon = [each.daemon for each in measured.rounds]
    ratio = statistics.median(each.aws["wall"] / each.daemon["wall"] for each in measured.rounds)
    cpu = statistics.median(each.daemon["cpu"] / each.aws["cpu"] for each in measured.rounds)
    seconds = statistics.median(each["wall"] for each in daemon)
    return _told(
        "exports",
        f"**One file of {measured.size / (1 << 30):.1f} GiB as it is**, from `incoming/` to the end: "
        f"{measured.size / seconds / 1e6:,.0f} MB/s, {ratio:.2f} of the speed of `aws s3 cp` with {cpu:.2f} of its "
        f"CPU; {tables.mebibytes(max(each['peak_bytes'] for each in daemon))} (`aws s3 cp` "
        f"{tables.mebibytes(max(each.aws['peak_bytes'] for each in measured.rounds))}). Medians of "
        f"{len(measured.rounds)} rounds in turns; the SHA-256 of each object was compared: "
        f"{'equal' if measured.whole else 'NOT EQUAL'}.")._replace(whole=measured.whole)


def held(starts: list[Start], count: int) -> Part:
    return _told(
        "held",
        f"**A start with {count:,} held objects**: ready after {statistics.median(s.ready for s in starts):.1f} s, "
        f"{tables.mebibytes(max(s.peak_bytes for s in starts))}; the slowest answer of `/status` meanwhile took "
        f"{max(max(s.starting) for s in starts) * 1000:.0f} ms, of all answers after that "
        f"{max(max(times) for s in starts for times in s.answers.values()) * 1000:.0f} ms.")
