"""This tree and another revision, in turns: which is slower, beyond what chance makes of it."""

import os
import pathlib
import shutil
import statistics
import subprocess

import drains
import tables
from workplace import ROOT, Corpus, Workplace

NOISE = 0.02
"""Medians that differ by less say nothing, whatever the rounds say."""
COLUMNS = {"wall": "time", "cpu": "CPU", "peak_bytes": "memory", "bytes_out": "size"}


def compare(place: Workplace, revision: str, corpus: Corpus, names: list[str], rounds: int) -> bool:
    """Drains with both in turns and prints the ratios; false where this tree is slower, or something was lost."""
    ours, theirs = place.binaries, build(place, revision)
    forms = []
    for name in names:
        place.binaries = theirs
        if place.accepts(drains.FORMS[name].settings):
            forms.append(name)
        else:
            print(f"{drains.FORMS[name].name}: not known to {revision}")
    took: dict[str, list[tuple[dict, dict]]] = {name: [] for name in forms}
    whole = True
    for number in range(rounds):
        for name in forms:
            # Who goes first changes: what the one leaves warm or busy is not always the other's.
            pair = {}
            for binaries in (ours, theirs) if number % 2 == 0 else (theirs, ours):
                place.binaries = binaries
                pair[binaries] = drained = drains.drain(place, corpus, drains.FORMS[name])
                whole = whole and drained["whole"]
            took[name].append((pair[ours], pair[theirs]))
            print(f"Round {number + 1}, {drains.FORMS[name].name}: {pair[ours]['wall']:.2f} s here, "
                  f"{pair[theirs]['wall']:.2f} s at {revision}", flush=True)
    place.binaries = ours
    rows, slower = [], []
    for name, pairs in took.items():
        row = [drains.FORMS[name].name]
        for column in COLUMNS:
            ratios = [own[column] / other[column] for own, other in pairs]
            row.append(tables.spread(ratios, 3))
            verdict = judge(ratios)
            if verdict > 0 and column in ("wall", "cpu"):
                slower.append(f"{drains.FORMS[name].name}: {COLUMNS[column]} {verdict * 100:+.1f} %")
        rows.append(row)
    print("\n" + tables.shown([f"as multiples of {revision}", *COLUMNS.values()], rows))
    print(f"\nMedians of {rounds} rounds, and the lowest and highest; below 1 this tree is better.")
    print("Slower than that, beyond the noise: " + ("; ".join(slower) if slower else "nothing."))
    return whole and not slower


def judge(ratios: list[float]) -> float:
    """By how much the median is off 1; 0 where that may be chance: rounds on both sides, or too little."""
    middle = statistics.median(ratios) - 1
    same_side = all((ratio > 1) == (middle > 0) for ratio in ratios)
    return middle if same_side and abs(middle) > NOISE else 0


def build(place: Workplace, revision: str) -> pathlib.Path:
    """A release build of another revision, in a worktree that stays in the scratch directory."""
    name = subprocess.run(
        ["git", "-C", ROOT, "rev-parse", "--verify", f"{revision}^{{commit}}"], check=True, stdout=subprocess.PIPE,
        text=True).stdout.strip()
    tree = place.scratch / f"tree-{name[:12]}"
    if not tree.exists():
        subprocess.run(["git", "clone", "--quiet", "--shared", "--no-checkout", ROOT, tree], check=True)
        subprocess.run(["git", "-C", tree, "checkout", "--quiet", "--detach", name], check=True)
    # Both are built from the same versions of other packages, and these are not fetched again.
    if (ROOT / "Package.resolved").exists():
        shutil.copy(ROOT / "Package.resolved", tree)
    print(f"Building {revision} ({name[:12]})", flush=True)
    environment = {key: value for key, value in os.environ.items() if key != "SLUICE_BIN_DIR"}
    subprocess.run([tree / "scripts" / "build", "release", "--product", "sluiced"], check=True, env=environment,
                   stdout=subprocess.DEVNULL)
    subprocess.run([tree / "scripts" / "build", "release", "--product", "sluicectl"], check=True, env=environment,
                   stdout=subprocess.DEVNULL)
    return tree / ".build" / "release"
