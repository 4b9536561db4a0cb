"""Events as Braze Currents sends them, made up from a seed.

Each event has a unique `id`, so that a reader can tell lost, doubled and altered ones apart. What
this module makes depends on its arguments only.
"""

import json
import random

START = 1_767_225_600
"""The `time` of the first event: midnight (UTC) at the start of 2026."""

TYPES = {
    "users.messages.email.Send": 22,
    "users.messages.email.Delivery": 20,
    "users.messages.email.Open": 12,
    "users.messages.email.Click": 4,
    "users.messages.pushnotification.Send": 24,
    "users.messages.pushnotification.Open": 5,
    "users.messages.inappmessage.Impression": 6,
    "users.behaviors.CustomEvent": 7,
}
"""Event types, and how many of a hundred events are of each."""

_DEVICES = [
    ("ios", "iPhone15,2", ["18.1.1", "18.2", "17.7"]),
    ("ios", "iPhone14,5", ["17.6.1", "18.0"]),
    ("android", "Pixel 8 Pro", ["14", "15"]),
    ("android", "SM-S921B", ["14"]),
    ("web", "desktop", ["Firefox 131.0", "Chrome 130.0", "Safari 18.0"]),
]
_ZONES = ["Europe/Vienna", "Europe/Lisbon", "America/Chicago", "America/Bogota", "Asia/Singapore",
          "Africa/Nairobi", "Pacific/Auckland"]
_CAMPAIGNS = ["Winter sale", "Order shipped", "Price alert", "Cart reminder", "Monthly statement",
              "Welcome, day 1", "Welcome, day 4", "Win-back"]
_ACTIONS = ["viewed_item", "added_item", "began_checkout", "shared_item", "rated_order"]


def _uuid(rng: random.Random) -> str:
    d = f"{rng.getrandbits(128):032x}"
    return f"{d[:8]}-{d[8:12]}-{d[12:16]}-{d[16:20]}-{d[20:]}"


class World:
    """The people, devices and campaigns that events speak of, so that values recur as in real data."""

    def __init__(self, seed: int, people: int = 12_000):
        rng = random.Random(f"world {seed}")
        self.people = []
        for number in range(people):
            platform, model, versions = rng.choice(_DEVICES)
            self.people.append({
                "user_id": f"{rng.getrandbits(96):024x}",
                "external_user_id": f"member-{rng.randrange(10**8):08d}",
                "device_id": _uuid(rng).upper(),
                "platform": platform,
                "device_model": model,
                "os_version": rng.choice(versions),
                "timezone": rng.choice(_ZONES),
                "email": f"person.{number}@mail{number % 7}.example",
            })
        self.campaigns = []
        for number in range(40):
            title = f"{_CAMPAIGNS[number % len(_CAMPAIGNS)]} ({1 + number // len(_CAMPAIGNS)})"
            self.campaigns.append((_uuid(rng), title, [_uuid(rng) for _ in range(3)]))
        self.apps = [_uuid(rng) for _ in range(5)]

    def event(self, rng: random.Random, event_type: str, time: int) -> dict:
        person = rng.choice(self.people)
        # The square of a uniform number: a few campaigns send most of the messages.
        campaign, title, variations = self.campaigns[int(rng.random() ** 2 * len(self.campaigns))]
        event = {
            "id": _uuid(rng),
            "event_type": event_type,
            "time": time,
            "user_id": person["user_id"],
            "external_user_id": person["external_user_id"],
            "app_id": rng.choice(self.apps),
            "timezone": person["timezone"],
        }
        if event_type == "users.behaviors.CustomEvent":
            event |= {
                "name": rng.choice(_ACTIONS),
                "device_id": person["device_id"],
                "platform": person["platform"],
                "device_model": person["device_model"],
                "os_version": person["os_version"],
                "properties": json.dumps({
                    "sku": f"A-{rng.randrange(10**6):06d}",
                    "amount": rng.randrange(99, 49_900) / 100,
                    "currency": rng.choice(["EUR", "USD", "COP"]),
                    "position": rng.randrange(1, 60),
                }),
            }
            return event
        event |= {
            "campaign_id": campaign,
            "campaign_name": title,
            "message_variation_id": rng.choice(variations),
            "send_id": f"{rng.getrandbits(96):024x}",
            "dispatch_id": f"{rng.getrandbits(128):032x}",
        }
        if ".email." in event_type:
            event["email_address"] = person["email"]
            if event_type.endswith((".Click", ".Open")):
                event["user_agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0)"
            if event_type.endswith(".Click"):
                event["url"] = f"https://shop.example/r/{rng.getrandbits(40):010x}"
        else:
            event |= {
                "device_id": person["device_id"],
                "platform": person["platform"],
                "device_model": person["device_model"],
                "os_version": person["os_version"],
            }
        return event

    def events(self, rng: random.Random, count: int, start: int = START) -> list[dict]:
        """`count` events of all types, one a second from `start`."""
        types = rng.choices(list(TYPES), weights=list(TYPES.values()), k=count)
        return [self.event(rng, name, start + number) for number, name in enumerate(types)]


def line(event: dict) -> bytes:
    """An event as it stands in an event file, newline included."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
