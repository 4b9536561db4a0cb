"""Random events of a schema: the text that a producer may write, and the record that has to come of it."""

import json
import math
import random
import struct
from collections.abc import Callable

KINDS = {
    "null": "null", "boolean": "boolean", "int": "number", "long": "number", "float": "number",
    "double": "number", "bytes": "string", "string": "string", "fixed": "string", "enum": "string",
    "array": "array", "map": "object", "record": "object",
}
"""How a value of each type stands in JSON. "NaN" and "Infinity" are strings, so floats are met by both."""

PLAIN = "aZ 09_-.,:;{}[]()<>&|~'/"
ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
SHARP = ["é", "ß", "\u0080", "\u07ff", "\u0800", "日", "本", "\u2028", "\ufeff", "\ufffd", "\uffff",
         "🚰", "\U00010000", "\U0010ffff", "👩‍👧", "\x7f", "\x00", "\x1f"]
EDGES = [0, 1, -1, 63, 64, -64, -65, 127, 128, 2**13, -2**13 - 1, 2**15, 2**24 + 1]
INT_EDGES = EDGES + [2**31 - 1, -2**31, 2**31 - 2, 10**9]
LONG_EDGES = INT_EDGES + [2**31, -2**31 - 1, 2**53 + 1, -2**53 - 1, 2**63 - 1, -2**63, 10**18]
DOUBLES = [0.0, -0.0, 0.1, -1.5, 1e22, 1e23, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
           1 / 3, 123456789.123456789, math.inf, -math.inf, math.nan]


def single(value: float) -> float:
    """The nearest float of 32 bits."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


class Branch(tuple):
    """A value of a union with the name of its branch, as fastavro's writer wants it."""


