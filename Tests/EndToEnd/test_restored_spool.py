"""A spool that comes from a backup, or was moved, doubles nothing and loses nothing."""

import json
import pathlib
import re
import shutil

import pytest

from objects import assert_same_events, events_in

BUCKET = "scripted"
REFUSED = {"method": "PUT", "do": "answer", "status": 503, "code": "SlowDown", "times": None}
CONFIGURATION = 78


def copy(source: pathlib.Path, target: pathlib.Path) -> None:
    """As a backup does: the same bytes, names and times in other files."""
    shutil.copytree(source, target, symlinks=True)


def contents(spool: pathlib.Path) -> dict[str, bytes]:
    return {str(path.relative_to(spool)): path.read_bytes()
            for path in spool.rglob("*") if path.is_file()}


def ids(lines: list[bytes]) -> list[str]:
    return sorted(json.loads(line)["id"] for line in lines)


@pytest.fixture
def scripted(installation, scripted_s3):
    installation.connector(
        "orders", BUCKET, scripted_s3.endpoint, scripted_s3.KEYS, batch={"max_age": "5m"})
    return scripted_s3


@pytest.fixture
def backup(installation, scripted, producer):
    """A spool with delivered, sealed, claimed and dropped events, its backup, and the events by what they are."""
    lines = {name: producer.lines(40) for name in ("delivered", "sealed", "claimed", "dropped")}
    installation.drop("delivered.jsonl", lines["delivered"], "orders")
    installation.drain()
    scripted.script(REFUSED)
    daemon = installation.start()
    installation.drop("sealed.jsonl", lines["sealed"], "orders")
    daemon.wait_until(lambda: not list(installation.incoming("orders").iterdir()), "it is claimed")
    assert installation.sluicectl("flush").returncode == 0
    assert list(installation.spool.glob("sealed/orders/*.envelope"))
    installation.drop("claimed.jsonl", lines["claimed"], "orders")
    daemon.wait_until(lambda: not list(installation.incoming("orders").iterdir()), "it is claimed")
    daemon.kill()
    scripted.mend()
    installation.drop("dropped.jsonl", lines["dropped"], "orders")
    kept = installation.directory / "backup"
    copy(installation.spool, kept)
    return kept, lines


def restore(installation, backup: pathlib.Path) -> None:
    shutil.rmtree(installation.spool)
    copy(backup, installation.spool)


def start_is_refused(installation) -> str:
    before = contents(installation.spool)
    daemon = installation.start(wait=False)
    assert daemon.wait(10) == CONFIGURATION
    (line,) = daemon.lines
    assert line.kind == "start refused"
    assert contents(installation.spool) == before, "nothing in it has changed"
    return line.message


def test_last_week_s_backup_is_refused_until_somebody_says_what_it_is_and_doubles_nothing(
    installation, scripted, producer, backup
):
    (kept, lines) = backup
    installation.drain()
    lines["after the backup"] = producer.lines(60)
    installation.drop("later.jsonl", lines["after the backup"], "orders")
    installation.drain()
    everything = sum(lines.values(), [])
    assert_same_events(events_in(scripted.objects(BUCKET)), everything)

    restore(installation, kept)
    told = start_is_refused(installation)
    assert str(installation.spool) in told
    assert re.search('"moved".*"restored"', told), told

    (installation.spool / "restored").touch()
    lines["new"] = producer.lines(30)
    daemon = installation.drain()
    assert "2 event files" in daemon.wait_for("spool restored").message
    assert not (installation.spool / "restored").exists()
    # What had no key may have been delivered, and was: it is set aside whole, and said why.
    aside = [path for path in installation.spool.glob("quarantine/*.jsonl")]
    assert ids(b"".join(path.read_bytes() for path in aside).splitlines()) == ids(
        lines["claimed"] + lines["dropped"])
    assert len(list(installation.spool.glob("quarantine/*.reason"))) == len(aside) == 2
    installation.drop("new.jsonl", lines["new"], "orders")
    installation.drain()
    assert_same_events(events_in(scripted.objects(BUCKET)), everything + lines["new"])
    assert all(len(entry["bodies"]) == 1 for entry in scripted.summary().values())


def test_of_a_backup_whose_spool_was_lost_nothing_is_lost(installation, scripted, producer, backup):
    (kept, lines) = backup
    restore(installation, kept)
    (installation.spool / "restored").touch()
    installation.drain()
    delivered = lines["delivered"] + lines["sealed"]
    assert_same_events(events_in(scripted.objects(BUCKET)), delivered)
    # Whoever knows that they were never delivered gives them back, and they are.
    for path in installation.spool.glob("quarantine/*.jsonl"):
        path.rename(installation.incoming("orders") / path.name)
    installation.drain()
    assert_same_events(events_in(scripted.objects(BUCKET)), sum(lines.values(), []))


def test_a_spool_that_was_moved_goes_on_as_it_was(installation, scripted, backup):
    (kept, lines) = backup
    restore(installation, kept)
    start_is_refused(installation)
    (installation.spool / "moved").touch()
    installation.drain()
    assert not (installation.spool / "moved").exists()
    assert not list(installation.spool.glob("quarantine/*"))
    assert_same_events(events_in(scripted.objects(BUCKET)), sum(lines.values(), []))
    # It is at home there now.
    installation.drain()


def test_a_rename_of_the_spool_is_no_copy(installation, scripted, backup):
    (_, lines) = backup
    moved = installation.directory / "elsewhere"
    installation.spool.rename(moved)
    installation.spool = moved
    installation.configure()
    installation.drain()
    assert_same_events(events_in(scripted.objects(BUCKET)), sum(lines.values(), []))
