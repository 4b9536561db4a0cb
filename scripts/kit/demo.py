#!/usr/bin/env python3
"""Shows what Sluice does: event files go into a spool, objects come out of an S3 bucket.

Started by scripts/demo, which builds the binaries first. Everything happens in a temporary directory
and on loopback; nothing is left behind.
"""

import contextlib
import gzip
import io
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

import polars

from containers import SCHEMAS, read_container, record_of, shipped_schema
from events import TYPES, World, line
from local_s3 import REGION, Keys, LocalS3, connector_policy
from quarantine import refused_lines

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARIES = pathlib.Path(os.environ.get("SLUICE_BIN_DIR", ROOT / ".build" / "release"))
BUCKETS = {"shop": "acme-shop-events", "newsletter": "acme-newsletter-events"}
JSON_LINES = "newsletter"
"""The one connector whose objects are JSON Lines; Avro is what they are where nothing is said."""
SCHEMA_OF = {event_type: shipped_schema(event_type) for event_type in TYPES}
"""The schema of each event type."""

BAD_LINES = [
    b'{"id":"half-a-line","event_type":"users.messages.email.Send","ti\n',
    b'{"id":"no-type","time":1767225600}\n',
    b'{"id":"no-utf8","event_type":"users.messages.email.Send","name":"\xff\xfe"}\n',
]
UNFIT_LINES = [
    b'{"id":"late","event_type":"users.messages.email.Send","time":"noon","user_id":"u-7",'
    b'"email_address":"u-7@mail.example"}\n',
    b'{"id":"who-knows","event_type":"users.shoes.TooSmall","time":1767225600}\n',
]
"""Events, but none that a schema takes."""
STRANGER = b'{"id":"who","event_type":"users.messages.email.Send","connector":"billing"}\n'


