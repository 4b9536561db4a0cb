"""The window: what waits in an episode, what is given up to the event, and what never is."""

import json
import socket
import time
from collections.abc import Callable

import pytest

from installation import Installation
from objects import assert_same_events, events_in

BUCKET = "scripted"
BATCH = {"max_events": 10, "max_age": "1s"}
REJECTED = {"method": "PUT", "do": "answer", "status": 403, "code": "InvalidAccessKeyId",
            "times": None}


def rejecting(connector: str) -> dict:
    return REJECTED | {"key": f"id-{connector}/"}


@pytest.fixture
def configure(installation, scripted_s3) -> Callable[..., None]:
    """Writes a connector of the scripted S3, whose credentials are not taken for new ones."""
    def write(name: str = "orders", window: str = "1s", **settings: object) -> None:
        settings = {"endpoint": scripted_s3.endpoint} | settings
        endpoint = settings.pop("endpoint")
        installation.connector(
            name, BUCKET, endpoint, scripted_s3.KEYS, batch=BATCH, expire_after=window,
            folder=name, credentials={"grace": "0s"}, **settings)
    return write


@pytest.fixture
def lines_of(producer) -> Callable[..., list[bytes]]:
    def make(count: int, event_type: str = "a.b") -> list[bytes]:
        return producer.lines(count, event_type=event_type)
    return make


def delivered(scripted_s3, connector: str = "orders") -> list[bytes]:
    return events_in({key: body for key, body in scripted_s3.objects(BUCKET).items()
                      if key.startswith(f"{connector}/")})


def total(daemon, kind: str, field: str, connector: str = "orders") -> int:
    return sum(int(line.fields[field]) for line in daemon.said(kind, connector))


class Witness:
    """A connector in an episode, whose losses show that whole windows have gone by for another."""

    def __init__(self, installation: Installation, scripted_s3, configure, lines_of, window="1s"):
        self._installation, self._lines_of = installation, lines_of
        self._files = 0
        configure("witness", window)
        scripted_s3.script(rejecting("witness"))

    def wait_for_windows(self, daemon, count: int) -> None:
        for _ in range(count):
            before = len(daemon.said("events dropped", "witness"))
            self._files += 1
            self._installation.drop(
                f"witness-{self._files}.jsonl", self._lines_of(10), "witness")
            daemon.wait_until(
                lambda: len(daemon.said("events dropped", "witness")) > before,
                "the witness's window was over")


@pytest.fixture
def witness(installation, scripted_s3, configure, lines_of) -> Witness:
    return Witness(installation, scripted_s3, configure, lines_of)


# What the window gives up.


def test_exactly_what_is_older_than_the_window_is_dropped_and_recorded(
    installation, scripted_s3, configure, lines_of
):
    configure(window="8s")
    scripted_s3.script(REJECTED)
    daemon = installation.start()
    early, late = lines_of(30) + lines_of(20, "c.d"), lines_of(40)
    began = time.monotonic()
    installation.drop("early.jsonl", early, "orders")
    daemon.wait_for("credentials failing", "orders")
    daemon.wait_until(
        lambda: installation.status("orders")["episodes"][0]["first_drop_in_seconds"] <= 3,
        "more than half of the window was over")
    installation.drop("late.jsonl", late, "orders")
    daemon.wait_until(
        lambda: total(daemon, "events dropped", "SLUICE_DROPPED_EVENTS") >= len(early),
        "the early events were dropped")
    assert time.monotonic() - began >= 8
    scripted_s3.mend()
    daemon.wait_for("credentials recovered", "orders")
    daemon.wait_until(lambda: not installation.waiting(), "everything was settled")
    assert_same_events(delivered(scripted_s3), late)

    dropped = daemon.said("events dropped", "orders")
    assert all(line.priority == 2 for line in dropped)
    assert total(daemon, "events dropped", "SLUICE_DROPPED_EVENTS") == len(early)
    assert total(daemon, "events dropped", "SLUICE_OBJECTS") == 5
    ranges: dict[str, list[tuple[int, int]]] = {}
    for line in dropped:
        fields = line.fields
        first, last = int(fields["SLUICE_FIRST_OFFSET"]), int(fields["SLUICE_LAST_OFFSET"])
        assert last - first + 1 == int(fields["SLUICE_DROPPED_EVENTS"])
        assert fields["SLUICE_ACCEPTED_FROM"] <= fields["SLUICE_ACCEPTED_TO"]
        assert fields["SLUICE_PERHAPS_DELIVERED_EVENTS"] == "0"
        ranges.setdefault(fields["SLUICE_EVENT_TYPE"], []).append((first, last))
    assert {name: sum(last - first + 1 for first, last in of_type)
            for name, of_type in ranges.items()} == {"a.b": 30, "c.d": 20}
    assert any(line.connector == "orders" for line in daemon.said("credentials still failing"))

    recorded = installation.status("orders")["dropped"]
    assert recorded == {
        "objects": 5, "events": len(early), "perhaps_delivered_events": 0,
        "bytes": total(daemon, "events dropped", "SLUICE_BYTES")}
    assert daemon.stop() == 0
    installation.start()
    assert installation.status("orders")["dropped"] == recorded


