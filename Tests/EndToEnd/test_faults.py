"""What goes wrong is told in one clear line, loses nothing, and the backlog goes once it is mended."""

import contextlib
import os
import pathlib
import pwd
import re
import socket
import subprocess
import sys

import pytest

from daemon import Line
from installation import Installation
from local_s3 import Keys, connector_policy
from objects import assert_same_events, events_in

BUCKET = "scripted"
QUICK = {"max_age": "1s"}


@pytest.fixture
def scripted(installation, scripted_s3):
    """A connector "orders" whose S3 does as it is told."""
    installation.connector(
        "orders", BUCKET, scripted_s3.endpoint, scripted_s3.KEYS,
        batch=QUICK | {"max_events": 100})
    return scripted_s3


def assert_delivered_once(scripted_s3, lines: list[bytes]) -> None:
    assert_same_events(events_in(scripted_s3.objects(BUCKET)), lines)
    for name, entry in scripted_s3.summary().items():
        assert len(entry["bodies"]) == 1, f"{name} had {len(entry['bodies'])} bodies"


def assert_one_clear_line(daemon, kind: str, *patterns: str) -> None:
    """The only trouble that was told, but for how verifying went at the start, and what it must say."""
    told = troubles(daemon)
    assert [line.kind for line in told] == [kind], daemon.transcript()
    for pattern in patterns:
        assert re.search(pattern, told[0].message), (pattern, told[0].message)


def troubles(daemon) -> list[Line]:
    # The clocks of episodes are kept beside all else, and cost no event.
    return [line for line in daemon.troubles()
            if line.kind != "connector not verified" and "clocks of episodes" not in line.message]


# The network and S3's answers.


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({"do": "lose", "times": 3}, id="answer is lost after the object was stored"),
        pytest.param({"do": "reset", "after": 0, "times": 3}, id="reset before the body"),
        pytest.param({"do": "reset", "after": 900, "times": 3}, id="reset in the body"),
        pytest.param({"do": "answer", "status": 409, "code": "ConditionalRequestConflict",
                      "times": 3}, id="409, another upload is under way"),
        pytest.param({"do": "answer", "status": 409, "code": "OperationAborted", "times": 2},
                     id="409, operation aborted"),
        pytest.param({"do": "answer", "status": 500, "code": "InternalError", "times": 3},
                     id="500"),
        pytest.param({"do": "answer", "status": 503, "code": "SlowDown", "times": 2, "early": True},
                     id="503 before the body was sent"),
        pytest.param({"do": "garbage", "times": 1}, id="400 with garbage for a document"),
        pytest.param({"do": "exists", "same": True, "times": 3}, id="412, the same body"),
        pytest.param({"do": "skew", "seconds": 3600, "times": 1}, id="clock is an hour off"),
    ])
def test_a_fault_that_passes_costs_nothing(installation, scripted, producer, rule):
    lines = producer.lines(600)
    installation.drop("a.jsonl", lines, "orders")
    scripted.script({"method": "PUT"} | rule)
    daemon = installation.start()
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered", seconds=60)
    assert_delivered_once(scripted, lines)
    assert any(request.get("rule") for request in scripted.requests("PUT"))


def test_an_equal_412_is_delivered_and_not_sent_again(installation, scripted, producer):
    lines = producer.lines(50, event_type="a.b")
    installation.drop("a.jsonl", lines, "orders")
    scripted.script({"method": "PUT", "do": "exists", "same": True})
    installation.drain()
    assert [request["method"] for request in scripted.requests()] == ["PUT", "HEAD"]
    assert_delivered_once(scripted, lines)


def test_a_different_412_is_held_and_never_overwritten(installation, scripted, producer):
    lines = producer.lines(400)
    installation.drop("a.jsonl", lines, "orders")
    scripted.script({"method": "PUT", "do": "exists", "same": False})
    daemon = installation.drain(status=75)
    (conflict,) = daemon.said("identity conflict", "orders")
    assert conflict.fields["SLUICE_KEY"] in conflict.message
    assert "partition" in conflict.message

    summary = scripted.summary()
    assert all(len(entry["bodies"]) == 1 for entry in summary.values())
    others = scripted.objects(BUCKET)
    foreign = others.pop(conflict.fields["SLUICE_KEY"])
    assert foreign.endswith(b"?")
    # The batch in conflict is still there, and all others were delivered.
    (envelope,) = installation.spool.glob("sealed/orders/*.envelope")
    held = envelope.with_suffix(".object").read_bytes()
    assert held + b"?" == foreign
    assert_same_events(
        events_in(others | {conflict.fields["SLUICE_KEY"]: held}), lines)


