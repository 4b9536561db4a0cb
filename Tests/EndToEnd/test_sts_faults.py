"""STS that breaks off or answers nonsense: nothing is signed or dropped, and others go on."""

import datetime
import time
from collections.abc import Iterator

import pytest

import certificates
import wire
from certificates import Authority
from daemon import Daemon
from issuer import Issuer
from troubles import QUICK, ROLE, Case, assert_balanced, drop_for_each, see_through, wires

OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
HERE = r"127\.0\.0\.1:\d+"
ADVICE = "; check what issues them, and the network to it"
SILENT = f"there are no credentials to sign with now: {HERE} does not answer: .*{ADVICE}"
NO_SESSION = f"{HERE} answered with no session{ADVICE}"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        yield running


def answered(status: int, body: bytes, head: bytes = b"") -> wire.Fault:
    return wire.reply(b"HTTP/1.1 %d Said\r\n" % status + head + LENGTH % len(body) + body)


def session(**members: str | None) -> bytes:
    """What STS gives, with members replaced, or left out where they are None."""
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    members = {
        "AccessKeyId": "ASIAFORGED", "SecretAccessKey": "forged-secret", "SessionToken": "forged-token",
        "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
    } | members
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in members.items() if value is not None)
    return ("<AssumeRoleResponse><AssumeRoleResult><Credentials>"
            f"{inner}</Credentials></AssumeRoleResult></AssumeRoleResponse>").encode()


def refusal(code: str) -> bytes:
    return (f"<ErrorResponse><Error><Code>{code}</Code><Message>not today</Message></Error>"
            "<RequestId>sts-1</RequestId></ErrorResponse>").encode()


def with_role(installation, scripted_s3, name: str, sts: str, **settings: object) -> None:
    installation.connector(
        name, name, scripted_s3.endpoint, scripted_s3.KEYS, batch=QUICK, **settings,
        credentials={"role_arn": ROLE, "external_id": "ext",
                     "sts_endpoint": sts, "grace": "0s"})


def play(installation, scripted_s3, issuer, producer, cases: list[Case]) -> Daemon:
    """A connector for each case, whose role is given behind a wire, and one with keys of its own."""
    installation.connector("keys", "keys", scripted_s3.endpoint, scripted_s3.KEYS, batch=QUICK)
    keys = producer.lines(40, event_type="shop.Order")
    with wires(cases, issuer.port) as by_name:
        for name, each in by_name.items():
            with_role(installation, scripted_s3, name, each.url)

        def mend(daemon: Daemon) -> None:
            installation.drop("keys.jsonl", keys, "keys")
            daemon.wait_for("object delivered", "keys")
            # Nothing was signed with what was no session.
            assert {request["bucket"] for request in scripted_s3.requests()} == {"keys"}
            for each in by_name.values():
                each.mend()

        daemon = see_through(installation, scripted_s3, producer, cases, mend)
    assert_balanced(scripted_s3, {"keys": keys})
    assert not daemon.said("events dropped") and not daemon.said("credentials failing")
    for secret in ("forged", "issued-", scripted_s3.KEYS.secret_access_key):
        assert secret not in daemon.transcript()
    return daemon


def test_a_connection_may_be_reset_in_any_phase(installation, scripted_s3, issuer, producer):
    play(installation, scripted_s3, issuer, producer, [
        Case("at-once", wire.reset_at_once, SILENT),
        Case("in-the-head", wire.reset_after(50), SILENT),
        Case("in-the-body", wire.reset_in_body, SILENT),
        Case("before-the-answer", wire.reset_before_answer, SILENT),
        Case("answer-lost", wire.lose_answer, SILENT),
        Case("in-the-answers-head", wire.cut_answer, SILENT),
        # All of a session is there, and yet it is not the whole answer.
        Case("in-the-answers-body", wire.reply(OK + LENGTH % 5000 + session()), SILENT),
        Case("in-a-chunk", wire.reply(OK + CHUNKED + b"1000\r\n" + session()), SILENT),
    ])


def test_a_200_that_gives_no_session(installation, scripted_s3, issuer, producer):
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=5)
    play(installation, scripted_s3, issuer, producer, [
        Case("empty", answered(200, b""), NO_SESSION),
        Case("garbage", answered(200, bytes(range(256)) * 8), NO_SESSION),
        Case("portal", answered(200, b"<html><title>Sign in</title></html>"), NO_SESSION),
        Case("cut-off", answered(200, session()[:150]), NO_SESSION),
        Case("no-token", answered(200, session(SessionToken=None)), NO_SESSION),
        Case("no-end", answered(200, session(Expiration=None)), NO_SESSION),
        Case("odd-end", answered(200, session(Expiration="tomorrow")), NO_SESSION),
        Case("two-lines", answered(200, session(AccessKeyId="ASIA\r\nx-amz-acl: public")), NO_SESSION),
        Case("expired", answered(200, session(Expiration=past.strftime("%Y-%m-%dT%H:%M:%SZ"))),
             f"the credentials that were given have expired already{ADVICE}"),
    ])


