"""Files become objects as they are: once, whole, never over another object; and are deleted when their time has come."""

import hashlib
import itertools
import json
import os
import random
import time

import pytest

from local_s3 import connector_policy
from seeds import new_seed

MIB = 1 << 20
LIMITS = {"above": "5MiB", "part_size": "5MiB"}
KILLS = int(os.environ.get("SLUICE_KILLS", "12"))


def export_policy(bucket: str) -> dict:
    """What a connector of files may do: what one of events may, and to delete what it stored."""
    policy = connector_policy(bucket)
    policy["Statement"][1]["Action"] += ["s3:DeleteObject"]
    return policy


@pytest.fixture
def bucket(s3, make_destination):
    """A bucket, and keys with the rights of a connector of files."""
    made = make_destination()
    return made._replace(keys=s3.make_user(export_policy(made.bucket)))


def exports(installation, bucket, name: str = "reports", **settings) -> None:
    installation.export(name, bucket.bucket, bucket.s3.endpoint, bucket.keys, **settings)


def contents(size: int) -> bytes:
    rng, whole = random.Random(size), size // MIB
    return b"".join(rng.randbytes(MIB) for _ in range(whole)) + rng.randbytes(size - whole * MIB)


def test_files_of_all_sizes_arrive_byte_for_byte(installation, bucket):
    exports(installation, bucket, folder="exports")
    files = {f"file-{size}.bin": contents(size)
             for size in (0, 1, 65_535, 65_536, 131_072, 131_073, 5_000_000)}
    for name, body in files.items():
        installation.drop(name, body, "reports")
    daemon = installation.drain()

    assert bucket.objects() == {f"exports/{name}": body for name, body in files.items()}
    assert installation.waiting() == []
    lines = [line for line in daemon.lines if line.kind == "object delivered"]
    assert any("delivered file file-1.bin (1 B) to s3://" in line.message for line in lines)
    assert all("SLUICE_EVENT_TYPE" not in line.fields for line in lines)
    status = daemon.transcript()
    assert "(file)" not in status


def test_files_and_events_go_side_by_side_into_one_bucket(installation, bucket, producer):
    exports(installation, bucket)
    installation.connector("orders", bucket.bucket, bucket.s3.endpoint, bucket.keys)
    installation.drop("report.csv", b"a,b\n1,2\n", "reports")
    # A name that would be an event file's: nobody reads it.
    installation.drop("e.jsonl", b"no event\n", "reports")
    installation.drop("e.jsonl", producer.lines(20), "orders")
    installation.drain()

    objects = bucket.objects()
    assert objects["report.csv"] == b"a,b\n1,2\n"
    assert objects["e.jsonl"] == b"no event\n"
    assert any(key.startswith("currents/") for key in objects)
    assert list((installation.spool / "quarantine").iterdir()) == []


@pytest.mark.parametrize("seed", [new_seed()])
def test_what_is_killed_at_any_moment_delivers_each_file_once(installation, bucket, seed):
    exports(installation, bucket)
    rng = random.Random(seed)
    files: dict[str, bytes] = {}
    numbers = itertools.count()

    def drop(count: int) -> None:
        for _ in range(count):
            name = f"file-{next(numbers)}"
            files[name] = rng.randbytes(rng.choice([0, 100, 300_000]))
            installation.drop(name, files[name], "reports")

    for _ in range(KILLS):
        drop(rng.randrange(1, 6))
        daemon = installation.start(wait=False)
        # From before its first system call on the spool to long after a delivery.
        time.sleep(rng.choice([0.02, 0.1, 0.4]) * rng.random())
        daemon.kill()
    installation.drain()

    assert bucket.objects() == files
    assert installation.waiting() == []


