"""A local S3 that checks signatures and permissions: moto's server with IAM switched on."""

import json
import pathlib
import re
import subprocess
import sys
import time
import urllib.request
from typing import NamedTuple

import boto3
from botocore.config import Config

REGION = "eu-west-1"


class Keys(NamedTuple):
    access_key_id: str
    secret_access_key: str


def connector_policy(bucket: str) -> dict:
    """What a connector may do, and nothing else."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket", "s3:GetBucketLocation"],
                "Resource": f"arn:aws:s3:::{bucket}",
            },
            {
                "Effect": "Allow",
                "Action": ["s3:PutObject", "s3:GetObject"],
                "Resource": f"arn:aws:s3:::{bucket}/*",
            },
        ],
    }


class LocalS3:
    """A running server, and its owner, who may do everything. Use as a context manager."""

    def __init__(self, log: pathlib.Path):
        self._log = log
        self._users = 0

    def __enter__(self) -> "LocalS3":
        server = pathlib.Path(__file__).with_name("moto_s3.py")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, server, "-H", "127.0.0.1", "-p", "0"], stdout=log,
                stderr=subprocess.STDOUT)
        try:
            self.endpoint = self._wait_for_address()
            self._switch_on_checks()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def _wait_for_address(self) -> str:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            if found := re.search(r"Running on (http://\S+:\d+)", self._log.read_text()):
                return found[1]
            time.sleep(0.05)
        raise RuntimeError(f"moto did not start; it said:\n{self._log.read_text()}")

    def _switch_on_checks(self) -> None:
        """Makes the owner while nobody is asked for a key, then has every request checked."""
        self.owner = Keys("nobody", "nothing")
        iam = self.client("iam")
        iam.create_user(UserName="owner")
        made = iam.create_access_key(UserName="owner")["AccessKey"]
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        iam.put_user_policy(
            UserName="owner", PolicyName="everything",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [everything]}))
        self.owner = Keys(made["AccessKeyId"], made["SecretAccessKey"])
        # The number of requests that are still let through unchecked.
        urllib.request.urlopen(urllib.request.Request(
            f"{self.endpoint}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"})).close()

    def client(self, service: str, keys: Keys | None = None):
        keys = keys or self.owner
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=REGION,
            aws_access_key_id=keys.access_key_id, aws_secret_access_key=keys.secret_access_key,
            config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}))

    def make_bucket(self, name: str) -> None:
        self.client("s3").create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def make_user(self, policy: dict) -> Keys:
        self._users += 1
        name = f"connector-{self._users}"
        iam = self.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(
            UserName=name, PolicyName="delivery", PolicyDocument=json.dumps(policy))
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return Keys(made["AccessKeyId"], made["SecretAccessKey"])

    def user(self, keys: Keys) -> str:
        last_used = self.client("iam").get_access_key_last_used(AccessKeyId=keys.access_key_id)
        return last_used["UserName"]

    def add_key(self, keys: Keys) -> Keys:
        """Gives the user of some keys a second pair."""
        made = self.client("iam").create_access_key(UserName=self.user(keys))["AccessKey"]
        return Keys(made["AccessKeyId"], made["SecretAccessKey"])

    def set_policy(self, keys: Keys, policy: dict) -> None:
        """Replaces what the user of some keys may do."""
        self.client("iam").put_user_policy(
            UserName=self.user(keys), PolicyName="delivery", PolicyDocument=json.dumps(policy))

    def switch_key(self, keys: Keys, status: str) -> None:
        """Sets an access key to "Active" or "Inactive", as `aws iam update-access-key` does."""
        self.client("iam").update_access_key(
            UserName=self.user(keys), AccessKeyId=keys.access_key_id, Status=status)

    def requests(self, method: str, bucket: str) -> int:
        """How many requests of one method there were for the objects of a bucket."""
        # No quotation mark before the method: where the answer is an error, a colour stands between.
        return self._log.read_text().count(f"{method} /{bucket}/")

    def parts(self, bucket: str) -> list[tuple[str, int, str]]:
        """The parts of uploads that were sent: key, as it stands in the URL, number, and upload."""
        found = re.findall(
            rf"PUT /{bucket}/(\S+)\?partNumber=(\d+)&uploadId=(\S+)", self._log.read_text())
        return [(key, int(number), upload) for key, number, upload in found]

    def keys(self, bucket: str) -> list[str]:
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def objects(self, bucket: str) -> dict[str, bytes]:
        """The body of every object, by key."""
        s3 = self.client("s3")
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read()
                for key in self.keys(bucket)}