def test_errors_that_say_nothing_about_the_role(installation, scripted_s3, issuer, producer):
    play(installation, scripted_s3, issuer, producer, [
        Case("s500", answered(500, refusal("InternalFailure")), "answered with HTTP 500 .Internal"),
        Case("s503", answered(503, refusal("ServiceUnavailable")), "answered with HTTP 503 .Service"),
        Case("s502", answered(502, b"<html>no upstream</html>"), f"{HERE} answered with HTTP 502"),
        Case("throttled", answered(400, refusal("Throttling")), "answered with Throttling: not today"),
        # Without a request ID it is not STS who denies.
        Case("portal", answered(403, b"<html>Sign in</html>"), f"{HERE} answered with HTTP 403"),
        Case("proxy", answered(403, refusal("AccessDenied").replace(b"RequestId", b"Nothing")),
             f"{HERE} answered with HTTP 403 .AccessDenied"),
        Case("redirect", answered(302, b"", b"Location: http://127.0.0.1:1/\r\n"),
             "answered with HTTP 302"),
    ])


def test_heads_and_bodies_without_end_are_cut_off(installation, scripted_s3, issuer, producer):
    filler = b"a" * (1 << 20)
    too_long = "does not answer: the head of the answer is too long"
    daemon = play(installation, scripted_s3, issuer, producer, [
        Case("continue", wire.reply(endless=b"HTTP/1.1 100 Continue\r\n\r\n" * 1000), too_long),
        Case("headers", wire.reply(OK, endless=b"X-More: of the same\r\n" * 1000), too_long),
        Case("one-header", wire.reply(OK + b"X-Long: ", *[filler] * 100), too_long),
        Case("success-body", wire.reply(OK + LENGTH % (1 << 30), *[filler] * 1024), NO_SESSION),
        # The session is there, and then more than any session has.
        Case("session-and-more",
             wire.reply(OK + LENGTH % (1 << 30) + session(), *[filler] * 1024), NO_SESSION),
        Case("error-body",
             wire.reply(b"HTTP/1.1 500 Oh\r\n" + LENGTH % (1 << 30), *[filler] * 1024),
             "answered with HTTP 500"),
        Case("chunks", wire.reply(OK + CHUNKED, endless=b"100000\r\n" + filler + b"\r\n"), NO_SESSION),
        Case("no-http", wire.reply(b"220 mail.example ESMTP\r\n"), SILENT),
        Case("no-chunks", wire.reply(OK + CHUNKED + b"zz\r\nno chunk\r\n"), SILENT),
    ])
    assert daemon.peak_memory() < 80 << 20


def test_sts_must_be_vouched_for(
    installation, scripted_s3, issuer, producer, tmp_path
):
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    bad = {
        Case("expired", None, SILENT.replace(".*", ".*certificate has expired.*")):
            authority.server(ends=-1),
        Case("wrong-name", None, SILENT.replace(".*", ".*certificate subject name.*")):
            authority.server(name=certificates.ELSEWHERE),
        Case("unknown", None, SILENT): stranger.server(),
        Case("plain", wire.answer_in_plain, SILENT.replace(".*", ".*wrong version number.*")): None,
        Case("reset", wire.reset_after(1), SILENT): None,
    }
    with wires(list(bad), issuer.port) as by_name:

        def configure(name: str, sts: str) -> None:
            with_role(installation, scripted_s3, name, sts, tls={"ca_file": authority.file})

        for case, context in bad.items():
            by_name[case.name].tls = context
            configure(case.name, by_name[case.name].url.replace("http:", "https:"))

        def mend(_: Daemon) -> None:
            # Nobody who is not vouched for sees what would be signed for STS.
            assert issuer.calls == [] and scripted_s3.requests() == []
            for each in by_name.values():
                each.mend()
                each.tls = authority.server()

        see_through(installation, scripted_s3, producer, list(bad), mend)


def test_a_session_is_used_to_its_end_while_sts_gives_only_expired_ones(
    installation, scripted_s3, issuer, producer
):
    with_role(installation, scripted_s3, "orders", issuer.url)
    issuer.lifetime = 5
    daemon = installation.start()
    case = Case("orders", None, "have expired already")
    first = drop_for_each(installation, producer, [case], event_type="shop.Order")["orders"]
    daemon.wait_for("object delivered", "orders")
    given = time.time()
    issuer.lifetime = -60
    # Renewal fails ahead of the end, which is told; the present session is used on.
    renewal = daemon.wait_for("credentials unavailable", "orders")
    assert "the present ones are used until" in renewal.message
    daemon.wait_until(lambda: time.time() > given + 5, "the session has ended")
    second = producer.lines(40, event_type="shop.Order")
    installation.drop("b.jsonl", second, "orders")
    daemon.wait_for("unreachable", "orders", seconds=60)
    assert len(scripted_s3.requests("PUT")) == 1
    issuer.lifetime = 3600
    daemon.wait_for("reachable", "orders", seconds=60)
    daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    assert_balanced(scripted_s3, {"orders": first + second})
    assert not daemon.said("credentials failing")
