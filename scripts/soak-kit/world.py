"""What the soak sends: events that are numbered, and follow from their number, and who wants which.

The id of an event is its number. Everything else in it is taken from one of a few hundred templates, so that
whoever reads an event back can say, to the byte, what it must be, without remembering it.
"""

import fnmatch
import hashlib
import json
import random
from typing import NamedTuple

from containers import record_of, shipped_schema
from events import World, line

TEMPLATES = 499
"""A prime, so that a template meets every kind of file."""
MALFORMED_EVERY, UNFIT_EVERY = 307, 211
"""One event in so many is cut off (nobody takes it), or one that no schema takes."""


class Connector(NamedTuple):
    """A connector, and what becomes of events in it."""

    name: str
    events: list[str]
    format: str = "jsonl"
    compression: str = "gzip"
    window: int | None = None
    """For how many seconds events wait in an episode, where it is short enough to end in a soak."""
    on_expiry: str = "drop"
    transform: dict[str, str] = {}
    is_optional: bool = False
    """Now and then it is not in the configuration; so only its own directory leads to it."""

    @property
    def bucket(self) -> str:
        return f"soak-{self.name}"


CONNECTORS = {connector.name: connector for connector in [
    Connector("lines", ["users.messages.email.*"]),
    Connector("plain", ["users.behaviors.*"], compression="none"),
    Connector("avro", ["users.*"], format="avro", compression="deflate"),
    Connector("masked", ["*.Open", "*.Click"],
              transform={"email_address": "hash", "user_id": "remove"}),
    Connector("brief", ["users.messages.push*"], window=12),
    Connector("kept", ["users.messages.inapp*"], format="avro", compression="deflate", window=12,
              on_expiry="archive"),
    Connector("extra", ["nobody.*"], is_optional=True),
]}
NOBODY = "-"
"""Stands for the connector where a line is refused before it is routed."""


class Template(NamedTuple):
    event: dict
    event_type: str
    tail: bytes
    """The line behind the number."""
    record: dict
    """Its Avro record, without the id."""
    masked: dict
    wanted_by: list[str]
    """Who gets it from `incoming/` itself."""


def _is_unfit(number: int) -> bool:
    return number % UNFIT_EVERY == 7


def is_malformed(number: int) -> bool:
    return number % MALFORMED_EVERY == 11


class Events:
    """Every event there can be, by its number."""

    HEAD = b'{"id":"'

    def __init__(self, seed: int):
        rng = random.Random(f"templates {seed}")
        self._templates = [self._template(event, rng)
                           for event in World(seed, people=2000).events(rng, TEMPLATES)]

    def _template(self, event: dict, rng: random.Random) -> Template:
        event_type = event["event_type"]
        if "properties" in event and rng.random() < 0.2:
            event["properties"] = json.dumps({"trace": rng.randbytes(4000).hex()})
        record = record_of(event, shipped_schema(event_type))
        masked = dict(event)
        del record["id"], masked["id"]
        if address := event.get("email_address"):
            masked["email_address"] = hashlib.sha256(address.encode()).hexdigest()
        masked["user_id"] = "[REDACTED]"
        text = line(event)
        number = json.dumps(event["id"]).encode()
        assert text.startswith(b'{"id":' + number)
        return Template(
            event, event_type, text[len(b'{"id":' + number) - 1:], record, masked,
            [name for name, connector in CONNECTORS.items()
             if any(fnmatch.fnmatchcase(event_type, pattern) for pattern in connector.events)])

    def template(self, number: int) -> Template:
        return self._templates[number % TEMPLATES]

    def event_type(self, number: int) -> str:
        return self.template(number).event_type

    def line(self, number: int, connector: str | None = None) -> bytes:
        """The event as it stands in a file; with a connector, it names that."""
        tail = self.template(number).tail
        if is_malformed(number):
            return self.HEAD + b"%d" % number + tail[:40] + b"\n"
        if _is_unfit(number):
            tail = tail.replace(b'"time":', b'"time":"never","tim":', 1)
        if connector:
            tail = tail[:-2] + b',"connector":"%s"}\n' % connector.encode()
        return self.HEAD + b"%d" % number + tail

    def is_refused(self, number: int, connector: Connector) -> bool:
        return _is_unfit(number) and connector.format == "avro"

    def is_right_line(self, text: bytes, number: int, connector: Connector) -> bool:
        """Whether an object may hold this line, its line feed included, for an event."""
        if not connector.transform:
            return text == self.line(number) or text == self.line(number, connector.name)
        event = json.loads(text)
        event.pop("connector", None)
        expected = self.template(number).masked | {"id": str(number)}
        if _is_unfit(number):
            expected = expected | {"time": "never", "tim": expected["time"]}
        return event == expected

    def is_right_record(self, record: dict, number: int) -> bool:
        rest = dict(record)
        return rest.pop("id") == str(number) and rest == self.template(number).record
