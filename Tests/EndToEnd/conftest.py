"""Fixtures: a local S3 for the whole session; a spool, buckets and users for each test."""

import itertools
import json
import pathlib
import random
import signal
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from events import World, line
from installation import Installation, binary
from local_s3 import Keys, LocalS3, connector_policy


def pytest_sessionstart(session: pytest.Session) -> None:
    if not binary("sluiced").exists():
        pytest.exit(f"{binary('sluiced')} is missing; run scripts/build first", returncode=2)
    # What started the tests may ignore these, as nohup(1) and shells do for what runs behind; programs inherit that.
    for number in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def installation() -> Iterator[Installation]:
    # Not pytest's tmp_path: the path of a Unix socket may have 107 bytes only.
    made = Installation(pathlib.Path(tempfile.mkdtemp(prefix="sluice-", dir="/var/tmp")))
    yield made
    made.close()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalS3]:
    with LocalS3(tmp_path_factory.mktemp("s3") / "moto.log") as running:
        yield running


class Destination(NamedTuple):
    """A bucket and the keys of a user who may deliver into it."""

    s3: LocalS3
    bucket: str
    keys: Keys

    def objects(self) -> dict[str, bytes]:
        return self.s3.objects(self.bucket)


_bucket_numbers = itertools.count(1)


@pytest.fixture
def make_destination(s3: LocalS3):
    def make() -> Destination:
        bucket = f"bucket-{next(_bucket_numbers)}"
        s3.make_bucket(bucket)
        return Destination(s3, bucket, s3.make_user(connector_policy(bucket)))

    return make


@pytest.fixture
def destination(make_destination) -> Destination:
    return make_destination()


class Producer:
    """Makes events that are unique within a test."""

    def __init__(self) -> None:
        self._world = World(seed=1, people=500)
        self._rng = random.Random(1)

    def lines(self, count: int, **members: object) -> list[bytes]:
        """Events of all types; the arguments replace or add members."""
        return [line(event | members) for event in self._world.events(self._rng, count)]


@pytest.fixture
def producer() -> Producer:
    return Producer()


class ScriptedS3:
    """Talks to a running scripted_s3.py, which misbehaves as it is told."""

    KEYS = Keys("SCRIPTED", "scripted-secret")

    def __init__(self, port: int, certificate: pathlib.Path | None = None):
        self.endpoint = f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
        self._tls = ssl.create_default_context(cafile=certificate) if certificate else None

    def script(self, *rules: dict) -> None:
        self._call("POST", "/__script", json.dumps(rules).encode())

    def script_instead(self, *rules: dict) -> None:
        """Forgets all other rules in the same moment."""
        self._call("PUT", "/__script", json.dumps(rules).encode())

    def mend(self) -> None:
        """Forgets all rules: from now on it answers as S3 does."""
        self._call("DELETE", "/__script")

    def requests(self, method: str | None = None) -> list[dict]:
        """Requests about objects, in order."""
        all_of_them = self._call("GET", "/__requests")["requests"]
        return [request for request in all_of_them
                if request["key"] and method in (None, request["method"])]

    def uploads(self) -> dict[str, dict]:
        """Uploads in parts that were begun and not ended, by their IDs."""
        return self._call("GET", "/__uploads")

    def forget_uploads(self) -> None:
        self._call("POST", "/__uploads/forget")

    def summary(self) -> dict[str, dict]:
        return self._call("GET", "/__objects")

    def objects(self, bucket: str) -> dict[str, bytes]:
        return {path.relative_to(self.saved / bucket).as_posix(): path.read_bytes()
                for path in (self.saved / bucket).rglob("*.gz")}

    def _call(self, method: str, path: str, body: bytes | None = None) -> dict:
        request = urllib.request.Request(self.endpoint + path, body, method=method)
        with urllib.request.urlopen(request, timeout=10, context=self._tls) as answer:
            return json.loads(answer.read() or b"{}")


@pytest.fixture
def certificate(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> pathlib.Path | None:
    """The servers' certificate and its key in one file, for tests that ask for it (`indirect`)."""
    if not getattr(request, "param", False):
        return None
    (key, certificate) = (tmp_path / "server.key", tmp_path / "server.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=sluice", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", key, "-out", certificate], check=True, capture_output=True)
    certificate.write_bytes(key.read_bytes() + certificate.read_bytes())
    return certificate


@pytest.fixture
def scripted_s3(
    tmp_path: pathlib.Path, certificate: pathlib.Path | None
) -> Iterator[ScriptedS3]:
    saved = tmp_path / "objects"
    program = pathlib.Path(__file__).with_name("scripted_s3.py")
    tls = ["--cert", certificate, "--key", certificate] if certificate else []
    with subprocess.Popen(
        [sys.executable, program, "--save", saved, "--region", "eu-west-1", *tls],
        stdout=subprocess.PIPE, text=True,
    ) as process:
        try:
            word, port = process.stdout.readline().split()
            assert word == "port"
            running = ScriptedS3(int(port), certificate)
            running.saved = saved
            yield running
        finally:
            process.kill()
