"""Keys that are switched off and on, exchanged, put right or allowed less: what it costs, and what is said."""

import json
import re

import pytest

from local_s3 import Keys, connector_policy
from objects import assert_same_events, events_in, parse_key

QUICK = {"max_age": "1s", "max_events": 50}
AT_ONCE = {"grace": "0s"}
"""New credentials are not waited for."""


def denying(bucket: str, event_type: str) -> dict:
    policy = connector_policy(bucket)
    policy["Statement"].append({
        "Effect": "Deny", "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*/event_type={event_type}/*",
    })
    return policy


def types_of(lines: list[bytes], event_type: str) -> list[bytes]:
    return [line for line in lines if json.loads(line)["event_type"] == event_type]


def about(daemon, connector: str) -> list[str]:
    """The kinds of lines about a connector, but for what tells of success only."""
    return [line.kind for line in daemon.lines
            if line.connector == connector
            and line.kind not in ("object delivered", "connector verified")]


# Keys.


def test_keys_that_are_switched_off_and_on_cost_nothing_and_are_told_once(
    installation, destination, producer
):
    def drop(name: str) -> None:
        more = producer.lines(400)
        lines.extend(more)
        installation.drop(name, more, "orders")

    def puts() -> int:
        return destination.s3.requests("PUT", destination.bucket)

    def attempts() -> int:
        return sum(each["attempts"] for each in installation.status("orders")["episodes"])

    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys, batch=QUICK,
        expire_after="60s")
    lines: list[bytes] = []
    daemon = installation.start()
    drop("a.jsonl")
    daemon.wait_until(destination.objects, "the first objects were delivered")
    destination.s3.switch_key(destination.keys, "Inactive")
    drop("b.jsonl")
    daemon.wait_for("credentials failing", "orders")
    drop("c.jsonl")
    daemon.wait_until(lambda: not list(installation.incoming("orders").iterdir())
                      and installation.status("orders")["held"]["objects"] >= 10,
                      "many objects waited")
    puts_before, attempts_before = puts(), attempts()
    # From here on there are single probes; each is one request, however much waits.
    daemon.wait_until(lambda: attempts() >= attempts_before + 3, "three probes were rejected")
    assert puts() - puts_before <= attempts() - attempts_before + 1
    assert about(daemon, "orders") == ["credentials failing"], daemon.transcript()

    destination.s3.switch_key(destination.keys, "Active")
    daemon.wait_for("credentials recovered", "orders")
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    assert_same_events(events_in(destination.objects()), lines)
    assert about(daemon, "orders") == ["credentials failing", "credentials recovered"]
    status = installation.status("orders")
    assert status["delivered"]["events"] == len(lines)
    assert status["dropped"]["events"] == 0


def test_the_start_of_an_episode_says_what_is_at_risk_and_until_when(
    installation, destination, producer
):
    destination.s3.switch_key(destination.keys, "Inactive")
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys, batch=QUICK,
        credentials=AT_ONCE)
    installation.drop("a.jsonl", producer.lines(40, event_type="a.b"), "orders")
    daemon = installation.start()
    assert daemon.wait_for("connector not verified", "orders").priority == 4
    line = daemon.wait_for("credentials failing", "orders")
    assert line.priority == 3
    assert line.fields["SLUICE_S3_CODE"] == "InvalidAccessKeyId"
    assert line.fields["SLUICE_AT_RISK_EVENTS"] == "40"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line.fields["SLUICE_DROP_AT"])
    assert "40 events" in line.message and line.fields["SLUICE_DROP_AT"] in line.message
    (episode,) = installation.status("orders")["episodes"]
    assert episode["at_risk"]["events"] == 40
    # Two days are left, but for what the test took.
    assert 47 * 3600 < episode["first_drop_in_seconds"] <= 48 * 3600
    assert "1 credentials failing since" in installation.status()["summary"]


