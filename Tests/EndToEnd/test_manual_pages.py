"""The manual pages are read without a warning, and have every command, option and key that there is."""

import json
import re
import subprocess
import tomllib

import pytest

from installation import ROOT, binary

PAGES = sorted(path.name for path in (ROOT / "man").iterdir())


def read(page: str) -> str:
    """The text of a page as a terminal shows it, on one line."""
    result = subprocess.run(
        ["groff", "-mdoc", "-ww", "-Tutf8", ROOT / "man" / page], capture_output=True, text=True,
        check=True)
    assert result.stderr == ""
    plain = re.sub(r".\x08|\x1b\[\d*m", "", result.stdout)
    # Words are broken at hyphens, which groff adds (U+2010), and at those that were there.
    return re.sub(r"\s+", " ", re.sub(r"‐\n\s*", "", plain))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_read_without_warnings(page):
    assert "NAME" in read(page)


def _commands(command: dict, above: tuple[str, ...] = ()) -> dict[tuple[str, ...], set[str]]:
    """The long options of each subcommand that has no further ones, by its words."""
    below = [each for each in command.get("subcommands", []) if each["commandName"] != "help"]
    found = {}
    for each in below:
        found |= _commands(each, (*above, each["commandName"]))
    if not below:
        options = {name["name"] for argument in command.get("arguments", [])
                   for name in argument.get("names", []) if name["kind"] == "long"}
        found[above] = options - {"help", "version", "config"}
    return found


def test_sluicectl_1_has_every_subcommand_with_its_options():
    dump = subprocess.run(
        [binary("sluicectl"), "--experimental-dump-help"], capture_output=True, check=True)
    commands = _commands(json.loads(dump.stdout)["command"])
    assert len(commands) > 10
    source = (ROOT / "man" / "sluicectl.1").read_text()
    entries = re.findall(r"(?m)^\.It ((?:Ic|Fl) .*)$", source)
    for words, options in commands.items():
        entry = [each for each in entries if re.search(rf"\bIc {' '.join(words)}(?: |$)", each)]
        assert entry, f"sluicectl {' '.join(words)} is not in the manual"
        for option in options:
            assert re.search(rf"Fl -{option}\b", " ".join(entry)), (words, option)


def test_sluicectl_1_has_no_subcommand_that_is_not_there():
    dump = subprocess.run(
        [binary("sluicectl"), "--experimental-dump-help"], capture_output=True, check=True)
    there = {" ".join(words) for words in _commands(json.loads(dump.stdout)["command"])}
    source = (ROOT / "man" / "sluicectl.1").read_text()
    named = {words.strip() for line in re.findall(r"(?m)^\.It (Ic .*)$", source)
             for words in re.findall(r"Ic ([a-z -]+)", line)}
    assert named == there


def _keys(table: dict, above: str = "") -> set[str]:
    found = set()
    for key, value in table.items():
        # In these, the user chooses the keys.
        is_table = isinstance(value, dict) and key not in ("tags", "transform")
        found |= _keys(value, f"[{key}] ") if is_table else {f"{above}{key}"}
    return found


def _examples() -> set[str]:
    """Every key of the examples, also of lines that are commented out."""
    found = set()
    for file in ["sluice.toml", "connectors.d/orders.toml.example", "connectors.d/reports.toml.example"]:
        text = re.sub(r"(?m)^# (?=\w+ = )", "", (ROOT / "etc" / file).read_text())
        found |= _keys(tomllib.loads(text))
    return found


def test_sluice_toml_5_has_every_key_of_the_examples():
    source = (ROOT / "man" / "sluice.toml.5").read_text()
    table = ""
    documented = set()
    for line in source.splitlines():
        if heading := re.match(r"\.S[hs] (.*)", line):
            table = f"{heading[1]} " if heading[1].startswith("[") else ""
        elif item := re.match(r"\.It Li (.*)", line):
            documented |= {f"{table}{key}" for key in item[1].split(" , ")}
    missing = {key for key in _examples() if not key.endswith(("tags", "transform"))} - documented
    assert missing == set()
    assert "[transform]" in source and "tags" in source


def test_the_keys_of_the_manual_are_known():
    """Each is found in the readers of the configuration."""
    readers = "".join(path.read_text() for path in (ROOT / "Sources/Configuration").glob("*.swift"))
    source = (ROOT / "man" / "sluice.toml.5").read_text()
    items = re.findall(r"(?m)^\.It Li (.*)$", source)
    for key in (key for item in items for key in item.split(" , ")):
        assert f'"{key}"' in readers, key
