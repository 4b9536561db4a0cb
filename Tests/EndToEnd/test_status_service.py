"""What the daemon tells over HTTP of how it stands: status, history, metrics, health and the page."""

import re
import socket

import pytest

from http_client import ask
from installation import Installation


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


def metrics(installation: Installation) -> dict[str, float]:
    """Each series with its value."""
    answer = installation.ask("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    series = (line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in series}


@pytest.fixture
def orders(installation, destination):
    """A daemon with one connector that works, and a port beside its socket."""
    installation.port = free_port()
    installation.listen = [str(installation.socket), f"127.0.0.1:{installation.port}"]
    installation.configure()
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys,
        batch={"max_age": "1s"})
    return installation.start()


def test_what_was_delivered_shows_in_rate_and_metrics(installation, orders, producer):
    installation.drop("a.jsonl", producer.lines(130, event_type="shop.Order"), "orders")
    orders.wait_until(lambda: installation.status("orders")["delivered"]["events"] == 130,
                      "all events are delivered")
    status = installation.ask("/status").document
    (connector,) = status["connectors"]
    assert (connector["kind"], connector["format"]) == ("currents", "jsonl")
    # 130 events in a minute are 2 and a bit in a second, rounded up.
    assert connector["rate"]["events_per_second"] == 3
    assert connector["rate"]["bytes_per_second"] == -(-connector["delivered"]["bytes"] // 60)
    spool = status["spool"]
    assert spool["size_bytes"] > spool["free_bytes"] > spool["minimum_free_bytes"] == 1 << 20
    assert status["problems"] == []
    seen = metrics(installation)
    assert seen['sluice_connector_delivered_events_total{connector="orders"}'] == 130
    assert seen['sluice_connector_state{connector="orders",state="delivering"}'] == 1
    assert seen["process_resident_memory_bytes"] > 1 << 20
    assert 3 < seen["process_open_fds"] < seen["process_max_fds"]


def test_a_trouble_shows_in_problems_metrics_and_discarded_sums(
    installation, scripted_s3, producer
):
    installation.connector(
        "orders", "bucket", scripted_s3.endpoint, scripted_s3.KEYS, batch={"max_age": "1s"},
        credentials={"grace": "0s"})
    scripted_s3.script({"times": None, "do": "answer", "status": 403, "code": "InvalidAccessKeyId"})
    daemon = installation.start()
    installation.drop("a.jsonl", producer.lines(10, event_type="shop.Order"), "orders")
    installation.drop("b.jsonl", b"no JSON\n" * 3 + producer.lines(1)[0], "orders")
    daemon.wait_for("events quarantined")
    daemon.wait_for("credentials failing", "orders")
    status = installation.ask("/status").document
    problems = {problem["kind"]: problem for problem in status["problems"]}
    assert problems["credentials_failing"]["priority"] == "err"
    assert problems["credentials_failing"]["connector"] == "orders"
    assert "InvalidAccessKeyId" in problems["credentials_failing"]["text"]
    assert "connector" not in problems["events_quarantined"]
    assert all(problem["count"] >= 1 for problem in status["problems"])
    seen = metrics(installation)
    assert seen['sluice_connector_state{connector="orders",state="credentials_failing"}'] == 1
    code = 'sluice_connector_failed_attempts_total{connector="orders",code="InvalidAccessKeyId"}'
    assert seen[code] >= 1
    assert 0 < seen['sluice_connector_time_to_first_drop_seconds{connector="orders"}'] <= 48 * 3600
    assert seen["sluice_spool_quarantined_files"] == 1


def test_a_port_tells_and_changes_nothing(installation, orders):
    port = ("127.0.0.1", installation.port)
    for target in ("/status", "/history", "/metrics", "/healthz", "/"):
        assert ask(port, target).status == 200, target
    for method, target in (
        ("POST", "/pause?connector=orders"), ("POST", "/flush"), ("GET", "/archive"),
        ("POST", "/discard?connector=orders"),
    ):
        refused = ask(port, target, method)
        assert (refused.status, "Unix socket" in refused.text) == (403, True), target
    assert installation.status("orders")["state"] != "paused"
    rebound = ask(port, "/status", host="rebound.example:9464")
    assert rebound.status == 421
    assert "orders" not in rebound.text
    assert ask(port, "/status", host=f"localhost:{installation.port}").status == 200


def test_the_page_may_load_nothing_from_elsewhere(installation, orders):
    page = installation.ask("/")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "connect-src 'self'" in policy
    assert page.text.startswith("<!DOCTYPE html>")
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page.text)
    for target in ("/", "/status", "/history", "/nowhere"):
        headers = installation.ask(target).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"


def test_the_history_of_a_daemon_that_just_started_is_empty_and_whole(installation, orders):
    history = installation.ask("/history").document
    assert history["interval_seconds"] == 60
    assert history["samples"] == {name: [] for name in (
        "delivered_events", "delivered_bytes", "held_events", "held_bytes", "dropped_events")}


def test_sluicectl_says_where_only_a_port_is_configured(installation):
    installation.listen = "127.0.0.1:9464"
    installation.configure()
    said = installation.sluicectl("status")
    assert said.returncode == 78
    assert "sluiced listens only at 127.0.0.1:9464, which is read-only" in said.stderr