def test_an_export_is_not_overwritten_unless_that_is_wanted(installation, bucket):
    exports(installation, bucket)
    s3 = bucket.s3.client("s3")
    s3.put_object(Bucket=bucket.bucket, Key="report.csv", Body=b"older")
    installation.drop("report.csv", b"newer", "reports")
    daemon = installation.start()
    held = daemon.wait_for("batch held")
    assert "another object (5 bytes, last modified 20" in held.message
    assert "report.csv already, and files are not overwritten" in held.message
    assert "file 0" in held.message and "event" not in held.message
    assert bucket.objects() == {"report.csv": b"older"}
    status = installation.status("reports")
    assert status["at_fault"]["objects"] == 1 and status["state"] == "delivering"

    # A person has it renamed.
    said = installation.sluicectl("rekey", "reports")
    assert said.returncode == 0, said.stderr
    daemon.wait_until(lambda: len(bucket.objects()) == 2, "it is delivered under another key")
    assert bucket.objects() == {"report.csv": b"older", "report-2.csv": b"newer"}

    # The same bytes again are there already.
    installation.drop("report-2.csv", b"newer", "reports")
    daemon.wait_until(lambda: installation.waiting() == [], "nothing waits")
    assert bucket.objects() == {"report.csv": b"older", "report-2.csv": b"newer"}


def test_a_taken_key_gets_a_number_where_the_connector_says_so(installation, bucket):
    exports(installation, bucket, on_conflict="rename")
    s3 = bucket.s3.client("s3")
    for key in ("a/report.tar.gz", "a/report-2.tar.gz"):
        s3.put_object(Bucket=bucket.bucket, Key=key, Body=b"older")
    installation.drop("a%2Freport.tar.gz", b"newer", "reports")
    daemon = installation.drain()

    assert bucket.objects()["a/report-3.tar.gz"] == b"newer"
    assert len(bucket.objects()) == 3
    assert [line.kind for line in daemon.lines if line.kind == "batch held"] == []


@pytest.mark.parametrize("is_told", [True, False])
@pytest.mark.parametrize("multipart", [None, LIMITS])
def test_a_store_without_conditional_writes_overwrites_nothing(installation, scripted_s3, multipart, is_told):
    """Whether the configuration says so, or the store, when another object is there."""
    installation.export(
        "reports", "acme", scripted_s3.endpoint, scripted_s3.KEYS, conditional_writes=not is_told,
        on_conflict="rename", multipart=multipart)
    bodies = [contents(6 * MIB if multipart else 10) + b"%d" % number for number in range(3)]
    daemon = installation.start()
    for body in bodies:
        installation.drop("report.csv", body, "reports")
        if not is_told and body is bodies[0]:
            daemon.wait_until(lambda: installation.waiting() == [], "nothing waits", seconds=60)
            storing = {"method": "POST", "query": "uploadId"} if multipart else {"method": "PUT"}
            scripted_s3.script(storing | {"do": "answer", "status": 501, "code": "NotImplemented"})
        daemon.wait_until(
            lambda: not (installation.incoming("reports") / "report.csv").exists(), "it is taken")
    daemon.wait_until(lambda: installation.waiting() == [], "nothing waits", seconds=60)
    stored = scripted_s3.summary()
    assert {key: len(each["bodies"]) for key, each in stored.items()} == {
        "acme/report.csv": 1, "acme/report-2.csv": 1, "acme/report-3.csv": 1}
    assert {each["sha256"] for each in stored.values()} == {
        hashlib.sha256(body).hexdigest() for body in bodies}


def test_the_newest_file_stays_where_the_connector_overwrites(installation, bucket):
    exports(installation, bucket, on_conflict="overwrite")
    bucket.s3.client("s3").put_object(Bucket=bucket.bucket, Key="report.csv", Body=b"older")
    daemon = installation.start()
    for number in range(8):
        installation.drop("report.csv", b"version %d" % number, "reports")
        daemon.wait_until(
            lambda: not (installation.incoming("reports") / "report.csv").exists(), "it is taken")
    daemon.wait_until(lambda: installation.waiting() == [], "nothing waits")
    assert bucket.objects() == {"report.csv": b"version 7"}


def test_files_wait_while_the_credentials_fail_and_count_as_files(installation, bucket):
    exports(installation, bucket)
    installation.set_secret("reports", "wrong")
    installation.drop("report.csv", b"x", "reports")
    daemon = installation.start()
    daemon.wait_for("credentials failing")
    assert installation.status("reports")["held"]["objects"] == 1
    installation.set_secret("reports", bucket.keys.secret_access_key)
    daemon.wait_for("credentials recovered")
    daemon.wait_until(lambda: installation.waiting() == [], "nothing waits")
    assert bucket.objects() == {"report.csv": b"x"}


