"""`sluicectl submit`: right after a start it waits for the directory that the daemon is about to make; and with --wait,
until the objects of files are in the bucket."""

import signal
import subprocess

import pytest

from installation import binary
from local_s3 import Keys


def test_it_waits_for_a_directory_that_is_about_to_be_made(installation, tmp_path):
    installation.connector("orders", "bucket", "http://127.0.0.1:1", Keys("AKIA", "secret"))
    installation.incoming().mkdir()
    file = tmp_path / "a.jsonl"
    file.write_text('{"event_type": "a"}\n')
    with subprocess.Popen(
        [binary("sluicectl"), "submit", "--connector", "orders", file, "--config", installation.config]
    ) as submit:
        with pytest.raises(subprocess.TimeoutExpired):
            submit.wait(0.5)
        installation.incoming("orders").mkdir()
    assert submit.returncode == 0
    assert len(list(installation.incoming("orders").iterdir())) == 1


def test_it_does_not_wait_for_ever(installation, tmp_path):
    installation.connector("orders", "bucket", "http://127.0.0.1:1", Keys("AKIA", "secret"))
    installation.incoming().mkdir()
    file = tmp_path / "a.jsonl"
    file.write_text('{"event_type": "a"}\n')
    said = installation.sluicectl("submit", "--connector", "orders", str(file))
    assert said.returncode == 75
    assert "systemctl reload sluiced" in said.stderr


# --- Files as they are, and waiting for them ---------------------------------------------------------


@pytest.fixture
def exports(installation, destination):
    installation.export(
        "reports", destination.bucket, destination.s3.endpoint, destination.keys, folder="exports")
    return destination


@pytest.fixture
def report(tmp_path):
    file = tmp_path / "report.csv"
    file.write_bytes(b"a,b\n")
    return file


def submit(installation, *arguments):
    return installation.sluicectl("submit", "--connector", "reports", *map(str, arguments))


def test_whoever_waits_is_told_when_the_objects_are_there(installation, exports, report, tmp_path):
    installation.start()
    empty = tmp_path / "empty"
    empty.touch()
    said = submit(installation, "--wait", "--as", "2026/11/", report, empty)
    assert said.returncode == 0, said.stderr
    assert sorted(said.stdout.splitlines()) == [
        f"s3://{exports.bucket}/exports/2026/11/{name}" for name in ("empty", "report.csv")]
    assert exports.objects() == {
        "exports/2026/11/empty": b"", "exports/2026/11/report.csv": b"a,b\n"}
    # The same once more is no conflict.
    again = submit(installation, "--wait", "--as", "2026/11/", report)
    assert (again.returncode, again.stdout) == (
        0, f"s3://{exports.bucket}/exports/2026/11/report.csv\n")


def test_a_conflict_ends_the_waiting_with_what_lies_there(installation, exports, report):
    daemon = installation.start()
    exports.s3.client("s3").put_object(
        Bucket=exports.bucket, Key="exports/report.csv", Body=b"somebody's")
    said = submit(installation, "--wait", report)
    assert (said.returncode, said.stdout) == (1, "")
    assert f"s3://{exports.bucket}/exports/report.csv" in said.stderr
    assert "10 bytes" in said.stderr and "on_conflict" in said.stderr
    assert exports.objects() == {"exports/report.csv": b"somebody's"}

    # Another name, as the connector says now, is printed once it is known. One file alone: moto looks whether a key is
    # free and stores then, so two that come at once may both find it so.
    assert installation.sluicectl("discard", "--yes", "reports").returncode == 0
    installation.export(
        "reports", exports.bucket, exports.s3.endpoint, exports.keys, folder="exports",
        on_conflict="rename")
    daemon.reload()
    daemon.wait_for("reloaded")
    report.write_bytes(b"newer\n")
    said = submit(installation, "--wait", report)
    assert said.returncode == 0, said.stderr
    assert said.stdout == f"s3://{exports.bucket}/exports/report-2.csv\n"
    assert exports.objects() == {
        "exports/report.csv": b"somebody's", "exports/report-2.csv": b"newer\n"}


def test_what_is_refused_ends_the_waiting_with_the_reason(installation, exports, report):
    installation.export("reports", exports.bucket, exports.s3.endpoint, exports.keys)
    installation.connector("orders", exports.bucket, exports.s3.endpoint, exports.keys)
    installation.start()
    said = submit(installation, "--wait", "--as", "currents/report.csv", report)
    assert (said.returncode, said.stdout) == (1, "")
    assert "currents/report.csv: " in said.stderr and "orders" in said.stderr


def test_without_a_daemon_nobody_waits_and_the_file_is_in_the_spool(installation, exports, report):
    installation.incoming("reports").mkdir(parents=True)
    said = submit(installation, "--wait", report)
    assert (said.returncode, said.stdout) == (75, "")
    assert "is it running?" in said.stderr and "safe in the spool" in said.stderr
    assert (installation.incoming("reports") / "report.csv").read_bytes() == b"a,b\n"
    installation.drain()
    assert exports.objects() == {"exports/report.csv": b"a,b\n"}


def test_a_trouble_is_named_while_it_is_waited_for_and_ctrl_c_leaves_the_file(
    installation, exports, report
):
    installation.export(
        "reports", exports.bucket, exports.s3.endpoint, exports.keys, folder="exports",
        credentials={"grace": "0s"})
    daemon = installation.start()
    exports.s3.switch_key(exports.keys, "Inactive")
    with subprocess.Popen(
        [binary("sluicectl"), "submit", "--connector", "reports", "--wait", "--timeout", "60s", report,
         "--config", installation.config], stderr=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    ) as waiting:
        said = [waiting.stderr.readline()]
        while "rejects the credentials" not in said[-1]:
            assert said[-1], said
            said.append(waiting.stderr.readline())
        waiting.send_signal(signal.SIGINT)
        out, rest = waiting.communicate(timeout=20)
    assert (waiting.returncode, out) == (-signal.SIGINT, "")
    assert "safe in the spool" in rest
    exports.s3.switch_key(exports.keys, "Active")
    daemon.reload()
    daemon.wait_until(lambda: exports.objects() == {"exports/report.csv": b"a,b\n"}, "it is there")


def test_time_that_is_over_ends_the_waiting(installation, exports, report):
    installation.start()
    assert installation.sluicectl("pause", "reports").returncode == 0
    said = submit(installation, "--wait", "--timeout", "3s", report)
    assert (said.returncode, said.stdout) == (75, "")
    assert "not all is in the bucket after 3s" in said.stderr
    assert "waiting for reports: paused" in said.stderr
