"""Large objects go in parts: exactly once, whatever dies on the way, and no part that the bucket has goes twice."""

import collections
import hashlib
import pathlib
import time
import urllib.parse

import pytest

from installation import Installation

BUCKET = "scripted"
MIB = 1 << 20
PART = 5 * MIB
LIMITS = {"above": "5MiB", "part_size": "5MiB"}
LARGE = {"format": "jsonl", "compression": "none", "multipart": LIMITS}
UNALLOWED = {"do": "answer", "status": 403, "code": "InvalidAccessKeyId", "times": None}


def events_of(size: int, event_type: str) -> bytes:
    """Events of one type whose lines have so many bytes in all."""
    head, tail = f'{{"event_type":"{event_type}","pad":"', '"}\n'
    least = len(head) + len(tail)
    lines = []
    while size:
        length = size if size <= 800_000 else 700_000
        pad = hashlib.sha256(str(size).encode()).hexdigest() * (length // 64 + 1)
        lines.append(head + pad[:length - least] + tail)
        size -= length
    return "".join(lines).encode()


def configure(installation: Installation, endpoint: str, keys, bucket: str, *, events: int = 15_000) -> None:
    """A connector "big" that sends parts of 5 MiB, and seals a batch when it has so many events."""
    installation.connector(
        "big", bucket, endpoint, keys, batch={"max_events": events}, credentials={"grace": "0s"}, **LARGE)


def drop(installation: Installation, s3, size: int, event_type: str = "a.b") -> bytes:
    """Has one object of so many bytes made for an S3 that does as it is told; the object."""
    body = events_of(size, event_type)
    configure(installation, s3.endpoint, s3.KEYS, BUCKET, events=body.count(b"\n"))
    installation.drop(f"{event_type}.jsonl", body, "big")
    return body


def parts_sent(scripted_s3) -> collections.Counter:
    """How often each part was asked for, by its number."""
    return collections.Counter(
        int(request["query"].split("partNumber=")[1].split("&")[0])
        for request in scripted_s3.requests("PUT") if "partNumber=" in request["query"])


def record(installation: Installation) -> pathlib.Path | None:
    return next(installation.spool.glob("sealed/big/*.upload"), None)


def parts_kept(installation: Installation) -> set[int]:
    """The parts that the bucket has, as the spool knows durably."""
    found = record(installation)
    lines = found.read_text().splitlines() if found else []
    return {int(line.split()[1]) for line in lines if line.startswith("part: ")}


def assert_stored_once(scripted_s3, *bodies: bytes) -> None:
    summary = scripted_s3.summary()
    assert sorted(entry["sha256"] for entry in summary.values()) == sorted(
        hashlib.sha256(body).hexdigest() for body in bodies)
    assert all(entry["puts"] == 1 for entry in summary.values()), summary


def assert_spool_is_clean(installation: Installation) -> None:
    assert not installation.waiting()
    # It leaves after its envelope, a moment later.
    deadline = time.monotonic() + 10
    while record(installation) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not record(installation)
    said = installation.sluicectl("fsck")
    assert said.returncode == 0, said.stdout + said.stderr


# A real S3.


def test_at_each_limit_an_object_arrives_whole_with_four_permissions(installation, destination):
    sizes = [PART, PART + 1, 2 * PART - 1, 2 * PART, 2 * PART + 1]
    configure(installation, destination.s3.endpoint, destination.keys, destination.bucket)
    bodies = {f"of.{size}": events_of(size, f"of.{size}") for size in sizes}
    for event_type, body in bodies.items():
        assert len(body) == int(event_type[3:])
        installation.drop(f"{event_type}.jsonl", body, "big")
    daemon = installation.drain()
    assert not daemon.troubles(), daemon.transcript()
    stored = {key.split("event_type=")[1].split("/")[0]: body for key, body in destination.objects().items()}
    assert stored == bodies
    sent = destination.s3.parts(destination.bucket)
    counts = collections.Counter(
        urllib.parse.unquote(key).split("event_type=")[1].split("/")[0] for key, _, _ in sent)
    assert counts == {f"of.{PART + 1}": 2, f"of.{2 * PART - 1}": 2, f"of.{2 * PART}": 2, f"of.{2 * PART + 1}": 3}
    assert "Uploads" not in destination.s3.client("s3").list_multipart_uploads(Bucket=destination.bucket)
    assert_spool_is_clean(installation)


def test_killed_in_the_middle_of_the_parts_it_sends_only_those_that_are_missing(installation, destination):
    body = events_of(6 * PART + 7, "a.b")
    configure(
        installation, destination.s3.endpoint, destination.keys, destination.bucket, events=body.count(b"\n"))
    installation.drop("a.jsonl", body, "big")
    daemon = installation.start(wait=False)
    daemon.wait_until(lambda: len(parts_kept(installation)) >= 2, "some parts were there", seconds=60)
    daemon.kill()
    kept = parts_kept(installation)
    assert 2 <= len(kept) < 7, "it was killed too late"
    installation.drain()
    assert list(destination.objects().values()) == [body]
    sent = destination.s3.parts(destination.bucket)
    assert len({upload for _, _, upload in sent}) == 1
    counts = collections.Counter(number for _, number, _ in sent)
    assert {number for number in kept if counts[number] > 1} == set()
    assert set(counts) == set(range(1, 8))
    assert_spool_is_clean(installation)


# What goes wrong, as it is told.


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({"do": "hang"}, id="before the store has done it"),
        pytest.param({"do": "lose", "seconds": 600}, id="after the store has done it"),
    ])
