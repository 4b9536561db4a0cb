"""Sessions that end: renewed in time, and never used afterwards, whatever their issuer does."""

import re
import time
from collections.abc import Iterator

import pytest

from installation import Installation
from issuer import Issuer
from objects import assert_same_events, events_in

QUICK = {"max_age": "1s"}
ROLE = "arn:aws:iam::123456789012:role/sluice"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        yield running


@pytest.fixture
def with_role(installation, scripted_s3, issuer) -> None:
    installation.connector(
        "orders", "bucket", scripted_s3.endpoint, scripted_s3.KEYS, batch=QUICK,
        credentials={"role_arn": ROLE, "external_id": "ext", "sts_endpoint": issuer.url,
                     "grace": "0s"})


def keys_used(scripted_s3) -> list[str]:
    """The keys that uploads were signed with, in order."""
    heads = [dict((name.lower(), value) for name, value in request["headers"])
             for request in scripted_s3.requests("PUT")]
    return [re.search(r"Credential=(\w+)/", head["authorization"])[1] for head in heads]


def deliver(installation: Installation, daemon, lines, name: str, count: int) -> None:
    installation.drop(name, lines, "orders")
    daemon.wait_for("object delivered", "orders", count=count)


def test_a_session_is_renewed_before_it_ends(
    installation, producer, scripted_s3, issuer, with_role
):
    issuer.lifetime = 8
    daemon = installation.start()
    first = producer.lines(5, event_type="shop.Order")
    deliver(installation, daemon, first, "a.jsonl", 1)
    given = issuer.sessions
    # Nobody asks for it: the timer does.
    daemon.wait_until(lambda: issuer.sessions > given, "the session is renewed")
    issuer.lifetime = 3600
    second = producer.lines(5, event_type="shop.Order")
    deliver(installation, daemon, second, "b.jsonl", 2)

    used = keys_used(scripted_s3)
    assert used[0] < used[-1]
    assert issuer.calls[0]["ExternalId"] == "ext"
    assert issuer.calls[0]["RoleSessionName"] == "sluice-orders"
    assert daemon.troubles() == []
    assert_same_events(events_in(scripted_s3.objects("bucket")), first + second)


def test_nothing_is_signed_with_a_session_that_ended_while_sts_is_down(
    installation, producer, scripted_s3, issuer, with_role
):
    issuer.lifetime = 6
    daemon = installation.start()
    first = producer.lines(5, event_type="shop.Order")
    deliver(installation, daemon, first, "a.jsonl", 1)
    end = time.time() + issuer.lifetime
    issuer.is_down = True
    daemon.wait_until(lambda: time.time() > end, "the session has ended")
    sent = len(keys_used(scripted_s3))
    calls = len(issuer.calls)
    second = producer.lines(5, event_type="shop.Order")
    installation.drop("b.jsonl", second, "orders")
    daemon.wait_for("unreachable", "orders")
    daemon.wait_until(lambda: len(issuer.calls) > calls + 2, "STS is asked again and again")
    assert len(keys_used(scripted_s3)) == sent
    assert not daemon.said("credentials failing")

    issuer.is_down = False
    issuer.lifetime = 3600
    daemon.wait_for("reachable", "orders", seconds=90)
    daemon.wait_until(lambda: installation.waiting() == [], "everything is delivered")
    assert_same_events(events_in(scripted_s3.objects("bucket")), first + second)


def test_what_sts_denies_is_told_with_its_code(
    installation, producer, scripted_s3, issuer, with_role
):
    issuer.code = "AccessDenied"
    daemon = installation.start()
    lines = producer.lines(5, event_type="shop.Order")
    installation.drop("a.jsonl", lines, "orders")
    said = daemon.wait_for("credentials failing", "orders")
    assert said.fields["SLUICE_S3_CODE"] == "AccessDenied"
    assert said.fields["SLUICE_S3_REQUEST_ID"] == "sts-1"
    assert scripted_s3.requests("PUT") == []
    issuer.code = None
    daemon.reload()
    daemon.wait_for("credentials recovered", "orders")
    assert "issued-secret" not in daemon.transcript()
    assert "issued-token" not in daemon.transcript()


@pytest.mark.parametrize("place", ["instance", "container"])
def test_an_instance_and_a_container_give_sessions(
    installation, producer, scripted_s3, issuer, place
):
    # The store goes by a name that needs no proxy. The instance and the container must be asked without one
    # whatever the environment says, and this one is not there.
    (installation.connectors / "orders.toml").write_text(f"""
        bucket = "bucket"
        endpoint = "{scripted_s3.endpoint.replace("127.0.0.1", "localhost")}"
        region = "eu-west-1"
        format = "jsonl"
    """)
    installation.environment = {
        "http_proxy": "http://127.0.0.1:1", "no_proxy": "localhost", "HOME": "/nonexistent",
    } | ({
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": issuer.url,
    } if place == "instance" else {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": issuer.url + "/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "container-token",
    })
    lines = producer.lines(5, event_type="shop.Order")
    installation.drop("a.jsonl", lines, "orders")
    installation.drain()
    assert keys_used(scripted_s3)[0].startswith("ASIA")
    assert_same_events(events_in(scripted_s3.objects("bucket")), lines)
