#!/usr/bin/env python3
"""Shows what Sluice does: event files go into a spool, objects come out of an S3 bucket.

Started by scripts/demo, which builds the binaries first. Everything happens in a temporary directory
and on loopback; nothing is left behind.
"""

import contextlib
import gzip
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator

from events import World, line
from local_s3 import REGION, Keys, LocalS3, connector_policy
from quarantine import refused_lines

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARIES = pathlib.Path(os.environ.get("SLUICE_BIN_DIR", ROOT / ".build" / "release"))
BUCKETS = {"shop": "acme-shop-events", "newsletter": "acme-newsletter-events"}

BAD_LINES = [
    b'{"id":"half-a-line","event_type":"users.messages.email.Send","ti\n',
    b'["an array","is no event"]\n',
    b'{"id":"no-type","time":1767225600}\n',
    b'{"id":"bad-type","event_type":"users..Send","time":1767225600}\n',
    b'{"id":"no-utf8","event_type":"users.messages.email.Send","name":"\xff\xfe"}\n',
]
STRANGER = b'{"id":"who","event_type":"users.messages.email.Send","connector":"billing"}\n'


def heading(number: int, text: str) -> None:
    title = f"{number}. {text}"
    print(f"\n{title}\n{'-' * len(title)}", flush=True)


