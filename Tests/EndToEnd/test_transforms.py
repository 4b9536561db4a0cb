"""`remove` and `hash` in both formats, and what `sluicectl check` says of schemas, transforms and codecs."""

import hashlib
import json

import pytest

from avro_objects import by_fastavro, container, records_by_type
from objects import gunzip
from quarantine import refused_lines

TYPE = "shop.Order"
SCHEMA = {
    "type": "record", "name": "Order", "namespace": "shop", "fields": [
        {"name": "id", "type": "string"},
        {"name": "email", "type": ["null", "string"], "default": None},
        {"name": "phone", "type": ["null", "string"], "default": None},
        {"name": "age", "type": ["null", "int"], "default": None},
        {"name": "profile", "type": "string"}]}
TRANSFORM = {"email": "hash", "phone": "remove", "age": "remove", "profile": "hash"}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_values_are_removed_and_hashed_in_both_formats(installation, make_destination):
    avro, jsonl = make_destination(), make_destination()
    installation.connector(
        "avro", avro.bucket, avro.s3.endpoint, avro.keys, format="avro", transform=TRANSFORM)
    installation.connector(
        "jsonl", jsonl.bucket, jsonl.s3.endpoint, jsonl.keys, transform=TRANSFORM)
    installation.schema(TYPE, SCHEMA)
    lines = [
        '{"event_type":"shop.Order","id":"1", "email":"a\\u0040é.example","phone":"+43 1",'
        '"age":41,"profile":{ "a" : [1,2] },"more":{"email":"inside"}}',
        '{"event_type":"shop.Order","id":"2","email":null,"age":null,"profile":"","email":null}',
        '{"event_type":"shop.Order","id":"3","em\\u0061il":"first","email":"second","profile":"p"}',
    ]
    installation.drop("a.jsonl", "\n".join(lines).encode())
    installation.drain()

    (body,) = avro.objects().values()
    assert by_fastavro(body) == [
        {"id": "1", "email": digest("a@é.example"), "phone": "[REDACTED]", "age": None,
         "profile": digest('{ "a" : [1,2] }')},
        {"id": "2", "email": None, "phone": None, "age": None, "profile": digest("")},
        {"id": "3", "email": digest("second"), "phone": None, "age": None, "profile": digest("p")},
    ]
    (body,) = jsonl.objects().values()
    # Every byte but those of the values is as it was.
    assert gunzip(body).decode().splitlines() == [
        '{"event_type":"shop.Order","id":"1", "email":"%s","phone":"[REDACTED]",'
        '"age":"[REDACTED]","profile":"%s","more":{"email":"inside"}}'
        % (digest("a@é.example"), digest('{ "a" : [1,2] }')),
        '{"event_type":"shop.Order","id":"2","email":null,"age":null,"profile":"%s","email":null}'
        % digest(""),
        '{"event_type":"shop.Order","id":"3","em\\u0061il":"%s","email":"%s","profile":"%s"}'
        % (digest("first"), digest("second"), digest("p")),
    ]


def test_a_refused_event_does_not_tell_what_a_transform_hides(installation, destination):
    installation.connector(
        "avro", destination.bucket, destination.s3.endpoint, destination.keys, format="avro",
        transform={"id": "hash"})
    installation.schema(TYPE, SCHEMA)
    installation.drop(
        "a.jsonl", b'{"event_type":"shop.Order","id":"confidential","profile":5}\n'
                   b'{"event_type":"shop.Order","id":null,"profile":"p"}')
    daemon = installation.drain()
    assert destination.objects() == {}
    reasons = [each.reason for each in refused_lines(installation.spool)]
    assert len(reasons) == 2
    assert not any("confidential" in text for text in [*reasons, daemon.transcript()])


@pytest.fixture
def checked(installation, destination):
    """Answers what `sluicectl check` says of a connector with these settings."""
    def check(**settings) -> tuple[int, str]:
        installation.connector(
            "avro", destination.bucket, destination.s3.endpoint, destination.keys,
            **{"format": "avro"} | settings)
        result = installation.sluicectl("check")
        return result.returncode, result.stdout + result.stderr
    return check


