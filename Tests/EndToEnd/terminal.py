"""A program at a terminal of its own, and what somebody would see there."""

import fcntl
import os
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable

_SEQUENCE = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])")


class Terminal:
    """Understands what our programs write: text, lines, colours, clearing, and another screen."""

    def __init__(
        self, command: list, environment: dict[str, str], *, columns: int = 80, rows: int = 24,
        is_ours: bool = True
    ):
        """What is not ours may write what is not understood; only `written` counts then."""
        self.columns, self.rows, self._is_ours = columns, rows, is_ours
        self.is_other_screen = False
        self.has_cursor = True
        self.wraps = True
        self.is_too_narrow = False
        """For a line since the cursor was at home; what does not fit is lost."""
        self.written = ""
        """All that was ever written."""
        self.status: int | None = None
        """As os.waitstatus_to_exitcode tells it."""
        self._pending = b""
        self._clear()
        self._file, self._other_end = os.openpty()
        self._set_size()
        self.modes = termios.tcgetattr(self._file)
        self.pid = os.fork()
        if self.pid == 0:
            os.login_tty(self._other_end)
            os.execvpe(str(command[0]), [str(word) for word in command],
                       {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **environment})

    # Doing.

    def type(self, text: str) -> None:
        os.write(self._file, text.encode())

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def resize(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._clear()
        self._set_size()

    def _set_size(self) -> None:
        size = struct.pack("HHHH", self.rows, self.columns, 0, 0)
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, size)

    def close(self) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._file)
        os.close(self._other_end)

    # Seeing.

    @property
    def lines(self) -> list[str]:
        return ["".join(line).rstrip() for line in self._cells]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def is_as_before(self) -> bool:
        """The main screen, with its cursor, and keys as they were."""
        return (termios.tcgetattr(self._file) == self.modes and self.has_cursor and self.wraps
                and not self.is_other_screen)

    def wait_until(
        self, condition: Callable[[], object], what: str, *, seconds: float = 20
    ) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}\n{self.text}"
            self._read(0.05)

    def wait_for(self, text: str, **limits: float) -> None:
        self.wait_until(lambda: text in self.text, f"\"{text}\" is seen", **limits)

    def wait(self, seconds: float = 20) -> int:
        """Waits for the program's end; negative after a signal."""
        self.wait_until(self._has_ended, "it ends", seconds=seconds)
        while self._read(0.05):
            pass
        return self.status

    def wait_stopped(self) -> None:
        def is_stopped() -> bool:
            found, status = os.waitpid(self.pid, os.WNOHANG | os.WUNTRACED)
            return bool(found) and os.WIFSTOPPED(status)
        self.wait_until(is_stopped, "it stops")
        while self._read(0.05):
            pass

    def _has_ended(self) -> bool:
        if self.status is None:
            found, status = os.waitpid(self.pid, os.WNOHANG)
            if found:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def _read(self, seconds: float) -> bool:
        if not select.select([self._file], [], [], seconds)[0]:
            return False
        self._pending += os.read(self._file, 1 << 16)
        text = self._pending.decode(errors="ignore")
        # A sequence or a character may be in two pieces.
        cut = re.search(r"\x1b(\[[?\d;]*)?$", text)
        text = text[:cut.start()] if cut else text
        self._pending = self._pending[len(text.encode()):]
        self.written += text
        self._show(text)
        return True

    # What is written.

    def _clear(self) -> None:
        self._cells = [[" "] * self.columns for _ in range(self.rows)]
        self._row = self._column = 0

    def _show(self, text: str) -> None:
        at = 0
        while at < len(text):
            if sequence := _SEQUENCE.match(text, at):
                self._obey(*sequence.groups())
                at = sequence.end()
                continue
            self._put(text[at])
            at += 1

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._row += 1
            if self._row == self.rows:
                self._cells = self._cells[1:] + [[" "] * self.columns]
                self._row -= 1
        elif character >= " ":
            if self._column == self.columns:
                if not self.wraps:
                    self.is_too_narrow = True
                    return
                self._put("\r")
                self._put("\n")
            self._cells[self._row][self._column] = character
            self._column += 1

    def _obey(self, arguments: str, letter: str) -> None:
        rest = [" "] * (self.columns - self._column)
        match letter, arguments:
            case "H", "":
                self._row = self._column = 0
                self.is_too_narrow = False
            case "K", "":
                self._cells[self._row][self._column:] = rest
            case "J", "":
                self._cells[self._row][self._column:] = rest
                for row in range(self._row + 1, self.rows):
                    self._cells[row] = [" "] * self.columns
            case "h" | "l", "?1049":
                self.is_other_screen = letter == "h"
                self._clear()
            case "h" | "l", "?25":
                self.has_cursor = letter == "h"
            case "h" | "l", "?7":
                self.wraps = letter == "h"
            case "m", _:
                pass
            case "h" | "l", "?2026" | "?2004":
                pass
            case _ if self._is_ours:
                raise AssertionError(f"an unknown sequence: {arguments}{letter}")
