"""The machine sleeps: for longer than a window while credentials fail, or while nothing is wrong."""

import datetime
import time

import pytest

from clocks import library, wall_clock  # noqa: F401, they are fixtures
from objects import assert_same_events, events_in

BUCKET = "scripted"
HOUR = 3600
REJECTED = {"method": "PUT", "do": "answer", "status": 403, "code": "InvalidAccessKeyId",
            "times": None}


@pytest.fixture
def configure(installation, scripted_s3, wall_clock):
    def write(window: str = "48h") -> None:
        installation.connector(
            "orders", BUCKET, scripted_s3.endpoint, scripted_s3.KEYS,
            batch={"max_events": 10, "max_age": "1s"}, expire_after=window,
            credentials={"grace": "0s"})
    return write


def dropped(daemon) -> int:
    return sum(int(line.fields["SLUICE_DROPPED_EVENTS"]) for line in daemon.said("events dropped"))


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def in_an_episode(installation, scripted_s3, producer, events: int = 30):
    """A daemon with so many events that wait in an episode, and these."""
    scripted_s3.script(REJECTED)
    daemon = installation.start()
    lines = producer.lines(events, event_type="a.b")
    installation.drop("a.jsonl", lines, "orders")
    daemon.wait_for("credentials failing", "orders")
    daemon.wait_until(
        lambda: installation.status("orders")["held"]["events"] == events, "all of it was held")
    return daemon, lines


def attempts(scripted_s3) -> int:
    return len(scripted_s3.requests("PUT"))


def try_again(daemon, scripted_s3) -> None:
    """Has it make another attempt at once, which is rejected as well."""
    before = attempts(scripted_s3)
    daemon.reload()
    daemon.wait_until(lambda: attempts(scripted_s3) > before, "it was tried again")


def test_the_library_has_the_machine_sleep(installation, scripted_s3, configure, wall_clock, producer):
    configure()
    in_an_episode(installation, scripted_s3, producer)

    def left() -> int:
        return installation.status("orders")["episodes"][0]["first_drop_in_seconds"]

    (before, now) = (left(), at(installation.status()["now"]))
    wall_clock.sleep(10 * HOUR)
    assert at(installation.status()["now"]) - now >= datetime.timedelta(hours=10)
    assert before - left() == pytest.approx(10 * HOUR, abs=20)


def test_nothing_is_given_up_for_an_hour_after_a_sleep_of_60_hours(
    installation, scripted_s3, configure, wall_clock, producer
):
    configure()
    daemon, lines = in_an_episode(installation, scripted_s3, producer)
    wall_clock.sleep(60 * HOUR)
    # Before anything else an attempt is made, which is rejected: the window is over, and nobody was told.
    for _ in range(3):
        try_again(daemon, scripted_s3)
    line = daemon.wait_for("drops held off", "orders")
    assert line.priority == 4
    assert line.fields["SLUICE_AT_RISK_EVENTS"] == str(len(lines))
    assert line.fields["SLUICE_DROP_AT"] in line.message
    left = at(line.fields["SLUICE_DROP_AT"]) - at(installation.status()["now"])
    assert datetime.timedelta(minutes=55) < left <= datetime.timedelta(hours=1)
    status = installation.status("orders")
    assert (status["held"]["events"], status["dropped"]["events"]) == (len(lines), 0)
    assert not daemon.said("events dropped")
    assert len(daemon.said("drops held off")) == 1, daemon.transcript()

    # In the hour it can be mended, and nothing is lost.
    scripted_s3.mend()
    daemon.reload()
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    assert_same_events(events_in(scripted_s3.objects(BUCKET)), lines)


def test_after_the_hour_and_another_rejection_it_is_given_up(
    installation, scripted_s3, configure, wall_clock, producer
):
    # The hour is a tenth of a window that is short.
    configure("40s")
    daemon, lines = in_an_episode(installation, scripted_s3, producer)
    wall_clock.sleep(60 * HOUR)
    daemon.wait_for("drops held off", "orders")
    began = time.monotonic()
    assert not daemon.said("events dropped")
    sent = attempts(scripted_s3)
    daemon.wait_until(lambda: dropped(daemon) == len(lines), "it was given up")
    assert time.monotonic() - began >= 3, "a tenth of the window, but for when the line was heard"
    assert attempts(scripted_s3) > sent, "it was rejected once more"
    assert installation.status("orders")["dropped"]["events"] == len(lines)
    assert installation.status("orders")["held"]["events"] == 0
    for line in daemon.said("events dropped"):
        assert line.fields["SLUICE_ACCEPTED_FROM"] <= line.fields["SLUICE_ACCEPTED_TO"]


def test_a_sleep_in_a_pause_does_not_count(
    installation, scripted_s3, configure, wall_clock, producer
):
    configure("60s")
    daemon, lines = in_an_episode(installation, scripted_s3, producer)
    assert installation.sluicectl("pause", "orders").returncode == 0
    wall_clock.sleep(60 * HOUR)
    # What waits in a pause does not get older.
    assert installation.status("orders")["episodes"][0]["first_drop_in_seconds"] > 0
    assert installation.sluicectl("resume", "orders").returncode == 0
    daemon.wait_for("connector resumed", "orders")
    try_again(daemon, scripted_s3)
    assert installation.status("orders")["episodes"][0]["first_drop_in_seconds"] > 30
    assert installation.status("orders")["held"]["events"] == len(lines)
    scripted_s3.mend()
    daemon.reload()
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    assert not daemon.said("events dropped")
    assert_same_events(events_in(scripted_s3.objects(BUCKET)), lines)


def test_a_sleep_without_an_episode_costs_nothing(
    installation, scripted_s3, configure, wall_clock, producer
):
    configure("10s")
    # What waits while it sleeps: for an answer, for its batch to be full, and in incoming/.
    scripted_s3.script({"method": "PUT", "do": "hang", "seconds": 2, "times": 2})
    daemon = installation.start()
    lines = producer.lines(123)
    installation.drop("a.jsonl", lines[:60], "orders")
    daemon.wait_until(lambda: attempts(scripted_s3), "an upload was under way")
    installation.drop("b.jsonl", lines[60:100], "orders")
    wall_clock.sleep(60 * HOUR)
    installation.drop("c.jsonl", lines[100:], "orders")
    daemon.wait_until(
        lambda: not installation.waiting(), "everything was delivered", seconds=40)
    assert_same_events(events_in(scripted_s3.objects(BUCKET)), lines)
    assert not daemon.troubles(), daemon.transcript()
    assert not daemon.said("drops held off")


def test_a_sleep_while_nobody_answers_does_not_count(
    installation, scripted_s3, configure, wall_clock, producer
):
    configure("10s")
    daemon, lines = in_an_episode(installation, scripted_s3, producer)
    # The network is gone, as it is on the way to sleep and back.
    scripted_s3.script_instead({"method": "PUT", "do": "reset", "times": None})
    try_again(daemon, scripted_s3)
    daemon.wait_until(
        lambda: installation.status("orders")["episodes"][0]["clock_stands"], "the clock stands")
    wall_clock.sleep(60 * HOUR)
    try_again(daemon, scripted_s3)
    scripted_s3.mend()
    daemon.reload()
    daemon.wait_until(
        lambda: not installation.waiting(), "everything was delivered", seconds=40)
    assert not daemon.said("events dropped")
    assert_same_events(events_in(scripted_s3.objects(BUCKET)), lines)
