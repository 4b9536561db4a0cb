"""`POST /drain` answers when what is in the spool is delivered, or says why that cannot be."""

import concurrent.futures
from collections.abc import Iterator

import pytest

from http_client import connect
from objects import events_in


@pytest.fixture
def threads() -> Iterator[concurrent.futures.ThreadPoolExecutor]:
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        yield pool


@pytest.fixture
def orders(installation, destination):
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys)
    return installation.start()


def test_a_drain_ends_when_everything_is_delivered(installation, destination, orders, producer):
    # Neither full nor old enough, and the last file is not even seen when the drain is asked for.
    lines = producer.lines(400, event_type="shop.Order")
    for number in range(4):
        installation.drop(f"{number}.jsonl", lines[100 * number:100 * (number + 1)], "orders")
    answer = installation.ask("/drain", "POST", timeout=60)
    assert (answer.status, answer.document) == (200, {"drained": True})
    assert len(events_in(destination.objects())) == 400
    assert installation.status("orders")["held"]["objects"] == 0


def test_a_drain_of_nothing_ends_at_once(installation, orders):
    assert installation.ask("/drain", "POST").status == 200
    assert installation.ask("/drain?connector=orders", "POST").status == 200
    assert installation.ask("/drain?connector=nobody", "POST").status == 404


def test_a_drain_that_cannot_end_by_itself_says_what_to_do(
    installation, orders, producer, threads
):
    assert installation.sluicectl("pause", "orders").returncode == 0
    installation.drop("a.jsonl", producer.lines(10, event_type="shop.Order"), "orders")
    # It is asked for before anything is held, and told once there is.
    waiting = threads.submit(installation.ask, "/drain?connector=orders", "POST", timeout=60)
    refused = waiting.result(60)
    assert refused.status == 409
    assert refused.text == ("connector \"orders\" is paused and holds 10 events; "
                            "\"sluicectl resume orders\" lets it go on\n")
    assert installation.ask("/drain", "POST").status == 409
    (installation.connectors / "orders.toml").unlink()
    orders.reload()
    orders.wait_until(lambda: installation.ask("/status").document["orphans"], "it has left")
    left = installation.ask("/drain", "POST")
    assert left.status == 409
    assert "not in the configuration" in left.text and "sluicectl discard orders" in left.text


def test_a_drain_waits_while_credentials_fail(installation, scripted_s3, producer, threads):
    installation.connector(
        "orders", "bucket", scripted_s3.endpoint, scripted_s3.KEYS, credentials={"grace": "0s"})
    scripted_s3.script({"times": None, "do": "answer", "status": 403, "code": "InvalidAccessKeyId"})
    daemon = installation.start()
    installation.drop("a.jsonl", producer.lines(10, event_type="shop.Order"), "orders")
    waiting = threads.submit(installation.ask, "/drain", "POST", timeout=60)
    daemon.wait_for("credentials failing", "orders")
    assert not waiting.done()
    scripted_s3.mend()
    installation.set_secret("orders", scripted_s3.KEYS.secret_access_key)
    assert waiting.result(60).status == 200
    assert len(scripted_s3.summary()) == 1


def test_drains_that_nobody_waits_for_any_more_cost_nothing(
    installation, scripted_s3, producer, threads
):
    installation.connector(
        "orders", "bucket", scripted_s3.endpoint, scripted_s3.KEYS, batch={"max_age": "1s"},
        credentials={"grace": "0s"})
    scripted_s3.script({"times": None, "do": "answer", "status": 403, "code": "InvalidAccessKeyId"})
    daemon = installation.start()
    installation.drop("a.jsonl", producer.lines(10, event_type="shop.Order"), "orders")
    daemon.wait_for("credentials failing", "orders", seconds=30)
    # In all, more than there are places for clients.
    for _ in range(4):
        waiting = [connect(installation.socket) for _ in range(30)]
        for client in waiting:
            client.sendall(
                b"POST /drain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        assert installation.ask("/healthz").status == 200
        for client in waiting:
            client.close()
    assert installation.ask("/status").document["connectors"][0]["held"]["events"] == 10
    stopped = threads.submit(installation.ask, "/drain", "POST", timeout=60)
    daemon.wait_until(lambda: installation.ask("/healthz").status == 200, "others are answered")
    assert not stopped.done()
    assert daemon.stop() == 0
    answer = stopped.result(20)
    assert (answer.status, answer.text) == (503, "the daemon is stopping\n")