class EventWriter:
    """Writes random values of one schema."""

    def __init__(self, schema: dict, rng: random.Random):
        self._rng = rng
        self._named: dict[str, dict] = {}
        self._schema = schema
        self._learn(schema, "")

    def event(
        self, unknown: bool = True, **members: object
    ) -> tuple[str, dict]:
        """The text of an event, and its record. `members` are set as they are, in text and record."""
        return self._record(self._schema, 0, unknown=unknown, given=members)

    # Names.

    def _learn(self, schema: object, namespace: str) -> None:
        """Gives every named type its full name, and notes what each name means."""
        if isinstance(schema, list):
            for branch in schema:
                self._learn(branch, namespace)
        elif isinstance(schema, dict):
            if schema["type"] in ("record", "enum", "fixed"):
                namespace = schema.get("namespace", namespace)
                if "." in schema["name"]:
                    namespace = schema["name"].rpartition(".")[0]
                short = schema["name"].rpartition(".")[2]
                schema["full"] = f"{namespace}.{short}" if namespace else short
                self._named |= {schema["full"]: schema, short: schema}
            for field in schema.get("fields", []):
                self._learn(field["type"], namespace)
            for inner in ("items", "values"):
                if inner in schema:
                    self._learn(schema[inner], namespace)

    def _resolve(self, schema: object) -> tuple[str, object]:
        """What kind of type it is, and its declaration where it has one."""
        if isinstance(schema, list):
            return "union", schema
        if isinstance(schema, str):
            return (schema, None) if schema in KINDS else self._resolve(self._named[schema])
        return schema["type"], schema

    def _branch_name(self, schema: object) -> str:
        kind, declared = self._resolve(schema)
        return declared["full"] if kind in ("record", "enum", "fixed") else kind

    # Values.

    def _value(self, schema: object, depth: int) -> tuple[str, object]:
        kind, declared = self._resolve(schema)
        match kind:
            case "null":
                return "null", None
            case "boolean":
                value = self._rng.random() < 0.5
                return json.dumps(value), value
            case "int":
                return self._integer(INT_EDGES, 31)
            case "long":
                return self._integer(LONG_EDGES, 63)
            case "float" | "double":
                return self._float(kind)
            case "string":
                return self._string() if self._rng.random() < 0.9 else self._text()
            case "bytes":
                return self._bytes(self._rng.randrange(9))
            case "fixed":
                return self._bytes(declared["size"])
            case "enum":
                symbol = self._rng.choice(declared["symbols"])
                return self._quoted(symbol), symbol
            case "array":
                items = [self._value(declared["items"], depth + 1) for _ in range(self._count(depth))]
                text = f",{self._space()}".join(text for text, _ in items)
                return f"[{self._space()}{text}]", [value for _, value in items]
            case "map":
                entries = [(self._string(), self._value(declared["values"], depth + 1))
                           for _ in range(self._count(depth))]
                text = ",".join(f"{key[0]}{self._space()}:{value[0]}" for key, value in entries)
                # Of equal keys the last value counts, where the first stood: as in a dict.
                return "{" + text + "}", {key[1]: value[1] for key, value in entries}
            case "record":
                return self._record(declared, depth)
            case "union":
                return self._union(declared, depth)
        raise ValueError(f"{schema} is no type")

    def _union(self, branches: list, depth: int) -> tuple[str, object]:
        rng = self._rng
        kinds = [self._resolve(branch)[0] for branch in branches]
        deep = [number for number, kind in enumerate(kinds) if kind in ("record", "array", "map")]
        shallow = [number for number in range(len(branches)) if number not in deep]
        number = rng.choice(shallow if depth > 4 and shallow else range(len(branches)))
        kind, branch = kinds[number], branches[number]
        if kind == "null":
            return "null", Branch(("null", None))
        text, value = self._value(branch, depth + 1)
        form = {'"': "string", "{": "object", "[": "array"}.get(text[0], KINDS[kind])
        is_text = kind == "string" and form != "string"
        met = [other for position, other in enumerate(kinds) if position != number and (
            KINDS[other] == form or form == "string" and other in ("float", "double"))]
        name = self._branch_name(branch)
        if is_text and not met:
            return text, Branch((name, value))
        if is_text:
            text, value = self._string()
        # A record or a map that has one member might be meant as Avro's own form.
        if met or form == "object" or rng.random() < 0.3:
            return "{" + self._space() + json.dumps(name) + ":" + text + self._space() + "}", \
                Branch((name, value))
        return text, Branch((name, value))

    def _record(
        self, schema: dict, depth: int, *, unknown: bool = False, given: dict | None = None
    ) -> tuple[str, dict]:
        rng = self._rng
        members: list[tuple[str, str]] = []
        record: dict[str, object] = {}
        for field in schema["fields"]:
            name = field["name"]
            if given and name in given:
                text, value = json.dumps(given[name]), given[name]
            elif self._may_be_missing(field["type"]) and rng.random() < 0.3:
                record[name] = self._nothing(field["type"])
                continue
            else:
                text, value = self._value(field["type"], depth + 1)
            record[name] = value
            members.append((self._quoted(name, 0.05), text))
        members += [(json.dumps(name), json.dumps(value)) for name, value in (given or {}).items()
                    if name not in record]
        rng.shuffle(members)
        if unknown:
            for _ in range(rng.randrange(3)):
                member = (f'"x_{rng.randrange(9)}"', self._any(0))
                members.insert(rng.randrange(len(members) + 1), member)
        if members and rng.random() < 0.2:
            # An earlier member of the same name counts for nothing, whatever it is.
            at = rng.randrange(len(members))
            members.insert(rng.randrange(at + 1), (members[at][0], self._any(0)))
        text = ",".join(f"{self._space()}{name}{self._space()}:{self._space()}{value}{self._space()}"
                        for name, value in members)
        return "{" + text + "}", record

    def _may_be_missing(self, schema: object) -> bool:
        return schema == "null" or isinstance(schema, list) and "null" in schema

    def _nothing(self, schema: object) -> object:
        return Branch(("null", None)) if isinstance(schema, list) else None

    def _integer(self, edges: list[int], bits: int) -> tuple[str, int]:
        rng = self._rng
        value = rng.choice(edges) if rng.random() < 0.5 \
            else rng.randrange(-(1 << rng.randrange(1, bits + 1)), 1 << rng.randrange(1, bits + 1))
        text = str(value)
        if rng.random() < 0.1:
            text += rng.choice([".0", ".000", "e0", "E+0"])
        elif value and rng.random() < 0.1:
            text = f"{value}0e-1"
        return text, value

    def _float(self, kind: str) -> tuple[str, float]:
        rng = self._rng
        value = rng.choice(DOUBLES) if rng.random() < 0.5 else \
            rng.uniform(-1, 1) * 10.0 ** rng.randrange(-30, 30)
        if kind == "float" and math.isfinite(value) and abs(value) > 3e38:
            value = 1.0
        text = json.dumps(value)
        if not math.isfinite(value):
            return f'"{text}"', value
        if rng.random() < 0.1:
            (text, value) = (str(rng.randrange(-999, 999)), 0)
            value = float(text)
        return text, single(value) if kind == "float" else value

    def _bytes(self, count: int) -> tuple[str, bytes]:
        value = self._rng.randbytes(count)
        return self._quoted(value.decode("latin-1")), value

    def _string(self) -> tuple[str, str]:
        rng = self._rng
        value = "".join(
            rng.choice(SHARP) if rng.random() < 0.1 else rng.choice(list(ESCAPES))
            if rng.random() < 0.05 else rng.choice(PLAIN)
            for _ in range(rng.choice([0, 1, 7, 8, 9, 16, 17, 40, 90])))
        text = self._quoted(value)
        if rng.random() < 0.03:
            # What stands for no character becomes the replacement character.
            return text[:-1] + rng.choice(["\\ud800", "\\uDFFF"]) + '"', value + "\ufffd"
        return text, value

    def _text(self) -> tuple[str, str]:
        """An object or array, which a string takes as its text."""
        text = self._any(0, ("object", "array"))
        return text, text

    def _quoted(self, value: str, escaped: float = 0.15) -> str:
        """The string in JSON, each character as it is or escaped."""
        made = []
        for character in value:
            if character in ESCAPES and self._rng.random() < 0.7:
                made.append(ESCAPES[character])
            elif character in '"\\' or character < " " or self._rng.random() < escaped:
                units = character.encode("utf-16-be")
                made += [f"\\u{units[at:at + 2].hex()}" if self._rng.random() < 0.5
                         else f"\\u{units[at:at + 2].hex().upper()}"
                         for at in range(0, len(units), 2)]
            else:
                made.append(character)
        return '"' + "".join(made) + '"'

    def _any(self, depth: int, kinds: tuple[str, ...] = ()) -> str:
        """Any JSON."""
        rng = self._rng
        kind = rng.choice(kinds or ("object", "array") * (depth < 3) + ("string", "number", "word"))
        match kind:
            case "object":
                # "member" is the name of no branch.
                return "{" + ",".join(f'"member {number}":{self._any(depth + 1)}'
                                      for number in range(rng.randrange(3))) + "}"
            case "array":
                return "[" + f",{self._space()}".join(
                    self._any(depth + 1) for _ in range(rng.randrange(3))) + "]"
            case "string":
                return self._string()[0]
            case "number":
                return rng.choice(["0", "-1", "1e400", "12345678901234567890123", "0.5e-3"])
        return rng.choice(["true", "false", "null"])

    def _count(self, depth: int) -> int:
        return 0 if depth > 4 else self._rng.choice([0, 1, 2, 3, 20])

    def _space(self) -> str:
        return self._rng.choice(["", "", "", "", " ", "\t", " \r "])


def plain(value: object) -> object:
    """The value as readers give it: without the names of branches."""
    match value:
        case Branch():
            return plain(value[1])
        case dict():
            return {name: plain(item) for name, item in value.items()}
        case list():
            return [plain(item) for item in value]
    return value


def tuples(value: object) -> object:
    """The value as fastavro's writer takes it: a plain tuple for each value of a union."""
    match value:
        case Branch():
            return (value[0], tuples(value[1]))
        case dict():
            return {name: tuples(item) for name, item in value.items()}
        case list():
            return [tuples(item) for item in value]
    return value
