"""Whom the daemon speaks with: servers that somebody it trusts vouches for, by name, today."""

import pathlib
import re

import pytest

import certificates
import wire
from certificates import Authority
from daemon import Daemon
from installation import ROOT
from troubles import QUICK, ROLE, Case, port_of, see_through, wires

REFUSED = r"offers no TLS that can be trusted: .*; check endpoint, certificate and ca_file"


@pytest.fixture
def authority(tmp_path: pathlib.Path) -> Authority:
    return Authority(tmp_path)


def case(name: str, says: str = "", fault: wire.Fault | None = None) -> Case:
    return Case(name, fault, REFUSED.replace(".*", f".*({says}).*", 1))


def test_nothing_is_sent_to_whom_nobody_vouches_for(
    installation, scripted_s3, producer, authority, tmp_path
):
    stranger = Authority(tmp_path, "stranger")
    bad = {
        case("expired", "certificate has expired"): authority.server(ends=-1),
        case("not-yet", "certificate is not yet valid"): authority.server(begins=1),
        case("wrong-name", "no alternative certificate subject name matches"):
            authority.server(name=certificates.ELSEWHERE),
        case("unknown", "unable to get local issuer certificate|self-signed"): stranger.server(),
        case("itself", "self-signed certificate"): stranger.itself(),
        # One that the system would have to vouch for, since no file is named.
        case("system", "unable to get local issuer certificate|self-signed"): authority.server(),
        case("old", "protocol version|unsupported protocol|alert"):
            certificates.old_protocol(authority.server()),
        case("plain", "wrong version number", wire.answer_in_plain): None,
        case("reset", "onnection (was )?reset|SSL_ERROR_SYSCALL", wire.reset_after(1)): None,
    }
    with wires(list(bad), port_of(scripted_s3)) as by_name:
        for each, context in bad.items():
            by_name[each.name].tls = context
            trust = {} if each.name == "system" else {"tls": {"ca_file": authority.file}}
            installation.connector(
                each.name, each.name, by_name[each.name].url.replace("http:", "https:"),
                scripted_s3.KEYS, batch=QUICK, **trust)

        def mend(daemon: Daemon) -> None:
            assert scripted_s3.requests() == []
            for each in by_name.values():
                each.mend()
                each.tls = authority.server()
            # What recovers by itself does so first: what is under way at a reload decides nothing.
            for name in by_name.keys() - {"system"}:
                daemon.wait_for("reachable", name)
            with (installation.connectors / "system.toml").open("a") as file:
                file.write(f'[tls]\nca_file = "{authority.file}"\n')
            daemon.reload()

        see_through(installation, scripted_s3, producer, list(bad), mend)


SOURCES = ROOT / "Sources"


def test_no_line_of_the_sources_switches_verification_off():
    """One place tells libcurl whom to trust, and it has no condition."""
    found = {
        (path.name, line.strip())
        for path in SOURCES.rglob("*.*") if path.suffix in (".swift", ".h")
        for line in path.read_text().splitlines()
        if re.search("VERIFY(PEER|HOST|STATUS)|SSL_OPTIONS", line)}
    assert found == {
        ("EasyHandle.swift",
         "for peer in [CURLOPT_SSL_VERIFYPEER, CURLOPT_PROXY_SSL_VERIFYPEER] { set(peer, 1) }"),
        ("EasyHandle.swift",
         "for host in [CURLOPT_SSL_VERIFYHOST, CURLOPT_PROXY_SSL_VERIFYHOST] { set(host, 2) }"),
    }
    # Nor is OpenSSL told to verify less, behind libcurl's back.
    for path in SOURCES.rglob("*.*"):
        if path.suffix in (".swift", ".h"):
            assert not re.search("SSL_VERIFY_NONE|_set_verify|set_cert_verify", path.read_text()), path


KEYS = [
    "verify", "verify_tls", "tls_verify", "ssl_verify", "insecure", "insecure_tls", "skip_verify",
    "insecure_skip_verify", "allow_insecure_tls",
]


def test_no_key_of_the_configuration_switches_verification_off(installation, scripted_s3):
    for key in KEYS:
        installation.connector(
            key.replace("_", "-"), key.replace("_", "-"), scripted_s3.endpoint, scripted_s3.KEYS,
            **{key: "verify" not in key or "skip" in key})
    checked = installation.sluicectl("check")
    assert checked.returncode != 0
    for key in KEYS:
        name = key.replace("_", "-")
        assert re.search(rf"{name}\.toml: {key}: unknown key", checked.stderr), checked.stderr


PLAIN = [
    "http://s3.example.com", "http://10.0.0.1:9000", "http://169.254.169.254", "http://[fd00::1]",
    "http://127.0.0.1.example.com", "http://localhost.example.com", "HTTP://EXAMPLE.COM",
    "http://0.0.0.0",
]
"""Endpoints without encryption that leave this machine, or may."""


@pytest.mark.parametrize("key", ["endpoint", "sts_endpoint"])
def test_what_leaves_the_machine_is_encrypted_unless_somebody_insists(installation, scripted_s3, key):
    def configure(**more: object) -> None:
        for number, url in enumerate(PLAIN):
            role = {"role_arn": ROLE}
            installation.connector(
                f"c{number}", f"bucket-{number}", url if key == "endpoint" else "https://127.0.0.1:1",
                scripted_s3.KEYS, **more,
                credentials=role | ({key: url} if key == "sts_endpoint" else {}))

    configure()
    refused = installation.start(wait=False)
    assert refused.wait(10) == 78
    for number, url in enumerate(PLAIN):
        assert re.search(
            rf'c{number}\.toml: \S*{key}: "{re.escape(url)}" would send \w+ unencrypted; use https://',
            refused.transcript()), refused.transcript()

    configure(allow_insecure_http=True)
    assert installation.sluicectl("check").returncode == 0
