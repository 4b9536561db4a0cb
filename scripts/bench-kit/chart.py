"""The chart of docs/performance.svg: events a second in each format, and the floor of each.

Its colours follow the reader's light or dark scheme, its background is theirs.
"""

from html import escape

import drains

WIDTH, LEFT, RIGHT, ROW, BAR, TOP = 760, 190, 90, 46, 20, 46
_STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.faint { fill: #59636e; } .axis { stroke: #d1d9e0; }
.bar { fill: #0969da; } .floor { stroke: #bc4c00; stroke-width: 3; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; } .faint { fill: #9198a1; } .axis { stroke: #3d444d; }
  .bar { fill: #4493f8; } .floor { stroke: #f0883e; }
}"""


def draw(measured: drains.Drains) -> str:
    events = measured.corpus.events
    bars = [(form.name.removeprefix("sluiced, "), events / measured.median(name, "wall"),
             events / measured.median(form.floor, "wall"), measured.floors[form.floor].name)
            for name, form in measured.forms.items()]
    step = _step(max(max(own, floor) for _, own, floor, _ in bars))
    most = (int(max(max(own, floor) for _, own, floor, _ in bars) / step) + 1) * step
    height = TOP + ROW * len(bars) + 34

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * value / most

    title = "Events a second, and the floor of each codec"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}">', f"<title>{escape(title)}</title>", f"<style>{_STYLE}</style>",
        f'<rect class="bar" x="{LEFT}" y="14" width="12" height="12"/><text x="{LEFT + 18}" y="25">sluiced</text>',
        f'<line class="floor" x1="{LEFT + 106}" x2="{LEFT + 106}" y1="12" y2="28"/>'
        f'<text x="{LEFT + 116}" y="25">floor: read, compress, hash and store, and nothing else</text>']
    for number in range(int(most / step) + 1):
        at, label = x(number * step), f"{number * step / 1000:,.0f}k" if number else "0"
        lines.append(f'<line class="axis" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP - 6}" y2="{height - 28}"/>'
                     f'<text class="faint" x="{at:.1f}" y="{height - 10}" text-anchor="middle">{label}</text>')
    for number, (name, own, floor, floor_name) in enumerate(bars):
        y = TOP + ROW * number + (ROW - BAR) / 2 - 4
        codec = floor_name.removeprefix("floor: ").removeprefix("encoded, ").split(",")[0]
        lines += [
            f'<text x="{LEFT - 10}" y="{y + 9:.1f}" text-anchor="end">{escape(name)}</text>',
            f'<text class="faint" x="{LEFT - 10}" y="{y + 25:.1f}" text-anchor="end">{escape(codec)}</text>',
            f'<rect class="bar" x="{LEFT}" y="{y}" width="{x(own) - LEFT:.1f}" height="{BAR}"/>',
            f'<line class="floor" x1="{x(floor):.1f}" x2="{x(floor):.1f}" y1="{y - 5}" y2="{y + BAR + 5}"/>',
            f'<text x="{x(max(own, floor)) + 8:.1f}" y="{y + 15:.1f}">{own / 1000:,.0f}k</text>']
    return "\n".join([*lines, "</svg>"]) + "\n"


def _step(most: float) -> int:
    """Of the round numbers that which makes about five parts."""
    return min((base * 10**power for power in range(3, 8) for base in (1, 2, 5)),
               key=lambda step: abs(most / step - 5))
