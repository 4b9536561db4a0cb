"""Fails the calls that a daemon makes on its spool, by `lab/faults.c`, as a script says."""

import os
import pathlib
import subprocess
from typing import NamedTuple

import pytest

SOURCE = pathlib.Path(__file__).with_name("lab") / "faults.c"
FOR_EVER = -1
THOROUGH = bool(os.environ.get("SLUICE_THOROUGH"))
"""Each fault is met once, a few times and for long, instead of in one of these ways; more power is cut."""


class Rule(NamedTuple):
    """What happens to which calls: see `lab/faults.c`. The action is an errno or one of the words there."""

    action: int | str
    operation: str
    pattern: str = "*"
    first: int = 1
    times: int = FOR_EVER

    def __str__(self) -> str:
        return f"{self.action} {self.operation} {self.first} {self.times} {self.pattern}"


class Call(NamedTuple):
    """A call that a rule acted on."""

    time: float
    action: int | str
    operation: str
    path: str

    @property
    def is_fault(self) -> bool:
        return self.action != "note"

    @property
    def shown(self) -> str:
        """What the daemon says when it failed."""
        return self.path.split(" -> ")[0].removesuffix(" (to write)")


class Faults:
    """The script of one installation's daemons, and the log of what it did to them."""

    def __init__(self, library: pathlib.Path, directory: pathlib.Path, root: pathlib.Path):
        self._script = directory / "faults"
        self._log = directory / "faults.log"
        self._changes = 0
        self.environment = {
            "LD_PRELOAD": str(library), "FAULTS_ROOT": str(root),
            "FAULTS_SCRIPT": str(self._script), "FAULTS_LOG": str(self._log),
        }
        self.script()

    def script(self, *rules: Rule) -> None:
        """The faults from now on. Calls are counted anew, even where the rules are the same."""
        self._changes += 1
        new = self._script.with_suffix(".new")
        new.write_text("\n".join([f"# {self._changes}", *map(str, rules)]) + "\n")
        new.rename(self._script)

    def mend(self) -> None:
        self.script()

    def log(self) -> list[Call]:
        """All calls that a rule acted on, in order."""
        if not self._log.exists():
            return []
        entries = [line.split(" ", 3) for line in self._log.read_text().splitlines()]
        return [Call(float(time), int(action) if action.isdigit() else action, operation, path)
                for time, action, operation, path in entries]

    def hits(self) -> list[Call]:
        """Those that failed, or ended the process."""
        return [call for call in self.log() if call.is_fault]


@pytest.fixture(scope="session")
def faults_library(tmp_path_factory) -> pathlib.Path:
    built = tmp_path_factory.mktemp("faults") / "faults.so"
    subprocess.run(
        ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", built, SOURCE],
        check=True)
    return built


@pytest.fixture
def faults(installation, faults_library) -> Faults:
    """Daemons of this installation meet what it scripts."""
    made = Faults(faults_library, installation.directory, installation.spool)
    installation.environment |= made.environment
    return made