def test_what_is_archived_is_kept_until_somebody_decides(
    installation, scripted_s3, configure, lines_of
):
    configure(on_expiry="archive")
    scripted_s3.script(REJECTED)
    daemon = installation.start()
    archived, later = lines_of(30), lines_of(10, "c.d")
    installation.drop("a.jsonl", archived, "orders")
    daemon.wait_until(
        lambda: total(daemon, "events archived", "SLUICE_EVENTS") >= 30, "it was archived")
    assert all(line.priority == 2 for line in daemon.said("events archived"))
    assert len(list(installation.spool.glob("expired/orders/*.object"))) == 3
    assert installation.waiting() == []
    assert daemon.stop() == 0

    daemon = installation.start()
    assert installation.status("orders")["archived"]["events"] == 30
    listed = json.loads(installation.sluicectl("archive", "list", "orders", "--json").stdout)
    batches = listed["archive"]
    assert [batch["events"] for batch in batches] == [10, 10, 10]
    # Nothing else waits, so it is what finds out that the credentials work again.
    early = installation.sluicectl("archive", "retry", "orders", batches[2]["batch"])
    assert early.returncode == 0, early.stderr
    scripted_s3.mend()
    daemon.wait_for("credentials recovered", "orders")
    assert daemon.said("events archived") == []
    installation.drop("b.jsonl", later, "orders")
    given_up = installation.sluicectl(
        "archive", "discard", "orders", batches[0]["batch"], "--yes")
    assert given_up.returncode == 0, given_up.stderr
    daemon.wait_until(
        lambda: total(daemon, "events discarded", "SLUICE_EVENTS") == 10, "it was told")
    retried = installation.sluicectl("archive", "retry", "orders")
    assert retried.returncode == 0, retried.stderr
    daemon.wait_until(
        lambda: installation.status("orders")["delivered"]["events"] == 30, "it was delivered")
    assert_same_events(delivered(scripted_s3), archived[10:] + later)
    assert {entry["puts"] for entry in scripted_s3.summary().values()} == {1}
    again = installation.sluicectl("archive", "retry", "orders")
    assert again.returncode == 1
    assert not list(installation.spool.glob("expired/orders/*"))


def test_a_kill_in_an_episode_keeps_its_clock(installation, scripted_s3, configure, lines_of):
    def left() -> int:
        (episode,) = installation.status("orders")["episodes"]
        return episode["first_drop_in_seconds"]

    configure(window="8s")
    scripted_s3.script(REJECTED)
    daemon = installation.start()
    began = time.monotonic()
    installation.drop("a.jsonl", lines_of(20), "orders")
    daemon.wait_for("credentials failing", "orders")
    daemon.wait_until(lambda: left() <= 4, "half of the window was over")
    daemon.kill()
    daemon = installation.start()
    assert left() <= 4
    daemon.wait_for("credentials still failing", "orders")
    daemon.wait_until(
        lambda: total(daemon, "events dropped", "SLUICE_DROPPED_EVENTS") == 20, "it was dropped")
    assert time.monotonic() - began >= 8
    # It is the same episode, and no restart of the machine, so nothing is told twice or held off.
    assert not daemon.said("credentials failing")
    assert not daemon.said("drops held off")


