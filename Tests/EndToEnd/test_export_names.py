"""Files as they are: what an object is called, whatever the file is called, and that it has every byte."""

import json
import re
import uuid

import pytest

from conftest import Destination
from installation import Installation

CONTENTS = {
    "nothing.csv": b"",
    "one.bin": b"\0",
    "a b.csv": b"spaces\n",
    "straße 🌊.txt": b"UTF-8\n",
    "100%.csv": b"percent\n",
    "%41.csv": b"looks escaped\n",
    "-n": b"looks like an option\n",
    "a+b&c=d?e#f~'\"\\.json": b"{}\n",
    ".hidden": b"hidden\n",
    "half.part": b"not half\n",
    "x" * 140: b"long\n",
}
"""By name, as a producer has them."""

TYPES = {"nothing.csv": "text/csv", "straße 🌊.txt": "text/plain", ".hidden": "application/octet-stream"}

REFUSED = {
    "50% off.csv": "two hexadecimal digits",
    "%2E%2E%2Fetc.csv": 'has the part ".."',
    "a%2F%2Fb.csv": "two slashes side by side",
    "%2Froot.csv": "a slash",
    "bell%07.csv": "control character",
    "latin%E9.csv": "not UTF-8",
    "x" * 255: "255 bytes",
}
"""Names in the spool that are none of an object, and why."""


@pytest.fixture
def exports(installation: Installation, destination: Destination) -> Destination:
    installation.export(
        "reports", destination.bucket, destination.s3.endpoint, destination.keys, folder="exports")
    return destination


def test_whatever_a_file_is_called_its_object_is_called_so_and_has_its_bytes(
    installation, exports, tmp_path
):
    daemon = installation.start()
    for name, contents in CONTENTS.items():
        (tmp_path / name).write_bytes(contents)
    said = installation.sluicectl(
        "submit", "--connector", "reports", *(str(tmp_path / name) for name in CONTENTS))
    assert said.returncode == 0, said.stderr
    expected = {f"exports/{name}": contents for name, contents in CONTENTS.items()}
    assert said.stdout.splitlines() == [f"s3://{exports.bucket}/{key}" for key in expected]
    daemon.wait_until(lambda: len(exports.s3.keys(exports.bucket)) == len(expected), "all are there")
    assert exports.objects() == expected
    s3 = exports.s3.client("s3")
    for name, content_type in TYPES.items():
        head = s3.head_object(Bucket=exports.bucket, Key=f"exports/{name}")
        assert head["ContentType"] == content_type
    assert all((tmp_path / name).read_bytes() == contents for name, contents in CONTENTS.items())
    assert daemon.troubles() == []


def test_a_name_in_the_spool_that_names_no_object_is_kept_with_the_reason(installation, exports):
    for name in REFUSED:
        installation.drop(name, b"x\n", "reports") if len(name) < 240 else (
            (installation.incoming("reports") / name).write_bytes(b"x\n"))
    # Left alone, as everywhere.
    installation.drop(".later.csv", b"x\n", "reports")
    installation.drop("later.csv.tmp", b"x\n", "reports")
    installation.drop("good%2Fname.csv", b"good\n", "reports")
    daemon = installation.start()
    daemon.wait_for("file quarantined", count=len(REFUSED))
    reasons = [line.message for line in daemon.said("file quarantined")]
    for reason in REFUSED.values():
        assert any(reason in text for text in reasons), (reason, reasons)
    daemon.wait_until(lambda: exports.objects() == {"exports/good/name.csv": b"good\n"}, "one is there")
    assert sorted(path.name for path in installation.incoming("reports").iterdir()) == [
        ".later.csv", "later.csv.tmp"]


def test_a_template_makes_the_key_that_submit_has_printed(installation, exports, tmp_path):
    installation.export(
        "reports", exports.bucket, exports.s3.endpoint, exports.keys,
        key="segment-export/{directory}/{date}/{uuid}-{timestamp}/{name}")
    daemon = installation.start()
    (tmp_path / "users.csv").write_bytes(b"id\n")
    printed = []
    for asked in ("vip/users.csv", "users.csv"):
        said = installation.sluicectl(
            "submit", "--connector", "reports", "--as", asked, str(tmp_path / "users.csv"))
        printed += said.stdout.splitlines()
    daemon.wait_until(lambda: len(exports.s3.keys(exports.bucket)) == 2, "both are there")
    assert sorted(printed) == sorted(
        f"s3://{exports.bucket}/{key}" for key in exports.s3.keys(exports.bucket))
    for address, directory in zip(printed, ("vip/", "")):
        found = re.fullmatch(
            rf"s3://[^/]+/segment-export/{directory}\d{{4}}-\d\d-\d\d/(.{{36}})-\d{{10}}/users\.csv", address)
        assert found and uuid.UUID(found[1]).version == 8, address


def test_no_file_goes_into_a_folder_of_events(installation, exports):
    installation.export("reports", exports.bucket, exports.s3.endpoint, exports.keys)
    installation.connector("orders", exports.bucket, exports.s3.endpoint, exports.keys)
    daemon = installation.start()
    installation.drop("currents%2Fa.csv", b"x\n", "reports")
    line = daemon.wait_for("file quarantined")
    assert "orders" in line.message and "currents" in line.message
    installation.drop("currents-2%2Fa.csv", b"x\n", "reports")
    daemon.wait_until(lambda: exports.objects() == {"currents-2/a.csv": b"x\n"}, "one is there")

    # All would, so none is taken.
    installation.export(
        "reports", exports.bucket, exports.s3.endpoint, exports.keys, folder="currents/exports")
    said = installation.sluicectl("check", "--json")
    assert said.returncode == 78
    (problem,) = json.loads(said.stdout)["problems"]
    assert (problem["file"], problem["key"]) == ("connectors.d/reports.toml", "folder")
