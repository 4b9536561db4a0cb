"""A connector that delivers by a role, against a server that checks trust policies and permissions."""

import itertools
import json
from typing import NamedTuple

import pytest

from local_s3 import LocalS3, connector_policy
from objects import assert_same_events, events_in

QUICK = {"max_age": "1s"}
ACCOUNT = "123456789012"


class Role(NamedTuple):
    s3: LocalS3
    bucket: str
    name: str

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{ACCOUNT}:role/{self.name}"

    def permit(self) -> None:
        self.s3.client("iam").put_role_policy(
            RoleName=self.name, PolicyName="delivery",
            PolicyDocument=json.dumps(connector_policy(self.bucket)))

    def forbid(self) -> None:
        self.s3.client("iam").delete_role_policy(RoleName=self.name, PolicyName="delivery")


_numbers = itertools.count(1)


@pytest.fixture
def role(s3, destination) -> Role:
    """A role that a user without other rights may assume with the external ID "right"."""
    made = Role(s3, destination.bucket, f"delivery-{next(_numbers)}")
    trust = {
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "right"}},
        }],
    }
    s3.client("iam").create_role(
        RoleName=made.name, AssumeRolePolicyDocument=json.dumps(trust))
    made.permit()
    return made


@pytest.fixture
def connect(installation, role):
    """Configures connector "orders" to assume the role."""
    assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role.arn}
    keys = role.s3.make_user({"Version": "2012-10-17", "Statement": [assume]})

    def configure(external_id: str) -> None:
        installation.connector(
            "orders", role.bucket, role.s3.endpoint, keys, batch=QUICK,
            credentials={
                "role_arn": role.arn, "external_id": external_id, "sts_endpoint": role.s3.endpoint,
                "grace": "0s",
            })

    return configure


def test_a_role_delivers_with_the_right_external_id_and_waits_with_a_wrong_one(
    installation, destination, producer, connect
):
    connect("wrong")
    lines = producer.lines(50)
    daemon = installation.start()
    installation.drop("a.jsonl", lines, "orders")
    said = daemon.wait_for("credentials failing", "orders")
    assert said.fields["SLUICE_S3_CODE"] == "AccessDenied"
    assert destination.objects() == {}

    connect("right")
    daemon.reload()
    daemon.wait_for("credentials recovered", "orders")
    daemon.wait_until(lambda: installation.waiting() == [], "everything is delivered")
    assert_same_events(events_in(destination.objects()), lines)
    assert len(daemon.said("credentials failing", "orders")) == 1


def test_a_policy_that_is_taken_from_the_role_holds_events_until_it_is_back(
    installation, destination, producer, connect, role
):
    connect("right")
    daemon = installation.start()
    first = producer.lines(20, event_type="shop.Order")
    installation.drop("a.jsonl", first, "orders")
    daemon.wait_for("object delivered", "orders")

    role.forbid()
    second = producer.lines(20, event_type="shop.Order")
    installation.drop("b.jsonl", second, "orders")
    daemon.wait_for("credentials failing", "orders")

    role.permit()
    daemon.reload()
    daemon.wait_for("credentials recovered", "orders")
    daemon.wait_until(lambda: installation.waiting() == [], "everything is delivered")
    assert_same_events(events_in(destination.objects()), first + second)


def test_a_role_with_the_keys_of_the_environment(installation, destination, producer, role):
    assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role.arn}
    keys = role.s3.make_user({"Version": "2012-10-17", "Statement": [assume]})
    installation.environment = {
        "AWS_ACCESS_KEY_ID": keys.access_key_id, "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
    }
    (installation.connectors / "orders.toml").write_text(f"""
        bucket = "{destination.bucket}"
        endpoint = "{role.s3.endpoint}"
        region = "eu-west-1"
        format = "jsonl"
        [credentials]
        role_arn = "{role.arn}"
        external_id = "right"
        sts_endpoint = "{role.s3.endpoint}"
    """)
    lines = producer.lines(20)
    installation.drop("a.jsonl", lines, "orders")
    daemon = installation.drain()
    assert_same_events(events_in(destination.objects()), lines)
    assert keys.secret_access_key not in daemon.transcript()


def test_a_secret_that_was_rotated_in_its_file_is_taken_up(
    installation, destination, producer
):
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys, batch=QUICK)
    installation.set_secret("orders", "not-the-secret")
    lines = producer.lines(20, event_type="shop.Order")
    daemon = installation.start()
    installation.drop("a.jsonl", lines, "orders")
    daemon.wait_for("credentials failing", "orders")
    # Nobody tells the daemon; an attempt reads the file anew.
    installation.set_secret("orders", destination.keys.secret_access_key)
    daemon.wait_for("credentials recovered", "orders", seconds=60)
    daemon.wait_until(lambda: installation.waiting() == [], "everything is delivered")
    assert_same_events(events_in(destination.objects()), lines)