def test_kills_while_the_window_gives_up_count_every_event_once(
    installation, scripted_s3, configure, lines_of
):
    def held() -> int:
        return len(list(installation.spool.glob("sealed/orders/*.envelope")))

    configure(window="10s")
    scripted_s3.script(REJECTED)
    lines = lines_of(6000)
    installation.drop("a.jsonl", lines, "orders")
    kills = 0
    daemon = installation.start()
    daemon.wait_until(lambda: held() == 600, "everything was sealed")
    while kills < 10 and (before := held()):
        deadline = time.monotonic() + 30
        # Without pauses: the moment is short.
        while held() >= before:
            assert time.monotonic() < deadline, daemon.transcript()
        daemon.kill()
        kills += 1
        daemon = installation.start()
    print(f"{kills} kills")
    daemon.wait_until(
        lambda: installation.status("orders")["dropped"]["events"] >= len(lines),
        "everything was counted")
    dropped = installation.status("orders")["dropped"]
    assert (dropped["events"], dropped["objects"]) == (len(lines), 600)
    assert scripted_s3.objects(BUCKET) == {}


def test_events_whose_answer_was_lost_are_counted_as_perhaps_delivered(
    installation, scripted_s3, configure, lines_of
):
    configure()
    # A lost answer and a rejection for the first object, none for the second.
    scripted_s3.script({"method": "PUT", "do": "lose"}, REJECTED)
    daemon = installation.start()
    installation.drop("a.jsonl", lines_of(10), "orders")
    daemon.wait_for("credentials failing", "orders")
    installation.drop("b.jsonl", lines_of(10), "orders")
    daemon.wait_until(
        lambda: total(daemon, "events dropped", "SLUICE_DROPPED_EVENTS") == 20, "it was dropped")
    assert total(daemon, "events dropped", "SLUICE_PERHAPS_DELIVERED_EVENTS") == 10
    assert any("may have been delivered" in line.message
               for line in daemon.said("events dropped"))
    assert installation.status("orders")["dropped"]["perhaps_delivered_events"] == 10
    assert len(scripted_s3.objects(BUCKET)) == 1


# What it does not.


