"""A running sluiced, seen through its exit status, its log lines and /proc."""

import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

KINDS = {
    "started": "13b095731ad441f4910a92cfbed54827",
    "start refused": "26026fa00e404b099bf5cf5f79f01401",
    "stopping": "a89ccad9ff6f492aa2b0a09d4f317b5d",
    "reloaded": "d06e68ae51c34629938f5b085c660d60",
    "reload refused": "8b0923bc6f5e4a2cba2e5e04414ee998",
    "connector verified": "f11a3eddc96b4a5b9ee6513ea49ba564",
    "object delivered": "99f1507b5e604f21806ef3e8859b2a8d",
    "file removed": "741f1ef6b32742b38deccde9af0b1ca2",
    "file not removed": "515a256af1d64d5fa8a38799eda5b49d",
    "credentials failing": "1c91511540884dcaa8bc043551b1a176",
    "credentials recovered": "9f8d3b0aaef6489c94a4f621b4056da2",
    "credentials still failing": "4a4e0df1ce9f47c4991fc5ca9917ef23",
    "credentials pending": "f0173d39255c445db2dc27e595c6814d",
    "events dropped": "afce88b8a4924d559d83d58c1d1398f4",
    "events archived": "a84b668761ba4c2fb0c5cd4bd443cfe8",
    "events discarded": "550233cbfde545e1b5960ba2bdabec0e",
    "connector paused": "375fa1b3d2c74023bb226c91d3c56730",
    "connector resumed": "d9e3ceac57c74b1e8227c3899261d83d",
    "connector not verified": "5f05b9fa0a7a4e36b9f59120bfb8f43c",
    "drops held off": "55750b6b231b4f97aeb25365b7c8689c",
    "credentials unavailable": "87965843b44444f497eac5bb5ee909fe",
    "destination misconfigured": "1fc0a90709da4337b9b916ba5e193b1d",
    "unreachable": "5f2bcb6dc5eb48548c03cf8ba8ed8f04",
    "reachable": "883b60383489499c9e5e00406d0e5d83",
    "throttled": "bf82614d9b4a4815b0c3d585ea632fcb",
    "clock corrected": "bef975a7d465414c9519bae5a643e465",
    "conditional writes refused": "994148aa34b44c1ea9ff16b593b0acb4",
    "parts left": "a37b08886da24802b41dbf0aea885a21",
    "batch held": "ed8d44946139419aa3f5208c03b27e88",
    "identity conflict": "7b82412c3e0c41f89cea144350183ce3",
    "file quarantined": "c5f73eaf861244f8891aa9ec7071ba54",
    "events discarded": "550233cbfde545e1b5960ba2bdabec0e",
    "events quarantined": "6bd23119b69b4577b5debda2ce54b2c6",
    "quarantine retried": "39f1339e07924df7a977732f38d10fd9",
    "quarantine discarded": "f64ab8cd925540b4b3e4ce4eaf7510dd",
    "file unreadable": "69b61d0ac7d44cf9a00a15733117809e",
    "file waiting": "0820c15108514be8abb388d7fc5df85d",
    "leases unavailable": "87b1e3792c9348c3acd692302712f407",
    "intake waiting": "5a2a701762af4d3286dd28e6ca39c630",
    "intake resumed": "764a50cc84844dce809fee05cb0c476a",
    "intake failed": "8caa5dfd114d43e9b54546e2229c8b15",
    "spool failing": "a365f31034c14766a71863c6c79a26b5",
    "spool damaged": "27059b44689b43cab1bf51520050e46a",
    "spool restored": "1adeefe03a4647e6800b553401670273",
    "lines lost": "17ab7ae458704f21867d25141b6ec9ed",
}
"""MESSAGE_ID of each kind of line. They are promises to whoever reads logs."""

TROUBLE = 4
"""Lines of this PRIORITY (warning) and below tell that something is wrong."""