def test_a_301_without_location_corrects_the_region(installation, scripted, producer):
    lines = producer.lines(300)
    installation.drop("a.jsonl", lines, "orders")
    scripted.script({"method": "PUT", "do": "redirect", "region": "eu-central-1", "times": 1})
    installation.drain()
    assert_delivered_once(scripted, lines)
    signed = [value for request in scripted.requests("PUT")
              for name, value in request["headers"] if name.lower() == "authorization"]
    assert "/eu-west-1/s3/" in signed[0]
    # Others were under way when it was redirected, and may come in after it.
    assert any("/eu-central-1/s3/" in value for value in signed[1:])


def test_a_storm_of_503_is_one_line_and_passes(installation, scripted, producer):
    lines = producer.lines(1500)
    installation.drop("a.jsonl", lines, "orders")
    scripted.script({"method": "PUT", "do": "answer", "status": 503, "code": "SlowDown",
                     "times": None})
    daemon = installation.start()
    daemon.wait_for("throttled")
    daemon.wait_until(lambda: len(scripted.requests("PUT")) >= 5, "five attempts were made")
    assert_one_clear_line(daemon, "throttled", "orders", "fewer requests")
    scripted.mend()
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered", seconds=60)
    assert_delivered_once(scripted, lines)


def test_a_store_that_hangs_does_not_hinder_the_end(installation, scripted, producer):
    lines = producer.lines(300)
    installation.drop("a.jsonl", lines, "orders")
    scripted.script({"method": "PUT", "do": "hang", "times": None})
    daemon = installation.start()
    daemon.wait_until(lambda: scripted.requests("PUT"), "an attempt was under way")
    assert daemon.stop(seconds=5) == 0
    scripted.mend()
    installation.drain()
    assert_delivered_once(scripted, lines)


def test_no_network(installation, producer):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    keys = Keys("SCRIPTED", "scripted-secret")
    installation.connector("orders", BUCKET, f"http://127.0.0.1:{port}", keys, batch=QUICK)
    lines = producer.lines(300)
    installation.drop("a.jsonl", lines, "orders")
    daemon = installation.start()
    daemon.wait_for("unreachable", "orders")
    assert_one_clear_line(daemon, "unreachable", "orders", "127.0.0.1", "network")

    saved = installation.directory / "objects"
    program = pathlib.Path(__file__).with_name("scripted_s3.py")
    with subprocess.Popen(
        [sys.executable, program, "--port", str(port), "--save", saved],
        stdout=subprocess.DEVNULL,
    ) as server:
        try:
            daemon.wait_until(
                lambda: not installation.waiting(), "everything was delivered", seconds=60)
        finally:
            server.kill()
    objects = {path.relative_to(saved / BUCKET).as_posix(): path.read_bytes()
               for path in saved.rglob("*.gz")}
    assert_same_events(events_in(objects), lines)
    daemon.wait_for("reachable", "orders")
    assert len(troubles(daemon)) == 1


def test_until_empty_says_what_is_held_and_why(installation, producer):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    installation.connector(
        "orders", BUCKET, f"http://127.0.0.1:{port}", Keys("SCRIPTED", "scripted-secret"))
    installation.drop("a.jsonl", producer.lines(30), "orders")
    daemon = installation.drain(status=75)
    assert "orders" in daemon.transcript()
    assert installation.waiting()


# Credentials and buckets.


@pytest.mark.parametrize(
    "wrong, advice",
    [
        pytest.param(lambda keys: Keys(keys.access_key_id, "x" * 40), "SignatureDoesNotMatch.*secret",
                     id="secret"),
        pytest.param(lambda keys: Keys("AKIAIOSFODNN7UNKNOWN", "x" * 40),
                     "InvalidAccessKeyId.*access key ID", id="key"),
    ])
