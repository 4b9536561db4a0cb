"""Event files in the spool become objects in S3: the right ones, with the right bytes, once."""

import collections
import datetime
import gzip
import hashlib
import json
import os
import pathlib
import subprocess

import duckdb
import polars
import pytest

from installation import Installation
from objects import assert_same_events, events_in, gunzip, parse_key
from quarantine import refused_files, refused_lines

QUICK = {"max_age": "1s"}
"""Batch limits for daemons that run on: nothing waits longer."""


def with_connector(installation: Installation, destination, name: str = "orders", **settings):
    installation.connector(
        name, destination.bucket, destination.s3.endpoint, destination.keys, **settings)


def hour_now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d-%H")


def test_each_kind_of_file_is_delivered_under_keys_of_the_layout(
    installation, destination, producer
):
    with_connector(installation, destination)
    files = {name: producer.lines(150) for name in ("a.jsonl", "b.ndjson", "c.json", "d.jsonl.gz",
                                                    "e.ndjson.gz", "f.json.gz")}
    for name, lines in files.items():
        text = b"".join(lines)
        installation.drop(name, gzip.compress(text) if name.endswith(".gz") else text, "orders")
    first_hour = hour_now()
    installation.drain()

    objects = destination.objects()
    assert_same_events(events_in(objects), [line for lines in files.values() for line in lines])
    keys = [parse_key(key) for key in objects]
    assert {key.folder for key in keys} == {"currents"}
    assert {key.integration for key in keys} == {"id-orders"}
    assert {key.hour for key in keys} <= {first_hour, hour_now()}
    assert installation.waiting() == []


def test_offsets_count_the_events_of_a_type(installation, destination, producer):
    with_connector(installation, destination, batch={"max_events": 10})
    installation.drop("a.jsonl", producer.lines(400), "orders")
    installation.drain()

    by_type = collections.defaultdict(list)
    for key, body in destination.objects().items():
        by_type[parse_key(key).type].append((parse_key(key).offset, len(gunzip(body).splitlines())))
    for event_type, batches in by_type.items():
        batches.sort()
        assert all(count <= 10 for _, count in batches), event_type
        following = zip(batches, batches[1:])
        assert all(offset + count == after for (offset, count), (after, _) in following), event_type


def test_objects_say_what_they_are(installation, destination, producer):
    with_connector(installation, destination)
    installation.drop("a.jsonl", producer.lines(20), "orders")
    installation.drain()

    s3 = destination.s3.client("s3")
    for key, body in destination.objects().items():
        head = s3.head_object(Bucket=destination.bucket, Key=key)
        assert head["ContentType"] == "application/gzip"
        assert "content-encoding" not in head["ResponseMetadata"]["HTTPHeaders"]
        assert head["Metadata"]["sluice-sha256"] == hashlib.sha256(body).hexdigest()


def test_events_go_where_directory_member_or_subscription_say(
    installation, make_destination, producer
):
    mail, push = make_destination(), make_destination()
    with_connector(installation, mail, "mail", events=["users.messages.email.*"])
    with_connector(installation, push, "push", events=["users.messages.pushnotification.*"])
    in_directory = producer.lines(80)
    to_push, to_both = producer.lines(40, connector="push"), producer.lines(40, connector=["mail", "push"])
    by_type = producer.lines(200)
    installation.drop("directory.jsonl", in_directory, "mail")
    installation.drop("members.jsonl", to_push + to_both)
    installation.drop("types.jsonl", by_type)
    installation.drain()

    def of(part: str) -> list[bytes]:
        return [line for line in by_type if part in json.loads(line)["event_type"]]

    assert_same_events(events_in(mail.objects()), in_directory + to_both + of(".email."))
    assert_same_events(
        events_in(push.objects()), to_push + to_both + of(".pushnotification."))
    unwanted = [line for line in by_type if line not in of(".email.") + of(".pushnotification.")]
    assert_same_events([line.text + b"\n" for line in refused_lines(installation.spool)], unwanted)


def test_files_moved_and_copied_into_a_running_daemon_are_delivered(
    installation, destination, producer
):
    with_connector(installation, destination, batch=QUICK)
    daemon = installation.start()
    dropped = []
    for number in range(6):
        lines = producer.lines(300)
        dropped += lines
        if number % 2:
            installation.drop(f"moved-{number}.jsonl", lines, "orders" if number > 2 else None)
        else:
            source = installation.directory / f"copied-{number}.jsonl"
            source.write_bytes(b"".join(lines))
            subprocess.run(["cp", source, installation.incoming("orders")], check=True)
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    assert_same_events(events_in(destination.objects()), dropped)
    assert daemon.troubles() == []
    assert daemon.stop() == 0


