"""Secrets are in the files that people put them into, and nowhere else."""

import json
import pathlib
import re
import resource
import signal

import pytest

from installation import ROOT
from local_s3 import Keys

BUCKET = "scripted"
BATCH = {"max_events": 10, "max_age": "1s"}
SECRET, TOKEN, NEXT_SECRET = "unmistakable-SECRET-7c1e", "unmistakable-TOKEN-94ab", "another-SECRET"
REJECTED = {"method": "PUT", "do": "answer", "status": 403, "code": "InvalidAccessKeyId",
            "times": None}


@pytest.fixture
def configured(installation, scripted_s3):
    installation.set_secret("token", TOKEN)
    installation.connector(
        "orders", BUCKET, scripted_s3.endpoint, Keys("AKIDVISIBLE", SECRET), batch=BATCH,
        expire_after="1s", on_expiry="archive",
        credentials={"grace": "0s", "session_token_file": installation.secret("token")})
    return scripted_s3


@pytest.mark.parametrize("works", [True, False], ids=["working", "failing"])
def test_no_secret_is_told_or_kept(installation, configured, producer, works):
    if not works:
        configured.script(REJECTED)
    daemon = installation.start()
    installation.drop("a.jsonl", producer.lines(30), "orders")
    daemon.wait_for("object delivered" if works else "events archived", "orders")
    signed = {value for request in configured.requests("PUT")
              for name, value in request["headers"] if name.lower() == "x-amz-security-token"}
    assert signed == {TOKEN}, "the token is what the daemon works with"
    # A file that is wrong in itself is told, and what is in it is not.
    installation.set_secret("orders", f"{SECRET}\n{SECRET}")
    daemon.reload()
    daemon.wait_for("reloaded")
    installation.drop("b.jsonl", producer.lines(30), "orders")
    told = daemon.wait_for("destination misconfigured", "orders")
    assert str(installation.secret("orders")) in told.message
    process = pathlib.Path(f"/proc/{daemon.pid}")
    places = {
        "stderr": "\n".join(
            [*(json.dumps(line.fields) for line in daemon.lines), daemon.other_output]).encode(),
        "status": installation.sluicectl("status", "--json").stdout.encode(),
        "check": installation.sluicectl("check").stdout.encode(),
        "command line": (process / "cmdline").read_bytes(),
        "environment": (process / "environ").read_bytes(),
        **{str(path): path.read_bytes() for path in installation.spool.rglob("*")
           if path.is_file()},
    }
    assert all(places[name] for name in ("stderr", "status", "check", "command line"))
    for name, contents in places.items():
        for secret in (SECRET, TOKEN):
            assert secret.encode() not in contents, f"{secret} is in {name}"
    # What is not the producers' belongs to the daemon alone.
    for path in installation.spool.iterdir():
        assert path == installation.incoming() or not path.stat().st_mode & 0o077, path


def core_of(daemon, directory: pathlib.Path, limit: int) -> bytes | None:
    """Lets the daemon crash in a directory, and answers what the kernel wrote."""
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if pattern.startswith(("|", "/")):
        pytest.skip(f"this machine's cores go to {pattern}")
    resource.prlimit(daemon.pid, resource.RLIMIT_CORE, (limit, limit))
    daemon.signal(signal.SIGABRT)
    assert daemon.wait() == -signal.SIGABRT
    cores = list(directory.glob(pattern.split("%")[0] + "*"))
    return cores[0].read_bytes() if cores else None


def test_a_secret_that_is_no_longer_used_is_wiped_from_memory(
    installation, configured, producer, monkeypatch
):
    monkeypatch.chdir(installation.directory)
    installation.environment["SWIFT_BACKTRACE"] = "enable=no"
    daemon = installation.start()
    installation.drop("a.jsonl", producer.lines(30), "orders")
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    # The token shows when the new secret is in use: both are read at once.
    installation.set_secret("orders", NEXT_SECRET)
    installation.set_secret("token", "another-TOKEN")
    number = 0
    while ["x-amz-security-token", "another-TOKEN"] not in [
            [name.lower(), value] for name, value in configured.requests("PUT")[-1]["headers"]]:
        number += 1
        installation.drop(f"b-{number}.jsonl", producer.lines(10, event_type="a.b"), "orders")
        daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
        assert number < 100, "the new token was never used"
    core = core_of(daemon, installation.directory, resource.RLIM_INFINITY)
    assert core and NEXT_SECRET.encode() in core, "the search finds what is there"
    assert SECRET.encode() not in core


def test_with_the_limit_of_the_unit_a_crash_leaves_no_core(
    installation, configured, producer, monkeypatch
):
    unit = (ROOT / "systemd" / "sluiced.service").read_text()
    limit = re.search(r"^LimitCORE=(\d+)$", unit, re.MULTILINE)
    monkeypatch.chdir(installation.directory)
    installation.environment["SWIFT_BACKTRACE"] = "enable=no"
    daemon = installation.start()
    installation.drop("a.jsonl", producer.lines(30), "orders")
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    assert core_of(daemon, installation.directory, int(limit[1])) is None
