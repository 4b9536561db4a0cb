"""What `sluicectl policy` prints is what a connector needs: all of it delivers, and without any part of it
`sluicectl test` says what is missing."""

import copy
import json

import pytest

from installation import Installation
from local_s3 import Keys
from objects import assert_same_events, events_in

ACTIONS = ["s3:GetBucketLocation", "s3:ListBucket", "s3:GetObject", "s3:PutObject"]


def connect(installation: Installation, s3, bucket: str, keys: Keys, **settings) -> None:
    installation.connector("orders", bucket, s3.endpoint, keys, **settings)


@pytest.fixture
def bucket(make_destination) -> str:
    return make_destination().bucket


def policy_of(installation: Installation, *arguments: str) -> dict:
    result = installation.sluicectl("policy", *arguments)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def steps_of(installation: Installation, *arguments: str) -> dict[str, dict]:
    result = installation.sluicectl("test", *arguments, "--json")
    report = json.loads(result.stdout)
    assert report["fine"] == (result.returncode == 0), result.stderr
    return {step["step"]: step for step in report["steps"]}


def without(policy: dict, action: str) -> dict:
    rest = copy.deepcopy(policy)
    for statement in rest["Statement"]:
        statement["Action"] = [each for each in statement["Action"] if each != action]
    rest["Statement"] = [each for each in rest["Statement"] if each["Action"]]
    return rest


def test_the_printed_policy_is_enough_to_deliver(installation, s3, bucket, producer):
    connect(installation, s3, bucket, Keys("NOT-YET", "none"), folder="a/b")
    policy = policy_of(installation, "orders")
    keys = s3.make_user(policy)
    connect(installation, s3, bucket, keys, folder="a/b")
    lines = producer.lines(100)
    installation.drop("a.jsonl", lines, "orders")
    installation.drain()
    assert_same_events(events_in(s3.objects(bucket)), lines)

    tried = installation.sluicectl("test", "orders")
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert "a/b/_sluice_test" in s3.keys(bucket)
    # Once more: the object is there now.
    assert installation.sluicectl("test", "orders").returncode == 0


@pytest.mark.parametrize("action", ACTIONS)
def test_without_one_action_just_that_step_fails(installation, s3, bucket, action):
    connect(installation, s3, bucket, Keys("NOT-YET", "none"))
    policy = policy_of(installation, "orders")
    connect(installation, s3, bucket, s3.make_user(without(policy, action)))
    steps = steps_of(installation, "orders")
    failed = [name for name, step in steps.items() if step["result"] == "failed"]
    assert failed == [action.removeprefix("s3:")]
    text = steps[failed[0]]["detail"]
    assert "AccessDenied" in text and f"allow {action} " in text
    assert 'sluicectl policy orders' in text


def test_the_policy_has_no_action_that_is_not_tried(installation, s3, bucket):
    connect(installation, s3, bucket, Keys("NOT-YET", "none"))
    policy = policy_of(installation, "orders")
    actions = [action for statement in policy["Statement"] for action in statement["Action"]]
    assert sorted(actions) == sorted(ACTIONS)


def test_one_policy_serves_several_connectors_and_reaches_no_other_folder(
    installation, s3, bucket, make_destination
):
    other = make_destination().bucket
    for name, where, folder in (("orders", bucket, "orders"), ("clicks", bucket, "clicks"),
                                ("archive", other, "currents"), ("hidden", bucket, "hidden")):
        installation.connector(name, where, s3.endpoint, Keys("NOT-YET", "none"), folder=folder)
    keys = s3.make_user(policy_of(installation, "orders", "clicks", "archive"))
    for name, where, folder in (("orders", bucket, "orders"), ("clicks", bucket, "clicks"),
                                ("archive", other, "currents"), ("hidden", bucket, "hidden")):
        installation.connector(name, where, s3.endpoint, keys, folder=folder)
    for name in ("orders", "clicks", "archive"):
        assert installation.sluicectl("test", name).returncode == 0
    steps = steps_of(installation, "hidden")
    assert {name for name, step in steps.items() if step["result"] == "failed"} >= {"PutObject"}


def test_keys_that_are_wrong_fail_each_step_and_say_so(installation, s3, bucket):
    connect(installation, s3, bucket, Keys("AKIAUNKNOWN", "wrong"))
    result = installation.sluicectl("test", "orders")
    assert result.returncode == 1
    assert "InvalidAccessKeyId" in result.stdout
    installation.secret("orders").unlink()
    steps = steps_of(installation, "orders")
    assert steps["credentials"]["result"] == "failed"
    assert str(installation.secret("orders")) in steps["credentials"]["detail"]
    assert steps["PutObject"]["result"] == "skipped"
    assert "wrong" not in result.stdout + result.stderr


def test_a_connector_is_tested_before_it_is_installed(installation, s3, bucket):
    connect(installation, s3, bucket, Keys("NOT-YET", "none"))
    keys = s3.make_user(policy_of(installation, "orders"))
    connect(installation, s3, bucket, keys)
    elsewhere = installation.directory / "orders.toml"
    (installation.connectors / "orders.toml").rename(elsewhere)
    assert installation.sluicectl("test", str(elsewhere)).returncode == 0
    unknown = installation.sluicectl("test", "orders")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert 'there is no connector "orders"' in unknown.stderr


def test_placeholder_events_go_the_way_of_all_events(installation, s3, bucket):
    connect(installation, s3, bucket, Keys("NOT-YET", "none"))
    keys = s3.make_user(policy_of(installation, "orders"))
    connect(installation, s3, bucket, keys, events=["shop.Order", "shop.Refund", "web.*"],
            batch={"max_age": "1s"})
    daemon = installation.start()
    steps = steps_of(installation, "orders", "--send-events")
    assert steps["events"]["result"] == "ok"
    assert "shop.Order, shop.Refund" in steps["events"]["detail"]
    assert "web.*" in steps["events"]["detail"]

    def types() -> list[str]:
        objects = {key: body for key, body in s3.objects(bucket).items() if key.endswith(".gz")}
        return sorted(json.loads(line)["event_type"] for line in events_in(objects))

    daemon.wait_until(lambda: types() == ["shop.Order", "shop.Refund"], "both are delivered")
