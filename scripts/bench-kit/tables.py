"""Tables, on a terminal and in Markdown."""

import statistics
from collections.abc import Iterable


def shown(heads: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                  for i, (cell, width) in enumerate(zip(row, widths)))
        for row in [heads, *rows])


def markdown(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def spread(values: Iterable[float], digits: int = 2) -> str:
    """The median, and the lowest and highest where there are more."""
    values = sorted(values)
    middle = f"{statistics.median(values):.{digits}f}"
    return middle if len(values) == 1 else f"{middle} ({values[0]:.{digits}f}–{values[-1]:.{digits}f})"


def rate(value: float) -> str:
    return f"{value:,.0f}"


def mebibytes(value: float) -> str:
    return f"{value / 2**20:.1f} MiB"
