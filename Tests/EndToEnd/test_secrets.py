"""Secrets are in the files that people put them into, and nowhere else."""

import json
import os
import pathlib
import pwd
import resource
import signal
import subprocess

import pytest

from issuer import Issuer
from local_s3 import Keys

BUCKET = "scripted"
BATCH = {"max_events": 10, "max_age": "1s"}
SECRET, NEXT_SECRET = "unmistakable-SECRET-7c1e", "another-SECRET"
# Tokens are long: a piece of one is found as well.
TOKEN_PIECE, NEXT_TOKEN_PIECE = "unmistakable-TOKEN-94ab/", "another-TOKEN/"
TOKEN, NEXT_TOKEN = TOKEN_PIECE * 40, NEXT_TOKEN_PIECE * 40
REJECTED = {"method": "PUT", "do": "answer", "status": 403, "code": "InvalidAccessKeyId",
            "times": None}


@pytest.fixture
def configured(installation, scripted_s3, certificate):
    installation.set_secret("token", TOKEN)
    installation.connector(
        "orders", BUCKET, scripted_s3.endpoint, Keys("AKIDVISIBLE", SECRET), batch=BATCH,
        expire_after="1s", on_expiry="archive",
        credentials={"grace": "0s", "session_token_file": installation.secret("token")},
        **({"tls": {"ca_file": certificate}} if certificate else {}))
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
        for secret in (SECRET, TOKEN_PIECE):
            assert secret.encode() not in contents, f"{secret} is in {name}"
    # What is not the producers' belongs to the daemon alone.
    for path in installation.spool.iterdir():
        assert path == installation.incoming() or not path.stat().st_mode & 0o077, path


def memory_of(daemon) -> bytes:
    """All that lies in its memory, which root alone can read; the registers are left out."""
    if os.geteuid() != 0:
        pytest.skip("only root can read the daemon's memory")
    daemon.signal(signal.SIGSTOP)
    process = pathlib.Path(f"/proc/{daemon.pid}")
    daemon.wait_until(
        lambda: "\nState:\tT" in (process / "status").read_text(), "it has stopped")
    pieces = []
    with (process / "mem").open("rb", buffering=0) as memory:
        for mapping in (process / "maps").read_text().splitlines():
            (places, rights, *_) = mapping.split()
            if rights.startswith("rw"):
                (start, end) = (int(place, 16) for place in places.split("-"))
                memory.seek(start)
                pieces.append(memory.read(end - start))
    daemon.signal(signal.SIGCONT)
    return b"".join(pieces)


def token_in_use(scripted_s3) -> str:
    """The session token that came with the last object."""
    head = scripted_s3.requests("PUT")[-1]["headers"]
    return dict((name.lower(), value) for name, value in head)["x-amz-security-token"]


def deliver_until(condition, installation, daemon, producer) -> None:
    """Delivers small objects until one of them made something true."""
    for number in range(100):
        installation.drop(f"b-{number}.jsonl", producer.lines(10, event_type="a.b"), "orders")
        daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
        if condition():
            return
    raise AssertionError("100 objects changed nothing")


@pytest.mark.parametrize("certificate", [False, True], ids=["http", "https"], indirect=True)
def test_a_secret_that_is_no_longer_used_is_wiped_from_memory(
    installation, configured, producer, monkeypatch
):
    monkeypatch.chdir(installation.directory)
    installation.environment["SWIFT_BACKTRACE"] = "enable=no"
    daemon = installation.start()
    installation.drop("a.jsonl", producer.lines(30), "orders")
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    assert token_in_use(configured) == TOKEN
    # The token shows when the new secret is in use: both are read at once.
    installation.set_secret("orders", NEXT_SECRET)
    installation.set_secret("token", NEXT_TOKEN)
    deliver_until(
        lambda: token_in_use(configured) == NEXT_TOKEN, installation, daemon, producer)
    memory = memory_of(daemon)
    copies = {secret: memory.count(secret.encode())
              for secret in (SECRET, TOKEN_PIECE, NEXT_SECRET, NEXT_TOKEN_PIECE)}
    assert copies[NEXT_SECRET] and copies[NEXT_TOKEN_PIECE], "the search finds what is there"
    assert copies[SECRET] == copies[TOKEN_PIECE] == 0


@pytest.mark.parametrize(
    ("place", "certificate"),
    [("web identity", False), ("web identity", True), ("instance", False), ("container", False)],
    ids=["web identity over http", "web identity over https", "instance", "container"],
    indirect=["certificate"])
