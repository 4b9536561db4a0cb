"""The shipped schemas are what `scripts/make-schemas` makes, and its `--check` sees where they are not."""

import pathlib
import shutil
import subprocess

import pytest

from installation import ROOT


@pytest.fixture
def tree(tmp_path: pathlib.Path) -> pathlib.Path:
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    shutil.copytree(ROOT / "etc" / "schemas", tmp_path / "etc" / "schemas")
    return tmp_path


def make_schemas(root: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [root / "scripts" / "make-schemas", *arguments], capture_output=True, text=True)


def test_the_shipped_schemas_are_up_to_date():
    checked = make_schemas(ROOT, "--check")
    assert (checked.returncode, checked.stdout) == (0, ""), checked.stderr


def test_what_is_altered_missing_or_left_over_is_named_and_made_anew(tree):
    schemas = tree / "etc" / "schemas"
    shipped = {path.name: path.read_text() for path in schemas.iterdir()}
    altered, missing, *_ = sorted(shipped)
    (schemas / altered).write_text(shipped[altered].replace("string", "bytes"))
    (schemas / missing).unlink()
    (schemas / "zz.Old.avsc").write_text("{}")

    checked = make_schemas(tree, "--check")
    assert checked.returncode == 1
    assert checked.stdout.splitlines() == [
        f"etc/schemas/{name} is not what scripts/make-schemas makes; run it"
        for name in [altered, missing, "zz.Old.avsc"]]
    assert (schemas / "zz.Old.avsc").exists()

    assert make_schemas(tree).returncode == 0
    assert {path.name: path.read_text() for path in schemas.iterdir()} == shipped


def test_a_field_more_changes_the_id_of_that_schema_alone(tree):
    fields = tree / "scripts" / "schemas" / "fields.tsv"
    last = fields.read_text().splitlines()[-1].split("\t")[0]
    with fields.open("a") as file:
        file.write(f"{last}\tone_more\tlong?\n")
    before = (tree / "etc" / "schemas" / f"{last}.avsc").read_text()

    assert make_schemas(tree).stdout == "94 schemas in etc/schemas, 1 of them changed\n"
    after = (tree / "etc" / "schemas" / f"{last}.avsc").read_text()
    assert '{"name": "one_more", "type": ["null", "long"], "default": null}' in after
    assert [line for line in before.splitlines() if "schema_id" in line] != \
        [line for line in after.splitlines() if "schema_id" in line]
