#!/usr/bin/env python3
"""Shows what Sluice does when credentials fail: it holds, warns, recovers, and drops only what the window gives up.

Started by scripts/demo credentials, which builds the binaries first. The window is 20 seconds here, 48 hours in real
life. Everything happens in a temporary directory and on loopback; nothing is left behind.
"""

import gzip
import itertools
import json
import os
import pathlib
import random
import re
import subprocess
import textwrap
import time

from demo import BINARIES, heading, run_in_scratch
from demo_story import Story
from events import World, line
from local_s3 import REGION, LocalS3, connector_policy

BUCKET = "acme-orders"
TYPES = ["users.messages.email.Send", "users.messages.email.Click"]
"""Few, so that the story fits on a screen."""
WINDOW = 20


class Credentials(Story):
    def __init__(self, directory: pathlib.Path, s3: LocalS3):
        super().__init__(directory, s3)
        self.said: list[str] = []
        self.dropped: set[str] = set()
        """Ids of all events that were put into the spool."""
        self.files = 0
        self.world, self.rng = World(seed=11), random.Random("credentials")

    def begin(self) -> None:
        print(f"\nA connector's keys are revoked while it delivers. The window is {WINDOW} seconds here "
              "(expire_after; 48 hours\nunless configured): so long may an event wait while the "
              "credentials are rejected.")
        self.configure()

    def tell(self) -> None:
        heading(1, "All is well")
        self.drop(400)
        self.wait("the first events are delivered", lambda: self.delivered() == 400)

        heading(2, "The keys are revoked; events go on coming")
        self.switch("Inactive")
        self.drop(300)
        self.wait_for_line("rejects the credentials")
        self.drop(200)
        self.wait_for_line("for .* now, in")
        self.show_status()

        heading(3, "The keys work again: everything is delivered, nothing was lost")
        self.switch("Active")
        self.wait("all 900 events are delivered", lambda: self.delivered() == 900)
        self.wait_for_line("the credentials work again")

        heading(4, "Once more, and for longer than the window: what is older is dropped, to the event")
        self.switch("Inactive")
        self.drop(150)
        self.wait_for_line("rejects the credentials", times=2)
        time_of_episode = time.monotonic()
        self.wait(f"{WINDOW // 2} seconds pass",
                  lambda: time.monotonic() - time_of_episode > WINDOW / 2)
        self.drop(250)
        self.wait_for_line(r"were dropped")
        self.wait("all 150 are given up", lambda: self.lost() == 150)
        self.show_status()
        self.switch("Active")
        self.wait("the 250 later ones are delivered", lambda: self.delivered() == 1150)
        self.wait_for_line("the credentials work again", times=2)

    # Steps

    def configure(self) -> None:
        self.s3.make_bucket(BUCKET)
        self.keys = self.s3.make_user(connector_policy(BUCKET))
        self.write_configuration()
        secret = self.write_secret("orders", self.keys.secret_access_key)
        (self.directory / "connectors.d" / "orders.toml").write_text(textwrap.dedent(f"""\
            bucket = "{BUCKET}"
            integration_id = "orders"
            region = "{REGION}"
            endpoint = "{self.s3.endpoint}"
            format = "jsonl"
            expire_after = "{WINDOW}s"

            [batch]
            max_age = "1s"

            [credentials]
            access_key_id = "{self.keys.access_key_id}"
            secret_access_key_file = "{secret}"
            grace = "0s"
            """))

    def drop(self, count: int) -> None:
        """Moves a file with so many events into the spool."""
        self.files += 1
        events = list(itertools.islice(
            (event for event in self.world.events(self.rng, 30 * count)
             if event["event_type"] in TYPES), count))
        self.dropped |= {event["id"] for event in events}
        written = self.directory / f"{self.files}.jsonl"
        written.write_bytes(b"".join(line(event) for event in events))
        target = self.spool / "incoming" / "orders" / written.name
        self.wait("the spool is ready", target.parent.is_dir)
        written.rename(target)
        print(f">>> {count} events dropped into the spool", flush=True)

    def switch(self, status: str) -> None:
        self.s3.switch_key(self.keys, status)
        print(f">>> aws iam update-access-key --status {status}", flush=True)

    def show_status(self) -> None:
        print(">>> sluicectl status", flush=True)
        shown = subprocess.run(
            [BINARIES / "sluicectl", "status", "--config", self.config], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "COLUMNS": "110"})
        print(textwrap.indent(shown.stdout.rstrip().replace(str(self.directory), "..."), "    "),
              flush=True)

    # What is seen

    def shown(self, text: str) -> str | None:
        self.said.append(text)
        return super().shown(
            re.sub(r"s3://\S+/currents/\S+/event_type=([^/]+)/\S+", r"s3://.../\1/...", text))

    def delivered(self) -> int:
        return len(self.delivered_ids())

    def delivered_ids(self) -> list[str]:
        return [json.loads(event)["id"] for body in self.s3.objects(BUCKET).values()
                for event in gzip.decompress(body).splitlines()]

    def lost(self) -> int:
        """Events that the journal says were dropped."""
        return sum(int(found[1].replace(",", "")) for text in self.said
                   if (found := re.search(r": ([\d,]+) events? of type \S+ in .* w(?:as|ere) dropped", text)))

    def wait_for_line(self, pattern: str, times: int = 1) -> None:
        self.wait(f"a line \"{pattern}\"",
                  lambda: sum(bool(re.search(pattern, text)) for text in list(self.said)) >= times)

    def end(self) -> bool:
        heading(5, "Counts")
        ids = self.delivered_ids()
        lost = self.lost()
        missing = self.dropped - set(ids)
        for name, value in [
            ("events put into the spool", len(self.dropped)), ("events delivered", len(ids)),
            ("events dropped, each in a journal line", lost),
            ("events delivered twice", len(ids) - len(set(ids))),
            ("events missing that no line speaks of", len(missing) - lost),
        ]:
            print(f"{name:<42} {value:>6,}")
        whole = len(ids) == len(set(ids)) and len(missing) == lost
        print(f"\n{len(self.dropped):,} = {len(ids):,} + {lost:,}"
              + (": every event is accounted for." if whole else " does not add up."))
        return whole


if __name__ == "__main__":
    run_in_scratch(Credentials)
