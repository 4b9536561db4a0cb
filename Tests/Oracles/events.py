"""Random schemas of every Avro type, events for them as JSON, and what fastavro writes for the same values.

    events.py SEED COUNT

Prints a line for each event: the schema's JSON, the event's text and its Avro binary, each in hexadecimal and
separated by tabs. Several events follow each other with one schema.

The text takes what liberties JSON and Avro's JSON form leave: members in any order, members that the schema does
not know, members that stand twice, null members left out, white space, escapes, numbers spelt in several ways, and
unions with the branch named or not.
"""

import io
import json
import math
import random
import struct
import sys

import fastavro

PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
EDGES = {
    "int": [0, 1, -1, 63, 64, -64, -65, 2**31 - 1, -(2**31)],
    "long": [0, -1, 2**31, -(2**31) - 1, 2**53 + 1, 10**18, 2**63 - 1, -(2**63)],
}
NUMBERS = [
    "0", "-0.0", "0.1", "1e22", "1e23", "5e-324", "2.2250738585072011e-308", "1.7976931348623157e308", "1e-400",
    "9007199254740993", "123456789012345678901234567890", "0.000123456789012345678", "8.41e21", "3.4028234e38",
    "1e-45",
]
CHARACTERS = list('aZ0 "\\/\n\t\0\x7féÿĀ€\ufffd\U0001f680')
JUNK = ["null", "true", "-1.5e3", '"x"', '"\\"}"', "[]", '[{"f0":[1,"]"]}]', "{}", '{"f0":"}"}']


class Text(str):
    """A string that stands in the event as a JSON object or array."""


class Spelt(float):
    """A number with the text that stands for it."""

    def __new__(cls, text):
        value = super().__new__(cls, text)
        value.text = text
        return value


class Schemas:
    def __init__(self, rng):
        self.rng, self.named, self.open, self.count = rng, {}, [], 0

    def root(self):
        return self.record(0, self.rng.choice([1, 3, 20]))

    def name(self):
        self.count += 1
        return f"T{self.count}"

    def any(self, depth):
        kinds = PRIMITIVES + ["string", "long", "enum", "fixed", "named"]
        if depth < 4:
            kinds += ["array", "map", "record", "union", "union", "union"]
        kind = self.rng.choice(kinds)
        if kind == "named":
            known = [name for name in self.named if name not in self.open]
            return self.rng.choice(known) if known else "string"
        if kind == "array":
            return {"type": "array", "items": self.any(depth + 1)}
        if kind == "map":
            return {"type": "map", "values": self.any(depth + 1)}
        if kind == "record":
            return self.record(depth + 1, self.rng.randrange(5))
        if kind == "union":
            return self.union(depth + 1)
        if kind == "enum":
            symbols = [f"S{n}" for n in range(self.rng.choice([1, 3, 80]))]
            return self.add({"type": "enum", "name": self.name(), "symbols": symbols})
        if kind == "fixed":
            return self.add({"type": "fixed", "name": self.name(), "size": self.rng.choice([1, 4, 16])})
        return kind

    def add(self, schema):
        schema["namespace"] = self.rng.choice(["a", "b.c"])
        full = f"{schema['namespace']}.{schema['name']}"
        self.named[full] = schema
        return schema

    def record(self, depth, count):
        schema = self.add({"type": "record", "name": self.name(), "fields": []})
        full = f"{schema['namespace']}.{schema['name']}"
        self.open.append(full)
        for number in range(count):
            name = self.rng.choice(["f", "a_field_of_a_longer_name_", "F"]) + str(number)
            schema["fields"].append({"name": name, "type": self.any(depth)})
        if self.rng.random() < 0.3:
            # It contains itself.
            inner = self.rng.choice([["null", full], [full, "null"], {"type": "array", "items": full}])
            schema["fields"].append({"name": "again", "type": inner})
        self.open.pop()
        return schema

    def union(self, depth):
        branches, seen = [], set()
        for _ in range(self.rng.choice([1, 2, 2, 3, 5])):
            before = dict(self.named)
            branch = self.rng.choice(["null", self.any(depth)])
            if isinstance(branch, list) or kind_of(branch) in seen:
                # What it defined is not to be referred to.
                self.named = before
                continue
            if branch == "null":
                self.named = before
            seen.add(kind_of(branch))
            branches.append(branch)
        branches = branches or ["null"]
        return branches


