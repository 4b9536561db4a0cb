"""A daemon that runs while something is asked of it, and what the kernel and its own answers say of it."""

import http.client
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from workplace import Workplace

PATIENCE = 3600
"""Seconds after which what is waited for will not come any more."""
ASKED = ["/status", "/metrics", "/healthz", "/history"]


class Running:
    """`with Running(place, config) as daemon:` starts it, and stops it at the end."""

    def __init__(self, place: Workplace, config: pathlib.Path):
        self.socket = place.scratch / "http.sock"
        self.log = place.log
        self.output = self.log.open("wb")
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [place.binaries / "sluiced", "--config", config], stderr=self.output)

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.output.close()

    @property
    def lived(self) -> float:
        return time.monotonic() - self.began

    def wait(self, condition: Callable[[], bool], every: float = 0.005) -> float:
        """Seconds until a condition holds."""
        began = time.monotonic()
        while not condition():
            if self.process.poll() is not None or time.monotonic() - began > PATIENCE:
                sys.exit(f"the daemon did not come so far; see {self.log}")
            time.sleep(every)
        return time.monotonic() - began

    def has_said(self, text: bytes, since: int = 0) -> bool:
        return text in self.log.read_bytes()[since:]

    def wait_until_ready(self) -> float:
        self.wait(lambda: self.has_said(b" started: "))
        return self.lived

    def reload(self) -> float:
        """Seconds until a configuration that did not change is in effect again."""
        said = self.log.stat().st_size
        self.process.send_signal(signal.SIGHUP)
        return self.wait(lambda: self.has_said(b"configuration reloaded", said))

    def get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.socket))
        connection.request("GET", path)
        answer = connection.getresponse().read()
        connection.close()
        return answer

    def status(self) -> dict:
        return json.loads(self.get("/status"))

    def held(self) -> int:
        return sum(each["held"]["objects"] for each in self.status()["connectors"])

    def ask(self, times: int) -> dict[str, list[float]]:
        """Seconds from connecting to the last byte of the answer, for each path."""
        answers = {}
        for path in ASKED:
            answers[path] = []
            for _ in range(times):
                began = time.monotonic()
                self.get(path)
                answers[path].append(time.monotonic() - began)
        return answers

    # What the kernel says

    def memory(self, what: str = "VmHWM") -> int:
        """Bytes; the peak, or with "VmRSS" what it is now."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{what}:\s+(\d+) kB", status)[1]) * 1024

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu(self) -> float:
        """Seconds of all threads."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def idle_cpu(self, seconds: float) -> float:
        """The share of one processor that it takes while nothing happens."""
        before, began = self.cpu(), time.monotonic()
        time.sleep(seconds)
        return (self.cpu() - before) / (time.monotonic() - began)


def said_of(answers: dict[str, list[float]]) -> str:
    return "; ".join(f"{path} median {statistics.median(times) * 1000:.1f} ms, slowest {max(times) * 1000:.1f} ms"
                     for path, times in answers.items())
