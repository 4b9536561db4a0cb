"""Makes etc/schemas from scripts/schemas/fields.tsv; run it as scripts/make-schemas.

A file depends on its own lines there and on nothing else: each carries the ID that its schema has on every
host, 31 bits of the fingerprint.
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIELDS = ROOT / "scripts" / "schemas" / "fields.tsv"
SCHEMAS = ROOT / "etc" / "schemas"

NAMESPACE = "dataexport.S3.inner"
PRIMITIVES = ["boolean", "int", "long", "float", "double", "bytes", "string"]


def avro_type(text: str):
    """The Avro type that a type of fields.tsv stands for."""
    if text.endswith("?"):
        return ["null", avro_type(text[:-1])]
    if text.startswith("array<") and text.endswith(">"):
        return {"type": "array", "items": avro_type(text[len("array<"):-1])}
    if text not in PRIMITIVES:
        raise ValueError(f'{FIELDS.name}: "{text}" is no type')
    return text


def field(name: str, text: str) -> dict:
    made = {"name": name, "type": avro_type(text)}
    if text.endswith("?"):
        made["default"] = None
    return made


def event_types() -> dict[str, list[dict]]:
    """The fields of each event type."""
    found: dict[str, list[dict]] = {}
    for line in FIELDS.read_text().splitlines():
        if not line.startswith("#"):
            event_type, name, text = line.split("\t")
            found.setdefault(event_type, []).append(field(name, text))
    return found


def fingerprint(text: bytes) -> int:
    """CRC-64-AVRO, as the Avro specification gives it under "Schema Fingerprints"."""
    empty = 0xC15D213AA4D7A795
    value = empty
    for byte in text:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (empty if value & 1 else 0)
    return value


def canonical_form(full_name: str, fields: list[dict]) -> str:
    """The Parsing Canonical Form: these types are in it already, and of a field only two members are."""
    kept = [{"name": each["name"], "type": each["type"]} for each in fields]
    return json.dumps(
        {"name": full_name, "type": "record", "fields": kept}, separators=(",", ":"))


def schema(event_type: str, fields: list[dict]) -> str:
    """The text of a file: JSON, a line for each field."""
    namespace, name = f"{NAMESPACE}.{event_type}".rsplit(".", 1)
    form = canonical_form(f"{namespace}.{name}", fields)
    lines = ",\n".join("    " + json.dumps(each) for each in fields)
    return (
        "{\n"
        '  "type": "record",\n'
        f'  "name": "{name}",\n'
        f'  "namespace": "{namespace}",\n'
        f'  "schema_id": {fingerprint(form.encode()) & 0x7FFFFFFF},\n'
        f'  "fields": [\n{lines}\n  ]\n'
        "}\n")


def main() -> int:
    wanted = {f"{name}.avsc": schema(name, fields) for name, fields in event_types().items()}
    present = {path.name: path.read_text() for path in SCHEMAS.glob("*")}
    stale = sorted(name for name in wanted | present if wanted.get(name) != present.get(name))
    if sys.argv[1:] == ["--check"]:
        for name in stale:
            print(f"etc/schemas/{name} is not what scripts/make-schemas makes; run it")
        return 1 if stale else 0
    SCHEMAS.mkdir(exist_ok=True)
    for name in stale:
        if name in wanted:
            (SCHEMAS / name).write_text(wanted[name])
        else:
            (SCHEMAS / name).unlink()
    print(f"{len(wanted)} schemas in etc/schemas, {len(stale)} of them changed")
    return 0


sys.exit(main())
