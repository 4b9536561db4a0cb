"""A demonstration that runs sluiced beside it: the daemon's lines are shown as they come, and steps wait for one another."""

import pathlib
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable

from demo import BINARIES
from local_s3 import LocalS3

PATIENCE = 60
"""Seconds that a step may take before the demonstration gives up."""


class Story:
    """What a demonstration has to say is in `begin`, `tell` and `end`; `shown` decides on the daemon's lines."""

    def __init__(self, directory: pathlib.Path, s3: LocalS3):
        self.directory = directory
        self.spool = directory / "spool"
        self.config = directory / "sluice.toml"
        self.s3 = s3

    def run(self) -> bool:
        self.begin()
        daemon = [BINARIES / "sluiced", "--config", self.config]
        with subprocess.Popen(daemon, stderr=subprocess.PIPE, text=True) as self.daemon:
            listener = threading.Thread(target=self._listen, daemon=True)
            listener.start()
            try:
                self.tell()
            finally:
                self.daemon.terminate()
                # It reads to the end before the pipe is closed.
                listener.join()
        return self.end()

    def begin(self) -> None:
        """Configures the daemon, which is started after it."""
        raise NotImplementedError

    def tell(self) -> None:
        raise NotImplementedError

    def end(self) -> bool:
        """Whether all is as it was said, looked at after the daemon has ended."""
        raise NotImplementedError

    def shown(self, text: str) -> str | None:
        """What is shown of a line that the daemon wrote; None: it is no part of the story."""
        return None if "started:" in text or "stopping" in text else text

    def _listen(self) -> None:
        for text in self.daemon.stderr:
            if shown := self.shown(text.rstrip()):
                print(textwrap.fill(
                    shown.replace(str(self.directory), "..."), 118, subsequent_indent="    ",
                    break_long_words=False), flush=True)

    def write_configuration(self) -> None:
        """All but the connectors."""
        (self.directory / "connectors.d").mkdir()
        self.spool.mkdir()
        self.config.write_text(textwrap.dedent(f"""\
            [spool]
            directory = "{self.spool}"

            [http]
            listen = "{self.directory}/http.sock"
            """))

    def write_secret(self, connector: str, secret: str) -> pathlib.Path:
        path = self.directory / f"{connector}.secret"
        path.touch(mode=0o600)
        path.write_text(secret)
        return path

    def wait(self, what: str, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline or self.daemon.poll() is not None:
                sys.exit(f"this did not happen: {what}")
            time.sleep(0.1)
