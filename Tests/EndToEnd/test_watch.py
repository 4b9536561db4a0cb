"""The live screen: in terminals of all sizes, while the daemon comes and goes, and how it leaves the terminal."""

import re
import signal
import subprocess
from collections.abc import Iterator

import pytest

from installation import Installation, binary
from local_s3 import Keys
from terminal import Terminal

NOWHERE = "http://127.0.0.1:9"
KEYS = Keys("NOBODY", "secret")


@pytest.fixture
def watched(request: pytest.FixtureRequest, installation: Installation) -> Installation:
    """A daemon with one connector, or as many as the test asks for (`indirect`)."""
    for number in range(1, getattr(request, "param", 1) + 1):
        installation.connector(f"shop-{number:02}", f"bucket-{number:02}", NOWHERE, KEYS)
    installation.start()
    return installation


@pytest.fixture
def open_terminal(installation: Installation) -> Iterator:
    opened: list[Terminal] = []

    def open_one(*arguments: str, columns: int = 80, rows: int = 24) -> Terminal:
        command = [binary("sluicectl"), "status", "--watch", "--interval", "1",
                   "--config", installation.config, *arguments]
        opened.append(Terminal(command, {}, columns=columns, rows=rows))
        return opened[-1]

    yield open_one
    for terminal in opened:
        terminal.close()


@pytest.mark.parametrize("watched", [30], indirect=True)
def test_the_screen_fits_each_size_and_outlives_the_daemon(watched, open_terminal):
    terminal = open_terminal()
    terminal.wait_for("shop-01")
    assert terminal.is_other_screen and not terminal.has_cursor
    assert terminal.lines[0].startswith("○ 30 connectors: 30 never verified")
    terminal.wait_for("q quit  j k space scroll  every 1 s")
    assert re.search(r"^  rate  .* 0 events/s$", terminal.text, re.MULTILINE)
    assert re.search(r"^  disk    █*░* \d+% full, \d.* free$", terminal.text, re.MULTILINE)
    assert "shop-30" not in terminal.text

    terminal.type("G")
    terminal.wait_for("shop-30: never verified")
    terminal.type("\x1b[H")
    terminal.wait_for("shop-01    never verified")

    # What was drawn for the size before may come first.
    for columns, rows in [(20, 5), (40, 12), (132, 43)]:
        terminal.resize(columns, rows)
        terminal.wait_until(
            lambda: terminal.lines[0].startswith("○ 30 connectors") and not terminal.is_too_narrow
            and "q quit" in terminal.lines[-1], "it is drawn anew, and fits")

    (first,) = watched._daemons
    first.kill()
    terminal.wait_for("no answer since")
    assert "nobody listens there" in terminal.lines[0]
    watched.start()
    terminal.wait_until(lambda: terminal.lines[0].startswith("○ 30"), "it is told as before")

    terminal.type("q")
    assert terminal.wait() == 0
    assert terminal.is_as_before


@pytest.mark.parametrize("ending", [
    signal.SIGINT, signal.SIGTERM, signal.SIGHUP, "\x03",
], ids=["SIGINT", "SIGTERM", "SIGHUP", "Ctrl-C"])
def test_the_terminal_is_as_before_whatever_ends_it(watched, open_terminal, ending):
    terminal = open_terminal("shop-01")
    terminal.wait_for("objects go to: s3://bucket-01/")
    assert not terminal.is_as_before
    if isinstance(ending, str):
        terminal.type(ending)
        ending = signal.SIGINT
    else:
        terminal.signal(ending)
    assert terminal.wait() == -ending
    assert terminal.is_as_before


def test_it_gives_the_terminal_back_while_it_is_stopped(watched, open_terminal):
    terminal = open_terminal()
    terminal.wait_for("shop-01")
    for _ in range(2):
        terminal.type("\x1a")
        terminal.wait_stopped()
        assert terminal.is_as_before
        terminal.signal(signal.SIGCONT)
        terminal.wait_for("shop-01")
        assert terminal.is_other_screen and not terminal.is_as_before
    terminal.type("q")
    assert terminal.wait() == 0
    assert terminal.is_as_before


def test_what_cannot_be_watched_is_refused_in_a_sentence(installation, open_terminal):
    result = installation.sluicectl("status", "--watch")
    assert (result.returncode, result.stdout) == (64, "")
    assert "--watch draws on a terminal" in result.stderr
    terminal = open_terminal(columns=200)
    assert terminal.wait() == 75
    assert "there is no such socket" in terminal.text
    assert "1049" not in terminal.written
    installation.connector("orders", "bucket", NOWHERE, KEYS)
    installation.start()
    terminal = open_terminal("ordres")
    assert terminal.wait() == 1
    assert "sluiced has no connector \"ordres\"" in terminal.text


def test_it_sleeps_between_two_looks(watched, open_terminal):
    terminal = open_terminal("--interval", "60")
    terminal.wait_for("shop-01")

    def woken() -> int:
        (switches,) = [line for line in open(f"/proc/{terminal.pid}/status")
                       if line.startswith("voluntary_ctxt_switches")]
        return int(switches.split()[1])

    # What it had to do is done when it draws for another size.
    terminal.resize(81, 24)
    terminal.wait_for("shop-01")
    before = woken()
    subprocess.run([binary("sluicectl"), "status", "--config", watched.config], check=False,
                   capture_output=True)
    assert woken() - before < 20
