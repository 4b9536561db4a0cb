"""The wall clock is set to another day, while the daemon runs or is stopped: the window does not care."""

import time

import pytest

from clocks import library, wall_clock  # noqa: F401, they are fixtures
from objects import assert_same_events, events_in

HOUR, DAY = 3600, 86_400
BUCKET = "scripted"
WINDOW = 4
REJECTED = {"method": "PUT", "do": "answer", "status": 403, "code": "InvalidAccessKeyId",
            "times": None}
MOVES = [
    pytest.param(25 * HOUR, id="25 hours forward"),
    pytest.param(-25 * HOUR, id="25 hours back"),
    pytest.param(400 * DAY, id="400 days forward"),
    pytest.param(-400 * DAY, id="400 days back"),
]


@pytest.fixture
def configured(installation, scripted_s3):
    installation.connector(
        "orders", BUCKET, scripted_s3.endpoint, scripted_s3.KEYS,
        batch={"max_events": 10, "max_age": "1s"}, expire_after=f"{WINDOW}s",
        credentials={"grace": "0s"})
    return scripted_s3


def dropped(daemon) -> int:
    return sum(int(line.fields["SLUICE_DROPPED_EVENTS"]) for line in daemon.said("events dropped"))


def test_the_library_moves_the_daemons_wall_clock(installation, configured, wall_clock):
    installation.start()
    now = installation.status()["now"]
    wall_clock.move(400 * DAY)
    assert int(installation.status()["now"][:4]) > int(now[:4])


@pytest.mark.parametrize("is_running", [True, False], ids=["while it runs", "while it is stopped"])
@pytest.mark.parametrize("seconds", MOVES)
def test_nothing_is_dropped_early_or_kept_for_ever(
    installation, configured, wall_clock, producer, seconds, is_running
):
    configured.script(REJECTED)
    daemon = installation.start()
    began = time.monotonic()
    installation.drop("a.jsonl", producer.lines(30, event_type="a.b"), "orders")
    daemon.wait_for("credentials failing", "orders")
    if is_running:
        wall_clock.move(seconds)
    else:
        assert daemon.stop() == 0
        assert not daemon.said("events dropped")
        wall_clock.move(seconds)
        daemon = installation.start()
    assert installation.status("orders")["episodes"]
    daemon.wait_until(lambda: dropped(daemon) == 30, "the window was over")
    assert time.monotonic() - began >= WINDOW
    # By the daemon's own clock, the moments that it tells are in order.
    for line in daemon.said("events dropped"):
        assert line.fields["SLUICE_ACCEPTED_FROM"] <= line.fields["SLUICE_ACCEPTED_TO"]
    assert installation.status("orders")["dropped"]["events"] == 30


@pytest.mark.parametrize("is_running", [True, False], ids=["while it runs", "while it is stopped"])
@pytest.mark.parametrize("seconds", MOVES)
def test_what_is_held_is_delivered_once_when_the_credentials_work(
    installation, configured, wall_clock, producer, seconds, is_running
):
    configured.script(REJECTED)
    daemon = installation.start()
    lines = producer.lines(300)
    installation.drop("a.jsonl", lines[:150], "orders")
    daemon.wait_for("credentials failing", "orders")
    configured.mend()
    if not is_running:
        daemon.kill()
    wall_clock.move(seconds)
    if not is_running:
        daemon = installation.start()
    if seconds > 0:
        installation.drop("b.jsonl", lines[150:], "orders")
    daemon.wait_until(
        lambda: not installation.waiting(), "everything was delivered", seconds=30)
    assert not daemon.said("events dropped")
    assert_same_events(
        events_in(configured.objects(BUCKET)), lines if seconds > 0 else lines[:150])


@pytest.mark.parametrize("seconds", [-25 * HOUR, -400 * DAY])
def test_intake_waits_while_the_clock_is_days_behind(
    installation, configured, wall_clock, producer, seconds
):
    daemon = installation.start()
    lines = producer.lines(100)
    installation.drop("a.jsonl", lines[:50], "orders")
    daemon.wait_until(lambda: not installation.waiting(), "the first file was delivered")
    wall_clock.move(seconds)
    installation.drop("b.jsonl", lines[50:], "orders")
    assert "clock" in daemon.wait_for("intake waiting").message
    assert (installation.incoming("orders") / "b.jsonl").exists()
    # The time that it says is another one at each look, and that is no news.
    installation.drop("c.jsonl", lines[50:60], "orders")
    daemon.reload()
    daemon.wait_for("reloaded")
    assert len(daemon.said("intake waiting")) == 1
    wall_clock.move(0)
    daemon.reload()
    daemon.wait_for("intake resumed", seconds=90)
    daemon.wait_until(lambda: not installation.waiting(), "the other files were delivered")
    assert_same_events(events_in(configured.objects(BUCKET)), lines + lines[50:60])
