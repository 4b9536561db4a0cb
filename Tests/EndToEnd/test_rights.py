"""Who may do what in the spool: producers add files and no more, and the daemon's directories are its own."""

import os
import stat

import pytest

import unprivileged
from objects import assert_same_events, events_in
from quarantine import refused_files
from unprivileged import ALICE, BOB, MALLORY, PRODUCERS, SERVICE, acting_as

BUCKET = "scripted"


@pytest.fixture
def spool(installation, scripted_s3):
    installation.connector(
        "orders", BUCKET, scripted_s3.endpoint, scripted_s3.KEYS, batch={"max_age": "1s"})
    unprivileged.set_up(installation)
    return installation


def delivered(scripted_s3) -> list[bytes]:
    return events_in(scripted_s3.objects(BUCKET))


@pytest.mark.parametrize("connector", [None, "orders"])
def test_a_producer_adds_files_and_can_do_nothing_else(spool, scripted_s3, producer, connector):
    spool.drain()
    lines = producer.lines(20)
    own = producer.lines(10)
    place = spool.incoming(connector)
    hers = unprivileged.drop(spool, ALICE, "hers.jsonl", b"".join(lines), connector)
    his = unprivileged.drop(spool, BOB, "his.tmp", b"".join(own), connector)
    assert (stat.S_IMODE(place.stat().st_mode), place.stat().st_gid) == (0o3730, PRODUCERS)
    for user in (BOB, MALLORY):
        for deed in (
            lambda: hers.read_bytes(), lambda: os.open(hers, os.O_WRONLY), lambda: hers.open("ab"),
            hers.unlink, lambda: hers.rename(place / "taken.jsonl"), lambda: os.truncate(hers, 0),
            lambda: his.replace(hers), lambda: os.utime(hers), lambda: hers.chmod(0o666),
            lambda: os.link(hers, place / "linked.jsonl"), lambda: os.listdir(place),
            lambda: os.setxattr(hers, "user.x", b""), lambda: os.chmod(place, 0o777),
        ):
            with acting_as(user), pytest.raises(PermissionError):
                deed()
    with acting_as(MALLORY), pytest.raises(PermissionError):
        (place / "theirs.jsonl").write_bytes(b"")
    with acting_as(BOB):
        his.rename(his.with_suffix(".jsonl"))
    spool.drain()
    assert_same_events(delivered(scripted_s3), lines + own)


def test_nobody_else_enters_what_is_the_daemons(spool, scripted_s3, producer):
    spool.connector(
        "orders", BUCKET, scripted_s3.endpoint, scripted_s3.KEYS, batch={"max_age": "1h"})
    unprivileged.set_up(spool)
    lines = producer.lines(20)
    daemon = spool.start()
    unprivileged.drop(spool, ALICE, "a.jsonl", b"".join(lines) + b'{"event_type":"a..b"}\n')
    daemon.wait_for("events quarantined")
    everything = [path for path in spool.spool.rglob("*") if "incoming" not in path.parts]
    places = [path for path in everything if path.is_dir()] + [spool.spool]
    assert {"active", "sealed", "quarantine", "connectors", "expired"} <= {path.name for path in places}
    files = [path for path in everything if path.is_file()]
    for user in (ALICE, BOB, MALLORY):
        with acting_as(user):
            for place in places:
                for deed in (lambda: os.listdir(place), lambda: (place / "x.jsonl").touch(),
                             lambda: (place / "made").mkdir(), place.rmdir, lambda: place.chmod(0o777),
                             lambda: place.rename(place.with_name("moved"))):
                    with pytest.raises(PermissionError):
                        deed()
            for path in files:
                for deed in (path.unlink, lambda: os.open(path, os.O_WRONLY), path.read_bytes,
                             lambda: path.chmod(0o777), lambda: path.rename(spool.incoming() / "x.jsonl")):
                    with pytest.raises(PermissionError):
                        deed()
    assert daemon.stop() == 0
    spool.drain()
    assert_same_events(delivered(scripted_s3), lines)


def test_the_daemon_reads_nothing_for_a_producer_that_the_producer_may_not_read(
    spool, scripted_s3, producer
):
    """The daemon could read all of these itself."""
    spool.drain()
    secret = spool.secret("orders")
    private = spool.directory / "private.jsonl"
    private.write_bytes(b"".join(producer.lines(5)))
    os.chown(private, SERVICE.uid, SERVICE.gid)
    private.chmod(0o600)
    place, good = spool.incoming("orders"), producer.lines(5)
    targets = [private, secret, spool.config, spool.spool / "identity", spool.spool / "active",
               "/proc/self/environ", "/proc/self/fd/3"]
    with acting_as(ALICE):
        for number, target in enumerate(targets):
            (place / f"{number}.jsonl").symlink_to(target)
        with pytest.raises(PermissionError):
            os.link(private, place / "hard.jsonl")
        with pytest.raises(PermissionError):
            os.link(secret, place / "hard.jsonl")
    unprivileged.drop(spool, ALICE, "good.jsonl", b"".join(good), "orders")
    daemon = spool.drain()
    assert_same_events(delivered(scripted_s3), good)
    assert len(refused_files(spool.spool)) == len(targets)
    assert len(daemon.said("file quarantined")) == len(targets)