def test_a_denied_file_concerns_the_whole_connector(installation, s3, make_destination):
    bucket = make_destination()
    policy = export_policy(bucket.bucket)
    policy["Statement"][1]["Action"] = ["s3:GetObject"]
    bucket = bucket._replace(keys=s3.make_user(policy))
    exports(installation, bucket)
    installation.drop("report.csv", b"x", "reports")
    daemon = installation.start()
    line = daemon.wait_for("credentials failing")
    assert "(file)" not in line.message and "s3:PutObject" in line.message
    status = installation.status("reports")
    assert status["state"] == "credentials_failing"
    assert "(file)" not in json.dumps(status)


# In parts.

def test_files_at_the_limits_of_parts_arrive_byte_for_byte(installation, bucket):
    exports(installation, bucket, multipart=LIMITS)
    sizes = [5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 10 * MIB, 10 * MIB + 1]
    files = {f"file-{size}.bin": contents(size) for size in sizes}
    for name, body in files.items():
        installation.drop(name, body, "reports")
    installation.drain()

    assert bucket.objects() == files
    s3 = bucket.s3.client("s3")
    for name, body in files.items():
        head = s3.head_object(Bucket=bucket.bucket, Key=name)
        assert head["Metadata"]["sluice-sha256"] == hashlib.sha256(body).hexdigest()
        # The ETag of an object in parts says how many there were.
        assert ("-" in head["ETag"]) == (len(body) > 5 * MIB), name


def test_a_file_of_256_mib_arrives_whole_through_kills(installation, bucket):
    exports(installation, bucket)
    body = contents(256 * MIB)
    installation.drop("large.bin", body, "reports")
    for _ in range(2):
        daemon = installation.start()
        daemon.wait_until(lambda: list(installation.spool.glob("sealed/reports/*.upload")) or
                          installation.waiting() == [], "some of it is on its way", seconds=60)
        daemon.kill()
    installation.drain(seconds=120)

    assert hashlib.sha256(bucket.objects()["large.bin"]).hexdigest() == hashlib.sha256(body).hexdigest()
    assert bucket.s3.client("s3").list_multipart_uploads(Bucket=bucket.bucket).get("Uploads", []) == []


def test_a_file_that_is_known_by_its_pieces_may_go_whole_and_is_compared(installation, bucket):
    """Above 100 MiB; signed as a whole, since nothing else protects it."""
    exports(installation, bucket, checksum="when_required", multipart={"above": "1GiB"})
    s3, body = bucket.s3.client("s3"), bytes(100 * MIB + 1)
    s3.put_object(Bucket=bucket.bucket, Key="theirs.bin", Body=body)
    for name in ("ours.bin", "theirs.bin"):
        installation.drop(name, body, "reports")
    installation.drain(seconds=120)
    installation.drop("ours.bin", body, "reports")
    daemon = installation.drain(seconds=120)

    # hashlib: the SHA-256 of those of each 8 MiB.
    digest = "787dd20da2ee0ae36d96271ae5ce67ca08a9ef6ba61f9995d583ee99dab44fa2-13"
    assert s3.head_object(Bucket=bucket.bucket, Key="ours.bin")["Metadata"]["sluice-sha256"] == digest
    # The same bytes, by whatever they are known: nothing to be done.
    assert s3.head_object(Bucket=bucket.bucket, Key="theirs.bin")["Metadata"] == {}
    assert bucket.objects() == {"ours.bin": body, "theirs.bin": body}
    assert daemon.troubles() == []


def test_a_taken_key_of_a_large_file_gets_a_number(installation, bucket):
    exports(installation, bucket, multipart=LIMITS, on_conflict="rename")
    bucket.s3.client("s3").put_object(Bucket=bucket.bucket, Key="large.bin", Body=b"older")
    body = contents(6 * MIB)
    installation.drop("large.bin", body, "reports")
    installation.drain()
    assert bucket.objects() == {"large.bin": b"older", "large-2.bin": body}


# Deleting.


