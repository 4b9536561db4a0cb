"""Event types and names of connectors that try to leave their place, and text that tries to forge lines."""

import collections
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from installation import binary
from objects import assert_same_events, events_in, parse_key
from quarantine import refused_files, refused_lines

BUCKET = "scripted"

TYPES = [
    "../x", "..", ".", "a/b", "/", "a//b", "..%2f..%2fx", "%2e%2e", "a%00b", "\0", "a\0", "a\nb", "a\r\nb",
    "\x1b[2J", "\u009b31m", "a b", " a", "a ", "a\tb", "\u2024\u2024/x", "\uff0e\uff0e\uff0fx", "a\u2215b",
    "a\u202eb", "\u0430.b", "a\u0301", "a.", ".a", "a..b", "x" * 129, "x" * 100_000, "a\\b", "a+1", "a=b",
    "a?b", "a#b", "a&b", "a:b", "a;b", "a*", "*", "~", "a,b", "a'b", "a\"b", "<a>", "$(a)", "",
    "\ufeffa", "a\u200bb", "date=2026", "\ud800",
]
CONNECTORS = [
    "../orders", "..", ".", "/", "orders/", "./orders", "orders\0", "orders\n", " orders", "ORDERS",
    "ord\u0435rs", "orders%00", "", "\x1b]0;x\x07", "\u009b31m", "x" * 64, "x" * 500_000, "-", "active",
    "incoming/orders", "orders\",\"MESSAGE\":\"forged",
]
FORGERY = ("x\n2026-11-28T05:00:00Z error forged\nPRIORITY=0\n\x1b[2J\u009b1m{\"MESSAGE_ID\":\"0\"}"
           "\r\u2028forged\u202e")

UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What a terminal obeys, or turns around."""


@pytest.fixture
def spool(installation, scripted_s3):
    installation.connector(
        "orders", BUCKET, scripted_s3.endpoint, scripted_s3.KEYS, batch={"max_age": "1s"})
    return installation


def hostile_lines() -> list[bytes]:
    lines = [json.dumps({"event_type": name, "id": f"t{number}"}) for number, name in enumerate(TYPES)]
    lines += [json.dumps({"event_type": "a.b", "id": f"c{number}", "connector": name})
              for number, name in enumerate(CONNECTORS)]
    lines += [json.dumps({"event_type": "a.b", "id": "several", "connector": ["orders", "../orders"]}),
              json.dumps({"event_type": "a.b", "id": "forged", "connector": FORGERY}),
              json.dumps({"event_type": FORGERY, "id": "forged type"}),
              json.dumps({"event_type": ["a.b"], "id": "list"}),
              json.dumps({"event_type": None, "id": "null"})]
    return [line.encode() + b"\n" for line in lines]


def test_no_name_leaves_the_folder_and_each_is_refused_with_its_reason(spool, scripted_s3, producer):
    good, bad = producer.lines(len(hostile_lines())), hostile_lines()
    spool.drop("a.jsonl", [line for pair in zip(good, bad) for line in pair])
    before = {path for path in spool.directory.rglob("*")}
    daemon = spool.drain()

    objects = scripted_s3.objects(BUCKET)
    assert_same_events(events_in(objects), good)
    assert all(parse_key(key).folder == "currents" for key in objects)
    assert {request["key"].split("/")[0] for request in scripted_s3.requests("PUT")} == {"currents"}
    refused = refused_lines(spool.spool)
    assert collections.Counter(line.text + b"\n" for line in refused) == collections.Counter(bad)
    for line in refused:
        event = json.loads(line.text)
        refused_for = "connector" if "connector" in event and event["connector"] != "forged" else "event_type"
        assert refused_for in line.reason and len(line.reason) < 200, line.reason
    # Nor would a terminal obey it.
    (rejects,) = spool.spool.glob("quarantine/*.rejects")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", rejects.read_text())
    # Nothing came to be beside the spool.
    made = {path.relative_to(spool.directory).parts[0] for path in set(spool.directory.rglob("*")) - before}
    assert made <= {"spool", "http.sock"}
    assert sorted(path.name for path in spool.spool.glob("sealed/*")) == ["orders"]
    assert len(daemon.troubles()) == 1


@pytest.mark.parametrize("name", ["..", "...", "-", "orders\n", "ORDERS", "o\u0155ders", "\x1b[2J", "a b"])
def test_a_directory_in_incoming_makes_no_connector(spool, scripted_s3, producer, name):
    good = producer.lines(5)
    spool.drop("a.jsonl", good)
    if name != "..":
        (spool.incoming() / name).mkdir()
        (spool.incoming() / name / "x.jsonl").write_bytes(b"".join(good))
    spool.drain()
    assert_same_events(events_in(scripted_s3.objects(BUCKET)), good)


def forge(spool, producer) -> list[bytes]:
    """Files whose names and first refused lines would forge lines, if they could."""
    good = producer.lines(3)
    forged = json.dumps({"event_type": "a.b", "connector": FORGERY}).encode() + b"\n"
    spool.incoming().mkdir(exist_ok=True)
    for number in range(2):
        name = (FORGERY.replace("/", "") + f"{number}.jsonl").encode()
        with open(os.fsencode(spool.incoming()) + b"/" + name, "wb") as file:
            file.write(forged + (b"".join(good) if number else b""))
    with open(os.fsencode(spool.incoming()) + b"/\x1b[31m\nforged", "wb") as file:
        file.write(b"x")
    (spool.incoming() / "\x1b[31m\nforged directory").mkdir()
    return good


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_line_of_the_log_is_forged(spool, scripted_s3, producer, log_format):
    spool.config.write_text(spool.config.read_text().replace('"json"', f'"{log_format}"'))
    good = forge(spool, producer)
    ended = subprocess.run(
        [binary("sluiced"), "--config", spool.config, "--until-empty"], capture_output=True, timeout=60)
    text = ended.stderr.decode()
    assert not UNSAFE.search(text), text
    lines = text.splitlines()
    if log_format == "text":
        start = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (info|notice|warning) ")
        assert all(start.match(line) for line in lines)
    else:
        assert all(json.loads(line)["SYSLOG_IDENTIFIER"] == "sluiced" for line in lines)
        assert all(int(json.loads(line)["PRIORITY"]) > 2 for line in lines)
    assert len([line for line in lines if "forged" in line]) == 4, text
    assert_same_events(events_in(scripted_s3.objects(BUCKET)), good)


def test_no_entry_of_the_journal_is_forged(spool, scripted_s3, producer):
    lab = pathlib.Path(__file__).with_name("lab") / "journald.sh"
    good = forge(spool, producer)
    # As systemd does, systemd-cat gives it the journal for its standard error; so it must be told.
    program = ('export JOURNAL_STREAM=$(stat -Lc %d:%i /proc/$$/fd/2); '
               'exec "$0" --config "$1" --until-empty')
    ran = subprocess.run(
        [lab, "--", "bash", "-c",
         'systemd-cat bash -c "$0" "$1" "$2"; journalctl --sync; journalctl -o json --all', program,
         binary("sluiced"), spool.config],
        capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    if ran.returncode == 77 or shutil.which("systemd-cat") is None:
        pytest.skip(ran.stderr.strip())
    entries = [json.loads(line) for line in ran.stdout.splitlines()]
    ours = [entry for entry in entries if entry.get("SYSLOG_IDENTIFIER") == "sluiced"]
    assert len([entry for entry in ours if "forged" in entry["MESSAGE"]]) == 4, ran.stdout + ran.stderr
    for entry in ours:
        assert isinstance(entry["MESSAGE"], str) and not UNSAFE.search(entry["MESSAGE"])
        assert "\n" not in entry["MESSAGE"] and entry["PRIORITY"] in "3456"
        assert all(isinstance(value, str) for value in entry.values()), entry
    assert not [entry for entry in entries
                if str(entry.get("MESSAGE", "")).startswith(("forged", "2026-11-28T05:00:00Z"))]
    assert_same_events(events_in(scripted_s3.objects(BUCKET)), good)


@pytest.mark.parametrize("arguments", [["status"], ["status", "--json"]])
def test_nothing_reaches_the_terminal_of_who_asks_for_the_state(spool, scripted_s3, producer, arguments):
    daemon = spool.start()
    forge(spool, producer)
    daemon.reload()
    daemon.wait_for("file unreadable")
    daemon.wait_until(lambda: scripted_s3.objects(BUCKET), "the good events were delivered")
    said = spool.sluicectl(*arguments)
    assert said.returncode in (0, 1) and said.stdout
    assert not UNSAFE.search(said.stdout + said.stderr)
    assert len(refused_files(spool.spool)) == 1 and len(refused_lines(spool.spool)) == 2
