"""A directory of the spool on another file system is refused: neither rename nor sync would reach it."""

import pathlib
import subprocess
from collections.abc import Iterator

import pytest

from objects import assert_same_events, events_in

BUCKET = "scripted"


def everything(directory: pathlib.Path) -> dict[str, tuple]:
    """What lies in a tree, and whatever writing would change of it."""
    found = {}
    for path in [directory, *directory.rglob("*")]:
        status = path.lstat()
        found[str(path)] = (
            status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return found


class Mounts:
    """What is mounted on directories of the spool."""

    def __init__(self) -> None:
        self._places: list[pathlib.Path] = []

    def add(self, place: pathlib.Path, *arguments: str | pathlib.Path) -> None:
        result = subprocess.run(["mount", *arguments, place], capture_output=True, text=True)
        if result.returncode:
            pytest.skip(f"nothing can be mounted here: {result.stderr.strip()}")
        self._places.append(place)

    def remove(self) -> None:
        while self._places:
            subprocess.run(["umount", self._places.pop()], check=True)


@pytest.fixture
def mounts(installation) -> Iterator[Mounts]:
    made = Mounts()
    yield made
    installation.end_daemons()
    made.remove()


@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
@pytest.mark.parametrize("directory", ["incoming", "active", "sealed", "quarantine"])
def test_a_directory_of_the_spool_on_another_file_system_is_refused(
    installation, mounts, scripted_s3, producer, directory, kind
):
    installation.connector("orders", BUCKET, scripted_s3.endpoint, scripted_s3.KEYS)
    first, second = producer.lines(30), producer.lines(30)
    installation.drop("a.jsonl", first, "orders")
    installation.drain()

    place = installation.spool / directory
    if kind == "tmpfs":
        mounts.add(place, "-t", "tmpfs", "-o", "size=1m,mode=0755", "tmpfs")
    else:
        # The same file system by another way: even so no rename goes in or out.
        elsewhere = installation.directory / "elsewhere"
        elsewhere.mkdir()
        mounts.add(place, "--bind", elsewhere)
    before = everything(installation.spool)
    daemon = installation.start(wait=False)
    assert daemon.wait(10) != 0, daemon.transcript()
    (told,) = daemon.troubles()
    assert told.kind == "start refused", daemon.transcript()
    assert str(place) in told.message or f" {directory}" in told.message, told.message
    assert everything(installation.spool) == before

    mounts.remove()
    installation.drop("b.jsonl", second, "orders")
    installation.drain()
    assert_same_events(events_in(scripted_s3.objects(BUCKET)), first + second)
