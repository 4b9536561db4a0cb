"""Setting up: what `sluicectl policy` prints is what a connector needs: all of it delivers, and without any
part of it `sluicectl test` says what is missing. And the manual's page on AWS does what it says."""

import copy
import io
import json
import re
import shutil

import fastavro
import pytest

from installation import ROOT, Installation
from local_s3 import Keys, connector_policy
from manual import SETUP, Reader, commands
from objects import assert_same_events, events_in
from picky_s3 import PickyS3

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


def actions_of(policy: dict) -> dict[str, list[str]]:
    """The resources of each action."""
    return {action: statement["Resource"] for statement in policy["Statement"]
            for action in statement["Action"]}


def test_events_and_files_share_a_bucket_and_each_policy_is_enough_and_for_its_folder_only(
    installation, s3, bucket, producer
):
    def configure(orders: Keys, reports: Keys) -> None:
        installation.connector("orders", bucket, s3.endpoint, orders, folder="events")
        installation.export("reports", bucket, s3.endpoint, reports, folder="exports")

    nobody = Keys("NOT-YET", "none")
    configure(nobody, nobody)
    policies = {name: policy_of(installation, name) for name in ("orders", "reports")}
    assert sorted(actions_of(policies["orders"])) == sorted(ACTIONS)
    assert sorted(actions_of(policies["reports"])) == sorted([*ACTIONS, "s3:DeleteObject"])
    for name, folder in (("orders", "events"), ("reports", "exports")):
        assert actions_of(policies[name])["s3:PutObject"] == [f"arn:aws:s3:::{bucket}/{folder}/*"]
    keys = {name: s3.make_user(policy) for name, policy in policies.items()}

    configure(keys["orders"], keys["reports"])
    lines = producer.lines(50)
    installation.drop("a.jsonl", lines, "orders")
    installation.drop("a.jsonl", b"any file", "reports")
    installation.drain()
    objects = s3.objects(bucket)
    assert objects.pop("exports/a.jsonl") == b"any file"
    assert_same_events(events_in(objects), lines)

    steps = steps_of(installation, "reports")
    assert list(steps) == ["credentials", "GetBucketLocation", "ListBucket", "PutObject",
                           "GetObject", "DeleteObject"]
    assert "exports/_sluice_test" not in s3.keys(bucket)
    assert "DeleteObject" not in steps_of(installation, "orders")

    # Neither may write where the other does.
    configure(keys["reports"], keys["orders"])
    for name in ("orders", "reports"):
        failed = [step for step, found in steps_of(installation, name).items()
                  if found["result"] == "failed"]
        assert "PutObject" in failed


def test_without_the_right_to_delete_just_that_step_fails(installation, s3, bucket):
    installation.export("reports", bucket, s3.endpoint, Keys("NOT-YET", "none"), folder="exports")
    policy = without(policy_of(installation, "reports"), "s3:DeleteObject")
    installation.export("reports", bucket, s3.endpoint, s3.make_user(policy), folder="exports")
    steps = steps_of(installation, "reports")
    assert [name for name, step in steps.items() if step["result"] == "failed"] == ["DeleteObject"]
    assert "allow s3:DeleteObject in the policy" in steps["DeleteObject"]["detail"]


ACL, TAGS = "x-amz-acl", "x-amz-tagging"


@pytest.mark.parametrize(("denied", "required", "failed"), [
    ([], None, []),
    ([TAGS], None, ["PutObjectTagging"]),
    ([ACL], None, ["PutObjectAcl"]),
    ([ACL, TAGS], None, ["PutObjectAcl", "PutObjectTagging"]),
    # A bucket may insist on an ACL: then a PUT without it says nothing of the connector.
    ([], ACL, []),
    (["content-type"], None, ["PutObject", "PutObjectAcl", "PutObjectTagging"]),
])
def test_what_goes_with_an_object_is_tried_by_itself(installation, denied, required, failed):
    with PickyS3(*denied, required=required) as s3:
        installation.connector(
            "orders", "acme-events", s3.endpoint, Keys("ANY", "any"), acl="private",
            tags={"team": "growth"})
        steps = steps_of(installation, "orders")
    assert list(steps) == ["credentials", "GetBucketLocation", "ListBucket", "PutObject",
                           "PutObjectAcl", "PutObjectTagging", "GetObject"]
    assert [name for name, step in steps.items() if step["result"] == "failed"] == (
        failed if "PutObject" not in failed else [*failed, "GetObject"])
    for name in failed:
        assert f"allow s3:{name} in the policy" in steps[name]["detail"]


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


