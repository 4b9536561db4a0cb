"""Reads the pages of the manual: their sections, and the blocks of code in them."""

import re

from installation import ROOT


def block(page: str, heading: str, language: str = "") -> str:
    """The only block of a language below a heading of `docs/<page>`."""
    text = (ROOT / "docs" / page).read_text()
    (section,) = re.findall(rf"(?ms)^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text)
    (found,) = re.findall(rf"(?ms)^```{language}\n(.*?)^```$", section)
    return found


def sections(page: str, language: str) -> list[str]:
    """The headings of `docs/<page>` below which there is a block of a language."""
    text = (ROOT / "docs" / page).read_text()
    parts = re.findall(r"(?ms)^## ([^\n]*)\n(.*?)(?=^## |\Z)", text)
    return [heading for heading, section in parts if f"```{language}\n" in section]


def set_key(toml: str, key: str, value: object) -> str:
    """A file of a connector with a key of its first table changed, or added."""
    line = f'{key} = "{value}"\n'
    changed, times = re.subn(rf"(?m)^{key} = .*\n", lambda _: line, toml)
    return changed if times else line + toml

