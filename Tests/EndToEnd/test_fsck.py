"""sluicectl fsck: all of a spool is looked at, beside the daemon or without it, and nothing is changed."""

import json
import os
import pathlib
import subprocess

import pytest

from installation import Installation, binary
from local_s3 import Keys

KEYS = Keys("NOBODY", "secret")
NOBODY = 65534


@pytest.fixture
def held(installation: Installation, producer) -> Installation:
    """A daemon that holds three objects, since its store is not there."""
    installation.connector("orders", "bucket", "http://127.0.0.1:9", KEYS)
    daemon = installation.start()
    for number in range(3):
        installation.drop(f"{number}.jsonl", producer.lines(10, event_type=f"t.{number}"), "orders")
    daemon.wait_until(
        lambda: installation.sluicectl("flush").returncode == 0
        and len(list(installation.spool.glob("sealed/orders/*.envelope"))) == 3, "three are held")
    return installation


def state(directory: pathlib.Path) -> list[tuple]:
    return sorted((str(path), path.lstat().st_mtime_ns, path.lstat().st_mode, path.lstat().st_size)
                  for path in directory.rglob("*"))


def test_it_looks_at_a_spool_with_and_without_the_daemon(held):
    beside = held.sluicectl("fsck")
    assert (beside.returncode, beside.stderr) == (0, ""), beside.stdout
    assert "is running, so files come and go" in beside.stdout
    assert "3 objects (" in beside.stdout and "with 30 events to be delivered" in beside.stdout
    (daemon,) = held._daemons
    daemon.stop()
    before = state(held.spool)
    alone = held.sluicectl("fsck")
    assert alone.returncode == 0, alone.stdout
    assert "sluiced: is not running" in alone.stdout and "nothing wrong in" in alone.stdout
    assert state(held.spool) == before

    object_, *_ = sorted(held.spool.glob("sealed/orders/*.object"))
    damaged = bytearray(object_.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    object_.write_bytes(damaged)
    (held.spool / "notes.txt").touch()
    found = held.sluicectl("fsck")
    assert found.returncode == 1
    lines = found.stdout.splitlines()
    assert f"sealed/orders/{object_.name}: its SHA-256 is not that of its envelope" in found.stdout
    assert any(line.startswith("notes.txt: sluiced gave no file this name; ") for line in lines)
    assert "found: 2 faults in" in found.stdout
    # By its directory, and for programs.
    said = subprocess.run(
        [binary("sluicectl"), "fsck", "--spool", held.spool, "--json"], capture_output=True,
        text=True, timeout=30)
    assert said.returncode == 1
    document = json.loads(said.stdout)
    assert document["running"] is False
    assert [each["path"] for each in document["findings"]] == [
        "notes.txt", f"sealed/orders/{object_.name}"]
    assert document["counts"]["held"]["files"] == 3
    # A daemon finds its lock free.
    held.start()


def test_it_is_no_spool_or_not_for_everybody(held, tmp_path):
    nowhere = held.sluicectl("fsck", "--spool", "/nonexistent")
    assert (nowhere.returncode, nowhere.stdout) == (1, "")
    assert "/nonexistent does not exist" in nowhere.stderr
    empty = held.sluicectl("fsck", "--spool", str(tmp_path))
    assert "is no spool: sluiced never made one there" in empty.stderr
    if os.geteuid() != 0:
        pytest.skip("only root can be somebody else")
    held.directory.chmod(0o755)
    held.spool.chmod(0o711)
    refused = subprocess.run(
        [binary("sluicectl"), "fsck", "--spool", held.spool], capture_output=True, text=True,
        timeout=30, user=NOBODY, extra_groups=[])
    assert (refused.returncode, refused.stdout) == (77, "")
    assert "run it as root, or as user sluice" in refused.stderr
