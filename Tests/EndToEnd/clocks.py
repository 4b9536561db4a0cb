"""Fixtures: clocks of the daemon that jump, as on a machine whose date is set, or that sleeps."""

import pathlib
import subprocess

import pytest

SOURCE = pathlib.Path(__file__).with_name("lab") / "wallclock.c"


@pytest.fixture(scope="session")
def library(tmp_path_factory) -> pathlib.Path:
    built = tmp_path_factory.mktemp("wallclock") / "wallclock.so"
    subprocess.run(
        ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", built, SOURCE,
         "-ldl"], check=True)
    return built


class WallClock:
    """The daemon's clocks; they may jump at any time."""

    def __init__(self, file: pathlib.Path):
        self._file = file
        self._set = self._slept = 0
        self._write()

    def move(self, seconds: int) -> None:
        """Somebody sets the date: only the wall clock stands so far from where it stood at first."""
        self._set = seconds
        self._write()

    def sleep(self, seconds: int) -> None:
        """The machine is suspended for so long, and awake again."""
        self._slept += seconds
        self._write()

    def _write(self) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(f"{self._set} {self._slept}")
        new.rename(self._file)


@pytest.fixture
def wall_clock(installation, library) -> WallClock:
    file = installation.directory / "wallclock"
    installation.environment |= {"LD_PRELOAD": str(library), "WALLCLOCK_OFFSET": str(file)}
    return WallClock(file)