def test_killed_while_it_completes_it_sends_no_part_again(installation, scripted_s3, rule):
    body = drop(installation, scripted_s3, 2 * PART + 1)
    scripted_s3.script({"method": "POST", "query": "uploadId"} | rule)
    daemon = installation.start(wait=False)
    daemon.wait_until(
        lambda: any("uploadId" in request["query"] for request in scripted_s3.requests("POST")),
        "it was about to complete", seconds=60)
    daemon.kill()
    assert parts_kept(installation) == {1, 2, 3}
    scripted_s3.mend()
    installation.drain()
    assert parts_sent(scripted_s3) == {1: 1, 2: 1, 3: 1}
    assert_stored_once(scripted_s3, body)
    assert_spool_is_clean(installation)


EACH_ONCE = {1: 1, 2: 1, 3: 1}
ANEW = {1: 2, 2: 2, 3: 2}


@pytest.mark.parametrize(
    "rule, sent",
    [
        pytest.param({"query": "uploadId", "do": "lose"}, EACH_ONCE, id="the answer to a completion is lost"),
        pytest.param({"query": "uploadId", "do": "answer", "status": 200,
                      "body": "<Error><Code>InternalError</Code></Error>", "times": 2}, EACH_ONCE,
                     id="200 with an error for a body"),
        pytest.param({"query": "uploadId", "do": "answer", "status": 503, "code": "SlowDown"}, EACH_ONCE,
                     id="503 for a completion"),
        pytest.param({"query": "uploadId", "do": "answer", "status": 409, "code": "OperationAborted"},
                     EACH_ONCE, id="409, an operation is under way"),
        pytest.param({"query": "uploadId", "do": "answer", "status": 409, "code": "ConditionalRequestConflict"},
                     ANEW, id="409, the upload is to be begun anew"),
        pytest.param({"query": "uploadId", "do": "answer", "status": 404, "code": "NoSuchUpload"}, ANEW,
                     id="the upload is no more"),
        pytest.param({"query": "uploadId", "do": "answer", "status": 400, "code": "InvalidPart"}, ANEW,
                     id="the parts are not what the store has"),
        pytest.param({"method": "PUT", "query": "partNumber=2&", "do": "answer", "status": 500,
                      "code": "InternalError", "times": 2}, {1: 1, 2: 3, 3: 1}, id="a part fails twice"),
        pytest.param({"method": "PUT", "query": "partNumber=2&", "do": "answer", "status": 400,
                      "code": "ExpiredToken"}, {1: 1, 2: 2, 3: 1}, id="the session expires"),
        pytest.param({"query": "uploads", "do": "skew", "seconds": 3600}, EACH_ONCE, id="the clock is off"),
        pytest.param({"query": "uploads", "do": "redirect", "region": "eu-central-1"}, EACH_ONCE,
                     id="the bucket is elsewhere"),
    ])
def test_a_fault_that_passes_costs_no_more_than_it_has_to(installation, scripted_s3, rule, sent):
    body = drop(installation, scripted_s3, 2 * PART + 1)
    scripted_s3.script({"method": "POST"} | rule)
    daemon = installation.start()
    daemon.wait_until(lambda: not installation.waiting(), "it was delivered", seconds=60)
    assert any(request.get("rule") for request in scripted_s3.requests())
    counts = parts_sent(scripted_s3)
    # Others may have been on their way when one failed, and come to their end.
    assert counts == sent, daemon.transcript()
    assert_stored_once(scripted_s3, body)
    # The one upload that the store says is no more is there all the same.
    assert len(scripted_s3.uploads()) == (1 if rule.get("code") == "NoSuchUpload" else 0)
    assert_spool_is_clean(installation)