def test_a_file_is_not_read_while_somebody_writes_it(installation, destination, producer):
    with_connector(installation, destination, batch=QUICK)
    daemon = installation.start()
    slow, marker = producer.lines(4000), producer.lines(10)
    text = b"".join(slow)
    path = installation.incoming("orders") / "slow.jsonl"
    # Cut in the middle of a line, and closed once by somebody else meanwhile: a close says that one
    # writer is done, not that all are.
    with path.open("wb", buffering=0) as writer:
        writer.write(text[:1_000_003])
        path.open("ab").close()
        daemon.wait_for("file waiting")
        installation.drop("marker.jsonl", marker, "orders")
        daemon.wait_until(
            lambda: len(events_in(destination.objects())) == len(marker), "the marker was delivered")
        writer.write(text[1_000_003:])
    daemon.wait_until(lambda: not installation.waiting(), "the slow file was delivered")
    assert_same_events(events_in(destination.objects()), slow + marker)
    assert refused_lines(installation.spool) == []


def test_names_of_unfinished_files_are_left_alone(installation, destination, producer):
    with_connector(installation, destination)
    names = [".hidden.jsonl", "a.jsonl.tmp", "b.jsonl.part"]
    for name in names:
        installation.drop(name, producer.lines(5), "orders")
    done = producer.lines(5)
    installation.drop("c.jsonl", done, "orders")
    installation.drain()
    assert_same_events(events_in(destination.objects()), done)
    assert sorted(path.name for path in installation.incoming("orders").iterdir()) == names


def test_links_and_pipes_are_never_read(installation, destination, producer):
    with_connector(installation, destination)
    secret = installation.directory / "secret.jsonl"
    secret.write_bytes(b"".join(producer.lines(5)))
    done = producer.lines(5)
    installation.drop("c.jsonl", done, "orders")
    place = installation.incoming("orders")
    (place / "symbolic.jsonl").symlink_to(secret)
    (place / "hard.jsonl").hardlink_to(secret)
    os.mkfifo(place / "pipe.jsonl")
    daemon = installation.drain()
    assert_same_events(events_in(destination.objects()), done)
    told = {pathlib.Path(line.fields["SLUICE_FILE"]).name for line in daemon.troubles()}
    assert told == {"symbolic.jsonl", "hard.jsonl", "pipe.jsonl"}
    assert secret.read_bytes().count(b"\n") == 5


@pytest.fixture
def large_object(installation, destination, producer, tmp_path) -> tuple[pathlib.Path, list[bytes]]:
    """One delivered object with several compressed blocks, and the events in it."""
    with_connector(installation, destination)
    lines = producer.lines(3000, event_type="users.messages.email.Send")
    installation.drop("large.jsonl", lines, "orders")
    installation.drain()
    ((_, body),) = destination.objects().items()
    path = tmp_path / "object.jsonl.gz"
    path.write_bytes(body)
    return path, lines


def read_with_zcat(path: pathlib.Path) -> list[str]:
    text = subprocess.run(["zcat", path], check=True, stdout=subprocess.PIPE).stdout
    return [json.loads(line)["id"] for line in text.splitlines()]


def read_with_python(path: pathlib.Path) -> list[str]:
    with gzip.open(path) as file:
        return [json.loads(line)["id"] for line in file]


def read_with_duckdb(path: pathlib.Path) -> list[str]:
    rows = duckdb.sql(f"select id from read_json('{path}', format = 'newline_delimited')").fetchall()
    return [str(row[0]) for row in rows]


def read_with_polars(path: pathlib.Path) -> list[str]:
    return polars.read_ndjson(path)["id"].to_list()


@pytest.mark.parametrize(
    "read", [read_with_zcat, read_with_python, read_with_duckdb, read_with_polars])
def test_other_programs_read_every_event_of_an_object(large_object, read):
    path, lines = large_object
    assert read(path) == [json.loads(line)["id"] for line in lines]


def test_an_object_is_one_gzip_member_that_ends_where_the_file_ends(large_object):
    path, lines = large_object
    assert gunzip(path.read_bytes()) == b"".join(lines)


REFUSED = {
    "half": b'{"id":"1","event_type":"a.b","ti',
    "array": b'[1,2,3]',
    "number": b'42',
    "no event type": b'{"id":"2","time":1}',
    "empty part in its type": b'{"id":"3","event_type":"a..b"}',
    "type with a slash": b'{"id":"4","event_type":"a/b"}',
    "type is a number": b'{"id":"5","event_type":5}',
    "unknown connector": b'{"id":"6","event_type":"a.b","connector":"nobody"}',
    "no UTF-8": b'{"id":"7","event_type":"a.b","name":"\xc3\x28"}',
    "control character": b'{"id":"8","event_type":"a.b","name":"a\tb"}',
    "something after the object": b'{"id":"9","event_type":"a.b"} {}',
    "too long": b'{"id":"10","event_type":"a.b","name":"' + b"x" * 900_000 + b'"}',
}


