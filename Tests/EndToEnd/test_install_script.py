"""scripts/install, for systems without Debian's packages, under a real systemd."""

import shutil

import pytest

from installation import binary
from systemd_lab import PROJECT, SPOOL, Lab, Service, Store, message_id

SOURCES = "/opt/sluice"
SCRIPT = f"{SOURCES}/scripts/install"
RECORD = "/usr/local/share/sluice/installed"
SECRET = "/etc/sluice/credentials/orders.secret"
MAIN = "/etc/sluice/sluice.toml"


def copy_sources(machine):
    """The sources, but for those of the programs, which are built."""
    sources = machine.root / SOURCES.lstrip("/")
    shutil.copytree(PROJECT, sources, ignore=shutil.ignore_patterns(".*", "Sources", "Tests"))
    programs = sources / ".build/release"
    programs.mkdir(parents=True)
    for name in ("sluiced", "sluicectl"):
        shutil.copy2(binary(name), programs / name)


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    machine = Lab(tmp_path_factory.mktemp("script-lab") / "lab", installed=False)
    try:
        copy_sources(machine)
        yield machine
    finally:
        machine.down()


@pytest.fixture(scope="module")
def installed(machine, s3):
    """Installed into /usr/local, with a connector."""
    machine.before = machine.run("find", "/usr/local", "!", "-type", "d").stdout
    machine.said = machine.run(SCRIPT).stderr
    machine.after_installing = machine.state()
    machine.users()
    service = Service(machine, Store(s3))
    service.connector("orders", secret=SECRET)
    machine.run(
        "install", "-m", "400", "-o", "sluice", "/dev/stdin", SECRET,
        input=service.store.secret + "\n")
    return service


def test_what_the_script_installs_runs_and_delivers(installed):
    assert "systemctl enable --now sluiced" in installed.lab.said
    assert installed.lab.after_installing == "inactive"
    installed.lab.run("systemctl", "enable", "--now", "sluiced")
    assert "/usr/local/sbin/sluiced" in installed.lab.property("ExecStart")
    installed.drop(10)
    installed.all_delivered()
    catalog = installed.lab.run("journalctl", "--dump-catalog", "--no-pager").stdout
    assert message_id("started") in catalog
    outline = installed.lab.run("cat", MAIN).stdout
    assert '"/usr/local/share/sluice/schemas"' in outline


def test_the_script_again_changes_nothing_and_keeps_a_changed_configuration(installed):
    lab = installed.lab
    before = lab.run("cat", RECORD).stdout
    lab.shell(f"echo '# mine' >>{MAIN}")
    said = lab.run(SCRIPT).stderr
    assert MAIN not in said and "systemctl restart sluiced" in said
    assert lab.run("cat", RECORD).stdout == before
    lab.shell(f"echo '# of the next version' >>{SOURCES}/etc/sluice.toml")
    assert f"this version is {MAIN}.new" in lab.run(SCRIPT).stderr
    assert lab.run("tail", "-n", "1", MAIN).stdout == "# mine\n"
    assert lab.run("tail", "-n", "1", f"{MAIN}.new").stdout == "# of the next version\n"


def test_the_script_removes_what_it_installed_and_nothing_else(installed):
    lab = installed.lab
    lab.run(SCRIPT, "--uninstall")
    assert lab.run("find", "/usr/local", "!", "-type", "d").stdout == lab.before
    kept = [MAIN, SECRET, SPOOL]
    assert lab.exists(*kept) == kept
    assert lab.state() == "inactive" and lab.enablement() != "enabled"


@pytest.mark.parametrize("arguments, user, said", [
    (["--prefix", "usr"], None, "--prefix takes a whole path"),
    ([], "mallory", "this takes root: sudo"),
    (["--uninstall", "--prefix", "/opt/none"], None, "nothing was installed with the prefix /opt/none"),
])
def test_the_script_says_what_is_wrong(installed, arguments, user, said):
    refused = installed.lab.run(SCRIPT, *arguments, user=user, check=False)
    assert refused.returncode == 1 and said in refused.stderr


def test_the_script_names_what_was_not_built(installed):
    refused = installed.lab.run("env", "SLUICE_BIN_DIR=/none", SCRIPT, check=False)
    assert refused.returncode == 1 and "run scripts/build first" in refused.stderr
