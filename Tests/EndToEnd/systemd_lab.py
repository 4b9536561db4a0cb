"""A real systemd in a container, and the service in it with a local S3 to deliver to."""

import gzip
import itertools
import json
import os
import pathlib
import re
import subprocess
import time

import pytest

from installation import binary
from local_s3 import connector_policy

PROJECT = pathlib.Path(__file__).resolve().parents[2]
NSPAWN = PROJECT / "Tests/EndToEnd/lab/nspawn.sh"
SPOOL = "/var/spool/sluice"
INCOMING = f"{SPOOL}/incoming"


def eventually(what, condition, seconds=30):
    """Waits for what `condition` returns to be true; fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"in {seconds} s: {what}"
        time.sleep(0.05)
    return result


def message_id(kind):
    """The ID of a kind of journal line, as the source says."""
    text = (PROJECT / "Sources/Systemd/MessageKind.swift").read_text()
    high, low = re.search(rf"case \.{kind}:\s+MessageID\(0x(\w+), 0x(\w+)\)", text).groups()
    return (high + low).replace("_", "")


class Lab:
    """A booted container: with Sluice installed as scripts/install does it, or without."""

    def __init__(self, directory, installed=True):
        self.directory = directory
        up = subprocess.run(
            [NSPAWN, "up", directory, *(["installed"] if installed else [])],
            env={**os.environ, "SLUICE_BIN_DIR": str(binary("sluiced").parent)},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
        )
        if up.returncode == 77:
            pytest.skip(up.stderr.strip())
        assert up.returncode == 0, up.stderr
        root = subprocess.run([NSPAWN, "root", directory], capture_output=True, text=True, check=True)
        self.root = pathlib.Path(root.stdout.strip())

    def run(self, *command, user=None, check=True, input=None):
        """Runs a command inside; as `user` with all their groups, where one is named."""
        if user:
            ids = ["--reuid", user, "--regid", user, "--init-groups"]
            command = ["setpriv", *ids, *command]
        result = subprocess.run(
            [NSPAWN, "exec", self.directory, *command],
            input=input if input is not None else "", capture_output=True, text=True, timeout=120,
        )
        assert not check or result.returncode == 0, result.stdout + result.stderr
        return result

    def shell(self, script, user=None, check=True):
        return self.run("sh", "-c", script, user=user, check=check)

    def write(self, path, text, mode=0o644):
        """Makes a file inside, with the directories above it."""
        script = 'mkdir -p "$(dirname "$0")" && cat >"$0" && chmod "$1" "$0"'
        self.run("sh", "-c", script, path, f"{mode:o}", input=text)

    def journal(self, *matches):
        out = self.run("journalctl", "--no-pager", "-o", "json", *matches).stdout
        return [json.loads(line) for line in out.splitlines()]

    def users(self):
        """Makes two producers, and one who is nobody to Sluice."""
        for user in ("alice", "bob"):
            self.run("useradd", "--groups", "sluice-producers", user)
        self.run("useradd", "mallory")

    def property(self, name):
        return self.run("systemctl", "show", "-P", name, "sluiced").stdout.strip()

    def exists(self, *paths):
        """Those of the paths that are there."""
        return [path for path in paths if self.run("test", "-e", path, check=False).returncode == 0]

    def state(self):
        return self.run("systemctl", "is-active", "sluiced", check=False).stdout.strip()

    def enablement(self):
        return self.run("systemctl", "is-enabled", "sluiced", check=False).stdout.strip()

    def down(self):
        subprocess.run([NSPAWN, "down", self.directory], check=True, timeout=120)


class Store:
    """The local S3, two buckets of its own, and a user who may deliver into them."""

    _numbers = itertools.count(1)

    def __init__(self, s3):
        self.endpoint, self._s3 = s3.endpoint, s3
        number = next(self._numbers)
        self.bucket, self.other_bucket = buckets = (f"acme-events-{number}", f"acme-more-{number}")
        for bucket in buckets:
            s3.make_bucket(bucket)
        statements = [each for bucket in buckets for each in connector_policy(bucket)["Statement"]]
        self.key, self.secret = s3.make_user({"Version": "2012-10-17", "Statement": statements})
        self._read = {}

    def arrived(self):
        """The IDs of all events in the first bucket; each object is read once, however often this is asked."""
        s3 = self._s3.client("s3")
        for key in self._s3.keys(self.bucket):
            if key not in self._read:
                body = s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
                self._read[key] = _ids(body)
        return {id for ids in self._read.values() for id in ids}

    def delivered(self, bucket=None):
        """The IDs of all events in the bucket, in no order, as often as they are there."""
        return [id for body in self._s3.objects(bucket or self.bucket).values() for id in _ids(body)]

    def objects(self):
        return len(self._s3.keys(self.bucket))


def _ids(body):
    return [json.loads(line)["id"] for line in gzip.decompress(body).splitlines()]


CONNECTOR = """
kind = "currents"
bucket = "{bucket}"
region = "eu-west-1"
endpoint = "{endpoint}"
addressing = "path"
format = "jsonl"
events = {events}

[credentials]
access_key_id = "{key}"
secret_access_key_file = "{secret}"

[batch]
max_events = 100
max_age = "1s"
"""


class Service:
    """The daemon in a lab, and what was dropped for it."""

    def __init__(self, lab, store):
        self.lab, self.store = lab, store
        self.numbers = itertools.count()
        self.dropped = []

    def connector(self, name, bucket=None, events='["*"]', secret="orders.secret"):
        text = CONNECTOR.format(
            bucket=bucket or self.store.bucket, events=events, endpoint=self.store.endpoint, key=self.store.key,
            secret=secret,
        )
        self.lab.write(f"/etc/sluice/connectors.d/{name}.toml", text)

    def drop_in(self, *lines):
        """Settings of the unit on top of the shipped ones, with its times made short enough for a test."""
        self.lab.write(
            "/etc/systemd/system/sluiced.service.d/lab.conf",
            "\n".join(["[Service]", "WatchdogSec=2", "RestartSec=100ms", *lines]) + "\n",
        )
        self.lab.run("systemctl", "daemon-reload")

    def start(self):
        started = self.lab.run("systemctl", "start", "sluiced", check=False)
        assert started.returncode == 0, self.log()

    def stop(self):
        self.lab.run("systemctl", "stop", "sluiced")

    def log(self):
        return self.lab.run("journalctl", "-u", "sluiced", "--no-pager").stdout

    def kinds(self, kind):
        return self.lab.journal(f"MESSAGE_ID={message_id(kind)}")

    def drop(self, count, user="alice", type="orders.placed"):
        """Has a producer with a tight umask write a file of new events; returns their IDs."""
        number = next(self.numbers)
        ids = [f"{number}-{index}" for index in range(count)]
        lines = (json.dumps({"event_type": type, "id": id, "time": 1_795_370_000}) for id in ids)
        self.lab.run(
            "sh", "-c", 'umask 077; cat >"$0"', f"{INCOMING}/{number}.jsonl",
            user=user, input="".join(line + "\n" for line in lines),
        )
        self.dropped += ids
        return ids

    def all_delivered(self, seconds=60):
        """Waits until everything dropped is in the bucket, and finds it there exactly once."""
        eventually(
            f"all {len(self.dropped)} events are delivered",
            lambda: self.store.arrived().issuperset(self.dropped),
            seconds,
        )
        assert sorted(self.store.delivered()) == sorted(self.dropped)