def test_a_session_that_was_replaced_and_what_it_was_got_with_are_wiped_from_memory(
    installation, scripted_s3, producer, monkeypatch, place, certificate
):
    monkeypatch.chdir(installation.directory)
    proofs = ["unmistakable-PROOF-2b7e/", "another-PROOF/"]
    installation.set_secret("proof", proofs[0] * 40)
    with Issuer(certificate) as issuer:
        issuer.container_token = issuer.metadata_token = proofs[0] * 40
        (installation.connectors / "orders.toml").write_text(f"""
            bucket = "{BUCKET}"
            endpoint = "{scripted_s3.endpoint}"
            region = "eu-west-1"
            format = "jsonl"
            {f'tls = {{ ca_file = "{certificate}" }}' if certificate else ""}
            batch = {{ max_events = 10, max_age = "1s" }}
            credentials = {{ sts_endpoint = "{issuer.url}", grace = "0s" }}
        """)
        installation.environment = {
            "SWIFT_BACKTRACE": "enable=no", "HOME": "/nonexistent",
        } | {
            "web identity": {
                "AWS_WEB_IDENTITY_TOKEN_FILE": str(installation.secret("proof")),
                "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/sluice",
            },
            "instance": {"AWS_EC2_METADATA_SERVICE_ENDPOINT": issuer.url},
            "container": {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": issuer.url + "/credentials",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(installation.secret("proof")),
            },
        }[place]
        daemon = installation.start()
        installation.drop("a.jsonl", producer.lines(30), "orders")
        daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
        replaced = issuer.sessions
        assert token_in_use(scripted_s3) == issuer.session_token
        installation.set_secret("proof", proofs[1] * 40)
        issuer.container_token = issuer.metadata_token = proofs[1] * 40
        daemon.reload()
        daemon.wait_for("reloaded")
        deliver_until(lambda: issuer.sessions > replaced and
                      token_in_use(scripted_s3) == issuer.session_token,
                      installation, daemon, producer)
        if place == "web identity":
            assert {call["WebIdentityToken"] for call in issuer.calls} == {
                proof * 40 for proof in proofs}
    memory = memory_of(daemon)
    last = [f"issued-token-{issuer.sessions:04}", f"issued-secret-{issuer.sessions:04}"]
    earlier = [f"issued-{what}-{number:04}" for what in ("token", "secret")
               for number in range(1, issuer.sessions)]
    copies = {secret: memory.count(secret.encode()) for secret in last + earlier + proofs}
    assert all(copies[secret] for secret in last), "the search finds what is there"
    # A proof is read each time, so even the last one is not kept.
    assert earlier and [secret for secret in earlier + proofs if copies[secret]] == []


def test_a_crash_leaves_no_core_whatever_the_limit_is(
    installation, configured, producer, monkeypatch
):
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if pattern.startswith(("|", "/")):
        pytest.skip(f"this machine's cores go to {pattern}")
    monkeypatch.chdir(installation.directory)

    def cores_of_a_crash(process) -> list[pathlib.Path]:
        os.kill(process.pid, signal.SIGABRT)
        process.wait()
        return list(installation.directory.glob(pattern.split("%")[0] + "*"))

    limits = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (limits[1], limits[1]))
    try:
        installation.environment["SWIFT_BACKTRACE"] = "enable=no"
        daemon = installation.start()
        installation.drop("a.jsonl", producer.lines(30), "orders")
        daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
        assert cores_of_a_crash(daemon) == []
        if limits[1]:
            # Another program leaves one here, in the same way.
            with subprocess.Popen(["sleep", "60"]) as other:
                assert cores_of_a_crash(other)
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, limits)


def test_nobody_but_root_reads_the_memory_or_the_environment_of_the_daemon(
    installation, configured
):
    if os.geteuid() != 0:
        pytest.skip("running the daemon as another user takes root")
    installation.directory.chmod(0o755)
    nobody = pwd.getpwnam("nobody")
    for path in [installation.directory, *installation.directory.rglob("*")]:
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    installation.user = "nobody"
    daemon = installation.start()
    for command in (["head", "-c1", "mem"], ["head", "-c1", "environ"], ["ls", "fd"]):
        refused = subprocess.run(
            command, cwd=f"/proc/{daemon.pid}", user="nobody", capture_output=True, text=True)
        assert "Permission denied" in refused.stderr, refused