@pytest.mark.parametrize("as_what", ["directory", "closed directory", "link", "file"])
def test_what_a_producer_puts_in_a_connectors_place_is_not_trusted(
    spool, scripted_s3, producer, as_what
):
    """Before there is a connector of that name. It is named, and the other places are watched as before."""
    spool.drain()
    place, trap = spool.incoming("aaa"), producer.lines(5)
    elsewhere = spool.directory / "elsewhere"
    elsewhere.mkdir()
    elsewhere.chmod(0o777)
    with acting_as(ALICE):
        match as_what:
            case "directory": place.mkdir(0o777)
            case "closed directory": place.mkdir(0o700)
            case "link": place.symlink_to(elsewhere)
            case "file": place.write_bytes(b"".join(trap))
        if as_what in ("directory", "link"):
            (place / "trap.jsonl").write_bytes(b"".join(trap))
    # Looked at and watched before "orders".
    spool.connector("aaa", "other", scripted_s3.endpoint, scripted_s3.KEYS)
    unprivileged.set_up(spool)
    daemon = spool.start()
    named = daemon.wait_for("file unreadable")
    assert named.fields["SLUICE_FILE"] == "incoming/aaa" and "remove it" in named.message
    good = producer.lines(20)
    unprivileged.drop(spool, BOB, "good.jsonl", b"".join(good), "orders")
    # By inotify: it is looked through anyway only every few minutes.
    daemon.wait_until(lambda: scripted_s3.objects(BUCKET), "the event was delivered")
    daemon.wait_until(lambda: len(delivered(scripted_s3)) == len(good), "all of them were")
    assert_same_events(delivered(scripted_s3), good)
    assert [line.kind for line in daemon.troubles()] == ["file unreadable"]


OWN = ["active", "sealed", "quarantine", "expired", "connectors", "incoming"]


@pytest.mark.parametrize("kind, name", [
    ("link", "sealed"), ("file", "quarantine"), ("another user's", "active"), ("another user's", "incoming")])
def test_a_directory_that_is_not_the_daemons_is_refused_at_the_start(spool, name, kind):
    place, elsewhere = spool.spool / name, spool.directory / "elsewhere"
    elsewhere.mkdir()
    elsewhere.chmod(0o777)
    if name == "incoming":
        place.rmdir()
    match kind:
        case "link": place.symlink_to(elsewhere)
        case "file": place.touch()
        case _:
            place.mkdir()
            os.chown(place, ALICE.uid, ALICE.gid)
            place.chmod(0o777)
    daemon = spool.start(wait=False)
    assert daemon.wait(10) != 0
    (refused,) = daemon.said("start refused")
    assert f"{name} in the spool" in refused.message, refused.message
    said = {"link": "a symbolic link", "file": "a regular file"}.get(kind, f"ID {ALICE.uid}")
    assert said in refused.message
    assert list(elsewhere.iterdir()) == []


def test_a_directory_that_others_could_change_is_closed_with_a_line(spool, scripted_s3, producer):
    spool.drain()
    closed = [spool.spool / name for name in OWN if name != "incoming"]
    for place in [*closed, spool.incoming(), spool.spool]:
        place.chmod(0o777)
    lines = producer.lines(10)
    unprivileged.drop(spool, ALICE, "a.jsonl", b"".join(lines))
    daemon = spool.drain()
    assert {stat.S_IMODE(place.stat().st_mode) for place in [*closed, spool.spool]} == {0o755}
    assert stat.S_IMODE(spool.incoming().stat().st_mode) == 0o1777
    told = [line.message for line in daemon.said("spool damaged")]
    assert len(told) == len(OWN) + 1 and all("mode 0777" in message for message in told), told
    assert_same_events(delivered(scripted_s3), lines)
    assert spool.drain().troubles() == []


def test_a_spool_of_another_user_is_refused(spool):
    os.chown(spool.spool, ALICE.uid, ALICE.gid)
    spool.spool.chmod(0o777)
    daemon = spool.start(wait=False)
    assert daemon.wait(10) != 0
    assert f"ID {ALICE.uid}" in daemon.said("start refused")[0].message
    assert os.listdir(spool.spool) == ["incoming"]
