"""Whatever lies in incoming/, of any kind and name: only event files are read, and the rest is named."""

import os
import pathlib
import re
import socket
import stat

import pytest

import unprivileged
from objects import assert_same_events, events_in
from quarantine import refused_files, refused_lines
from unprivileged import ALICE, BOB, acting_as

BUCKET = "scripted"


@pytest.fixture
def spool(installation, scripted_s3):
    """A spool for producers, with a connector "orders" and its directory made."""
    installation.connector(
        "orders", BUCKET, scripted_s3.endpoint, scripted_s3.KEYS, batch={"max_age": "1s"})
    unprivileged.set_up(installation)
    installation.drain()
    return installation


def delivered(scripted_s3) -> list[bytes]:
    return events_in(scripted_s3.objects(BUCKET))


def told(daemon) -> dict[str, str]:
    """What was said of each file in trouble, by its name; each only once."""
    lines = [line for line in daemon.troubles() if line.kind.startswith("file ")]
    by_name = {pathlib.Path(line.fields["SLUICE_FILE"]).name: line.message for line in lines}
    assert len(by_name) == len(lines), daemon.transcript()
    return by_name


def test_what_is_no_regular_file_with_one_name_is_never_read(spool, scripted_s3, producer):
    place, outside = spool.incoming("orders"), spool.directory / "outside"
    outside.mkdir()
    for path in (outside / "theirs.jsonl", outside / "shadow"):
        path.write_bytes(b"".join(producer.lines(3)))
    good, twice = producer.lines(20), producer.lines(5)
    links = {
        "shadow.jsonl": "/etc/shadow", "outside.jsonl": outside / "shadow",
        "identity.jsonl": "../../identity", "quarantine.jsonl": "../../quarantine",
        "active.jsonl": "../../active", "dangling.jsonl": "nowhere", "root.jsonl": "/",
        "loop.jsonl": "loop.jsonl", "itself.jsonl": ".", "other.jsonl": "good.jsonl",
        "fd.jsonl": "/proc/self/fd/0", "memory.jsonl": "/proc/self/mem", "x.json.gz": "/proc/1/exe",
    }
    with acting_as(ALICE):
        for name, target in links.items():
            (place / name).symlink_to(target)
        os.mkfifo(place / "pipe.jsonl")
        (place / "one.jsonl").write_bytes(b"".join(twice))
        (place / "two.jsonl").hardlink_to(place / "one.jsonl")
        (place / "good.jsonl").write_bytes(b"".join(good))
        for name in ("directory.jsonl", "nobody", "x.jsonl.gz"):
            (place / name).mkdir()
        (spool.incoming() / "unknown").mkdir()
        (spool.incoming() / "unknown" / "a.jsonl").write_bytes(b"".join(twice))
        with socket.socket(socket.AF_UNIX) as listening:
            here = os.getcwd()
            try:
                os.chdir(place)
                listening.bind("socket.jsonl")
            finally:
                os.chdir(here)
    (place / "theirs.jsonl").hardlink_to(outside / "theirs.jsonl")
    directories = {"directory.jsonl", "nobody", "x.jsonl.gz", "unknown"}
    daemon = spool.drain()

    assert_same_events(delivered(scripted_s3), good)
    said = told(daemon)
    kept = set(links) | {"pipe.jsonl", "one.jsonl", "two.jsonl", "theirs.jsonl", "socket.jsonl"}
    assert set(said) == kept | directories
    for names, words in [(links, "a symbolic link"), (["pipe.jsonl"], "a FIFO"),
                         (["socket.jsonl"], "a socket"),
                         (["one.jsonl", "two.jsonl", "theirs.jsonl"], "2 hard links"),
                         (directories, "directory of no connector")]:
        assert all(words in said[name] for name in names), said
    refused = {pathlib.Path(file.file).name: file.path for file in refused_files(spool.spool)}
    assert set(refused) == kept
    # As they were: a link is kept, not what it points to.
    assert all(os.readlink(refused[name]) == str(target) for name, target in links.items())
    assert refused["two.jsonl"].read_bytes() == b"".join(twice)
    assert refused_lines(spool.spool) == []
    assert {path.name for path in place.iterdir()} == directories - {"unknown"}
    assert (outside / "theirs.jsonl").read_bytes().count(b"\n") == 3


def test_a_device_is_never_read(spool, scripted_s3, producer):
    place = spool.incoming("orders")
    devices = {"null.jsonl": (stat.S_IFCHR, 1, 3), "zero.jsonl": (stat.S_IFCHR, 1, 5),
               "none.jsonl": (stat.S_IFCHR, 250, 250), "loop.jsonl": (stat.S_IFBLK, 7, 200),
               "nobody.jsonl": (stat.S_IFBLK, 250, 7)}
    try:
        for name, (kind, major, minor) in devices.items():
            os.mknod(place / name, kind | 0o666, os.makedev(major, minor))
            (place / name).chmod(0o666)
    except OSError as error:
        pytest.skip(f"no device can be made here: {error}")
    good = producer.lines(20)
    unprivileged.drop(spool, ALICE, "good.jsonl", b"".join(good), "orders")
    daemon = spool.drain()
    assert_same_events(delivered(scripted_s3), good)
    assert {name: "a device" in said for name, said in told(daemon).items()} == dict.fromkeys(devices, True)
    assert len(refused_files(spool.spool)) == len(devices)