def test_after_credentials_that_are_rejected_on_the_way_only_the_missing_parts_are_sent(installation, scripted_s3):
    body = drop(installation, scripted_s3, 6 * PART)
    scripted_s3.script(*({"method": "PUT", "query": f"partNumber={number}&"} | UNALLOWED for number in (4, 5, 6)))
    daemon = installation.start()
    daemon.wait_for("credentials failing", "big")
    before = parts_sent(scripted_s3)
    assert parts_kept(installation) == {1, 2, 3}
    scripted_s3.mend()
    installation.set_secret("big", "another")
    daemon.wait_until(lambda: not installation.waiting(), "it was delivered", seconds=60)
    after = parts_sent(scripted_s3) - before
    assert after == {4: 1, 5: 1, 6: 1}
    assert_stored_once(scripted_s3, body)
    assert len(scripted_s3.requests("POST")) == 2, "one beginning and one completion"


def test_an_upload_that_its_owner_ended_is_begun_anew(installation, scripted_s3):
    body = drop(installation, scripted_s3, 2 * PART + 1)
    scripted_s3.script({"method": "PUT", "query": "partNumber=3&", "do": "hang"})
    daemon = installation.start()
    daemon.wait_until(lambda: len(parts_kept(installation)) == 2, "two parts were there", seconds=60)
    daemon.kill()
    # What a lifecycle rule does.
    scripted_s3.forget_uploads()
    scripted_s3.mend()
    installation.drain()
    assert parts_sent(scripted_s3) == {1: 2, 2: 2, 3: 3}
    assert_stored_once(scripted_s3, body)
    assert_spool_is_clean(installation)


def test_an_object_that_changed_on_the_disk_is_never_completed(installation, scripted_s3):
    drop(installation, scripted_s3, 2 * PART + 1)
    scripted_s3.script({"method": "PUT", "query": "partNumber=3&", "do": "hang"})
    daemon = installation.start()
    daemon.wait_until(lambda: parts_kept(installation) == {1, 2}, "two parts were there", seconds=60)
    daemon.kill()
    (body,) = installation.spool.glob("sealed/big/*.object")
    with body.open("r+b") as file:
        file.seek(2 * PART)
        file.write(b"?")
    scripted_s3.mend()
    daemon = installation.drain(status=75)
    (line,) = daemon.said("spool damaged", "big")
    assert "CRC-32" in line.message
    assert scripted_s3.summary() == {} and scripted_s3.uploads() == {}
    assert installation.waiting()


def test_what_is_given_up_leaves_no_parts_where_that_is_allowed_and_says_so_where_it_is_not(
    installation, scripted_s3
):
    for number, is_allowed in enumerate((True, False, False)):
        scripted_s3.script_instead(
            {"method": "PUT", "query": "partNumber=2&"} | UNALLOWED,
            *([] if is_allowed else [
                {"method": "DELETE", "do": "answer", "status": 403, "code": "AccessDenied", "times": None}]))
        drop(installation, scripted_s3, PART + 1, f"a.{number}")
        if number == 0:
            daemon = installation.start()
        daemon.wait_until(lambda: parts_kept(installation) == {1}, "a part was there", seconds=60)
        daemon.wait_until(
            lambda: installation.status("big")["state"] == "credentials_failing"
            and not installation.status("big")["uploads"], "it was rejected")
        daemon.wait_until(
            lambda: installation.sluicectl("discard", "big", "--yes").returncode == 0, "it was given up")
        daemon.wait_until(lambda: not installation.waiting(), "it was given up")
        daemon.wait_until(lambda: len(scripted_s3.requests("DELETE")) == number + 1, "it was to be forgotten")
    daemon.wait_for("parts left", "big")
    # It leaves after its envelope.
    daemon.wait_until(lambda: not record(installation), "the record was gone")
    assert len(scripted_s3.uploads()) == 2
    (line,) = daemon.said("parts left", "big")
    assert "AccessDenied" in line.message and "AbortIncompleteMultipartUpload" in line.message


def test_status_says_how_far_a_large_object_is(installation, scripted_s3):
    size = 4 * PART
    drop(installation, scripted_s3, size)
    scripted_s3.script({"method": "PUT", "query": "partNumber=3&", "do": "hang"})
    daemon = installation.start()
    daemon.wait_until(lambda: parts_kept(installation) == {1, 2, 4}, "three parts were there", seconds=60)
    status = installation.status()
    (connector,) = status["connectors"]
    (upload,) = connector["uploads"]
    assert upload["key"].endswith(".jsonl") and upload["size"] == size
    assert 3 * PART <= upload["sent"] <= size
    assert upload["bytes_per_second"] > 0
    assert f"uploading {upload['sent'] * 100 // size} % of 20 MB" in status["summary"]
    for arguments in (["status"], ["status", "big"]):
        said = installation.sluicectl(*arguments).stdout
        assert "% of 20 MB" in said and upload["key"].rsplit("/", 1)[1] in said.replace("\n", "").replace(" ", ""), said