class Line(NamedTuple):
    kind: str
    priority: int
    message: str
    fields: dict[str, str]

    @property
    def connector(self) -> str | None:
        return self.fields.get("SLUICE_CONNECTOR")


class Daemon:
    """Started on construction; `close` ends it, whatever state it is in."""

    def __init__(
        self, command: list[str | pathlib.Path], environment: dict[str, str], user: str | None,
        descriptors: tuple[int, ...] = ()
    ):
        self._lines: list[Line] = []
        self._other: list[str] = []
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, **environment}, user=user, extra_groups=[] if user else None,
            pass_fds=descriptors)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for raw in self._process.stderr:
            text = raw.decode(errors="replace").rstrip("\n")
            line = _parse(text)
            with self._news:
                if line:
                    self._lines.append(line)
                else:
                    self._other.append(text)
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    @property
    def pid(self) -> int:
        return self._process.pid

    def peak_memory(self) -> int:
        """The most memory that it ever had, in bytes."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        (kilobytes,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
        return int(kilobytes) << 10

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def lines(self) -> list[Line]:
        with self._news:
            return list(self._lines)

    @property
    def other_output(self) -> str:
        """What it said on stderr that is no log line."""
        with self._news:
            return "\n".join(self._other)

    def said(self, kind: str, connector: str | None = None) -> list[Line]:
        return [line for line in self.lines
                if line.kind == kind and connector in (None, line.connector)]

    def troubles(self) -> list[Line]:
        return [line for line in self.lines if line.priority <= TROUBLE]

    def wait_for(
        self, kind: str, connector: str | None = None, *, count: int = 1, seconds: float = 20
    ) -> Line:
        """Waits for the `count`-th line of a kind."""
        deadline = time.monotonic() + seconds
        with self._news:
            while True:
                found = [line for line in self._lines
                         if line.kind == kind and connector in (None, line.connector)]
                if len(found) >= count:
                    return found[count - 1]
                left = deadline - time.monotonic()
                over = not self._reader.is_alive()
                if over or not self._news.wait(max(0, min(left, 0.2))) and left <= 0:
                    why = "the daemon ended" if over else f"{seconds} s have passed"
                    raise AssertionError(
                        f"{why} without line {count} of kind \"{kind}\"\n{self._transcript()}")

    def wait_until(
        self, condition: Callable[[], object], what: str, *, seconds: float = 30
    ) -> None:
        """Waits for something that only its effects show; the daemon must go on running."""
        deadline = time.monotonic() + seconds
        while not condition():
            if not self.is_running:
                raise AssertionError(f"the daemon ended before {what}\n{self.transcript()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {what}\n{self.transcript()}")
            time.sleep(0.02)

    def wait(self, seconds: float = 60) -> int:
        """Waits for its end; the exit status, negative after a signal."""
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"the daemon still runs after {seconds} s\n{self.transcript()}") from None
        self._reader.join(5)
        return status

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def reload(self) -> None:
        self.signal(signal.SIGHUP)

    def kill(self) -> None:
        self._process.kill()
        self.wait()

    def stop(self, seconds: float = 5) -> int:
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def close(self) -> None:
        if self.is_running:
            self._process.kill()
        self._process.wait()
        self._reader.join(5)
        self._process.stderr.close()

    def transcript(self) -> str:
        with self._news:
            return self._transcript()

    def _transcript(self) -> str:
        said = [f"{line.priority} {line.kind}: {line.message}" for line in self._lines]
        shown = said if len(said) <= 60 else [*said[:20], f"... {len(said) - 60} lines", *said[-40:]]
        return "\n".join(["the daemon said:", *shown, *self._other])


_NAMES = {identifier: kind for kind, identifier in KINDS.items()}


def _parse(text: str) -> Line | None:
    try:
        fields = json.loads(text)
        identifier = fields["MESSAGE_ID"]
        return Line(
            _NAMES.get(identifier, identifier), int(fields["PRIORITY"]), fields["MESSAGE"], fields)
    except (ValueError, TypeError, KeyError):
        return None
