"""The service as systemd runs it: unit, users, directories and sandbox, and the daemon under them.

lab/nspawn.sh boots a real systemd over a throw-away copy of this machine; where that cannot be, its tests
are skipped and say why.
"""

import json
import re
import shutil
import subprocess
import textwrap
import time

import pytest

from systemd_lab import INCOMING, PROJECT, SPOOL, Lab, Service, Store, eventually

UNIT = PROJECT / "systemd/sluiced.service"


# --- The unit file by itself ---------------------------------------------------------------------


@pytest.fixture
def analyze():
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")

    def run(*arguments):
        return subprocess.run(
            ["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60
        )

    return run


def test_the_units_verify(analyze, tmp_path):
    # The program and the manual page need not be installed on the machine that runs this.
    unit, sockets = tmp_path / UNIT.name, tmp_path / "sluiced.socket"
    unit.write_text(re.sub(r"(?m)^ExecStart=.*", "ExecStart=/bin/true", UNIT.read_text()))
    # Nor is its group.
    sockets.write_text(re.sub(r"(?m)^SocketGroup=.*", "", UNIT.with_suffix(".socket").read_text()))
    result = analyze("verify", "--man=no", str(unit), str(sockets))
    assert (result.returncode, result.stderr) == (0, "")


def test_the_unit_is_confined(analyze):
    result = analyze("security", "--offline=true", "--threshold=14", "--no-pager", str(UNIT))
    assert result.returncode == 0, result.stdout


# --- A real systemd ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("systemd") / "lab")
    try:
        lab.users()
        yield lab
    finally:
        lab.down()


def test_users_and_directories_are_made_at_boot(lab):
    assert "sluice-producers" in lab.run("id", "-Gn", "sluice").stdout.split()
    modes = lab.run("stat", "-c", "%a %U:%G", SPOOL, INCOMING).stdout.splitlines()
    assert modes == ["711 sluice:sluice", "3730 sluice:sluice-producers"]


def test_a_producer_drops_files_and_sees_none(lab):
    lab.shell(f"echo 1 >{INCOMING}/mine.jsonl", user="alice")
    assert lab.shell(f"cat {INCOMING}/mine.jsonl", user="alice").stdout == "1\n"
    assert lab.shell(f"ls {INCOMING}", user="alice", check=False).returncode != 0
    assert lab.shell(f"ls {SPOOL}", user="alice", check=False).returncode != 0


@pytest.mark.parametrize("umask", ["077", "022", "000"])
def test_what_a_producer_drops_the_daemon_reads_and_nobody_else(lab, umask):
    file = f"{INCOMING}/umask-{umask}.jsonl"
    lab.shell(f"umask {umask}; echo mine >{file}", user="alice")
    assert lab.run("cat", file, user="sluice").stdout == "mine\n"
    for other in ("bob", "mallory"):
        for attempt in (
            f"cat {file}",
            f"echo yours >>{file}",
            f"echo yours >{file}",
            f"rm -f {file}",
            f"mv {file} {INCOMING}/taken-{umask}.jsonl",
            f"ln -sf /etc/passwd {file}",
        ):
            result = lab.shell(attempt, user=other, check=False)
            assert result.returncode != 0, f"{other}: {attempt}"
    assert lab.run("cat", file, user="sluice").stdout == "mine\n"


def test_a_producer_cannot_put_another_file_over_one(lab):
    file = f"{INCOMING}/kept.jsonl"
    lab.shell(f"echo mine >{file}", user="alice")
    result = lab.shell(f"echo yours >{INCOMING}/b && mv -f {INCOMING}/b {file}", user="bob", check=False)
    assert result.returncode != 0
    assert lab.run("cat", file, user="sluice").stdout == "mine\n"


def test_who_is_no_producer_drops_nothing(lab):
    result = lab.shell(f"echo 1 >{INCOMING}/theirs.jsonl", user="mallory", check=False)
    assert result.returncode != 0


# --- The sandbox ---------------------------------------------------------------------------------

# What the daemon does with the kernel, done by a script in its place: one JSON member each, with "ok" or the
# name of the error.
PROBE = """
    import ctypes, errno, fcntl, json, mmap, os, signal, socket, struct, threading
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    os.chdir("/var/spool/sluice")
    libc = ctypes.CDLL(None, use_errno=True)
    results = {}

    def attempt(name, function, *arguments):
        try:
            function(*arguments)
            results[name] = "ok"
        except OSError as error:
            results[name] = errno.errorcode[error.errno]

    def call(name, *arguments):
        if getattr(libc, name)(*arguments) < 0:
            raise OSError(ctypes.get_errno(), name)

    def connector_directory():
        # Made with the sticky bit; the set-group-ID bit is inherited. The rights are widened by an access
        # ACL of u::rwx, g::-wx, o::---, which leaves both bits as they are.
        os.mkdir("incoming/probe", 0o1700)
        entries = (1, 7), (4, 3), (0x20, 0)
        acl = b"".join(struct.pack("<HHI", *entry, 0xFFFFFFFF) for entry in entries)
        os.setxattr("incoming/probe", "system.posix_acl_access", struct.pack("<I", 2) + acl)

    file = os.open("incoming/probe.jsonl", os.O_RDONLY)
    own = os.open("own", os.O_RDWR | os.O_CREAT, 0o600)
    attempt("read lease on another user's file", fcntl.fcntl, file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    attempt("release the lease", fcntl.fcntl, file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    attempt("claim by rename", os.rename, "incoming/probe.jsonl", "claimed")
    attempt("inotify", call, "inotify_add_watch", libc.inotify_init1(0), b"incoming", 8)
    attempt("syncfs", call, "syncfs", own)
    attempt("fallocate", os.posix_fallocate, own, 0, 4096)
    attempt("getrandom", os.getrandom, 16)
    attempt("flock on the spool", fcntl.flock, os.open(".", os.O_RDONLY), fcntl.LOCK_EX)
    attempt("epoll", lambda: __import__("select").epoll().close())
    attempt("thread", lambda: threading.Thread(target=int).start())
    attempt("TCP socket", lambda: socket.socket().close())
    attempt("directory for a connector", connector_directory)
    attempt("socket in /run/sluice", lambda: socket.socket(socket.AF_UNIX).bind("/run/sluice/s"))

    attempt("set-group-ID by chmod", os.chmod, "own", 0o2700)
    attempt("write outside the spool", os.mkdir, "/var/tmp/../lib/probe")
    attempt("home directories", os.listdir, "/root")
    attempt("raw socket", socket.socket, socket.AF_INET, socket.SOCK_RAW, 1)
    attempt("packet socket", socket.socket, socket.AF_PACKET)
    attempt("writable code", mmap.mmap, -1, 4096, mmap.MAP_PRIVATE, 7)
    attempt("become root", os.setuid, 0)
    attempt("mount", call, "mount", b"tmpfs", b"/mnt", b"tmpfs", 0, None)
    attempt("device", os.open, "/dev/kmsg", os.O_RDONLY)
    print(json.dumps(results))
"""

ALLOWED = [
    "read lease on another user's file",
    "release the lease",
    "claim by rename",
    "inotify",
    "syncfs",
    "fallocate",
    "getrandom",
    "flock on the spool",
    "epoll",
    "thread",
    "TCP socket",
    "directory for a connector",
    "socket in /run/sluice",
]
FORBIDDEN = [
    "set-group-ID by chmod",
    "write outside the spool",
    "home directories",
    "raw socket",
    "packet socket",
    "writable code",
    "become root",
    "mount",
    "device",
]


@pytest.fixture(scope="module")
def sandbox(lab):
    """What a script could do that ran in the daemon's place, under the shipped unit."""
    if lab.run("test", "-x", "/usr/bin/python3", check=False).returncode != 0:
        pytest.skip("needs /usr/bin/python3 for the script in the daemon's place")
    lab.shell(f"umask 077; echo 1 >{INCOMING}/probe.jsonl", user="alice")
    lab.write("/usr/local/lib/probe.py", textwrap.dedent(PROBE))
    drop_in = "/run/systemd/system/sluiced.service.d/probe.conf"
    lab.write(
        drop_in,
        "[Service]\nType=oneshot\nRestart=no\nWatchdogSec=0\nExecStart=\n"
        "ExecStart=/usr/bin/python3 /usr/local/lib/probe.py\n",
    )
    lab.run("systemctl", "daemon-reload")
    started = lab.run("systemctl", "start", "sluiced", check=False)
    lines = lab.journal("-u", "sluiced", "_COMM=python3")
    text = "\n".join(line["MESSAGE"] for line in lines)
    # Read before the clean-up, since the ACL is what the next test looks at.
    directory = lab.run("stat", "-c", "%a %U:%G", f"{INCOMING}/probe", check=False).stdout.strip()
    lab.shell(f"echo 1 >{INCOMING}/probe/dropped.jsonl", user="bob", check=False)
    dropped = lab.run("cat", f"{INCOMING}/probe/dropped.jsonl", user="sluice", check=False).stdout
    lab.shell(f"rm -rf {INCOMING}/* {SPOOL}/own {SPOOL}/claimed {drop_in}")
    lab.run("systemctl", "daemon-reload")
    assert started.returncode == 0, started.stderr + text
    return {**json.loads(lines[-1]["MESSAGE"]), "mode": directory, "dropped": dropped}


@pytest.mark.parametrize("need", ALLOWED)
def test_the_sandbox_lets_through_what_the_daemon_needs(sandbox, need):
    assert sandbox[need] == "ok"


@pytest.mark.parametrize("deed", FORBIDDEN)
def test_the_sandbox_stops_what_the_daemon_never_does(sandbox, deed):
    assert sandbox[deed] in ("EPERM", "EACCES", "EROFS", "EAFNOSUPPORT", "ENOENT")


def test_a_directory_for_one_connector_has_the_rights_of_the_one_above(sandbox):
    assert sandbox["mode"] == "3730 sluice:sluice-producers"
    assert sandbox["dropped"] == "1\n"


# --- The daemon ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store(s3):
    return Store(s3)


@pytest.fixture(scope="module")
def service(lab, store):
    """The service set up as its documentation says, with one connector, `orders`."""
    service = Service(lab, store)
    lab.write("/etc/sluice/sluice.toml", '[identity]\ncluster = "lab"\n')
    service.connector("orders")
    lab.write("/etc/sluice/credentials/orders.secret", store.secret + "\n", mode=0o600)
    service.drop_in("LoadCredential=orders.secret:/etc/sluice/credentials/orders.secret")
    return service


@pytest.fixture
def running(service):
    service.start()
    return service


def test_files_of_another_user_are_delivered_with_a_secret_from_systemd(running):
    running.drop(250)
    running.drop(50, user="bob")
    running.all_delivered()
    assert running.lab.property("SubState") == "running"
    (started, *_) = running.kinds("started")
    assert started["SYSLOG_IDENTIFIER"] == "sluiced" and started["PRIORITY"] == "5"
    lines = running.kinds("objectDelivered")
    assert sum(int(line["SLUICE_EVENTS"]) for line in lines) == 300
    assert {line["SLUICE_CONNECTOR"] for line in lines} == {"orders"}


def test_systemctl_status_sums_it_up(running):
    running.all_delivered()
    # It follows what happens within a second.
    status = "1 connector: 1 delivering; no backlog"
    eventually("it is told", lambda: running.lab.property("StatusText") == status)
    shown = running.lab.run("systemctl", "status", "sluiced", "--no-pager").stdout
    assert f'Status: "{status}"' in shown


def test_no_secret_is_in_the_journal_or_the_command_line(running):
    secret = running.store.secret
    assert secret not in running.lab.run("journalctl", "--no-pager", "-o", "export").stdout
    pid = running.lab.property("MainPID")
    assert secret not in running.lab.run("cat", f"/proc/{pid}/cmdline").stdout


def test_the_directory_of_a_connector_takes_files_of_producers(running):
    directory = f"{INCOMING}/orders"
    mode = eventually(
        "the directory is made",
        lambda: running.lab.run("stat", "-c", "%a %U:%G", directory, check=False).stdout.strip(),
    )
    assert mode == "3730 sluice:sluice-producers"
    line = '{"event_type": "orders.placed", "id": "by-directory", "time": 1795370000}'
    running.lab.shell(f"umask 077; echo '{line}' >{directory}/x.jsonl", user="bob")
    running.dropped.append("by-directory")
    running.all_delivered()


def test_a_reload_brings_a_connector_without_a_restart(running):
    pid = running.lab.property("MainPID")
    before = len(running.kinds("reloaded"))
    running.connector("orders", events='["orders.*"]')
    running.connector("more", bucket=running.store.other_bucket, events='["more.*"]')
    running.lab.run("systemctl", "reload", "sluiced")
    eventually("reloaded", lambda: len(running.kinds("reloaded")) > before)
    eventually("ready again", lambda: running.lab.property("SubState") == "running")
    ids = running.drop(10, type="more.things")
    running.dropped = running.dropped[: -len(ids)]
    eventually("in the other bucket", lambda: sorted(running.store.delivered(running.store.other_bucket)) == ids)
    assert running.lab.property("MainPID") == pid


def test_a_bad_configuration_is_refused_and_the_old_one_goes_on(running):
    pid = running.lab.property("MainPID")
    path = "/etc/sluice/connectors.d/orders.toml"
    good = running.lab.run("cat", path).stdout
    running.lab.write(path, 'kind = "nonsense"\n')
    try:
        running.lab.run("systemctl", "reload", "sluiced")
        (line, *_) = eventually("refused", lambda: running.kinds("reloadRefused"))
        assert "orders.toml" in line["MESSAGE"] and line["PRIORITY"] == "3"
        running.drop(20)
        running.all_delivered()
        assert running.lab.property("MainPID") == pid
    finally:
        running.lab.write(path, good)
        running.lab.run("systemctl", "reload", "sluiced")


def test_a_daemon_that_hangs_is_started_again_and_loses_nothing(running):
    pid = running.lab.property("MainPID")
    running.drop(1_000)
    running.lab.run("kill", "-STOP", pid)
    running.drop(500)
    eventually(
        "the watchdog's restart",
        lambda: running.lab.property("MainPID") not in ("0", pid)
        and running.lab.property("SubState") == "running",
    )
    assert int(running.lab.property("NRestarts")) >= 1
    running.all_delivered()


def test_a_killed_daemon_is_started_again_and_loses_nothing(running):
    before = running.store.objects()
    running.drop(3_000)
    eventually("some objects", lambda: running.store.objects() > before)
    pid = running.lab.property("MainPID")
    running.lab.run("kill", "-KILL", pid)
    eventually("a restart", lambda: running.lab.property("MainPID") not in ("0", pid))
    running.all_delivered()


def test_a_stop_in_mid_drain_is_quick_and_loses_nothing(running):
    running.all_delivered()
    before = running.store.objects()
    running.drop(40_000)
    eventually("some objects", lambda: running.store.objects() > before)
    begun = time.monotonic()
    running.stop()
    assert time.monotonic() - begun < 5
    assert running.lab.property("Result") == "success"
    assert running.kinds("stopping")
    delivered = running.store.delivered()
    assert len(delivered) < len(running.dropped), "the drain was over: the test shows nothing"
    running.start()
    running.all_delivered(seconds=120)


def test_a_wrong_configuration_fails_the_unit_and_says_why(running):
    running.stop()
    path = "/etc/sluice/sluice.toml"
    good = running.lab.run("cat", path).stdout
    running.lab.write(path, good + "nonsense = 1\n")
    try:
        assert running.lab.run("systemctl", "start", "sluiced", check=False).returncode != 0
        assert running.lab.property("ExecMainStatus") == "78"
        eventually("failed, for good", lambda: running.lab.property("ActiveState") == "failed")
        assert any("nonsense" in line["MESSAGE"] for line in running.kinds("startRefused"))
    finally:
        running.lab.write(path, good)
        running.lab.run("systemctl", "reset-failed", "sluiced")


def test_the_socket_outlives_a_stop_and_its_next_client_starts_the_daemon(service):
    ask = "curl --silent --show-error --max-time 30 --unix-socket /run/sluice/http.sock http://localhost"
    service.stop()
    try:
        service.lab.run("systemctl", "start", "sluiced.socket")
        for _ in range(2):
            # Whoever asks first, starts it; and /run/sluice is then as the service wants it.
            assert service.lab.shell(f"{ask}/healthz").stdout == "ok\n"
            assert service.lab.property("ActiveState") == "active"
            modes = "stat --format='%U:%G %a' /run/sluice /run/sluice/http.sock"
            assert service.lab.shell(modes).stdout.splitlines() == [
                "sluice:sluice 750", "sluice:sluice 660"]
            service.stop()
            assert service.lab.property("ActiveState") == "inactive"
        service.lab.run("systemctl", "stop", "sluiced.socket")
        assert service.lab.run("test", "-e", "/run/sluice/http.sock", check=False).returncode == 1
    finally:
        service.lab.run("systemctl", "stop", "sluiced.socket", "sluiced.service")
    # And without the socket unit, it listens by itself.
    service.start()
    assert service.lab.shell(f"{ask}/healthz").stdout == "ok\n"
