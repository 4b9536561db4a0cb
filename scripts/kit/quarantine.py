"""Reads what the daemon refused, from the spool's `quarantine/`."""

import json
import pathlib
import re
from typing import NamedTuple


class Line(NamedTuple):
    """A refused line: where it stood, why it was refused, by which connector (if by one), its bytes."""

    file: str
    number: int
    reason: str
    connector: str | None
    text: bytes


class File(NamedTuple):
    """A file that was refused whole: what it was called, why, and where it is now."""

    file: str
    reason: str
    path: pathlib.Path


def refused_lines(spool: pathlib.Path) -> list[Line]:
    lines = []
    for path in _ours(spool, "rejects"):
        with path.open("rb") as rejects:
            file = json.loads(rejects.readline())["file"]
            while head := rejects.readline():
                entry = json.loads(head)
                text = rejects.read(entry["bytes"])
                if rejects.read(1) != b"\n" or len(text) != entry["bytes"]:
                    raise ValueError(f"{path} is cut off")
                lines.append(Line(
                    file, entry["line"], entry["reason"], entry.get("connector"), text))
    return lines


def refused_files(spool: pathlib.Path) -> list[File]:
    files = []
    for note in _ours(spool, "reason"):
        text = dict(re.findall(r"^([a-z-]+): (.*)$", note.read_text(), re.MULTILINE))
        (kept,) = note.parent.glob(f"{note.stem},*-*")
        files.append(File(text["file"], text["reason"], kept))
    return files


def _ours(spool: pathlib.Path, ending: str) -> list[pathlib.Path]:
    """The daemon's own files; a producer may call a file `x.rejects`, which is kept as `<number>,_,0-x.rejects`."""
    return sorted(path for path in (spool / "quarantine").glob("*")
                  if re.fullmatch(rf"[0-9a-f]{{16}}\.{ending}", path.name))
