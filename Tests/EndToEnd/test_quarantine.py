"""What was refused comes back by `sluicectl quarantine`: each event once, to whoever refused it; or it goes for good."""

import gzip
import json
import os
import random
import subprocess

import pytest

from installation import binary
from objects import assert_same_events, events_in
from quarantine import refused_lines

SEED = random.randrange(2**32)
KILLS = 3


def connect(installation, destination, name: str = "orders", **settings: object) -> None:
    installation.connector(
        name, destination.bucket, destination.s3.endpoint, destination.keys,
        **{"folder": name, "batch": {"max_age": "1s"}} | settings)


def delivered(destination, name: str = "orders") -> list[bytes]:
    return events_in({key: body for key, body in destination.objects().items()
                      if key.startswith(f"{name}/")})


def listed(installation) -> list[dict]:
    result = installation.sluicectl("quarantine", "list", "--json")
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["total"] == len(document["quarantine"])
    return document["quarantine"]


def kept(installation) -> list[str]:
    """What lies there, seen without a program: to wait for it costs little."""
    return [path.name for path in (installation.spool / "quarantine").glob("[0-9a-f]*")
            if path.suffix != ".reason"]


def ask(installation, *arguments: str, status: int = 0) -> str:
    result = installation.sluicectl("quarantine", *arguments)
    assert result.returncode == status, (result.stdout, result.stderr)
    return result.stdout + result.stderr


def raw(installation, item: dict) -> bytes:
    return subprocess.run(
        [binary("sluicectl"), "quarantine", "show", item["id"], "--raw", "--config",
         installation.config], capture_output=True, check=True, timeout=30).stdout


def reload(installation, daemon) -> None:
    before = len(daemon.said("reloaded"))
    daemon.reload()
    daemon.wait_for("reloaded", count=before + 1)


def drop_and_see(installation, daemon, name: str, contents, connector: str | None = None) -> dict:
    """Drops a file of which something is refused; what quarantine has of it."""
    before = set(kept(installation))
    installation.drop(name, contents, connector)
    daemon.wait_until(lambda: set(kept(installation)) > before, f"{name} is refused")
    (new,) = set(kept(installation)) - before
    (item,) = [item for item in listed(installation)
               if int(item["id"].split("-")[0], 16) == int(new[:16], 16)]
    return item


def wait_for_all(daemon, destination, lines: list[bytes], name: str = "orders") -> None:
    daemon.wait_until(
        lambda: len(delivered(destination, name)) >= len(lines), f"{len(lines)} are delivered")
    assert_same_events(delivered(destination, name), lines)


def test_events_go_to_a_connector_that_is_installed_later_once_they_are_retried(
    installation, destination, producer
):
    connect(installation, destination)
    daemon = installation.start()
    good, late = producer.lines(20), producer.lines(30, connector="late")
    hostile = b"\x1b[31m\xff no event\n"
    item = drop_and_see(installation, daemon, "mixed.jsonl", [*good, hostile, *late])
    assert (item["kind"], item["file"], item["events"]) == ("events", "incoming/mixed.jsonl", 31)
    assert [reason["count"] for reason in item["reasons"]] == [30, 1]
    shown = ask(installation, "list")
    assert item["id"] in shown and 'there is no connector "late"' in shown and "1 item" in shown
    shown = ask(installation, "show", item["id"])
    assert "line 21: " in shown and "\x1b" not in shown
    assert raw(installation, item) == hostile + b"".join(late)

    # Nothing was mended yet.
    assert "1 item with 31 events read again" in ask(installation, "retry", item["id"])
    daemon.wait_until(
        lambda: [i["events"] for i in listed(installation)] == [31], "all is refused again")
    assert listed(installation)[0]["id"] != item["id"]
    assert "there is no" in ask(installation, "retry", item["id"], status=1)

    connect(installation, destination, "late", events=["none"])
    reload(installation, daemon)
    ask(installation, "retry", "--all")
    wait_for_all(daemon, destination, late, "late")
    assert_same_events(delivered(destination), good)
    daemon.wait_until(lambda: [i["events"] for i in listed(installation)] == [1], "one is left")
    assert installation.status()["spool"]["quarantined"] == 1
    assert len(daemon.said("quarantine retried")) == 2

    (left,) = listed(installation)
    assert "1 item with 1 event given up" in ask(installation, "discard", left["id"], "--yes")
    line = daemon.wait_for("quarantine discarded")
    assert line.fields["SLUICE_FILE"] == "incoming/mixed.jsonl"
    assert line.fields["SLUICE_EVENTS"] == "1"
    assert ask(installation, "list") == "nothing is in quarantine\n"
    assert installation.status()["spool"]["quarantined"] == 0
    assert not list((installation.spool / "quarantine").iterdir())


