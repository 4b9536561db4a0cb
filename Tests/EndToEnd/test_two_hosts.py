"""Two daemons that should not meet: on one spool, or with one identity on one bucket."""

import itertools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import pytest

from conftest import Destination
from installation import Installation
from objects import assert_same_events, events_in, gunzip, parse_key
from versions import bodies_of_keys, keep_versions

BATCH = {"max_events": 20, "max_age": "1s"}
TRY_AGAIN_LATER = 75


# One spool.


@pytest.fixture
def second(installation):
    """Another configuration, which may name any spool: its socket is its own."""
    made = Installation(pathlib.Path(tempfile.mkdtemp(prefix="sluice-", dir="/var/tmp")))
    yield made
    made.close()


def configure(host: Installation, destination: Destination, **settings: object) -> None:
    host.connector("orders", destination.bucket, destination.s3.endpoint, destination.keys,
                   **{"batch": BATCH, "integration_id": "id-orders"} | settings)


@pytest.mark.parametrize(
    ("way", "is_stopped"),
    [
        pytest.param("its path", False, id="by its path"),
        pytest.param("its path", True, id="by its path, while the first is stopped"),
        pytest.param("a symbolic link", False, id="by a symbolic link"),
        pytest.param("a bind mount", True, id="by a bind mount, while the first is stopped"),
    ])
def test_a_second_daemon_on_a_spool_ends_and_the_first_is_not_disturbed(
    installation, second, destination, producer, way, is_stopped
):
    configure(installation, destination)
    first = installation.start()
    lines = producer.lines(200)
    installation.drop("a.jsonl", lines[:100], "orders")
    path = second.directory / "elsewhere"
    mount = None
    if way == "its path":
        path = installation.spool
    elif way == "a symbolic link":
        path.symlink_to(installation.spool)
    else:
        path.mkdir()
        mount = subprocess.run(
            ["mount", "--bind", installation.spool, path], capture_output=True, text=True)
        if mount.returncode != 0:
            pytest.skip(f"no bind mounts here: {mount.stderr}")
    try:
        if is_stopped:
            first.signal(signal.SIGSTOP)
        second.configure(directory=path)
        configure(second, destination)
        daemon = second.start(wait=False)
        assert daemon.wait(10) == TRY_AGAIN_LATER
        (line,) = daemon.lines
        assert line.kind == "start refused"
        assert f"the spool {path} is in use by another sluiced" in line.message
        assert "stop that one, or give each a spool of its own" in line.message
        if is_stopped:
            first.signal(signal.SIGCONT)
        installation.drop("b.jsonl", lines[100:], "orders")
        first.wait_until(lambda: not installation.waiting(), "everything was delivered")
        assert_same_events(events_in(destination.objects()), lines)
        assert not first.troubles(), first.transcript()
        # The first has let go: now the other way is as good as the one.
        assert first.stop() == 0
        more = producer.lines(50)
        installation.drop("c.jsonl", more, "orders")
        second.drain()
        assert_same_events(events_in(destination.objects()), lines + more)
    finally:
        second.end_daemons()
        if mount:
            subprocess.run(["umount", path], check=True)


# One identity.


def copy_spool(host: Installation, to: Installation) -> None:
    """What a restored backup or a cloned machine is: its identity, offsets, sequence and routing too."""
    to.spool.rmdir()
    shutil.copytree(host.spool, to.spool, symlinks=True)
    # Says to a daemon that looks for it that this spool is where it should be.
    (to.spool / "moved").touch()


def bodies_held(host: Installation) -> dict[str, bytes]:
    """The objects that a spool holds, by the names of their batches."""
    return {path.stem: path.with_suffix(".object").read_bytes()
            for path in host.spool.glob("sealed/orders/*.envelope")}


def key_of(envelope: pathlib.Path) -> str:
    return re.search(r"^key: (.*)$", envelope.read_text(), re.MULTILINE)[1]


@pytest.fixture
def twins(installation, second, destination, producer):
    """Two hosts with one identity, after one of them delivered something, each with events of its own."""
    keep_versions(destination)
    configure(installation, destination)
    common = producer.lines(100)
    installation.drop("common.jsonl", common, "orders")
    installation.drain()
    copy_spool(installation, second)
    configure(second, destination)
    return installation, second, common


def drop_to_both(hosts, producer) -> list[list[bytes]]:
    """Events of which some types meet, and some are those of one host only."""
    dropped = []
    for host, own in zip(hosts, ("only.First", "only.Second")):
        lines = producer.lines(60, event_type="both.Meet") + producer.lines(40, event_type=own)
        host.drop("a.jsonl", lines, "orders")
        dropped.append(lines)
    return dropped


def lines_of(objects: dict[str, bytes]) -> list[bytes]:
    return [line for body in objects.values() for line in gunzip(body).splitlines(keepends=True)]


def assert_one_body_a_key(destination: Destination) -> None:
    for key, bodies in bodies_of_keys(destination).items():
        assert len(bodies) == 1, f"{key} was written {len(bodies)} times"