TAKEN = {
    "a line feed": b"a\nforged: 2026-01-01 error sluiced cannot run.jsonl",
    "escape": b"\x1b]0;owned\x07\x1b[2J.jsonl",
    "CSI": "\u009b31m.jsonl".encode(),
    "carriage return and backspace": b"a\r\b\b.jsonl",
    "255 bytes": b"n" * 249 + b".jsonl",
    "255 bytes that need escaping": "ä".encode() * 124 + b"a.jsonl",
    "a leading dash": b"--until-empty.jsonl",
    "percent": b"%2e%2e%2fetc%00.jsonl",
    "one like ours": b"0000000000000001.1795370000.10.plain._.x.jsonl",
    "one like ours in quarantine": b"0000000000000001-x.jsonl",
    "direction": "\u202egpj.jsonl".encode(),
    "shell": b"$(reboot);`id`'\".json",
    "JSON": b'","PRIORITY":"0","x":".jsonl',
    "the replacement character": "\ufffd.jsonl".encode(),
    "an underscore": b"_.jsonl",
}
LEFT = [b".claiming-0000000000000001._.x.jsonl", b"...jsonl", b"..jsonl", b".jsonl", b"a.jsonl.tmp",
        b"b.jsonl.part", b".x.jsonl"]
SET_ASIDE = [b"A.JSONL", b"b.Jsonl", b"c.jsonl ", b"d.jsonl\n", b"e.jsonl.GZ", b"f.json\x1b[0m", b"identity",
             b"sequence", b"1.rejects", b"x.envelope"]
NO_UTF_8 = [b"\xff.jsonl", b"\x9b31m.jsonl", b"\xc0\xaf.jsonl", b"\xed\xa0\x80.jsonl"]


def test_any_name_is_carried_through_a_kill_and_shown_without_its_controls(
    spool, scripted_s3, producer
):
    place = os.fsencode(spool.incoming("orders"))
    spool.connector(
        "orders", BUCKET, scripted_s3.endpoint, scripted_s3.KEYS, batch={"max_age": "1h"})
    unprivileged.set_up(spool)
    dropped, other = [], producer.lines(2)
    with acting_as(ALICE):
        for name in TAKEN.values():
            lines = producer.lines(3)
            dropped += lines
            # One line of each is refused, so that the name goes into .rejects as well.
            _write(place + b"/" + name, b"".join(lines) + b'{"event_type":"a..b"}\n')
        for name in LEFT + SET_ASIDE + NO_UTF_8:
            _write(place + b"/" + name, b"".join(other))
    first = spool.start()
    first.wait_for("events quarantined", count=len(TAKEN))
    first.kill()
    second = spool.drain()

    assert_same_events(delivered(scripted_s3), dropped)
    assert sorted(os.listdir(place)) == sorted(LEFT + NO_UTF_8)
    assert len(refused_files(spool.spool)) == len(SET_ASIDE)
    assert len(refused_lines(spool.spool)) == len(TAKEN)
    assert len(first.said("file quarantined")) == len(SET_ASIDE)
    assert len(second.said("file unreadable")) == len(NO_UTF_8)
    shown = [text for daemon in (first, second) for line in daemon.lines
             for text in [line.message, *line.fields.values()]]
    unsafe = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
    assert not [text for text in shown if unsafe.search(text)]
    assert first.other_output == second.other_output == ""
    for path in (spool.spool / "quarantine").iterdir():
        assert re.fullmatch(r"[!-~]+", path.name)
        if path.suffix in (".reason", ".rejects"):
            assert not re.search(r"[^\x20-\x7e\n]", path.read_text()), path.read_text()


def _write(path: bytes, contents: bytes) -> None:
    with open(path, "wb") as file:
        file.write(contents)


def test_a_name_that_is_used_again_while_its_file_is_claimed_is_another_file(
    spool, scripted_s3, producer
):
    daemon = spool.start()
    dropped = []
    for _ in range(30):
        for user in (ALICE, BOB):
            lines = producer.lines(5)
            dropped += lines
            with acting_as(user):
                made = spool.incoming() / f"{user.uid}.new.tmp"
                made.write_bytes(b"".join(lines))
                name = spool.incoming() / "same.jsonl"
                daemon.wait_until(lambda: _renamed(made, name), "the name was free")
    daemon.wait_until(lambda: not spool.waiting(), "everything was delivered")
    assert_same_events(delivered(scripted_s3), dropped)
    assert daemon.troubles() == []


def _renamed(made: pathlib.Path, name: pathlib.Path) -> bool:
    """Whether it has the name now, and put nothing away by taking it."""
    try:
        os.link(made, name)
    except (FileExistsError, PermissionError):
        return False
    made.unlink()
    return True