def test_wrong_credentials(installation, destination, producer, wrong, advice):
    def configure(keys: Keys) -> None:
        installation.connector(
            "orders", destination.bucket, destination.s3.endpoint, keys, batch=QUICK,
            credentials={"grace": "0s"})

    def attempts() -> int:
        return destination.s3.requests("PUT", destination.bucket)

    configure(wrong(destination.keys))
    lines = producer.lines(400)
    installation.drop("a.jsonl", lines, "orders")
    daemon = installation.start()
    daemon.wait_for("credentials failing", "orders")
    before = attempts()
    daemon.reload()
    daemon.wait_until(lambda: attempts() > before, "it was tried again")
    assert_one_clear_line(daemon, "credentials failing", "orders", advice)
    assert destination.objects() == {}

    configure(destination.keys)
    daemon.reload()
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    daemon.wait_for("credentials recovered", "orders")
    assert_same_events(events_in(destination.objects()), lines)
    assert len(troubles(daemon)) == 1


def test_a_bucket_that_does_not_exist(installation, s3, producer):
    keys = s3.make_user(connector_policy("made-later"))
    installation.connector("orders", "made-later", s3.endpoint, keys, batch=QUICK)
    lines = producer.lines(400)
    installation.drop("a.jsonl", lines, "orders")
    daemon = installation.start()
    daemon.wait_for("destination misconfigured", "orders")
    assert_one_clear_line(
        daemon, "destination misconfigured", "orders", '"made-later"', "NoSuchBucket")
    s3.make_bucket("made-later")
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered", seconds=60)
    assert_same_events(events_in(s3.objects("made-later")), lines)
    assert len(troubles(daemon)) == 1


def test_one_connector_in_trouble_does_not_hinder_another(
    installation, make_destination, producer
):
    good, bad = make_destination(), make_destination()
    installation.connector("good", good.bucket, good.s3.endpoint, good.keys, batch=QUICK)
    installation.connector(
        "bad", bad.bucket, bad.s3.endpoint, Keys(bad.keys.access_key_id, "wrong"), batch=QUICK,
        credentials={"grace": "0s"})
    daemon = installation.start()
    lines = producer.lines(500)
    installation.drop("a.jsonl", lines)
    daemon.wait_until(
        lambda: len(events_in(good.objects())) == len(lines), "the good one has everything")
    daemon.wait_for("credentials failing", "bad")
    assert_same_events(events_in(good.objects()), lines)


# Configuration.


def test_bad_toml_at_the_start(installation, destination):
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys)
    with installation.config.open("a") as config:
        config.write("[spool\n")
    daemon = installation.start(wait=False)
    assert daemon.wait(10) == 78
    last_line = installation.config.read_text().count("\n")
    assert re.search(rf"sluice\.toml:{last_line}:\d+", daemon.transcript()), daemon.transcript()


def test_all_mistakes_in_the_configuration_are_told_at_once(installation, destination):
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys,
        bukcet="a", compression="lzma", batch={"max_events": 0})
    installation.connector("broken", "Not_A_Bucket", "ftp://nowhere", destination.keys)
    daemon = installation.start(wait=False)
    assert daemon.wait(10) == 78
    for mistake in ["bukcet", "compression", "max_events", "Not_A_Bucket", "ftp://nowhere"]:
        assert mistake in daemon.transcript(), mistake


def test_bad_toml_at_a_reload_leaves_the_old_configuration_in_effect(
    installation, destination, producer
):
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys, batch=QUICK)
    daemon = installation.start()
    good = installation.config.read_text()
    installation.config.write_text(good + "surprise = \n")
    daemon.reload()
    refused = daemon.wait_for("reload refused")
    assert re.search(r"sluice\.toml:\d+:\d+", refused.message)
    lines = producer.lines(200)
    installation.drop("a.jsonl", lines, "orders")
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    assert_one_clear_line(daemon, "reload refused")

    installation.config.write_text(good)
    daemon.reload()
    daemon.wait_for("reloaded")
    assert_same_events(events_in(destination.objects()), lines)


# The spool.


@contextlib.contextmanager
def as_nobody(installation: Installation, *more: pathlib.Path):
    """Lets daemons be started by a user who owns nothing but the configuration, and what is named."""
    if os.geteuid() != 0:
        pytest.skip("starting the daemon as another user takes root")
    nobody = pwd.getpwnam("nobody")
    installation.directory.chmod(0o755)
    os.chown(installation.directory, nobody.pw_uid, nobody.pw_gid)
    for path in [installation.config, installation.connectors, *installation.connectors.iterdir(),
                 *installation.directory.glob("*.secret"), *more]:
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    installation.user = "nobody"
    yield nobody