def test_a_conflict_is_held_and_shouted_and_everything_else_goes_on(twins, destination, producer):
    (first, second, common) = twins
    mine, theirs = drop_to_both((first, second), producer)
    first.drain()
    daemon = second.start()
    daemon.wait_for("identity conflict", count=3)
    daemon.wait_until(lambda: len(second.waiting()) == 3, "everything else was delivered")

    # Nothing is overwritten, nothing is lost.
    assert_one_body_a_key(destination)
    held = bodies_held(second)
    assert_same_events(events_in(destination.objects()) + lines_of(held), common + mine + theirs)
    assert {line.split(b'"event_type":"')[1].split(b'"')[0] for line in lines_of(held)} == {
        b"both.Meet"}
    for line in daemon.said("identity conflict"):
        assert line.priority <= 3
        assert line.fields["SLUICE_KEY"] in line.message
        assert "two daemons share one identity" in line.message
        assert 'run "sluicectl rekey orders"' in line.message
    assert {line.kind for line in daemon.troubles()} == {"identity conflict"}
    status = second.status("orders")
    assert status["at_fault"]["objects"] == 3
    assert "two daemons share one identity" in status["at_fault"]["detail"]
    assert status["held"]["events"] == 60

    # It goes on while they are held, and a restart finds them held again.
    more = producer.lines(30, event_type="only.Second")
    second.drop("b.jsonl", more, "orders")
    daemon.wait_until(lambda: len(second.waiting()) == 3, "what came later was delivered")
    assert daemon.stop() == 0
    assert second.drain(status=75).said("identity conflict")
    assert bodies_held(second) == held
    assert_same_events(
        events_in(destination.objects()) + lines_of(held), common + mine + theirs + more)


def test_what_the_line_says_is_the_way_out(twins, destination, producer):
    (first, second, common) = twins
    mine, theirs = drop_to_both((first, second), producer)
    first.drain()
    daemon = second.start()
    daemon.wait_for("identity conflict", count=3)
    daemon.wait_until(lambda: len(second.waiting()) == 3, "everything else was delivered")
    held = {path.stem: key_of(path) for path in second.spool.glob("sealed/orders/*.envelope")}

    # Another partition alone gives what is held no other key: an object may lie under the one it has.
    second.config.write_text(
        second.config.read_text().replace("[identity]", "[identity]\npartition = 7"))
    daemon.reload()
    daemon.wait_for("identity conflict", count=6)
    assert {path.stem: key_of(path)
            for path in second.spool.glob("sealed/orders/*.envelope")} == held

    nothing = second.sluicectl("rekey", "orders", "0000000000000000-000000000000")
    assert nothing.returncode == 1 and "is in conflict" in nothing.stderr
    one, *_ = sorted(held)
    said = second.sluicectl("rekey", "orders", one)
    assert said.returncode == 0, said.stderr
    assert "new keys for 1 object with 20 events" in said.stdout
    daemon.wait_until(lambda: len(second.waiting()) == 2, "it was delivered")
    # The line that tells of it names both keys.
    told = daemon.said("identity conflict")[-1]
    assert told.priority == 5 and held[one] in told.message
    assert parse_key(told.fields["SLUICE_KEY"].replace("+7+", "+0+")).offset > 1_000_000
    said = second.sluicectl("rekey", "orders")
    assert "new keys for 2 objects with 40 events" in said.stdout, said.stderr
    daemon.wait_until(lambda: not second.waiting(), "everything was delivered")
    assert second.status("orders")["at_fault"]["objects"] == 0
    again = second.sluicectl("rekey", "orders")
    assert again.returncode == 1

    assert_one_body_a_key(destination)
    objects = {key.replace("+7+", "+0+"): body for key, body in destination.objects().items()}
    assert_same_events(events_in(objects), common + mine + theirs)
    # From now on the two do not meet any more.
    other = first.start()
    for number, host in itertools.product(range(3), (first, second)):
        host.drop(f"later-{number}.jsonl", producer.lines(30, event_type="both.Meet"), "orders")
    other.wait_until(lambda: not first.waiting(), "the first delivered")
    daemon.wait_until(lambda: not second.waiting(), "the second delivered")
    assert not other.troubles(), other.transcript()
    assert len(daemon.said("identity conflict")) == 9
    assert_one_body_a_key(destination)


def test_two_daemons_that_meet_at_the_same_time_overwrite_nothing(twins, destination, producer):
    (first, second, common) = twins
    daemons = [host.start() for host in (first, second)]
    dropped = list(common)
    for number in range(5):
        for host in (first, second):
            lines = producer.lines(60, event_type=f"t.T{number}")
            dropped += lines
            host.drop(f"{number}.jsonl", lines, "orders")
    for host, daemon in zip((first, second), daemons):
        daemon.wait_until(
            lambda: all(status["held"]["objects"] == status["at_fault"]["objects"]
                        for status in [host.status("orders")])
            and not list(host.spool.glob("active/*")) and not list(host.incoming("orders").glob("*")),
            "everything was delivered or held")
    assert_one_body_a_key(destination)
    held = bodies_held(first) | {f"second {name}": body for name, body in bodies_held(second).items()}
    assert held, "they met"
    assert_same_events(events_in(destination.objects()) + lines_of(held), dropped)
    assert all(line.kind == "identity conflict" for daemon in daemons for line in daemon.troubles())


def test_an_unknown_file_in_the_spool_is_left_alone(installation, destination, producer):
    configure(installation, destination)
    installation.spool.mkdir(exist_ok=True)
    (installation.spool / "moved").write_text("anything")
    os.mkfifo(installation.spool / "a-pipe")
    lines = producer.lines(50)
    installation.drop("a.jsonl", lines, "orders")
    daemon = installation.drain()
    assert not daemon.troubles(), daemon.transcript()
    assert_same_events(events_in(destination.objects()), lines)
    assert (installation.spool / "a-pipe").exists()