def test_events_that_a_schema_refused_are_delivered_once_it_is_mended(installation, destination):
    def schema(number: str) -> dict:
        return {"type": "record", "name": "Y", "fields": [
            {"name": "id", "type": "string"}, {"name": "n", "type": number}]}

    installation.schema("x.Y", schema("int"))
    connect(installation, destination, "plain")
    connect(installation, destination, "typed", format="avro")
    daemon = installation.start()
    lines = [json.dumps({"event_type": "x.Y", "id": f"e{n}", "n": "no number"}).encode() + b"\n"
             for n in range(10)]
    item = drop_and_see(installation, daemon, "e.jsonl", lines)
    assert (item["connectors"], item["events"]) == (["typed"], 10)
    wait_for_all(daemon, destination, lines, "plain")

    installation.schema("x.Y", schema("string"))
    reload(installation, daemon)
    said = ask(installation, "retry", "--all", "--connector", "plain")
    assert said == "nothing of it is in quarantine\n"
    ask(installation, "retry", "--all", "--connector", "typed")
    daemon.wait_until(
        lambda: installation.status("typed")["delivered"]["events"] == 10, "all are delivered")
    assert installation.status("plain")["delivered"]["events"] == 10
    assert_same_events(delivered(destination, "plain"), lines)
    assert listed(installation) == []


def test_files_that_were_refused_whole_or_from_somewhere_on_are_taken_up_again(
    installation, destination, producer
):
    connect(installation, destination)
    daemon = installation.start()
    whole, cut, named = producer.lines(10), producer.lines(400), producer.lines(5)
    bad = drop_and_see(installation, daemon, "bad.jsonl", b"\xffnone\n", "orders")
    assert (bad["kind"], bad["connectors"], "events" in bad) == ("file", ["orders"], False)
    packed = gzip.compress(b"".join(cut))
    part = drop_and_see(installation, daemon, "cut.jsonl.gz", packed[:len(packed) // 2])
    odd = drop_and_see(installation, daemon, "odd.txt", b"".join(named))
    assert raw(installation, odd) == b"".join(named)
    said = ask(installation, "retry", odd["id"], status=1)
    assert "its name does not end in .jsonl" in said

    # Somebody puts the files right where they lie.
    for path in (installation.spool / "quarantine").iterdir():
        if path.name.endswith("-bad.jsonl"):
            path.write_bytes(b"".join(whole))
        if path.name.endswith("-cut.jsonl.gz"):
            path.write_bytes(packed)
    ask(installation, "retry", bad["id"], part["id"])
    wait_for_all(daemon, destination, whole + cut)
    assert [item["id"] for item in listed(installation)] == [odd["id"]]
    assert "stay" in ask(installation, "retry", "--all", status=1)
    ask(installation, "discard", "--all", "--yes")
    assert listed(installation) == []
    assert_same_events(delivered(destination), whole + cut)


def test_kills_in_the_midst_of_retries_under_load_lose_and_double_nothing(
    installation, destination, producer
):
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    connect(installation, destination, batch={"max_age": "1s", "max_events": 50})
    daemon = installation.start()
    late: list[bytes] = []
    for number in range(20):
        lines = producer.lines(25, connector="late")
        late += lines
        installation.drop(f"late{number}.jsonl", lines)
    daemon.wait_until(lambda: len(kept(installation)) == 20, "all of it is refused")
    connect(installation, destination, "late", events=["none"])
    reload(installation, daemon)
    good: list[bytes] = []
    for number in range(KILLS):
        lines = producer.lines(300)
        good += lines
        installation.drop(f"good{number}.jsonl", lines)
        asking = subprocess.Popen(
            [binary("sluicectl"), "quarantine", "retry", "--all", "--config", installation.config],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # A part of it is done, and how much is for chance to say.
        most = rng.randrange(20)
        daemon.wait_until(
            lambda: asking.poll() is not None
            or len(list(installation.spool.glob("quarantine/*.rejects"))) <= most,
            "some of it is retried")
        daemon.kill()
        asking.wait(30)
        daemon = installation.start()
    ask(installation, "retry", "--all")
    wait_for_all(daemon, destination, late, "late")
    wait_for_all(daemon, destination, good)
    assert listed(installation) == []
    assert refused_lines(installation.spool) == []


@pytest.mark.parametrize(("arguments", "said"), [
    (["retry"], "name IDs, or say --all"),
    (["retry", "--all", "1-file"], "not both"),
    (["discard", "x"], '"x" is no ID'),
    (["show", "../1-file"], '"../1-file" is no ID'),
])
def test_what_is_meant_has_to_be_said(installation, arguments, said):
    result = installation.sluicectl("quarantine", *arguments)
    assert result.returncode == 64 and said in result.stderr


def test_nothing_is_given_up_unasked(installation):
    result = subprocess.run(
        [binary("sluicectl"), "quarantine", "discard", "--all", "--config", installation.config],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, env=os.environ)
    assert result.returncode == 64 and "--yes" in result.stderr