def test_a_spool_that_may_not_be_entered(installation, destination, producer):
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys)
    lines = producer.lines(100)
    installation.drop("a.jsonl", lines, "orders")
    with as_nobody(installation) as nobody:
        installation.spool.chmod(0o700)
        daemon = installation.start(wait=False)
        assert daemon.wait(10) not in (0, 78)
        assert str(installation.spool) in daemon.transcript()
        assert "ermission" in daemon.transcript()
        for path in [installation.spool, *installation.spool.rglob("*")]:
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        installation.drain()
    assert_same_events(events_in(destination.objects()), lines)


def test_a_spool_that_is_no_directory(installation, destination):
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys)
    installation.spool.rmdir()
    installation.spool.write_text("a file")
    daemon = installation.start(wait=False)
    assert daemon.wait(10) not in (0, 78)
    assert str(installation.spool) in daemon.transcript()
    assert installation.spool.read_text() == "a file"


def test_a_file_that_may_not_be_read_is_named_and_left(installation, destination, producer):
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys, batch=QUICK)
    with as_nobody(installation, installation.spool) as nobody:
        daemon = installation.start()
        closed, lines = producer.lines(20), producer.lines(20)
        source = installation.directory / "closed.jsonl"
        source.write_bytes(b"".join(closed))
        source.chmod(0o600)
        target = installation.incoming("orders") / "closed.jsonl"
        source.rename(target)
        unreadable = daemon.wait_for("file unreadable")
        assert unreadable.fields["SLUICE_FILE"].endswith("orders/closed.jsonl")
        installation.drop("open.jsonl", lines, "orders")
        daemon.wait_until(
            lambda: len(events_in(destination.objects())) == 20, "the other file was delivered")
        assert target.exists()
        assert len(troubles(daemon)) == 1

        os.chown(target, nobody.pw_uid, nobody.pw_gid)
        daemon.reload()
        daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    assert_same_events(events_in(destination.objects()), closed + lines)


@pytest.fixture
def small_disk(installation):
    """A file system of 24 MiB with room for a spool, and for a file that fills it up."""
    disk = installation.directory / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m,mode=0755", "tmpfs", disk], capture_output=True,
        text=True)
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    installation.spool = disk / "spool"
    installation.spool.mkdir()
    yield disk
    installation.end_daemons()
    subprocess.run(["umount", disk], check=True)


def fill(disk: pathlib.Path, leave: int) -> pathlib.Path:
    """Takes all space but `leave` bytes."""
    filler = disk / "filler"
    room = os.statvfs(disk)
    size = room.f_bavail * room.f_frsize - leave
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)
    return filler


def test_below_minimum_free_files_wait(installation, small_disk, destination, producer):
    installation.configure(minimum_free="4MiB")
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys, batch=QUICK)
    lines = producer.lines(1000)
    installation.incoming("orders").mkdir(parents=True)
    written = small_disk / "a.jsonl"
    written.write_bytes(b"".join(lines))
    filler = fill(small_disk, leave=1 << 20)
    daemon = installation.start()
    daemon.wait_for("intake waiting")
    written.rename(installation.incoming("orders") / "a.jsonl")
    assert_one_clear_line(daemon, "intake waiting", "free", re.escape(str(installation.spool)))
    filler.unlink()
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered", seconds=90)
    daemon.wait_for("intake resumed")
    assert_same_events(events_in(destination.objects()), lines)
    assert len(troubles(daemon)) == 1


def test_a_full_disk_stops_sealing_and_loses_nothing(
    installation, small_disk, destination, producer
):
    installation.configure(minimum_free="0")
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys, batch=QUICK)
    daemon = installation.start()
    lines = producer.lines(20_000)
    written = small_disk / "a.jsonl"
    written.write_bytes(b"".join(lines))
    filler = fill(small_disk, leave=128 << 10)
    written.rename(installation.incoming("orders") / "a.jsonl")
    daemon.wait_until(
        lambda: troubles(daemon), "it told that the disk is full")
    (told,) = troubles(daemon)
    assert re.search("[Nn]o space|full", told.message), told.message
    filler.unlink()
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered", seconds=90)
    assert_same_events(events_in(destination.objects()), lines)