def test_new_keys_are_given_time_before_they_count_as_rejected(
    installation, destination, producer
):
    destination.s3.switch_key(destination.keys, "Inactive")
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys, batch=QUICK,
        expire_after="1s", credentials={"grace": "1h"})
    lines = producer.lines(100)
    installation.drop("a.jsonl", lines, "orders")
    daemon = installation.start()
    assert daemon.wait_for("credentials pending", "orders").priority == 5
    destination.s3.switch_key(destination.keys, "Active")
    daemon.wait_for("credentials recovered", "orders")
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    assert not daemon.said("credentials failing")
    status = installation.status("orders")
    assert status["delivered"]["events"] + status["dropped"]["events"] == len(lines)


# Rotation.


def test_two_live_keys_are_exchanged_without_a_pause(installation, destination, producer):
    def drop(name: str) -> None:
        more = producer.lines(300)
        lines.extend(more)
        installation.drop(name, more, "orders")

    def configure(keys: Keys, **credentials: object) -> None:
        installation.connector(
            "orders", destination.bucket, destination.s3.endpoint, keys, batch=QUICK,
            credentials=AT_ONCE | credentials)

    configure(destination.keys)
    lines: list[bytes] = []
    daemon = installation.start()
    drop("a.jsonl")
    daemon.wait_until(destination.objects, "the first objects were delivered")
    second = destination.s3.add_key(destination.keys)
    # A key ID and its secret change together, so the new secret has a file of its own.
    installation.set_secret("second", second.secret_access_key)
    installation.set_secret("orders", destination.keys.secret_access_key)
    lines_before = len(lines)
    drop("b.jsonl")
    (installation.connectors / "orders.toml").write_text(
        (installation.connectors / "orders.toml").read_text()
        .replace(destination.keys.access_key_id, second.access_key_id)
        .replace(str(installation.secret("orders")), str(installation.secret("second"))))
    daemon.reload()
    daemon.wait_for("reloaded")
    drop("c.jsonl")
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    # The first pair goes when nothing is signed with it any more.
    destination.s3.switch_key(destination.keys, "Inactive")
    drop("d.jsonl")
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    assert len(lines) > lines_before
    assert_same_events(events_in(destination.objects()), lines)
    assert daemon.troubles() == []
    assert about(daemon, "orders") == []


def test_a_session_token_that_is_replaced_is_taken_without_a_reload_or_a_pause(
    installation, scripted_s3, producer
):
    def tokens() -> list[str]:
        return [value for request in scripted_s3.requests("PUT")
                for name, value in request["headers"] if name.lower() == "x-amz-security-token"]

    def drop_and_wait(name: str) -> None:
        more = producer.lines(100)
        lines.extend(more)
        installation.drop(name, more, "orders")
        daemon.wait_until(
            lambda: len(events_in(scripted_s3.objects("scripted"))) == len(lines),
            f"{name} was delivered")

    lines: list[bytes] = []
    installation.set_secret("token", "first-token")
    installation.connector(
        "orders", "scripted", scripted_s3.endpoint, scripted_s3.KEYS, batch=QUICK,
        credentials=AT_ONCE | {"session_token_file": installation.secret("token")})
    daemon = installation.start()
    drop_and_wait("a.jsonl")
    assert set(tokens()) == {"first-token"}
    installation.set_secret("token", "second-token")
    number = 0
    while tokens()[-1] != "second-token":
        number += 1
        assert number < 30, "the new token was never used"
        drop_and_wait(f"b-{number}.jsonl")
    # Once it is known, the old one is never used again.
    assert "first-token" not in tokens()[tokens().index("second-token"):]
    assert_same_events(events_in(scripted_s3.objects("scripted")), lines)
    assert daemon.troubles() == []


