"""Makes schemas for a corpus: the shipped ones, with the members added that they lack.

So every member of every event is encoded and can be compared, and the fields that no event has are there too, as
they are in real life.
"""

import json
import pathlib
import random

from containers import shipped_schema
from events import TYPES, World


def write_schemas(directory: pathlib.Path) -> None:
    world, rng = World(seed=1, people=10), random.Random(1)
    directory.mkdir(exist_ok=True)
    for event_type in TYPES:
        schema = shipped_schema(event_type)
        # It is another schema, so it has another ID: the one that follows from what it says.
        del schema["schema_id"]
        known = {field["name"] for field in schema["fields"]} | {"event_type"}
        schema["fields"] += [
            {"name": name, "type": ["null", "string"], "default": None}
            for name in world.event(rng, event_type, 0) if name not in known]
        (directory / f"{event_type}.avsc").write_text(json.dumps(schema))