def kind_of(schema):
    """What may stand once in a union, as fastavro names it."""
    if isinstance(schema, str):
        return schema
    if schema["type"] in ("record", "enum", "fixed"):
        return f"{schema['namespace']}.{schema['name']}"
    return schema["type"]


class Events:
    def __init__(self, rng, named):
        self.rng, self.named = rng, named

    # Values.

    def datum(self, schema, depth=0):
        rng = self.rng
        if isinstance(schema, list):
            if depth > 8 and "null" in schema:
                return ("null", None)
            branch = rng.choice(schema)
            return (kind_of(branch), self.datum(branch, depth + 1))
        if isinstance(schema, str) and schema in self.named:
            return self.datum(self.named[schema], depth)
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind == "null":
            return None
        if kind == "boolean":
            return rng.random() < 0.5
        if kind in EDGES:
            bits = 32 if kind == "int" else 64
            return rng.choice([rng.choice(EDGES[kind]), rng.getrandbits(bits) - 2 ** (bits - 1)])
        if kind in ("float", "double"):
            return self.number(kind)
        if kind == "string":
            if rng.random() < 0.1:
                return Text(rng.choice(['{"a" : [1, "\\u0041"]}', "[]", "{}", "[ 1 ]"]))
            return "".join(rng.choice(CHARACTERS) for _ in range(rng.choice([0, 3, 17, 70])))
        if kind == "bytes":
            return rng.randbytes(rng.choice([0, 1, 9, 70]))
        if kind == "fixed":
            return rng.randbytes(schema["size"])
        if kind == "enum":
            return rng.choice(schema["symbols"])
        count = 0 if depth > 8 else rng.choice([0, 0, 1, 2, 2, 70 if depth < 2 else 3])
        if kind == "array":
            return [self.datum(schema["items"], depth + 1) for _ in range(count)]
        if kind == "map":
            return {f"{rng.choice(CHARACTERS)}K{n}": self.datum(schema["values"], depth + 1) for n in range(count)}
        return {field["name"]: self.datum(field["type"], depth + 1) for field in schema["fields"]}

    def number(self, kind):
        rng = self.rng
        choice = rng.random()
        if choice < 0.1:
            return rng.choice([math.nan, math.inf, -math.inf])
        if choice < 0.4:
            text = rng.choice(NUMBERS)
        elif choice < 0.6:
            text = f"{rng.randrange(-10**6, 10**6) / 100}"
        elif choice < 0.8:
            single = struct.unpack("<f", struct.pack("<I", rng.getrandbits(32) & 0xBF7FFFFF))[0]
            text = "%.*e" % (rng.randrange(40), single)
        else:
            text = repr(struct.unpack("<d", rng.randbytes(7) + b"\x3f")[0])
        value = Spelt(text)
        if kind == "float" and abs(value) > 3.4e38:
            return Spelt("1.5")
        return value

    # Text.

    def text(self, schema, datum):
        if isinstance(schema, list):
            return self.union(schema, *datum)
        if isinstance(schema, str) and schema in self.named:
            return self.text(self.named[schema], datum)
        kind = schema if isinstance(schema, str) else schema["type"]
        if datum is None:
            return "null"
        if isinstance(datum, bool):
            return "true" if datum else "false"
        if isinstance(datum, int):
            whole = f"{datum}00e-2" if datum else "0e9"
            return self.rng.choice([f"{datum}", f"{datum}", f"{datum}.0", f"{datum}.00e+0", whole])
        if isinstance(datum, Spelt):
            return datum.text
        if isinstance(datum, float):
            return '"NaN"' if math.isnan(datum) else '"Infinity"' if datum > 0 else '"-Infinity"'
        if isinstance(datum, Text):
            return str(datum)
        if isinstance(datum, str):
            return self.string(datum)
        if isinstance(datum, bytes):
            return self.string(datum.decode("latin-1"))
        if isinstance(datum, list):
            return self.join("[", [self.text(schema["items"], item) for item in datum], "]")
        if kind == "map":
            members = [(self.string(key), self.text(schema["values"], value)) for key, value in datum.items()]
            return self.members(members)
        members = []
        for field in schema["fields"]:
            value = datum[field["name"]]
            if value in (None, ("null", None)) and self.rng.random() < 0.5:
                continue
            members.append((self.string(field["name"]), self.text(field["type"], value)))
        if self.rng.random() < 0.3:
            members.append((self.string(f"unknown{self.rng.randrange(3)}"), self.rng.choice(JUNK)))
        if self.rng.random() < 0.5:
            self.rng.shuffle(members)
        return self.members(members)

    def union(self, schema, name, datum):
        if datum is None:
            return "null"
        number = [kind_of(branch) for branch in schema].index(name)
        text = self.text(schema[number], datum)
        earlier = "".join(self.kinds(branch) for branch in schema[:number])
        if isinstance(datum, Text):
            earlier = "".join(self.kinds(branch) for branch in schema)
        if isinstance(datum, Text) and text[0] not in earlier:
            return text
        if isinstance(datum, Text):
            text = self.string(str(datum))
        first = "0" if text[0] in "-0123456789" else text[0]
        if first in earlier or self.rng.random() < 0.3:
            short = name if self.rng.random() < 0.5 else name.split(".")[-1]
            return self.join("{", [f"{self.string(short)}{self.space()}:{self.space()}{text}"], "}")
        return text

    def kinds(self, schema):
        """What a value begins with that a branch may take."""
        if isinstance(schema, str) and schema in self.named:
            schema = self.named[schema]
        kind = schema if isinstance(schema, str) else schema["type"]
        return {
            "null": "n", "boolean": "tf", "int": "0", "long": "0", "float": '0"', "double": '0"',
            "array": "[", "map": "{", "record": "{",
        }.get(kind, '"')

    def string(self, value):
        def written(character):
            if character in '"\\' or character < " " or self.rng.random() < 0.03:
                if character in '"\\/' and self.rng.random() < 0.5:
                    return "\\" + character
                plain = character < " " or ord(character) > 0xFFFF
                return json.dumps(character)[1:-1] if plain else "\\u%04x" % ord(character)
            return character

        return '"' + "".join(written(character) for character in value) + '"'

    def members(self, members):
        """A member that stands twice keeps its place, and its value comes later."""
        late = []
        if members and self.rng.random() < 0.2:
            number = self.rng.randrange(len(members))
            name, value = members[number]
            late.append((json.dumps(json.loads(name)), value))
            members[number] = (name, self.rng.choice(JUNK))
        members = [f"{name}{self.space()}:{self.space()}{value}" for name, value in members + late]
        return self.join("{", members, "}")

    def join(self, left, items, right):
        inside = f"{self.space()},{self.space()}".join(items)
        return f"{left}{self.space()}{inside}{self.space()}{right}"

    def space(self):
        return "" if self.rng.random() < 0.9 else self.rng.choice([" ", "\t", " \r "])


def main():
    rng = random.Random(int(sys.argv[1]))
    for _ in range(int(sys.argv[2])):
        schemas = Schemas(rng)
        schema = schemas.root()
        parsed = fastavro.parse_schema(schema)
        events = Events(rng, schemas.named)
        for _ in range(5):
            datum = events.datum(schema)
            output = io.BytesIO()
            fastavro.schemaless_writer(output, parsed, datum)
            text = events.text(schema, datum)
            json.loads(text)
            if len(text.encode()) < 900_000:
                print(json.dumps(schema).encode().hex(), text.encode().hex(), output.getvalue().hex(), sep="\t")


main()