def test_a_secret_that_is_put_right_is_taken_without_a_reload(
    installation, destination, producer
):
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint,
        Keys(destination.keys.access_key_id, "x" * 40), batch=QUICK, credentials=AT_ONCE)
    lines = producer.lines(200)
    installation.drop("a.jsonl", lines, "orders")
    daemon = installation.start()
    daemon.wait_for("credentials failing", "orders")
    installation.set_secret("orders", destination.keys.secret_access_key)
    daemon.wait_for("credentials recovered", "orders")
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    assert_same_events(events_in(destination.objects()), lines)
    assert not daemon.said("reloaded")


# Policies.


DENIED = "users.messages.email.Send"


def test_an_event_type_that_is_denied_waits_alone(installation, destination, producer):
    destination.s3.set_policy(destination.keys, denying(destination.bucket, DENIED))
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys, batch=QUICK,
        expire_after="60s", credentials=AT_ONCE)
    lines = producer.lines(600)
    denied = types_of(lines, DENIED)
    assert 50 < len(denied) < len(lines)
    installation.drop("a.jsonl", lines, "orders")
    daemon = installation.start()
    failing = daemon.wait_for("credentials failing", "orders")
    assert failing.fields["SLUICE_EVENT_TYPE"] == DENIED
    assert failing.fields["SLUICE_S3_CODE"] == "AccessDenied"
    daemon.wait_until(
        lambda: installation.status("orders")["delivered"]["events"] == len(lines) - len(denied),
        "the others flowed")
    status = installation.status("orders")
    assert status["denied_event_types"] == [DENIED]
    assert status["held"]["events"] == len(denied)
    assert all(parse_key(key).type != DENIED for key in destination.objects())

    destination.s3.set_policy(destination.keys, connector_policy(destination.bucket))
    daemon.wait_for("credentials recovered", "orders")
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    assert_same_events(events_in(destination.objects()), lines)
    assert about(daemon, "orders") == ["credentials failing", "credentials recovered"]


def test_the_window_of_a_denied_event_type_drops_nothing_else(
    installation, destination, producer
):
    destination.s3.set_policy(destination.keys, denying(destination.bucket, DENIED))
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys, batch=QUICK,
        expire_after="2s", credentials=AT_ONCE)
    lines = producer.lines(400)
    denied = types_of(lines, DENIED)
    installation.drop("a.jsonl", lines, "orders")
    daemon = installation.start()
    daemon.wait_until(
        lambda: installation.status("orders")["dropped"]["events"] == len(denied),
        "the denied events were dropped")
    daemon.wait_until(lambda: not installation.waiting(), "everything was settled")
    assert_same_events(
        events_in(destination.objects()), [line for line in lines if line not in set(denied)])
    dropped = daemon.said("events dropped", "orders")
    assert {line.fields["SLUICE_EVENT_TYPE"] for line in dropped} == {DENIED}
    assert sum(int(line.fields["SLUICE_DROPPED_EVENTS"]) for line in dropped) == len(denied)


@pytest.mark.parametrize("change", ["bucket", "key"])
def test_a_connector_that_is_edited_is_verified_again(
    installation, make_destination, producer, change
):
    one, other = make_destination(), make_destination()
    installation.connector("orders", one.bucket, one.s3.endpoint, one.keys, batch=QUICK)
    daemon = installation.start()
    first = daemon.wait_for("connector verified", "orders")
    assert first.priority == 6
    assert one.bucket in first.message
    if change == "bucket":
        installation.connector("orders", other.bucket, other.s3.endpoint, other.keys, batch=QUICK)
        daemon.reload()
        assert other.bucket in daemon.wait_for("connector verified", "orders", count=2).message
    else:
        installation.connector(
            "orders", one.bucket, one.s3.endpoint, Keys("AKIAIOSFODNN7UNKNOWN", "x"), batch=QUICK)
        daemon.reload()
        line = daemon.wait_for("connector not verified", "orders")
        assert "InvalidAccessKeyId" in line.message
    # Verifying writes nothing.
    assert one.objects() == {} and other.objects() == {}
