"""The Debian package, from the installation to the purge, under a real systemd.

One container goes through a machine's life: the tests stand in its order, and each stage is a fixture that takes the
stages before it, so that any test can be run alone.
"""

import os
import re
import shutil
import subprocess
import threading

import pytest

from installation import binary
from systemd_lab import INCOMING, PROJECT, SPOOL, Lab, Service, Store, eventually, message_id

ORDERS_SECRET = "/etc/sluice/credentials/orders.secret"


def build(directory):
    """Makes the package; quickly compressed, since nobody will fetch it."""
    made = subprocess.run(
        [PROJECT / "scripts/build-deb", directory], capture_output=True, text=True, timeout=300,
        env={**os.environ, "SLUICE_BIN_DIR": str(binary("sluiced").parent),
             "DPKG_DEB_COMPRESSOR_TYPE": "zstd", "DPKG_DEB_COMPRESSOR_LEVEL": "1"})
    assert made.returncode == 0, made.stderr
    (package,) = directory.glob("*.deb")
    assert made.stdout == f"{package}\n"
    return package


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    if shutil.which("dh") is None:
        pytest.skip("needs debhelper")
    return build(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def next_package(package, tmp_path_factory):
    """The same with a higher version."""
    directory = tmp_path_factory.mktemp("next")
    subprocess.run(["dpkg-deb", "--raw-extract", package, directory / "tree"], check=True)
    control = directory / "tree/DEBIAN/control"
    control.write_text(re.sub(r"(?m)^(Version: .*)$", r"\1+next", control.read_text()))
    made = directory / "next.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zzstd", "-z1", "--build", directory / "tree", made],
        check=True, stdout=subprocess.DEVNULL)
    return made


class Machine(Lab):
    """A booted container without Sluice, whose packages come and go."""

    def bring(self, package):
        shutil.copyfile(package, self.root / "opt" / package.name)
        return f"/opt/{package.name}"

    def dpkg(self, verb, package="sluiced"):
        """What apt does in the end, without the time that it thinks; returns all it says."""
        said = self.run("dpkg", verb, package if isinstance(package, str) else self.bring(package))
        return said.stdout + said.stderr


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    machine = Machine(tmp_path_factory.mktemp("package-lab") / "lab", installed=False)
    try:
        # Else each change of packages reads all pages of the manual.
        machine.run("rm", "-f", "/var/lib/man-db/auto-update")
        yield machine
    finally:
        machine.down()


@pytest.fixture(scope="module")
def store(s3):
    return Store(s3)


# --- The package ---------------------------------------------------------------------------------


def test_the_package_made_again_is_the_same_byte_for_byte(package, tmp_path):
    assert build(tmp_path).read_bytes() == package.read_bytes()


@pytest.fixture(scope="module")
def installed(machine, package):
    machine.run("apt-get", "install", "--yes", machine.bring(package))
    # What the tests do later does not count.
    machine.after_installing = (machine.enablement(), machine.state())
    machine.users()
    machine.run("useradd", "--groups", "sluice", "oscar")
    return machine


def test_an_installation_starts_nothing(installed):
    assert installed.after_installing == ("disabled", "inactive")


def test_everything_has_the_owner_and_the_rights_that_it_needs(installed):
    shown = installed.run(
        "stat", "-c", "%a %U:%G %n", "/usr/sbin/sluiced", "/usr/bin/sluicectl", "/etc/sluice",
        "/etc/sluice/sluice.toml", "/etc/sluice/connectors.d", "/etc/sluice/credentials", SPOOL,
        INCOMING).stdout
    assert shown.splitlines() == [
        "755 root:root /usr/sbin/sluiced",
        "755 root:root /usr/bin/sluicectl",
        "755 root:root /etc/sluice",
        "644 root:root /etc/sluice/sluice.toml",
        "750 root:sluice /etc/sluice/connectors.d",
        "750 root:sluice /etc/sluice/credentials",
        f"711 sluice:sluice {SPOOL}",
        f"3730 sluice:sluice-producers {INCOMING}",
    ]