def test_a_file_is_deleted_when_its_time_has_come_and_nothing_else_is(installation, bucket):
    exports(installation, bucket, remove_after="1s")
    kept = bucket.s3.client("s3")
    kept.put_object(Bucket=bucket.bucket, Key="other.csv", Body=b"not ours")
    installation.drop("report.csv", b"x", "reports")
    daemon = installation.start()
    daemon.wait_for("object delivered")
    line = daemon.wait_for("file removed")
    assert "report.csv" in line.message and line.fields["SLUICE_KEY"] == "report.csv"
    assert bucket.objects() == {"other.csv": b"not ours"}
    daemon.wait_until(lambda: list(installation.spool.glob("sealed/*/*.stored")) == [],
                      "the spool has forgotten it")


def test_what_is_to_be_deleted_is_known_to_the_next_life(installation, bucket):
    exports(installation, bucket, remove_after="1h")
    installation.drop("report.csv", b"x", "reports")
    installation.drain()
    (stored,) = installation.spool.glob("sealed/reports/*.stored")
    daemon = installation.start()
    assert installation.status("reports")["to_remove"]["objects"] == 1
    assert installation.sluicectl("fsck").returncode == 0
    daemon.kill()
    # An hour later, as far as the name says; by S3's clock it is too early.
    first, _, _ = stored.name.rsplit(".", 2)
    stored.rename(stored.with_name(f"{first}.1795000000.stored"))
    daemon = installation.start()
    daemon.wait_until(
        lambda: installation.status("reports")["to_remove"]["next"] > "2026-11-20", "it waits")
    assert bucket.objects() == {"report.csv": b"x"}
    # Wanted earlier now.
    exports(installation, bucket, remove_after="1s")
    daemon.kill()
    daemon = installation.start()
    daemon.wait_for("file removed")
    assert bucket.objects() == {}


def test_another_object_in_its_place_is_left_alone_and_told(installation, bucket):
    exports(installation, bucket, remove_after="3s")
    installation.drop("report.csv", b"x", "reports")
    daemon = installation.start()
    daemon.wait_for("object delivered")
    bucket.s3.client("s3").put_object(Bucket=bucket.bucket, Key="report.csv", Body=b"theirs")
    line = daemon.wait_for("file not removed")
    assert "another object (6 bytes" in line.message and "left alone" in line.message
    assert bucket.objects() == {"report.csv": b"theirs"}
    daemon.wait_until(lambda: list(installation.spool.glob("sealed/*/*.stored")) == [],
                      "the spool has forgotten it")


def test_a_replacement_between_the_look_and_the_deletion_is_kept(installation, scripted_s3):
    installation.export(
        "reports", "acme", scripted_s3.endpoint, scripted_s3.KEYS, remove_after="1s")
    # The object is another's by the time of the DELETE.
    scripted_s3.script({"method": "DELETE", "key": "report.csv", "do": "answer", "status": 412,
                     "code": "PreconditionFailed"})
    installation.drop("report.csv", b"x", "reports")
    daemon = installation.start()
    line = daemon.wait_for("file not removed")
    assert "another object lies there" in line.message
    (request,) = scripted_s3.requests("DELETE")
    assert dict(request["headers"])["if-match"].strip('"') != ""


def test_who_may_not_delete_is_told_once_and_tries_again(installation, scripted_s3):
    installation.export(
        "reports", "acme", scripted_s3.endpoint, scripted_s3.KEYS, remove_after="1s")
    scripted_s3.script({"method": "DELETE", "times": 2, "do": "answer", "status": 403,
                     "code": "AccessDenied"})
    installation.drop("report.csv", b"x", "reports")
    daemon = installation.start()
    line = daemon.wait_for("file not removed")
    assert "s3:DeleteObject" in line.message
    daemon.wait_for("file removed", seconds=60)
    assert len([each for each in daemon.lines if each.kind == "file not removed"]) == 1
    assert installation.status("reports")["state"] == "delivering"


def test_nothing_is_deleted_any_more_once_the_setting_is_gone(installation, bucket):
    exports(installation, bucket, remove_after="1h")
    installation.drop("report.csv", b"x", "reports")
    installation.drain()
    exports(installation, bucket)
    daemon = installation.start()
    daemon.wait_until(lambda: list(installation.spool.glob("sealed/*/*.stored")) == [],
                      "the spool has forgotten it")
    assert "to_remove" not in installation.status("reports")
    assert hashlib.sha256(bucket.objects()["report.csv"]).hexdigest() == hashlib.sha256(b"x").hexdigest()
