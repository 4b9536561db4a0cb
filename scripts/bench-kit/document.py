"""What was measured, in docs/: parts of performance.md, each behind a mark with its name, and the chart."""

import datetime
import os
import pathlib
import platform
import re
import subprocess

import chart
import drains
from workplace import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"
CHART = ROOT / "docs" / "performance.svg"
BEGIN, END = "<!-- scripts/bench writes from here -->\n", "<!-- to here -->"
ORDER = ["machine", "drains", "latency", "files", "streams", "connectors", "idle connectors", "large", "exports", "held"]
_MARK = re.compile(r"<!-- bench: ([a-z ]+) -->\n")


class Document:
    def __init__(self) -> None:
        self.parts: dict[str, str] = {}
        self.picture: str | None = None

    def take(self, name: str, text: str) -> None:
        self.parts[name] = text

    def draw(self, measured: drains.Drains) -> None:
        self.picture = chart.draw(measured)

    def write(self) -> None:
        """Replaces what was measured anew; what was not stays."""
        head, _, rest = DOCUMENT.read_text().partition(BEGIN)
        written, found, tail = rest.partition(END)
        if not found:
            raise SystemExit(f"{DOCUMENT} has no place for what was measured: {BEGIN.strip()} … {END}")
        pieces = _MARK.split(written)
        parts = dict(zip(pieces[1::2], (text.strip() for text in pieces[2::2])))
        parts |= {name: f"{text} ({_when()}.)" for name, text in self.parts.items()}
        parts["machine"] = machine()
        listed = "".join(f"<!-- bench: {name} -->\n{parts[name]}\n\n" for name in ORDER if name in parts)
        DOCUMENT.write_text(head + BEGIN + "## Measured\n\n" + listed + END + tail)
        if self.picture:
            CHART.write_text(self.picture)
        print(f"\nWritten into {DOCUMENT.relative_to(ROOT)}: {', '.join(self.parts)}")


def _when() -> str:
    revision = subprocess.run(
        ["git", "-C", ROOT, "describe", "--always", "--dirty"], stdout=subprocess.PIPE, text=True).stdout.strip()
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return f"{today}, revision {revision or 'unknown'}; load {os.getloadavg()[2]:.1f}"


def machine() -> str:
    info = pathlib.Path("/proc/cpuinfo").read_text()
    name = re.search(r"model name\s*: (.+)", info)
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) / 2**20
    return (f"The machine: {os.cpu_count()} processors ({name[1] if name else platform.machine()}), {memory:.0f} GiB of "
            f"memory, {platform.system()} {platform.release()}. The load is the kernel's average over the quarter of an hour "
            "before the end, with the benchmark's own: what is much above the number of processors comes of others, who "
            "disturb all figures but the ratios.")
