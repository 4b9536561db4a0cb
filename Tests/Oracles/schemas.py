"""Reads Avro schemas with fastavro, which knows canonical forms and fingerprints independently of this project.

    schemas.py SEED COUNT

Prints one line a schema, first for each file of etc/schemas and then for COUNT random ones, of fields
separated by tabs:

    text compact-text canonical-form fingerprint

Each is hexadecimal, the fingerprint as a number of 16 digits and the others as UTF-8.
"""

import json
import pathlib
import random
import sys

import fastavro.schema

SHIPPED = pathlib.Path(__file__).resolve().parents[2] / "etc" / "schemas"

PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
NAMESPACES = ["a", "a.b", "_x.Y2.z", "string", "record"]
DOCS = ["", "plain", "\"quoted\\\"", "línea\nzwei", "日本語 🚰", "</b>", "\u00e9"]
LOGICAL = ["date", "timestamp-micros", "uuid", "no-such-type", "duration"]


def shuffled(rng, members):
    items = list(members.items())
    rng.shuffle(items)
    return dict(items)


class Generator:
    """One schema. Types that are complete may be referred to anywhere, others where a value can end."""

    def __init__(self, rng):
        self.rng = rng
        self.names = 0
        self.complete = []
        self.open = []

    def attributes(self):
        rng, made = self.rng, {}
        if rng.random() < 0.2:
            made["doc"] = rng.choice(DOCS)
        if rng.random() < 0.1:
            made["x-" + rng.choice(DOCS)] = rng.choice([1, -7, 1.25, None, True, [], {"type": ["?"]}])
        return made

    def name(self, namespace):
        """A new fullname, and the attributes that say it within a namespace."""
        rng = self.rng
        self.names += 1
        short = rng.choice("TNabc_") + str(self.names)
        if rng.random() < 0.6:
            full = f"{namespace}.{short}" if namespace else short
            return full, {"name": short}
        other = rng.choice(NAMESPACES + [""])
        full = f"{other}.{short}" if other else short
        if other and rng.random() < 0.5:
            return full, {"name": full, **rng.choice([{}, {"namespace": "ignored"}])}
        return full, {"name": short, "namespace": other}

    def reference(self, full, namespace):
        """The ways to mean a type from within a namespace; none for one without a namespace of its own."""
        own, _, short = full.rpartition(".")
        return [short] * (own == namespace) + [full] * (own != "")

    def named(self, namespace, depth, kind):
        rng = self.rng
        full, made = self.name(namespace)
        made |= {"type": kind, **self.attributes()}
        if rng.random() < 0.2:
            made["aliases"] = rng.choice([[], ["Old"], ["old.One", "_"]])
        if kind == "enum":
            made["symbols"] = [f"S{number}" for number in range(rng.randrange(1, 5))]
            if rng.random() < 0.3:
                made["default"] = "S0"
        elif kind == "fixed":
            made["size"] = rng.choice([0, 1, 16, 1000])
        else:
            inner = full.rpartition(".")[0]
            self.open.append(full)
            made["fields"] = [
                self.field(number, inner, depth) for number in range(rng.randrange(5))]
            self.open.pop()
        self.complete.append(full)
        return shuffled(rng, made), full

    def field(self, number, namespace, depth):
        rng = self.rng
        made = {"name": f"f{number}", **self.attributes()}
        made["type"], _ = self.type(namespace, depth - 1, ends=False)
        if rng.random() < 0.2:
            made["order"] = rng.choice(["ascending", "descending", "ignore"])
        if isinstance(made["type"], list) and "null" in made["type"]:
            made["default"] = None
        return shuffled(rng, made)

    def union(self, namespace, depth):
        kinds, branches = {"null"}, []
        for _ in range(self.rng.randrange(4)):
            branch, kind = self.type(namespace, depth - 1, ends=True, union=kinds)
            if kind not in kinds:
                kinds.add(kind)
                branches.append(branch)
        return ["null", *branches] if self.rng.random() < 0.7 else [*branches, "null"]

    def type(self, namespace, depth, ends, union=()):
        """A type, and what distinguishes it from the others in a union.

        What the union has already is never a type with others in it, which might be meant elsewhere.
        """
        rng = self.rng
        kind = rng.choice(PRIMITIVES + ["array", "map", "enum", "fixed", "record", "name", "union"])
        if kind == "name":
            known = [(way, full) for full in self.complete + self.open * ends
                     for way in self.reference(full, namespace)]
            return rng.choice(known) if known else ("int", "int")
        if kind == "union":
            if depth > 0 and not union:
                return self.union(namespace, depth), "union"
            return "long", "long"
        if kind in ["array", "map"] and depth > 0 and kind not in union:
            inner, _ = self.type(namespace, depth - 1, ends=True)
            made = {"type": kind, "items" if kind == "array" else "values": inner}
            return shuffled(rng, made | self.attributes()), kind
        if kind in ["enum", "fixed"] or kind == "record" and depth > 0:
            return self.named(namespace, depth, kind)
        if kind not in PRIMITIVES:
            kind = "string"
        if rng.random() < 0.2:
            made = {"type": kind, "logicalType": rng.choice(LOGICAL), **self.attributes()}
            return shuffled(rng, made), kind
        return kind, kind


def random_schema(rng):
    schema, _ = Generator(rng).named("", 5, "record")
    if rng.random() < 0.3:
        schema["schema_id"] = rng.randrange(1, 2**31)
    return json.dumps(
        schema, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 2]),
        separators=rng.choice([None, (" ,", " : ")]))


def line(text):
    compact = json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    form = fastavro.schema.to_parsing_canonical_form(json.loads(text))
    # Little-endian, as in the single-object encoding.
    fingerprint = bytes.fromhex(fastavro.schema.fingerprint(form, "CRC-64-AVRO"))
    fields = [text.encode(), compact.encode(), form.encode(), fingerprint[::-1]]
    return "\t".join(field.hex() for field in fields)


def main():
    rng = random.Random(int(sys.argv[1]))
    for path in sorted(SHIPPED.iterdir()):
        print(line(path.read_text()))
    for _ in range(int(sys.argv[2])):
        print(line(random_schema(rng)))


main()