def test_under_avro_there_is_a_placeholder_of_each_type_that_has_a_schema(
        installation, s3, bucket, tmp_path):
    shutil.copytree(ROOT / "etc" / "schemas", installation.directory / "schemas")
    own = {"type": "record", "name": "Own", "fields": [
        {"name": "id", "type": "string"}, {"name": "time", "type": "long"},
        {"name": "data", "type": "bytes"}, {"name": "ratio", "type": ["double", "string"]},
        {"name": "sum", "type": {"type": "fixed", "name": "Sum", "size": 4}},
        {"name": "side", "type": {"type": "enum", "name": "Side", "symbols": ["LEFT", "RIGHT"]}},
        {"name": "parts", "type": {"type": "array", "items": "Own"}},
        {"name": "names", "type": {"type": "map", "values": "string"}},
        {"name": "inner", "type": {"type": "record", "name": "Inner", "fields": [
            {"name": "of", "type": ["null", "Own"]}, {"name": "flag", "type": "boolean"}]}}]}
    (installation.directory / "schemas" / "shop.Own.avsc").write_text(json.dumps(own))
    schemas = {path.stem for path in (installation.directory / "schemas").iterdir()}
    keys = Keys("NOT-YET", "none")
    settings = {"events": ["*"], "default_event_type": "log.line", "format": "avro"}
    connect(installation, s3, bucket, keys, **settings)
    keys = s3.make_user(policy_of(installation, "orders"))
    connect(installation, s3, bucket, keys, batch={"max_age": "1s"}, **settings)
    daemon = installation.start()

    steps = steps_of(installation, "orders", "--send-events")
    assert steps["events"]["result"] == "ok"
    assert "95 placeholder events" in steps["events"]["detail"]
    assert "none for log.line, which no schema covers" in steps["events"]["detail"]

    def objects() -> dict[str, bytes]:
        return {key: body for key, body in s3.objects(bucket).items() if key.endswith(".avro")}

    daemon.wait_until(lambda: len(objects()) == len(schemas) == 95, "all are delivered")
    ids = set()
    for key, body in objects().items():
        (record,) = fastavro.reader(io.BytesIO(body))
        ids.add(record["id"])
        assert record["time"] > 1_700_000_000
        (tmp_path / "object").write_bytes(body)
        shown = installation.sluicectl("cat", tmp_path / "object")
        assert (shown.returncode, shown.stderr) == (0, "")
        if "shop.Own" not in key:
            assert json.loads(shown.stdout) == record
    assert len(ids) == 95 and all(each.startswith("sluice-test-") for each in ids)
    types = {re.search("event_type=([^/]+)", key)[1] for key in objects()}
    assert types == schemas


# --- docs/aws-setup.md -----------------------------------------------------------------------------


@pytest.fixture
def reader(installation, s3):
    made = []

    def follow(bucket: str, *sections: str) -> tuple[Reader, object, str]:
        """Follows the page up to the first events in the bucket."""
        daemon = installation.start()
        reader = Reader(installation, s3, bucket)
        made.append(bucket)
        page = commands(SETUP)
        said = "".join(
            reader.run(page[section], daemon.pid)
            for section in ("", "The bucket", "The connector", *sections, "Try it"))
        daemon.wait_until(
            lambda: sum(key.endswith(".gz") for key in s3.keys(bucket)) == 2,
            "a placeholder of each event type is delivered")
        return reader, daemon, said

    yield follow
    # Users and policies of one name: the next test follows the same page.
    iam = s3.client("iam")
    for policy in iam.list_policies(Scope="Local")["Policies"]:
        arn = policy["Arn"]
        for role in iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]:
            iam.detach_role_policy(RoleName=role["RoleName"], PolicyArn=arn)
            iam.delete_role(RoleName=role["RoleName"])
        for user in iam.list_entities_for_policy(PolicyArn=arn)["PolicyUsers"]:
            iam.detach_user_policy(UserName=user["UserName"], PolicyArn=arn)
        iam.delete_policy(PolicyArn=arn)
    for user in iam.list_users()["Users"]:
        if (name := user["UserName"]).startswith("sluice-"):
            for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
                iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
            for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
                iam.delete_user_policy(UserName=name, PolicyName=policy)
            iam.delete_user(UserName=name)


def test_the_page_has_a_command_for_each_step():
    page = commands(SETUP)
    assert list(page) == [
        "", "The bucket", "The connector", "Access keys", "Role", "Try it", "Rotation"]


def test_access_keys_set_up_as_the_page_says_deliver_and_rotate_without_a_pause(
    installation, s3, reader, producer
):
    follow = reader
    page, daemon, said = follow("manual-keys", "Access keys")
    assert said.count("  ok ") == 11, said
    assert "failed" not in said
    secret = installation.directory / "credentials" / "orders.secret"
    assert secret.stat().st_mode & 0o777 == 0o400
    assert secret.parent.stat().st_mode & 0o055 == 0o055, "the daemon's user can go there"
    assert (installation.connectors / "orders.toml").stat().st_mode & 0o044 == 0o044
    first = secret.read_text().strip()

    page.run(commands(SETUP)["Rotation"], daemon.pid)
    assert not secret.exists()
    second = (secret.parent / "orders-2.secret").read_text().strip()
    assert first != second
    (user,) = s3.client("iam").list_access_keys(UserName="sluice-orders")["AccessKeyMetadata"]
    assert user["AccessKeyId"] in (installation.connectors / "orders.toml").read_text()
    lines = producer.lines(50, event_type="orders.Placed")
    installation.drop("after.jsonl", lines, "orders")
    assert installation.sluicectl("flush").returncode == 0
    daemon.wait_until(
        lambda: sum(key.endswith(".gz") for key in s3.keys("manual-keys")) == 3,
        "events are delivered with the new key")
    assert daemon.troubles() == []
    everything = daemon.transcript() + said
    assert first not in everything and second not in everything


def test_a_shared_file_that_is_rewritten_rotates_without_a_pause(
    installation, s3, make_destination, producer
):
    old = make_destination()
    new = s3.make_user(connector_policy(old.bucket))
    shared = installation.directory / "shared"

    def write(keys: Keys) -> None:
        draft = shared.with_name("draft")
        draft.touch(mode=0o600)
        draft.write_text(f"[sluice]\naws_access_key_id = {keys.access_key_id}\n"
                         f"aws_secret_access_key = {keys.secret_access_key}\n")
        draft.rename(shared)

    def delivered() -> int:
        return sum(key.endswith(".gz") for key in s3.keys(old.bucket))

    write(old.keys)
    installation.environment["AWS_SHARED_CREDENTIALS_FILE"] = str(shared)
    (installation.connectors / "orders.toml").write_text(
        f'bucket = "{old.bucket}"\nregion = "eu-west-1"\nendpoint = "{s3.endpoint}"\n'
        'format = "jsonl"\n[credentials]\nprofile = "sluice"\n[batch]\nmax_age = "1s"\n')
    daemon = installation.start()
    installation.drop("a.jsonl", producer.lines(10, event_type="shop.Order"), "orders")
    daemon.wait_until(lambda: delivered() == 1, "the first key delivers")
    assert old.keys.access_key_id in installation.sluicectl("test", "orders").stdout
    write(new)
    assert new.access_key_id in installation.sluicectl("test", "orders").stdout
    iam = s3.client("iam")
    names = [user["UserName"] for user in iam.list_users()["Users"]]
    (name,) = [name for name in names
               for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
               if key["AccessKeyId"] == old.keys.access_key_id]

    # An object takes a second; the daemon sees the file within a tenth of one.
    installation.drop("b.jsonl", producer.lines(10, event_type="shop.Order"), "orders")
    daemon.wait_until(lambda: delivered() == 2, "delivery goes on")
    iam.update_access_key(UserName=name, AccessKeyId=old.keys.access_key_id, Status="Inactive")
    installation.drop("c.jsonl", producer.lines(10, event_type="shop.Order"), "orders")
    daemon.wait_until(lambda: delivered() == 3, "the new key delivers")
    assert daemon.troubles() == []


def test_a_role_set_up_as_the_page_says_delivers(installation, s3, reader):
    _, daemon, said = reader("manual-role", "Role")
    assert said.count("  ok ") == 13, said
    assert ":role/sluice-orders, as session sluice-orders" in " ".join(said.split())
    assert daemon.troubles() == []


def test_a_role_that_may_not_be_assumed_is_told_with_what_to_do(installation, s3, bucket):
    connect(installation, s3, bucket, s3.make_user(connector_policy(bucket)))
    file = installation.connectors / "orders.toml"
    role = "arn:aws:iam::123456789012:role/nobodys"
    file.write_text(file.read_text() + f'role_arn = "{role}"\nsts_endpoint = "{s3.endpoint}"\n')
    steps = steps_of(installation, "orders")
    assert {name: step["result"] for name, step in steps.items()} == {
        "credentials": "ok", "AssumeRole": "failed", "GetBucketLocation": "skipped",
        "ListBucket": "skipped", "PutObject": "skipped", "GetObject": "skipped"}
    assert ":user/connector-" in steps["credentials"]["detail"]
    assert f"allow sts:AssumeRole on {role}" in steps["AssumeRole"]["detail"]


def test_the_trust_policy_names_the_account_of_the_caller(installation, s3, bucket):
    connect(installation, s3, bucket, s3.make_user(connector_policy(bucket)))
    file = installation.connectors / "orders.toml"
    role = "arn:aws:iam::123456789012:role/sluice"
    file.write_text(
        file.read_text() + f'role_arn = "{role}"\nexternal_id = "abc"\nsts_endpoint = "{s3.endpoint}"\n')
    (statement,) = policy_of(installation, "orders", "--only", "trust")["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "abc"}}
    assert "Resource" in policy_of(installation, "orders", "--only", "permissions")["Statement"][0]
    both = installation.sluicectl("policy", "orders")
    assert both.stdout.count('"Version"') == 2

    connect(installation, s3, bucket, Keys("NOT-YET", "none"))
    refused = installation.sluicectl("policy", "orders", "--only", "trust")
    assert (refused.returncode, refused.stdout) == (1, "")
