"""sluicectl drain: all that was accepted is delivered, or it says why that cannot be."""

import json
import subprocess

import pytest

from installation import Installation, binary
from terminal import Terminal

SLOW_DOWN = {"do": "answer", "status": 503, "code": "SlowDown", "times": None}


@pytest.fixture
def orders(installation: Installation, scripted_s3) -> Installation:
    """A daemon whose connector holds events until somebody seals them."""
    installation.connector("orders", "bucket", scripted_s3.endpoint, scripted_s3.KEYS)
    installation.start()
    return installation


def take(installation: Installation, producer, name: str, count: int) -> None:
    (daemon,) = installation._daemons
    installation.drop(name, producer.lines(count, event_type="shop.Order"), "orders")
    daemon.wait_until(
        lambda: not list(installation.incoming("orders").iterdir()), "the file is taken")


def test_it_ends_when_all_is_delivered(orders, scripted_s3, producer):
    assert orders.sluicectl("drain").stdout == "nothing is left to be delivered\n"
    take(orders, producer, "a.jsonl", 100)
    drained = orders.sluicectl("drain", "orders", "--timeout", "20s")
    assert drained.returncode == 0, drained.stderr
    assert drained.stdout.startswith("all is delivered: 1 object with 100 events (")
    assert len(scripted_s3.objects("bucket")) == 1


def test_at_a_terminal_it_shows_how_far_it_is(orders, scripted_s3, producer):
    scripted_s3.script(SLOW_DOWN)
    take(orders, producer, "a.jsonl", 100)
    terminal = Terminal(
        [binary("sluicectl"), "drain", "--config", orders.config], {}, columns=40, rows=10)
    try:
        terminal.wait_for("100 events (")
        terminal.wait_for("orders: backing off")
        scripted_s3.mend()
        assert terminal.wait(60) == 0
        assert "all is delivered: 1 object with 100" in terminal.text
        assert "left" not in terminal.lines[-2]
    finally:
        terminal.close()


def test_what_only_a_person_can_end_is_said_at_once(orders, scripted_s3, producer):
    assert orders.sluicectl("pause", "orders").returncode == 0
    take(orders, producer, "a.jsonl", 10)
    # Sealed first: what is open waits for no connector.
    for _ in range(2):
        refused = orders.sluicectl("drain")
        assert (refused.returncode, refused.stdout) == (75, "")
        assert "\"orders\" is paused and holds 10 events; \"sluicectl resume orders\"" in (
            refused.stderr)
    assert orders.sluicectl("resume", "orders").returncode == 0
    assert orders.sluicectl("drain").returncode == 0

    take(orders, producer, "b.jsonl", 10)
    assert orders.sluicectl("pause", "orders").returncode == 0
    assert orders.sluicectl("flush").returncode == 0
    (orders.connectors / "orders.toml").unlink()
    (daemon,) = orders._daemons
    daemon.reload()
    daemon.wait_until(
        lambda: json.loads(orders.sluicectl("status", "--json").stdout)["orphans"], "it is left")
    refused = orders.sluicectl("drain")
    assert refused.returncode == 75
    assert "\"orders\" is not in the configuration and holds 10 events" in refused.stderr
    unknown = orders.sluicectl("drain", "ordres")
    assert (unknown.returncode, unknown.stdout) == (1, "")


def test_a_connector_in_trouble_is_waited_for_and_named(orders, scripted_s3, producer):
    scripted_s3.script(
        {"do": "answer", "status": 403, "code": "InvalidAccessKeyId", "times": None})
    take(orders, producer, "a.jsonl", 10)
    waited = orders.sluicectl("drain", "--timeout", "2s")
    assert (waited.returncode, waited.stdout) == (75, "")
    assert "orders: credentials failing" in waited.stderr
    assert "error: not all was delivered within 2s; 10 events (" in waited.stderr
    # The daemon goes on.
    scripted_s3.mend()
    orders.connector("orders", "bucket", scripted_s3.endpoint, scripted_s3.KEYS)
    (daemon,) = orders._daemons
    daemon.reload()
    assert orders.sluicectl("drain", "--timeout", "25s").returncode == 0
    assert orders.sluicectl("drain", "--timeout", "soon").returncode == 64


def test_it_goes_on_over_a_restart_of_the_daemon(orders, scripted_s3, producer):
    scripted_s3.script(SLOW_DOWN)
    take(orders, producer, "a.jsonl", 10)
    with subprocess.Popen(
        [binary("sluicectl"), "drain", "--config", orders.config], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as drain:
        (first,) = orders._daemons
        first.wait_for("throttled", "orders")
        first.stop()
        assert "is it running?" in next(line for line in drain.stderr if "cannot be" in line)
        scripted_s3.mend()
        orders.start()
        said, _ = drain.communicate(timeout=60)
    assert (drain.returncode, said.splitlines()[-1][:16]) == (0, "all is delivered")