def test_the_shipped_schemas_and_examples_are_where_their_users_look(installed):
    schemas = installed.run("ls", "/usr/share/sluice/schemas").stdout.split()
    assert sorted(schemas) == sorted(path.name for path in (PROJECT / "etc/schemas").iterdir())
    # Read as a connector, but for its secret, which nobody has put there.
    example = "/usr/share/doc/sluiced/examples/orders.toml"
    said = installed.run("sluicectl", "check", example, check=False)
    assert "orders.secret" in said.stderr and said.stderr.count("\n") == 1


def test_the_manual_is_found(installed):
    pages = [path.name.rsplit(".", 1) for path in (PROJECT / "man").iterdir()]
    assert pages
    for name, section in pages:
        assert name in installed.run("man", "--where", section, name).stdout


def test_each_link_of_units_and_catalog_leads_to_a_page(installed):
    linking = [path.read_text() for path in (PROJECT / "systemd").iterdir()]
    links = {link for text in linking for link in re.findall(r"\bman:([\w.-]+)\((\d)\)", text)}
    assert links
    for name, section in links:
        assert name in installed.run("man", "--where", section, name).stdout


def test_shells_complete_sluicectl(installed):
    bash = installed.run(
        "bash", "-c", ". /usr/share/bash-completion/completions/sluicectl && complete -p sluicectl")
    assert bash.stdout.endswith(" sluicectl\n")
    zsh = installed.run("head", "-n", "1", "/usr/share/zsh/vendor-completions/_sluicectl").stdout
    assert zsh == "#compdef sluicectl\n"


def test_the_catalog_of_the_system_has_each_kind(installed):
    catalog = installed.run("journalctl", "--dump-catalog", "--no-pager").stdout
    kinds = re.findall(r"(?m)^-- (\w{32})$", (PROJECT / "systemd/sluice.catalog").read_text())
    assert kinds and [kind for kind in kinds if f"-- {kind}\n" not in catalog] == []


# --- The service ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def service(installed, store):
    """Set up as the README says: a connector, its secret, and a start."""
    service = Service(installed, store)
    service.connector("orders", secret=ORDERS_SECRET)
    installed.run(
        "install", "-m", "400", "-o", "sluice", "/dev/stdin", ORDERS_SECRET,
        input=store.secret + "\n")
    installed.run("systemctl", "enable", "--now", "sluiced")
    return service


@pytest.fixture
def running(service):
    service.start()
    return service


def test_a_connector_a_secret_and_a_start_deliver_what_a_producer_submits(running):
    eventually("the connector's directory", lambda: running.lab.exists(f"{INCOMING}/orders"))
    running.lab.run(
        "sluicectl", "submit", "--connector", "orders", "-", user="alice",
        input='{"event_type": "greetings.Hello", "id": "first"}\n')
    running.dropped.append("first")
    running.lab.run("sluicectl", "flush", user="oscar")
    running.all_delivered()


def test_group_sluice_may_ask_the_daemon_and_nobody_else(running):
    assert running.lab.run("sluicectl", "status", user="oscar").stdout
    for user in ("alice", "mallory"):
        refused = running.lab.run("sluicectl", "status", user=user, check=False)
        assert (refused.returncode, refused.stdout) == (77, "")
        assert "join group sluice, or use sudo" in refused.stderr
    refused = running.lab.run(
        "sluicectl", "submit", "-", user="mallory", check=False, input='{"event_type": "a"}\n')
    assert refused.returncode == 77 and "join group sluice-producers" in refused.stderr


def test_the_journal_explains_its_lines(running):
    shown = running.lab.run(
        "journalctl", "-x", "--no-pager", f"MESSAGE_ID={message_id('started')}").stdout
    assert "Subject: Sluice is running" in shown


