"""Random Avro schemas and records of them, and how `sluicectl cat` prints a record."""

import math
import random
import struct

INTEGERS = {
    "int": [0, 1, -1, 63, 64, -64, -65, 2**31 - 1, -2**31],
    "long": [0, 1, -1, 2**31, -2**31 - 1, 2**53 + 1, 2**63 - 1, -2**63],
}
FLOATS = [0.0, -0.0, 1.0, 5e-324, 1.7976931348623157e308, 0.1, -1e21, 123456789.125,
          math.inf, -math.inf, math.nan]
TEXTS = ["", "plain", "\"\\/", "\n\r\t\x00\x1f\x7f\x85", "línea 日本語 \U0001F6B0 \u2028", "x" * 300]
# Not "uuid": fastavro checks what it writes as one.
LOGICAL = {"int": "date", "long": "timestamp-micros", "bytes": "no-such-type"}


class Generator:
    """Makes one schema after the other, and values of the last one."""

    def __init__(self, seed: int):
        self.rng = random.Random(seed)
        # The named types of the last schema.
        self.named: dict[str, dict] = {}

    def schema(self) -> dict:
        self.named = {}
        return self._record(depth=0)

    def _name(self) -> str:
        return f"N{len(self.named)}"

    def _record(self, depth: int) -> dict:
        name = self._name()
        # Whoever is inside may refer to it, from a union that has another branch.
        schema = self.named[name] = {"type": "record", "name": name, "fields": []}
        for index in range(self.rng.randint(0 if depth else 1, 5)):
            schema["fields"].append({"name": f"f{index}", "type": self._type(depth + 1)})
        return schema

    def _type(self, depth: int, in_union: bool = False):
        kinds = ["null", "boolean", "int", "long", "float", "double", "bytes", "string",
                 "enum", "fixed", "logical"]
        if depth < 4:
            kinds += ["array", "map", "record"] + ([] if in_union else ["union", "union", "link"])
        kind = self.rng.choice(kinds)
        match kind:
            case "logical":
                base = self.rng.choice(list(LOGICAL))
                return {"type": base, "logicalType": LOGICAL[base]}
            case "enum":
                name = self._name()
                self.named[name] = {"type": "enum", "name": name, "symbols": ["A", "b_1", "Z"]}
                return self.named[name]
            case "fixed":
                name = self._name()
                self.named[name] = {
                    "type": "fixed", "name": name, "size": self.rng.choice([0, 1, 12])}
                return self.named[name]
            case "array":
                return {"type": "array", "items": self._type(depth + 1)}
            case "map":
                return {"type": "map", "values": self._type(depth + 1)}
            case "record":
                return self._record(depth)
            case "link":
                return ["null", self.rng.choice(list(self.named))]
            case "union":
                return self._union(depth)
        return kind

    def _union(self, depth: int) -> list:
        branches, seen = [], set()
        for _ in range(self.rng.randint(1, 4)):
            branch = self._type(depth + 1, in_union=True)
            if branch_name(branch) not in seen:
                seen.add(branch_name(branch))
                branches.append(branch)
            elif isinstance(branch, dict):
                # What it defined must not be referred to.
                for name in names_in(branch):
                    self.named.pop(name, None)
        return branches

    def value(self, schema, depth: int = 0):
        """A value as fastavro writes it: the branch of a union is named."""
        rng = self.rng
        if isinstance(schema, list):
            branches = schema
            if depth > 5 and "null" in schema:
                branches = ["null"]
            branch = rng.choice(branches)
            value = self.value(branch, depth + 1)
            return None if branch == "null" else (branch_name(branch), value)
        kind = schema["type"] if isinstance(schema, dict) else schema
        if kind in self.named:
            return self.value(self.named[kind], depth)
        match kind:
            case "null": return None
            case "boolean": return rng.random() < 0.5
            case "int" | "long":
                bits = 31 if kind == "int" else 63
                return rng.choice(INTEGERS[kind] + [rng.randint(-2**bits, 2**bits - 1)])
            case "float":
                return single(rng.choice(FLOATS + [rng.uniform(-1e6, 1e6), rng.gauss(0, 1)]))
            case "double":
                return rng.choice(FLOATS + [rng.uniform(-1e6, 1e6), rng.gauss(0, 1)])
            case "bytes": return rng.randbytes(rng.choice([0, 1, 30, 256]))
            case "string": return rng.choice(TEXTS)
            case "enum": return rng.choice(schema["symbols"])
            case "fixed": return rng.randbytes(schema["size"])
            case "array":
                return [self.value(schema["items"], depth + 1) for _ in range(rng.randint(0, 3))]
            case "map":
                return {f"k{index}\"": self.value(schema["values"], depth + 1)
                        for index in range(rng.randint(0, 3))}
            case "record":
                return {field["name"]: self.value(field["type"], depth + 1)
                        for field in schema["fields"]}
        raise AssertionError(kind)


def single(number: float) -> float:
    try:
        return struct.unpack("<f", struct.pack("<f", number))[0]
    except OverflowError:
        return math.copysign(math.inf, number)


def names_in(schema) -> list[str]:
    if isinstance(schema, list):
        return [name for branch in schema for name in names_in(branch)]
    if not isinstance(schema, dict):
        return []
    inner = [schema.get("items"), schema.get("values")]
    inner += [field["type"] for field in schema.get("fields", [])]
    own = [schema["name"]] if "name" in schema else []
    return own + [name for each in inner for name in names_in(each)]


def branch_name(branch) -> str:
    return branch.get("name", branch["type"]) if isinstance(branch, dict) else branch


def printed(value):
    """What `json.loads` should find, but for what `same` allows."""
    match value:
        case tuple(): return printed(value[1])
        case bytes(): return value.decode("latin-1")
        case float() if math.isnan(value): return "NaN"
        case float() if math.isinf(value): return "Infinity" if value > 0 else "-Infinity"
        case list(): return [printed(item) for item in value]
        case dict(): return {name: printed(item) for name, item in value.items()}
    return value


def same(printed_value, expected) -> bool:
    """Equal in value and in type; a float may be a single's shortest text."""
    if isinstance(expected, float):
        return isinstance(printed_value, float) and (
            struct.pack("<d", printed_value) == struct.pack("<d", expected)
            or struct.pack("<f", printed_value) == struct.pack("<f", expected)
            and single(expected) == expected)
    if type(printed_value) is not type(expected):
        return False
    if isinstance(expected, list):
        return len(printed_value) == len(expected) and all(
            map(same, printed_value, expected))
    if isinstance(expected, dict):
        return list(printed_value) == list(expected) and all(
            same(printed_value[name], expected[name]) for name in expected)
    return printed_value == expected