class Demo:
    def __init__(self, directory: pathlib.Path, s3: LocalS3):
        self.directory = directory
        self.spool = directory / "spool"
        self.s3 = s3

    def run(self) -> bool:
        print("\nSluice moves events from a directory into Amazon S3, each exactly once. Here five event "
              "files\ngo into a spool, sluiced delivers them into two buckets, and both ends are compared.")
        self.show_s3()
        self.configure()
        self.drop_files()
        self.drain()
        self.show_objects()
        self.show_quarantine()
        return self.count()

    def show_s3(self) -> None:
        heading(1, "A local S3 that checks signatures and permissions")
        self.keys: dict[str, Keys] = {}
        for connector, bucket in BUCKETS.items():
            self.s3.make_bucket(bucket)
            self.keys[connector] = self.s3.make_user(connector_policy(bucket))
            print(f"bucket {bucket:<24} key {self.keys[connector].access_key_id} may "
                  "list, locate, put and get there; nothing else")

    def configure(self) -> None:
        heading(2, "Configuration: one small file for the daemon, one for each connector")
        connectors = self.directory / "connectors.d"
        connectors.mkdir()
        self.config = self.directory / "sluice.toml"
        self.config.write_text(textwrap.dedent(f"""\
            [spool]
            directory = "{self.spool}"

            [identity]
            cluster = "demo"
            zone = "zone-a"

            [http]
            listen = "{self.directory}/http.sock"
            """))
        for connector, bucket in BUCKETS.items():
            secret = self.directory / f"{connector}.secret"
            secret.touch(mode=0o600)
            secret.write_text(self.keys[connector].secret_access_key)
            (connectors / f"{connector}.toml").write_text(textwrap.dedent(f"""\
                bucket = "{bucket}"
                integration_id = "{connector}"
                events = ["users.*"]
                region = "{REGION}"
                endpoint = "{self.s3.endpoint}"
                format = "jsonl"

                [credentials]
                access_key_id = "{self.keys[connector].access_key_id}"
                secret_access_key_file = "{secret}"
                """))
        print(f"{connectors / 'shop.toml'}:\n")
        print(textwrap.indent((connectors / "shop.toml").read_text().rstrip(), "    "))

    def drop_files(self) -> None:
        """A mixed set of files, each written elsewhere and then moved into the spool."""
        heading(3, "Event files, moved into the spool")
        world, rng = World(seed=7), random.Random("demo")
        batches = {
            name: world.events(rng, count)
            for name, count in (("morning", 1200), ("evening", 800), ("campaign", 1000),
                                ("shared", 900), ("old", 300))
        }
        for event in batches["shared"]:
            event["connector"] = rng.choice(list(BUCKETS))
        self.dropped = {event["id"]: line(event) for events in batches.values() for event in events}
        texts = {name: [line(event) for event in events] for name, events in batches.items()}
        for bad in BAD_LINES:
            texts["old"].insert(rng.randrange(100, len(texts["old"])), bad)
        texts["shared"].insert(450, STRANGER)
        self.bad = len(BAD_LINES) + 1
        files = [
            ("shop/morning.jsonl", b"".join(texts["morning"]), "everything in it goes to shop"),
            ("shop/evening.jsonl.gz", gzip.compress(b"".join(texts["evening"])), "the same, gzip"),
            ("newsletter/campaign.ndjson", b"".join(texts["campaign"]), "goes to newsletter"),
            ("shared.json", b"".join(texts["shared"]),
             "each event names its connector; one names a stranger"),
            ("shop/old-export.jsonl", b"".join(texts["old"]),
             f"{len(BAD_LINES)} of its lines are no events"),
        ]
        lines = dict(zip((name for name, _, _ in files), (
            len(texts[name]) for name in ("morning", "evening", "campaign", "shared", "old"))))
        for name, text, note in files:
            written = self.directory / pathlib.Path(name).name
            written.write_bytes(text)
            target = self.spool / "incoming" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            written.rename(target)
            print(f"incoming/{name:<28} {lines[name]:>5,} lines {len(text):>9,} bytes   {note}")

    def drain(self) -> None:
        heading(4, "sluiced --until-empty: what it says while it delivers them")
        command = [BINARIES / "sluiced", "--until-empty", "--config", self.config]
        print("(the middle of each key is left out here; one stands in full below)\n")
        # What is not the journal gets plain text lines.
        with subprocess.Popen(
            command, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True
        ) as daemon:
            for said in daemon.stdout:
                said = re.sub(r"/currents/\S+(/event_type=[^/]+)/\S+", r"/...\1/...", said)
                print(said.replace(str(self.directory), "..."), end="", flush=True)
        if daemon.returncode:
            sys.exit(f"sluiced ended with {daemon.returncode}")

    def show_objects(self) -> None:
        heading(5, "The objects in the buckets, in the layout of Braze Currents")
        self.delivered: list[tuple[str, bytes]] = []
        for connector, bucket in BUCKETS.items():
            objects = self.s3.objects(bucket)
            print(f"s3://{bucket}/{next(iter(objects)).split('/event_type=')[0]}/")
            for key, body in objects.items():
                text = gzip.decompress(body).splitlines(keepends=True)
                self.delivered += [(connector, event) for event in text]
                # The integration's name stands in the key twice.
                end = f"event_type={key.split('/event_type=')[1]}".replace(
                    f"dataexport.demo.S3.integration.{connector}", "...")
                print(f"  {len(text):>5,} events {len(body):>8,} bytes  {end}")
        key, body = next(iter(objects.items()))
        events = [json.loads(event) for event in gzip.decompress(body).splitlines()]
        print(f"\nOne key in full:\n  {key}\nIts events as Python's gzip and json read them; the first:")
        print(textwrap.indent(json.dumps(events[0], indent=2), "  "))
        print("and of the next ones the names:")
        for event in events[1:4]:
            print(f"  {event['id']}  {event.get('name') or event.get('campaign_name')}")

    def show_quarantine(self) -> None:
        heading(6, "The lines that were refused, kept in quarantine/ with the reason")
        self.refused = refused_lines(self.spool)
        for refused in self.refused:
            print(f"{refused.file}:{refused.number}: {refused.reason}\n"
                  f"    {refused.text.decode(errors='replace')[:90]}")

    def count(self) -> bool:
        heading(7, "Counts")
        delivered = [event for _, event in self.delivered]
        ids = [json.loads(event)["id"] for event in delivered]
        unchanged = sum(
            event == self.dropped.get(identifier) for identifier, event in zip(ids, delivered))
        lost = len(self.dropped.keys() - set(ids))
        twice = len(ids) - len(set(ids))
        dropped = len(self.dropped) + self.bad
        rows = [
            ("lines dropped", dropped),
            ("events delivered", len(delivered)),
            ("  of them with every byte unchanged", unchanged),
            ("lines in quarantine", len(self.refused)),
            ("events lost", lost),
            ("events delivered twice", twice),
        ]
        for name, value in rows:
            print(f"{name:<36} {value:>6,}")
        whole = (dropped == len(delivered) + len(self.refused) and not lost and not twice
                 and unchanged == len(delivered))
        sum_up = f"{dropped:,} = {len(delivered):,} + {len(self.refused):,}"
        print(f"\n{sum_up}: every line is accounted for." if whole
              else f"\n{sum_up} does not add up.")
        return whole


@contextlib.contextmanager
def temporary_directory() -> Iterator[pathlib.Path]:
    directory = pathlib.Path(tempfile.mkdtemp(prefix="sluice-demo-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def run_in_scratch(demonstration: type) -> None:
    """Runs a demonstration with a directory and a local S3 of its own, and ends with its result."""
    # Ended from outside, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with temporary_directory() as directory, LocalS3(directory / "s3.log") as s3:
        whole = demonstration(directory, s3).run()
    sys.exit(not whole)


if __name__ == "__main__":
    run_in_scratch(Demo)