def test_the_socket_starts_the_daemon_for_who_asks(running):
    running.stop()
    running.lab.run("systemctl", "enable", "--now", "sluiced.socket")
    try:
        assert running.lab.state() == "inactive"
        assert running.lab.run("sluicectl", "status", user="oscar").stdout
        assert running.lab.state() == "active"
    finally:
        running.lab.run("systemctl", "disable", "--now", "sluiced.socket", "sluiced.service")
        running.lab.run("systemctl", "enable", "--now", "sluiced.service")


@pytest.fixture(scope="module")
def confined(service):
    """The service with a second connector, whose secret is root's and comes from systemd; and another service."""
    machine = service.lab
    machine.write("/etc/sluice/credentials/more.secret", service.store.secret + "\n", mode=0o600)
    service.connector(
        "more", bucket=service.store.other_bucket, events='["more.*"]', secret="more.secret")
    service.connector("orders", events='["orders.*"]', secret=ORDERS_SECRET)
    service.drop_in("LoadCredential=more.secret:/etc/sluice/credentials/more.secret")
    machine.run("systemctl", "restart", "sluiced")
    machine.write("/root/token", "token\n", mode=0o600)
    machine.write("/home/alice/letter", "mine\n", mode=0o644)
    machine.run("chown", "-R", "alice", "/home/alice")
    machine.run(
        "systemd-run", "--unit=other", "--property=LoadCredential=token:/root/token", "sleep", "1000")
    yield service
    machine.run("systemctl", "stop", "other")


def test_a_secret_that_systemd_hands_over_is_used(confined):
    ids = confined.drop(10, type="more.things")
    del confined.dropped[-len(ids):]
    eventually("in the other bucket", lambda: sorted(confined.store.delivered(confined.store.other_bucket)) == ids)


READABLE = [ORDERS_SECRET, "/run/credentials/sluiced.service/more.secret", "/etc/sluice/sluice.toml"]
CLOSED = [
    "/etc/shadow", "/root/token", "/home/alice/letter", "/etc/sluice/credentials/more.secret",
    "/run/credentials/other.service/token", "/proc/1/environ",
]


@pytest.mark.parametrize("path", READABLE + CLOSED)
def test_the_service_s_user_reads_its_own_things_and_nothing_else(confined, path):
    pid = confined.lab.property("MainPID")
    assert confined.lab.run("find", path, "-prune").stdout == f"{path}\n"
    read = confined.lab.run(
        "nsenter", "--target", pid, "--mount", "--", "setpriv", "--reuid", "sluice", "--regid",
        "sluice", "--init-groups", "find", path, "-readable", "-prune", check=False)
    assert (read.stdout == f"{path}\n") == (path in READABLE), read.stderr


# --- Upgrades ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def upgraded(confined, next_package):
    """Upgraded while files come in and objects go out; the version before, and the process."""
    service, machine = confined, confined.lab
    machine.write("/etc/sluice/sluice.toml", '[identity]\ncluster = "lab"\n')
    service.start()
    before = service.store.objects()
    over = threading.Event()

    def produce():
        while True:
            service.drop(10)
            if over.is_set():
                return

    producer = threading.Thread(target=produce)
    producer.start()
    try:
        eventually("some objects", lambda: service.store.objects() > before)
        pid = machine.property("MainPID")
        machine.dpkg("--install", next_package)
    finally:
        over.set()
        producer.join()
    return service, pid


def test_an_upgrade_in_the_middle_of_a_drain_loses_and_doubles_nothing(upgraded):
    service, pid = upgraded
    assert service.lab.run("dpkg-query", "-W", "-f", "${Version}", "sluiced").stdout.endswith("+next")
    assert service.lab.property("MainPID") not in ("0", pid)
    assert service.kinds("stopping")
    service.all_delivered(seconds=120)


def test_an_upgrade_keeps_the_configuration_and_the_enablement(upgraded):
    service, _ = upgraded
    assert service.lab.enablement() == "enabled"
    assert 'cluster = "lab"' in service.lab.run("cat", "/etc/sluice/sluice.toml").stdout
    assert service.lab.property("WatchdogUSec") == "2s"


