"""A spool and a configuration of its own for each test, and the daemons that run on them."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable

from daemon import Daemon
from http_client import Answer, ask
from local_s3 import Keys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def binary(name: str) -> pathlib.Path:
    """A built binary: from SLUICE_BIN_DIR, else the release build, else the debug build."""
    if chosen := os.environ.get("SLUICE_BIN_DIR"):
        return pathlib.Path(chosen).resolve() / name
    builds = [ROOT / ".build" / configuration / name for configuration in ("release", "debug")]
    return next((path for path in builds if path.exists()), builds[0])


def toml(value: object) -> str:
    # JSON's strings, numbers, booleans and lists are TOML's as well.
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    return json.dumps(value if isinstance(value, (bool, int, list)) else str(value))


class Installation:
    def __init__(self, directory: pathlib.Path):
        self.directory = directory
        self.spool = directory / "spool"
        self.config = directory / "sluice.toml"
        self.connectors = directory / "connectors.d"
        self.schemas = directory / "schemas"
        self.socket = directory / "http.sock"
        self.listen: str | list[str] = str(self.socket)
        """Where daemons answer requests, as `configure` writes it."""
        self.environment: dict[str, str] = {}
        self.user: str | None = None
        self.prefix: list[str] = []
        """What runs the daemons: a program that replaces itself with its last arguments, such as setpriv."""
        self.passed: list[socket.socket] = []
        """Sockets that daemons are given as systemd gives them."""
        self._daemons: list[Daemon] = []
        self.connectors.mkdir()
        self.spool.mkdir()
        self.configure()

    # Configuration.

    def configure(self, **spool: object) -> None:
        """Writes `sluice.toml`; the arguments are further keys of [spool]."""
        spool = {"directory": self.spool, "minimum_free": "1MiB"} | spool
        self.config.write_text("\n".join([
            'log_format = "json"',
            "[spool]", *(f"{key} = {toml(value)}" for key, value in spool.items()),
            "[identity]", 'cluster = "test"', 'zone = "zone-a"',
            "[http]", f"listen = {toml(self.listen)}",
        ]) + "\n")

    def listen_on_loopback(self) -> str:
        """Has daemons answer on a port, too; the address of the page there."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.listen = [str(self.socket), f"127.0.0.1:{port}"]
        self.configure()
        return f"http://127.0.0.1:{port}/"

    def connector(
        self, name: str, bucket: str, endpoint: str, keys: Keys, *,
        batch: dict[str, object] | None = None, credentials: dict[str, object] | None = None,
        **settings: object
    ) -> None:
        """Writes `connectors.d/<name>.toml`, and its secret into a file.

        `credentials` are further keys of [credentials]; a setting that is None is left out.
        """
        self.set_secret(name, keys.secret_access_key)
        settings = {
            "bucket": bucket, "integration_id": f"id-{name}", "region": "eu-west-1",
            "endpoint": endpoint, "format": "jsonl",
        } | settings
        lines = [f"{key} = {toml(value)}" for key, value in settings.items() if value is not None]
        lines += [
            "[credentials]", f"access_key_id = {toml(keys.access_key_id)}",
            f"secret_access_key_file = {toml(self.secret(name))}",
            *(f"{key} = {toml(value)}" for key, value in (credentials or {}).items()),
        ]
        if batch:
            lines += ["[batch]", *(f"{key} = {toml(value)}" for key, value in batch.items())]
        (self.connectors / f"{name}.toml").write_text("\n".join(lines) + "\n")

    def export(self, name: str, bucket: str, endpoint: str, keys: Keys, **settings: object) -> None:
        """The same for a connector that takes files as they are."""
        self.connector(name, bucket, endpoint, keys, kind="data-export", integration_id=None,
                       format=None, **settings)

    def schema(self, event_type: str, declaration: dict) -> None:
        """Writes `schemas/<event type>.avsc`, or replaces it."""
        self.schemas.mkdir(exist_ok=True)
        (self.schemas / f"{event_type}.avsc").write_text(json.dumps(declaration))

    def shipped_schemas(self) -> dict[str, dict]:
        """Installs the schemas of `etc/schemas`; answers them by event type."""
        shutil.copytree(ROOT / "etc" / "schemas", self.schemas)
        return {path.name.removesuffix(".avsc"): json.loads(path.read_text())
                for path in sorted(self.schemas.iterdir())}

    def secret(self, name: str) -> pathlib.Path:
        return self.directory / f"{name}.secret"

    def set_secret(self, name: str, secret: str) -> None:
        """Replaces it at once, as an editor or a secret store does."""
        new = self.directory / f".{name}.secret"
        new.touch(mode=0o600)
        new.write_text(secret + "\n")
        new.rename(self.secret(name))

    # Event files.

    def incoming(self, connector: str | None = None) -> pathlib.Path:
        return self.spool / "incoming" / connector if connector else self.spool / "incoming"

    def drop(
        self, name: str, contents: bytes | Iterable[bytes], connector: str | None = None
    ) -> None:
        """Moves a file into the spool, as a producer should."""
        text = contents if isinstance(contents, bytes) else b"".join(contents)
        self.incoming(connector).mkdir(parents=True, exist_ok=True)
        # Beside the spool: a rename stays within a file system.
        written = self.spool.parent / f"dropping-{name}"
        written.write_bytes(text)
        written.rename(self.incoming(connector) / name)

    def waiting(self) -> list[pathlib.Path]:
        """Everything in the spool that is not yet settled: event files and sealed batches."""
        # A file that is renamed within a directory while that is read may be missed once.
        return self._look() or self._look()

    def _look(self) -> list[pathlib.Path]:
        # In the order of the way, so that what moves on meanwhile is met again.
        places = [
            self.incoming(), *self.incoming().glob("*/"), self.spool / "active",
            *self.spool.glob("sealed/*/"),
        ]
        return [path for place in places for path in _files_in(place)
                if place.parent.name != "sealed" or path.suffix == ".envelope"]

    # Daemons.

    def start(self, *arguments: str, wait: bool = True) -> Daemon:
        daemon = Daemon(
            [*self.prefix, *self._activation(), binary("sluiced"), "--config", self.config,
             *arguments],
            self.environment, self.user, tuple(each.fileno() for each in self.passed))
        self._daemons.append(daemon)
        if wait:
            daemon.wait_for("started")
        return daemon

    def _activation(self) -> list[str | pathlib.Path]:
        if not self.passed:
            return []
        numbers = ",".join(str(each.fileno()) for each in self.passed)
        return [sys.executable, pathlib.Path(__file__).with_name("activated.py"), numbers]

    def drain(self, *, status: int = 0, seconds: float = 60) -> Daemon:
        """Runs `sluiced --until-empty` to its end."""
        daemon = self.start("--until-empty", wait=False)
        ended = daemon.wait(seconds)
        assert ended == status, f"exit status {ended}\n{daemon.transcript()}"
        return daemon

    def sluicectl(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [binary("sluicectl"), *arguments, "--config", self.config], capture_output=True,
            text=True, timeout=30, env={**os.environ, **self.environment})

    def ask(self, target: str, method: str = "GET", **options: object) -> Answer:
        """A request to the daemon's Unix socket."""
        return ask(self.socket, target, method, **options)

    def status(self, connector: str | None = None) -> dict:
        """What `sluicectl status --json` says, of all or of one connector."""
        said = self.sluicectl("status", "--json")
        # 1 says that something needs attention.
        assert said.returncode in (0, 1) and said.stdout, said.stderr
        whole = json.loads(said.stdout)
        if not connector:
            return whole
        (found,) = [each for each in whole["connectors"] + whole["orphans"]
                    if each["name"] == connector]
        return found

    def end_daemons(self) -> None:
        for daemon in self._daemons:
            daemon.close()

    def close(self) -> None:
        self.end_daemons()
        shutil.rmtree(self.directory, ignore_errors=True)


def _files_in(directory: pathlib.Path) -> list[pathlib.Path]:
    """Everything in it but directories, as it was at the moment of reading: nothing is asked again later."""
    try:
        with os.scandir(directory) as entries:
            return [pathlib.Path(entry.path) for entry in entries
                    if not entry.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []
