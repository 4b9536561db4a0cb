"""docs/stores.md: each connector's file that it shows is accepted as it stands, and delivers to a store of that kind."""

import json
import tomllib
import urllib.parse

import pytest

from objects import assert_same_events, events_in
from pages import block, sections, set_key
from tunnel import Tunnel

PAGE = "stores.md"
SECRET = "/etc/sluice/credentials/orders.secret"


def connector(installation, heading, secret, **changes):
    """Installs what a section shows, with the secret in a file of the test's."""
    installation.set_secret("orders", secret)
    text = block(PAGE, heading, "toml").replace(SECRET, str(installation.secret("orders")))
    for key, value in changes.items():
        text = set_key(text, key, value)
    (installation.connectors / "orders.toml").write_text(text)
    return tomllib.loads(text)


@pytest.mark.parametrize("heading", sections(PAGE, "toml"))
def test_what_the_page_shows_is_a_configuration(installation, heading):
    connector(installation, heading, "secret")
    checked = installation.sluicectl("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("heading", [each for each in sections(PAGE, "toml") if each != "Proxies"])
def test_it_delivers_to_a_store_that_checks_signatures(installation, destination, producer, heading):
    keys = destination.keys
    connector(
        installation, heading, keys.secret_access_key, access_key_id=keys.access_key_id,
        bucket=destination.bucket, endpoint=destination.s3.endpoint)
    lines = producer.lines(50)
    installation.drop("a.jsonl", lines, "orders")
    installation.drain()
    assert_same_events(events_in(destination.objects()), lines)


@pytest.mark.parametrize("heading", ["MinIO", "Wasabi"])
def test_what_a_store_does_not_know_it_is_not_asked(installation, scripted_s3, producer, heading):
    keys = scripted_s3.KEYS
    shown = connector(
        installation, heading, keys.secret_access_key, access_key_id=keys.access_key_id,
        endpoint=scripted_s3.endpoint)
    installation.drop("a.jsonl", producer.lines(5), "orders")
    installation.drain()
    for put in scripted_s3.requests("PUT"):
        headers = {name.lower(): value for name, value in put["headers"]}
        assert ("if-none-match" in headers) == shown.get("conditional_writes", True)
        assert ("x-amz-checksum-crc32" in headers) == ("checksum" not in shown)
        assert f"/{shown['region']}/s3/aws4_request" in headers["authorization"]


def test_a_bucket_with_object_lock_keeps_one_version_of_each_object(
    installation, s3, destination, producer
):
    keys, owner, bucket = destination.keys, s3.client("s3"), "locked-bucket"
    owner.create_bucket(
        Bucket=bucket, ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    owner.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}})
    connector(
        installation, "Object Lock", keys.secret_access_key, access_key_id=keys.access_key_id,
        bucket=bucket, endpoint=s3.endpoint)
    policy = installation.sluicectl("policy", "orders")
    s3.set_policy(keys, json.loads(policy.stdout))
    lines = producer.lines(50)
    installation.drop("a.jsonl", lines, "orders")
    installation.drain()
    assert_same_events(events_in(s3.objects(bucket)), lines)
    versions = owner.list_object_versions(Bucket=bucket)["Versions"]
    assert sorted(version["Key"] for version in versions) == sorted(s3.keys(bucket))


@pytest.mark.parametrize("certificate", [True], indirect=True)
def test_a_proxy_tunnels_what_it_cannot_read(installation, scripted_s3, certificate, producer):
    port = urllib.parse.urlsplit(scripted_s3.endpoint).port
    tunnel = Tunnel(("127.0.0.1", port))
    try:
        keys = scripted_s3.KEYS
        connector(
            installation, "Proxies", keys.secret_access_key, access_key_id=keys.access_key_id,
            endpoint=scripted_s3.endpoint, proxy=tunnel.url)
        file = installation.connectors / "orders.toml"
        file.write_text(file.read_text() + f'[tls]\nca_file = "{certificate}"\n')
        lines = producer.lines(20)
        installation.drop("a.jsonl", lines, "orders")
        installation.drain()
        assert_same_events(events_in(scripted_s3.objects("acme-events")), lines)
    finally:
        tunnel.close()
    assert set(tunnel.asked_for) == {f"127.0.0.1:{port}"}