def trim(event: dict) -> None:
    """Takes away what the schema has no field for. One type keeps it, so that the journal shows what it says then."""
    if event["event_type"] == "users.messages.email.Click":
        return
    known = record_of(event, SCHEMA_OF[event["event_type"]])
    for name in event.keys() - known.keys() - {"event_type"}:
        del event[name]


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
        self.read_back()
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

            [schemas]
            directories = ["{SCHEMAS}"]

            [http]
            listen = "{self.directory}/http.sock"
            """))
        for connector, bucket in BUCKETS.items():
            secret = self.directory / f"{connector}.secret"
            secret.touch(mode=0o600)
            secret.write_text(self.keys[connector].secret_access_key)
            format = 'format = "jsonl"\n' if connector == JSON_LINES else ""
            (connectors / f"{connector}.toml").write_text(format + textwrap.dedent(f"""\
                bucket = "{bucket}"
                integration_id = "{connector}"
                events = ["users.*"]
                region = "{REGION}"
                endpoint = "{self.s3.endpoint}"

                [credentials]
                access_key_id = "{self.keys[connector].access_key_id}"
                secret_access_key_file = "{secret}"
                """))
        print(f"{connectors / 'shop.toml'}:\n")
        print(textwrap.indent((connectors / "shop.toml").read_text().rstrip(), "    "))
        print(f"\nWhere nothing is said, objects are Avro, by the schemas of the event types: here the "
              f"{len(list(SCHEMAS.glob('*.avsc')))} shipped ones\n(sluice.toml: [schemas]). "
              f"{JSON_LINES}.toml says format = \"jsonl\".")

    def drop_files(self) -> None:
        """A mixed set of files, each written elsewhere and then moved into the spool."""
        heading(3, "Event files, moved into the spool")
        world, rng = World(seed=7), random.Random("demo")
        batches = {
            name: world.events(rng, count)
            for name, count in (("morning", 1200), ("evening", 800), ("campaign", 1000),
                                ("shared", 900), ("old", 300))
        }
        for events in batches.values():
            for event in events:
                trim(event)
        for event in batches["shared"]:
            event["connector"] = rng.choice(list(BUCKETS))
        self.dropped = {event["id"]: event for events in batches.values() for event in events}
        texts = {name: [line(event) for event in events] for name, events in batches.items()}
        for bad in BAD_LINES + UNFIT_LINES:
            texts["old"].insert(rng.randrange(100, len(texts["old"])), bad)
        texts["shared"].insert(450, STRANGER)
        self.bad = len(BAD_LINES) + len(UNFIT_LINES) + 1
        files = [
            ("shop/morning.jsonl", b"".join(texts["morning"]), "everything in it goes to shop"),
            ("shop/evening.jsonl.gz", gzip.compress(b"".join(texts["evening"])), "the same, gzip"),
            ("newsletter/campaign.ndjson", b"".join(texts["campaign"]), "goes to newsletter"),
            ("shared.json", b"".join(texts["shared"]),
             "each event names its connector; one names a stranger"),
            ("shop/old-export.jsonl", b"".join(texts["old"]),
             f"{len(BAD_LINES)} lines are no events, {len(UNFIT_LINES)} have no schema that takes them"),
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
        self.objects = {connector: self.s3.objects(bucket) for connector, bucket in BUCKETS.items()}
        for connector, objects in self.objects.items():
            print(f"s3://{BUCKETS[connector]}/{next(iter(objects)).split('/event_type=')[0]}/")
            for key, body in objects.items():
                # The integration's name stands in the key twice.
                end = f"event_type={key.split('/event_type=')[1]}".replace(
                    f"dataexport.demo.S3.integration.{connector}", "...")
                print(f"  {len(body):>8,} bytes  {end}")
        print("\nThe number behind the hour is the schema's ID; JSON Lines have none, so 0. One key in "
              f"full:\n  {next(iter(self.objects['shop']))}")

    def read_back(self) -> None:
        """Reads every object with somebody else's software, and compares it with what was dropped."""
        heading(6, "The events, read back from the buckets by other software")
        self.delivered: list[str] = []
        self.unchanged = self.records = self.same_in_polars = 0
        for connector, objects in self.objects.items():
            for key, body in objects.items():
                event_type = key.split("/event_type=")[1].split("/")[0]
                read = self.read_lines if connector == JSON_LINES else self.read_records
                read(event_type, body)
        self.show_records()

    def read_records(self, event_type: str, body: bytes) -> None:
        """Each record must have all values of the event that its schema knows."""
        container = read_container(body)
        for record in container.records:
            event = self.dropped.get(record["id"])
            self.delivered.append(record["id"])
            self.unchanged += (event is not None and event["event_type"] == event_type
                               and record == record_of(event, SCHEMA_OF[event_type]))
        self.records += len(container.records)
        self.same_in_polars += sum(
            record == same for record, same in zip(
                container.records, polars.read_avro(io.BytesIO(body)).iter_rows(named=True)))

    def read_lines(self, event_type: str, body: bytes) -> None:
        """Each line must be the line that was dropped, to the byte."""
        for text in gzip.decompress(body).splitlines(keepends=True):
            members = json.loads(text)
            event = self.dropped.get(members["id"])
            self.delivered.append(members["id"])
            self.unchanged += (event is not None and event["event_type"] == event_type
                               and text == line(event))

    def show_records(self) -> None:
        """A few, of the type whose records say the most in the fewest columns."""
        body = next(body for key, body in self.objects["shop"].items() if "email.Click/" in key)
        container = read_container(body)
        first = {name: value for name, value in container.records[0].items() if value is not None}
        nulls = len(container.records[0]) - len(first)
        print(f"fastavro: schema {container.schema['name']}, codec {container.codec}, "
              f"{len(container.records)} records; the first, without its {nulls} fields that are null:")
        print(textwrap.indent(json.dumps(first, indent=2), "  "))
        print("\npolars, of the same object:")
        with polars.Config(tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True,
                           tbl_formatting="ASCII_BORDERS_ONLY_CONDENSED", tbl_width_chars=118):
            table = polars.read_avro(io.BytesIO(body)).head(4)
            print(table.select("time", "email_address", "campaign_name", "url"))

    def show_quarantine(self) -> None:
        heading(7, "The lines that were refused, kept in quarantine/ with the reason")
        self.refused = refused_lines(self.spool)
        for refused in self.refused:
            print(f"{refused.file}:{refused.number}: {refused.reason}\n"
                  f"    {refused.text.decode(errors='replace')[:90]}")

    def count(self) -> bool:
        heading(8, "Counts")
        ids = self.delivered
        lost = len(self.dropped.keys() - set(ids))
        twice = len(ids) - len(set(ids))
        dropped = len(self.dropped) + self.bad
        rows = [
            ("lines dropped", dropped),
            ("events delivered", len(ids)),
            ("  as they were dropped", self.unchanged),
            ("  in Avro", self.records),
            ("    the same to fastavro and polars", self.same_in_polars),
            ("lines in quarantine", len(self.refused)),
            ("events lost", lost),
            ("events delivered twice", twice),
        ]
        for name, value in rows:
            print(f"{name:<36} {value:>6,}")
        whole = (dropped == len(ids) + len(self.refused) and not lost and not twice
                 and self.unchanged == len(ids) and self.same_in_polars == self.records)
        sum_up = f"{dropped:,} = {len(ids):,} + {len(self.refused):,}"
        print(f"\n{sum_up}: every line is accounted for." if whole
              else f"\n{sum_up}: something is missing, or other than it was.")
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
