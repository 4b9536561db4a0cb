"""The configuration of the soak's daemon, and what is asked of a spool from outside."""

import json
import os
import pathlib
import subprocess
import sys

from containers import SCHEMAS
from conversation import ACCESS_KEY_ID, REGION, SECRET
from world import CONNECTORS

BATCH = {"max_events": 2000, "max_age": '"2s"'}


class Installation:
    def __init__(self, directory: pathlib.Path, spool: pathlib.Path, binaries: pathlib.Path, port: int):
        self.directory, self.spool, self.binaries = directory, spool, binaries
        self._endpoint = f"http://127.0.0.1:{port}"
        self.config = directory / "sluice.toml"
        self._connectors = directory / "connectors.d"
        self._connectors.mkdir()
        spool.mkdir(exist_ok=True)
        self.config.write_text("\n".join([
            'log_format = "json"', "[spool]", f'directory = "{spool}"', 'minimum_free = "1MiB"',
            "[identity]", 'cluster = "soak"', 'zone = "zone-a"',
            "[schemas]", f'directories = ["{SCHEMAS}"]',
            "[http]", f'listen = "{directory}/http.sock"',
        ]) + "\n")
        for name in CONNECTORS:
            self.set_secret(name, SECRET)
            self.install(name)

    # Configuration.

    def install(self, name: str, batch: dict[str, object] | None = None) -> None:
        """Writes `connectors.d/<name>.toml`."""
        connector = CONNECTORS[name]
        lines = [
            f'bucket = "{connector.bucket}"', f'integration_id = "id-{name}"',
            f'region = "{REGION}"', f'endpoint = "{self._endpoint}"',
            f'format = "{connector.format}"', f'compression = "{connector.compression}"',
            f'on_expiry = "{connector.on_expiry}"', f"events = {json.dumps(connector.events)}",
        ]
        if connector.window:
            lines.append(f'expire_after = "{connector.window}s"')
        lines += ["[credentials]", f'access_key_id = "{ACCESS_KEY_ID}"',
                  f'secret_access_key_file = "{self.directory / name}.secret"', 'grace = "0s"']
        lines += ["[batch]", *(f"{key} = {value}" for key, value in (batch or BATCH).items())]
        lines += ["[transform]", *(f'{key} = "{how}"' for key, how in connector.transform.items())]
        self._replace(self._connectors / f"{name}.toml", "\n".join(lines) + "\n")

    def remove(self, name: str) -> None:
        (self._connectors / f"{name}.toml").unlink()

    def set_secret(self, name: str, secret: str) -> None:
        self._replace(self.directory / f"{name}.secret", secret + "\n")

    def _replace(self, path: pathlib.Path, text: str) -> None:
        new = path.with_name(f".{path.name}.new")
        new.touch(mode=0o600)
        new.write_text(text)
        new.rename(path)

    # Questions.

    def sluicectl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.binaries / "sluicectl", *arguments, "--config", self.config], text=True,
            capture_output=True, timeout=60, start_new_session=True)

    def status(self) -> dict | None:
        """What `sluicectl status --json` says; nothing while the daemon does not answer."""
        try:
            said = self.sluicectl("status", "--json")
            return json.loads(said.stdout)
        except (subprocess.TimeoutExpired, ValueError):
            return None

    def left(self) -> dict[str, int]:
        """How many event files and sealed batches lie in the spool, by the place where they do."""
        # A name that is moved while its directory is read may be missed once.
        return self._look() or self._look()

    def _look(self) -> dict[str, int]:
        places = {"incoming": [self.spool / "incoming", *self.spool.glob("incoming/*/")],
                  "active": [self.spool / "active"], "sealed": self.spool.glob("sealed/*/")}
        counts = {name: sum(self._count(place, name) for place in list(directories))
                  for name, directories in places.items()}
        return {name: count for name, count in counts.items() if count}

    @staticmethod
    def _count(directory: pathlib.Path, place: str) -> int:
        try:
            with os.scandir(directory) as entries:
                return sum(1 for entry in entries if not entry.is_dir(follow_symlinks=False)
                           and (place != "sealed" or entry.name.endswith(".envelope")))
        except OSError as error:
            print(f"cannot look into {directory}: {error}", file=sys.stderr)
            return 1

    def disk_use(self) -> tuple[int, int]:
        """Files in the spool, and the blocks that they take, in bytes."""
        files = size = 0
        for directory, _, names in os.walk(self.spool):
            for name in names:
                try:
                    size += os.lstat(os.path.join(directory, name)).st_blocks * 512
                    files += 1
                except FileNotFoundError:
                    pass
        return files, size