def test_refused_lines_go_to_quarantine_with_a_reason_and_the_rest_goes_on(
    installation, destination, producer
):
    with_connector(installation, destination)
    good = producer.lines(len(REFUSED) * 10)
    lines, numbers = [], {}
    for index, event in enumerate(good):
        lines.append(event)
        if index % 10 == 5:
            name = list(REFUSED)[index // 10]
            lines += [b"\n", REFUSED[name] + b"\n"]
            numbers[len(lines)] = name
    # Last comes a good event without its line feed.
    installation.drop("mixed.jsonl", b"".join(lines).rstrip(b"\n"))
    daemon = installation.drain()

    assert_same_events(events_in(destination.objects()), good)
    refused = refused_lines(installation.spool)
    assert {line.number: line.text for line in refused} == {
        number: REFUSED[name] for number, name in numbers.items()}
    assert all(len(line.reason) > 10 for line in refused)
    assert all(line.file.endswith("mixed.jsonl") for line in refused)
    (said,) = daemon.said("events quarantined")
    assert said.fields["SLUICE_EVENTS"] == str(len(REFUSED))
    assert "mixed.jsonl" in said.message


def test_files_that_hold_no_events_go_to_quarantine_whole(installation, destination, producer):
    with_connector(installation, destination)
    whole = {
        "report.csv": b"id,name\n1,a\n",
        "noise.jsonl": b"\n".join(b"this is no event %d" % n for n in range(200)) + b"\n",
        "no-gzip.jsonl.gz": b"this was never compressed\n",
    }
    for name, text in whole.items():
        installation.drop(name, text, "orders")
    good = producer.lines(10)
    installation.drop("good.jsonl", good, "orders")
    daemon = installation.drain()

    assert_same_events(events_in(destination.objects()), good)
    refused = refused_files(installation.spool)
    assert {pathlib.Path(file.file).name: file.path.read_bytes() for file in refused} == whole
    assert refused_lines(installation.spool) == []
    assert len(daemon.said("file quarantined")) == len(whole)


def test_a_broken_gzip_file_is_taken_up_to_where_it_breaks_and_kept(
    installation, destination, producer
):
    with_connector(installation, destination)
    lines = producer.lines(5000)
    compressed = gzip.compress(b"".join(lines))
    installation.drop("cut.jsonl.gz", compressed[: len(compressed) * 2 // 3], "orders")
    daemon = installation.drain()

    delivered = events_in(destination.objects())
    assert 0 < len(delivered) < len(lines)
    assert_same_events(delivered, lines[: len(delivered)])
    (kept,) = refused_files(installation.spool)
    assert kept.path.read_bytes() == compressed[: len(compressed) * 2 // 3]
    assert len(daemon.said("file quarantined")) == 1


def test_a_reload_brings_a_new_connector_and_loses_nothing(
    installation, make_destination, producer
):
    old, new = make_destination(), make_destination()
    with_connector(installation, old, "old", batch={"max_age": "1h"})
    daemon = installation.start()
    before = producer.lines(200)
    installation.drop("before.jsonl", before)
    daemon.wait_until(
        lambda: any((installation.spool / "active").iterdir()), "the first file was claimed")
    with_connector(installation, old, "old", batch=QUICK, events=["users.messages.*"])
    with_connector(installation, new, "new", batch=QUICK, events=["users.behaviors.*"])
    daemon.reload()
    daemon.wait_for("reloaded")
    after = producer.lines(200)
    installation.drop("after.jsonl", after)
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")

    messages = [line for line in after if b'"users.messages.' in line]
    assert_same_events(events_in(old.objects()), before + messages)
    assert_same_events(events_in(new.objects()), [line for line in after if line not in messages])


def test_stopping_flushes_nothing_and_loses_nothing(installation, destination, producer):
    with_connector(installation, destination, batch={"max_age": "1h"})
    daemon = installation.start()
    lines = producer.lines(500)
    installation.drop("a.jsonl", lines, "orders")
    daemon.wait_until(
        lambda: any((installation.spool / "active").iterdir()), "the file was claimed")
    assert daemon.stop() == 0
    assert destination.objects() == {}
    installation.drain()
    assert_same_events(events_in(destination.objects()), lines)


def test_two_daemons_cannot_share_a_spool(installation, destination):
    with_connector(installation, destination)
    first = installation.start()
    second = installation.start(wait=False)
    assert second.wait(10) != 0
    assert str(installation.spool) in second.transcript()
    assert first.is_running


def test_a_large_file_is_read_in_bounded_memory(installation, destination, producer):
    with_connector(installation, destination)
    lines = producer.lines(20_000)
    installation.drop("large.jsonl", b"".join(lines * 10), "orders")
    daemon = installation.start("--until-empty", wait=False)
    peak = 0

    def peak_memory() -> int:
        status = pathlib.Path(f"/proc/{daemon.pid}/status").read_text()
        found = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(found[0].split()[1]) << 10 if found else 0

    while daemon.is_running:
        try:
            peak = max(peak, peak_memory())
        except (FileNotFoundError, ProcessLookupError):
            break
    assert daemon.wait(60) == 0
    assert len(events_in(destination.objects())) == 200_000
    assert 0 < peak <= 48 << 20