def test_an_upgrade_does_not_start_what_somebody_stopped(upgraded, next_package):
    service, _ = upgraded
    service.stop()
    service.lab.dpkg("--install", next_package)
    assert (service.lab.enablement(), service.lab.state()) == ("enabled", "inactive")


# --- The end -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def removed(upgraded):
    """Removed while it runs and holds events that could not be delivered."""
    service, _ = upgraded
    service.start()
    service.lab.run("sluicectl", "pause", "orders")
    service.drop(300)
    sealed = f"{SPOOL}/sealed/orders"
    eventually(
        "sealed batches",
        lambda: service.lab.run("find", sealed, "-name", "*.envelope", check=False).stdout)
    service.lab.dpkg("--remove")
    return service


def test_a_removal_stops_the_service_and_keeps_configuration_and_spool(removed):
    assert removed.lab.state() != "active"
    kept = ["/etc/sluice/sluice.toml", ORDERS_SECRET, f"{SPOOL}/sealed"]
    gone = [
        "/usr/sbin/sluiced", "/usr/bin/sluicectl", "/usr/lib/systemd/system/sluiced.service", "/run/sluice",
    ]
    assert removed.lab.exists(*kept, *gone) == kept


@pytest.fixture(scope="module")
def purged(removed):
    removed.said = removed.lab.dpkg("--purge")
    return removed


def test_a_purge_keeps_what_was_not_delivered_and_says_so(purged):
    line, = re.findall(r"(?m)^sluiced: .*$", purged.said)
    assert re.fullmatch(
        rf"sluiced: kept {SPOOL}, for events in it were not delivered \(files: [1-9]\d*\); to deliver them "
        rf"install sluiced again, to give them up: rm -r {SPOOL}", line)
    kept = [ORDERS_SECRET, "/etc/sluice/connectors.d/orders.toml", f"{SPOOL}/sealed"]
    gone = [
        "/etc/sluice/sluice.toml", "/etc/systemd/system/multi-user.target.wants/sluiced.service",
        "/etc/systemd/system/sockets.target.wants/sluiced.socket",
    ]
    assert purged.lab.exists(*kept, *gone) == kept
    assert "sluice:" in purged.lab.run("getent", "passwd", "sluice").stdout


@pytest.fixture(scope="module")
def installed_again(purged, package):
    """The package over what a purge kept, until that is delivered."""
    purged.lab.dpkg("--install", package)
    purged.start()
    purged.lab.run("sluicectl", "resume", "orders")
    eventually(
        "all is settled", lambda: not purged.lab.run("find", SPOOL, "-name", "*.envelope").stdout)
    return purged


def test_what_a_purge_kept_is_delivered_after_an_installation(installed_again):
    installed_again.all_delivered()


@pytest.fixture(scope="module")
def cleared(installed_again):
    installed_again.said = installed_again.lab.dpkg("--purge")
    return installed_again


def test_a_purge_removes_a_spool_that_holds_nothing(cleared):
    assert "sluiced: kept" not in cleared.said
    assert cleared.lab.exists(SPOOL, "/etc/sluice/sluice.toml") == []


@pytest.mark.parametrize("file, is_kept", [
    ("incoming/orders/.hidden.jsonl", True),
    ("active/0000000000000001-x", True),
    ("sealed/orders/0.envelope", True),
    ("expired/orders/0.object", True),
    ("quarantine/0000000000000001.rejects", True),
    ("sealed/orders/0.delivered", False),
    ("expired/orders/0.1.archived", False),
    ("quarantine/0000000000000001.reason", False),
])
def test_a_purge_keeps_whatever_may_hold_events(cleared, file, is_kept):
    cleared.lab.write("/opt/postrm", (PROJECT / "scripts/debian/postrm").read_text())
    cleared.lab.write(f"{SPOOL}/{file}", "")
    said = cleared.lab.run("sh", "/opt/postrm", "purge").stderr
    assert bool(cleared.lab.exists(SPOOL)) == ("(files: 1)" in said) == is_kept
    cleared.lab.run("rm", "-rf", SPOOL)