@pytest.mark.parametrize("text,reason", [
    ("{", "this is no JSON: line 1"),
    ('{"type":"record","name":"R","fields":[{"name":"a","type":"strin"}]}',
     'fields[0] "a": "strin" is no primitive type'),
    ('{"type":"record","name":"R","fields":[{"name":"a","type":["int","int"]}]}', "[1]"),
    ('{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":"x"}]}',
     "this is no value of the field's type: an integer of 32 bits"),
    ('{"type":"record","name":"R","schema_id":0,"fields":[]}', "schema_id: an ID is an integer"),
    ('{"type":"enum","name":"E","symbols":["A"]}', "the schema of an event is a record"),
], ids=["json", "name", "union", "default", "id", "root"])
def test_check_and_start_name_a_bad_schema_and_the_place(installation, checked, text, reason):
    installation.schemas.mkdir()
    (installation.schemas / f"{TYPE}.avsc").write_text(text)
    status, said = checked()
    assert status == 78
    assert f"schemas/{TYPE}.avsc: " in said and reason in said
    refused = installation.start(wait=False)
    assert refused.wait() == 78
    # Before it knows how lines are to look, they are text.
    assert reason in refused.other_output


def test_check_names_both_schemas_under_one_id(installation, checked):
    installation.schema("a.A", SCHEMA | {"schema_id": 5})
    installation.schema("b.B", SCHEMA | {"schema_id": 5, "name": "Other"})
    # The same schema may have its ID for several event types.
    installation.schema("c.C", SCHEMA | {"schema_id": 5, "doc": "the same"})
    status, said = checked()
    assert status == 78
    assert "schemas/b.B.avsc has the schema ID 5, as schemas/a.A.avsc has" in said.replace(
        "avsc: has", "avsc has")
    assert "c.C.avsc" not in said


@pytest.mark.parametrize("settings,reason", [
    ({"compression": "zstd"}, "zstd"),
    ({"compression": "gzip"}, "gzip"),
    ({"compression_level": 13}, "compression_level"),
    ({"transform": {"age": "hash"}}, "is no string, so it cannot take the hash"),
    ({"transform": {"age": "shred"}}, "transform.age"),
])
def test_check_refuses_in_a_sentence_what_cannot_be_written(
    installation, checked, settings, reason
):
    installation.schema(TYPE, SCHEMA)
    assert checked()[0] == 0
    status, said = checked(**settings)
    assert status == 78
    (sentence,) = [line for line in said.splitlines() if reason in line]
    assert "connectors.d/avro.toml" in sentence and len(sentence.split()) > 5


def test_the_nearer_directory_of_schemas_counts_and_codecs_are_as_configured(
    installation, destination
):
    installation.schema(TYPE, SCHEMA | {"schema_id": 9})
    further = installation.directory / "further"
    further.mkdir()
    (further / f"{TYPE}.avsc").write_text("{ this is not even read")
    (further / "shop.Other.avsc").write_text(json.dumps(
        {"type": "record", "name": "Other", "fields": [{"name": "id", "type": "string"}]}))
    with installation.config.open("a") as config:
        config.write('[schemas]\ndirectories = ["schemas", "further"]\n')
    installation.connector(
        "avro", destination.bucket, destination.s3.endpoint, destination.keys,
        # Avro is what a connector gets that says nothing else.
        format="avro")
    connector = installation.connectors / "avro.toml"
    connector.write_text(connector.read_text().replace('format = "avro"\n', ""))
    installation.drop("a.jsonl", b'{"event_type":"shop.Order","id":"1","profile":"p"}\n'
                                 b'{"event_type":"shop.Other","id":"2"}')
    installation.drain()

    objects = destination.objects()
    assert {kind: [record["id"] for record in records]
            for kind, records in records_by_type(objects).items()} == {
        TYPE: ["1"], "shop.Other": ["2"]}
    for body in objects.values():
        metadata = container(body).metadata
        assert metadata["avro.codec"] == "deflate"
        assert {name: metadata[f"sluice.{name}"] for name in (
            "connector", "integration_id", "cluster", "zone", "partition")} == {
            "connector": "avro", "integration_id": "id-avro", "cluster": "test", "zone": "zone-a",
            "partition": "0"}