FAULTS = {
    "no such bucket": {"do": "answer", "status": 404, "code": "NoSuchBucket"},
    "503": {"do": "answer", "status": 503, "code": "SlowDown"},
    "500": {"do": "answer", "status": 500, "code": "InternalError"},
    "unknown code": {"do": "answer", "status": 403, "code": "NeverHeardOf"},
    "a code in the wrong place": {"do": "answer", "status": 500, "code": "InvalidAccessKeyId"},
    "a proxy's 403": {"do": "answer", "status": 403, "body": "<html>AccessDenied</html>",
                      "headers": {"x-amz-request-id": None}},
    "a proxy's S3-like 403": {
        "do": "answer", "status": 403, "headers": {"x-amz-request-id": None},
        "body": "<Error><Code>InvalidAccessKeyId</Code></Error>"},
    "reset": {"do": "reset"},
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("is_in_episode", [False, True], ids=["alone", "in an episode"])
def test_nothing_is_dropped_for_anything_but_rejected_credentials(
    installation, scripted_s3, configure, witness, lines_of, fault, is_in_episode
):
    # The witness shows the time; this connector's window is as short, but in the episode it must not run out
    # before the fault begins.
    configure(window="1s" if not is_in_episode else "3s")
    rule = {"method": "PUT", "key": "id-orders/", "times": None} | FAULTS[fault]
    lines = lines_of(30)
    daemon = installation.start()
    if is_in_episode:
        scripted_s3.script(rejecting("orders"))
        installation.drop("a.jsonl", lines, "orders")
        daemon.wait_for("credentials failing", "orders")
        scripted_s3.script_instead(rejecting("witness"), rule)
        sent = len(scripted_s3.requests("PUT"))
    else:
        scripted_s3.script(rule)
        installation.drop("a.jsonl", lines, "orders")
        sent = 0
    daemon.wait_until(
        lambda: any("id-orders/" in request["key"]
                    for request in scripted_s3.requests("PUT")[sent:]),
        "the fault was met")
    witness.wait_for_windows(daemon, 4 if is_in_episode else 2)
    status = installation.status("orders")
    assert status["held"]["events"] == len(lines), daemon.transcript()
    assert status["dropped"]["events"] == 0
    assert bool(status["episodes"]) == is_in_episode
    scripted_s3.mend()
    daemon.wait_until(
        lambda: installation.status("orders")["held"]["events"] == 0, "everything was delivered")
    assert_same_events(delivered(scripted_s3), lines)


def test_nothing_is_dropped_where_nobody_listens(
    installation, scripted_s3, configure, witness, lines_of
):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    configure(endpoint=f"http://127.0.0.1:{port}")
    installation.drop("a.jsonl", lines_of(30), "orders")
    daemon = installation.start()
    daemon.wait_for("unreachable", "orders")
    witness.wait_for_windows(daemon, 3)
    status = installation.status("orders")
    assert (status["held"]["events"], status["dropped"]["events"]) == (30, 0)


def test_a_missing_secret_drops_nothing(installation, configure, witness, lines_of):
    configure()
    installation.secret("orders").unlink()
    installation.drop("a.jsonl", lines_of(30), "orders")
    daemon = installation.start()
    told = daemon.wait_for("destination misconfigured", "orders")
    assert str(installation.secret("orders")) in told.message
    witness.wait_for_windows(daemon, 3)
    status = installation.status("orders")
    assert (status["held"]["events"], status["dropped"]["events"]) == (30, 0)


# Settings and commands.


def test_a_shorter_window_gives_nothing_up_for_a_tenth_of_it(
    installation, scripted_s3, configure, lines_of
):
    configure(window="1h")
    scripted_s3.script(REJECTED)
    clock = Witness(installation, scripted_s3, configure, lines_of, window="10s")
    daemon = installation.start()
    installation.drop("a.jsonl", lines_of(20), "orders")
    daemon.wait_for("credentials failing", "orders")
    clock.wait_for_windows(daemon, 1)
    configure(window="10s")
    began = time.monotonic()
    daemon.reload()
    line = daemon.wait_for("drops held off", "orders")
    assert line.priority == 4
    assert line.fields["SLUICE_DROP_AT"] in line.message
    assert line.fields["SLUICE_AT_RISK_EVENTS"] == "20"
    daemon.wait_until(
        lambda: total(daemon, "events dropped", "SLUICE_DROPPED_EVENTS") == 20, "it was dropped")
    assert time.monotonic() - began >= 1


def test_a_longer_window_is_for_what_waits_as_well(
    installation, scripted_s3, configure, witness, lines_of
):
    configure(window="20s")
    scripted_s3.script(rejecting("orders"))
    daemon = installation.start()
    lines = lines_of(20)
    installation.drop("a.jsonl", lines, "orders")
    daemon.wait_for("credentials failing", "orders")
    configure(window="120h")
    daemon.reload()
    daemon.wait_for("reloaded")
    witness.wait_for_windows(daemon, 2)
    (episode,) = installation.status("orders")["episodes"]
    assert episode["first_drop_in_seconds"] > 119 * 3600
    assert installation.status("orders")["held"]["events"] == 20


def test_a_pause_sends_nothing_and_stops_the_clock_over_a_restart_too(
    installation, scripted_s3, configure, witness, lines_of
):
    def requests() -> int:
        return sum("id-orders/" in request["key"] for request in scripted_s3.requests())

    def command(verb: str) -> None:
        said = installation.sluicectl(verb, "orders")
        assert said.returncode == 0, said.stderr

    configure(window="4s")
    scripted_s3.script(rejecting("orders"))
    daemon = installation.start()
    installation.drop("a.jsonl", lines_of(20), "orders")
    daemon.wait_for("credentials failing", "orders")
    command("pause")
    daemon.wait_for("connector paused", "orders")
    status = installation.status("orders")
    assert status["state"] == "paused"
    assert status["episodes"][0]["clock_stands"] is True
    witness.wait_for_windows(daemon, 1)
    before = requests()
    witness.wait_for_windows(daemon, 4)
    assert requests() == before

    daemon.kill()
    daemon = installation.start()
    witness.wait_for_windows(daemon, 1)
    assert installation.status("orders")["state"] == "paused"
    assert requests() == before
    assert installation.status("orders")["held"]["events"] == 20
    command("resume")
    daemon.wait_for("connector resumed", "orders")
    daemon.wait_until(
        lambda: total(daemon, "events dropped", "SLUICE_DROPPED_EVENTS") == 20,
        "the clock went on, and the window was over")
    assert requests() > before


def test_discard_gives_up_what_is_held_and_counts_it(
    installation, scripted_s3, configure, lines_of
):
    configure(window="1h")
    scripted_s3.script(REJECTED)
    daemon = installation.start()
    installation.drop("a.jsonl", lines_of(30), "orders")
    daemon.wait_until(
        lambda: installation.status("orders")["held"]["events"] == 30
        and installation.status("orders")["episodes"], "it was held")
    said = installation.sluicectl("discard", "orders", "--yes")
    assert said.returncode == 0, said.stderr
    daemon.wait_until(
        lambda: installation.status("orders")["held"]["events"]
        + installation.status("orders")["discarded"]["events"] == 30, "it was counted")
    # What was just under way at that moment is held on.
    discarded = installation.status("orders")["discarded"]["events"]
    assert discarded >= 20
    assert total(daemon, "events discarded", "SLUICE_EVENTS") == discarded
    assert {line.priority for line in daemon.said("events discarded")} == {4}


def test_what_is_held_for_a_connector_that_left_the_configuration_can_be_discarded(
    installation, scripted_s3, configure, lines_of
):
    configure("orders", "1h")
    configure("other", "1h")
    scripted_s3.script(rejecting("orders"))
    daemon = installation.start()
    installation.drop("a.jsonl", lines_of(30), "orders")
    daemon.wait_for("credentials failing", "orders")
    daemon.wait_until(
        lambda: installation.status("orders")["held"]["events"] == 30, "it was held")
    (installation.connectors / "orders.toml").unlink()
    daemon.reload()
    daemon.wait_for("reloaded")
    daemon.wait_until(
        lambda: [each["name"] for each in installation.status()["orphans"]] == ["orders"],
        "it was an orphan")
    said = installation.sluicectl("discard", "orders", "--yes")
    assert said.returncode == 0, said.stderr
    assert "30 events" in said.stdout
    daemon.wait_until(lambda: not installation.waiting(), "the spool was empty")
    daemon.wait_until(
        lambda: total(daemon, "events discarded", "SLUICE_EVENTS") == 30, "it was told")
    assert daemon.stop() == 0
    # Back in the configuration, it knows what it has lost.
    configure("orders", "1h")
    installation.start()
    assert installation.status("orders")["discarded"]["events"] == 30


def test_three_of_four_connectors_deliver_while_one_is_in_an_episode(
    installation, scripted_s3, configure, lines_of
):
    names = ["one", "two", "three", "four"]
    lines = {name: lines_of(100) for name in names}
    for name in names:
        configure(name, "1h")
    scripted_s3.script(rejecting("four"))
    daemon = installation.start()
    for name in names:
        installation.drop("a.jsonl", lines[name], name)
    daemon.wait_for("credentials failing", "four")
    for name in names[:3]:
        daemon.wait_until(
            lambda: len(delivered(scripted_s3, name)) == len(lines[name]), f"{name} delivered")
        assert_same_events(delivered(scripted_s3, name), lines[name])
    assert "1 credentials failing" in installation.status()["summary"]
    assert [line.connector for line in daemon.troubles()] == ["four"]
    scripted_s3.mend()
    daemon.wait_until(
        lambda: len(delivered(scripted_s3, "four")) == len(lines["four"]), "four delivered")
