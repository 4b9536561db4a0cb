"""The tests that TESTING.md and SECURITY.md name are there."""

import pathlib
import re

import pytest

from installation import ROOT

HERE = pathlib.Path(__file__).parent


def functions(file: pathlib.Path) -> set[str]:
    return set(re.findall(r"^def (test_\w+)\(", file.read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", ["TESTING.md", "SECURITY.md"])
def test_each_test_that_a_page_names_exists(page):
    text = (ROOT / page).read_text()
    named = re.findall(r"`(test_\w+\.py)(?:::(test_\w+))?`", text)
    assert named
    missing = [f"{file}::{name}" for file, name in named
               if not (HERE / file).exists() or name and name not in functions(HERE / file)]
    assert missing == []
    suites = set(re.findall(r"`(\w+Tests)`", text))
    there = {path.stem for path in (ROOT / "Tests").rglob("*Tests.swift")} | {
        path.name for path in (ROOT / "Tests").iterdir()}
    assert suites - there == set()
    scripts = set(re.findall(r"`(scripts/[\w.]+)", text))
    assert {script for script in scripts if not (ROOT / script).exists()} == set()
