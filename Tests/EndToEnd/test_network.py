"""Connections to S3 that break, and answers that are none: one line each, nothing lost or twice."""

import wire
from daemon import Daemon
from troubles import QUICK, Case, assert_balanced, port_of, see_through, wires

OK = b"HTTP/1.1 200 OK\r\n"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n"

UNREACHABLE = r"127\.0\.0\.1:\d+ cannot be reached: .*check network, DNS and proxy"
STRANGE = r"127\.0\.0\.1:\d+ answers, but not as S3 does: .*check endpoint, proxy and network"
TOO_LONG = "not as S3 does: the head of the answer is too long"


def play(installation, scripted_s3, producer, cases: list[Case]):
    """A connector for each case, behind a wire with its fault."""
    with wires(cases, port_of(scripted_s3)) as by_name:
        for name, each in by_name.items():
            installation.connector(name, name, each.url, scripted_s3.KEYS, batch=QUICK)

        def mend(_: Daemon) -> None:
            for each in by_name.values():
                each.mend()

        return see_through(installation, scripted_s3, producer, cases, mend)


def test_a_connection_may_be_reset_in_any_phase(installation, scripted_s3, producer):
    play(installation, scripted_s3, producer, [
        Case("at-once", wire.reset_at_once, UNREACHABLE),
        Case("in-the-head", wire.reset_after(50), UNREACHABLE),
        Case("in-the-body", wire.reset_in_body, UNREACHABLE),
        Case("before-the-answer", wire.reset_before_answer, UNREACHABLE),
        Case("answer-lost", wire.lose_answer, UNREACHABLE),
        Case("in-the-answers-head", wire.cut_answer, UNREACHABLE),
        Case("in-the-answers-body", wire.reply(OK + LENGTH % 100, b"x" * 50, is_done=True), UNREACHABLE),
    ])


def test_what_is_no_answer_of_http_is_a_lost_answer(installation, scripted_s3, producer):
    def lost(*pieces: bytes) -> wire.Fault:
        return wire.reply(*pieces, is_done=True)

    play(installation, scripted_s3, producer, [
        Case("another-protocol", lost(b"220 mail.example ESMTP\r\n"), STRANGE),
        Case("any-bytes", lost(bytes(range(256)) * 8), STRANGE),
        Case("nothing", lost(), UNREACHABLE),
        Case("bad-chunks", lost(OK + CHUNKED, b"zz\r\nno chunk\r\n"), UNREACHABLE),
        Case("negative-length", lost(OK + LENGTH % -5), STRANGE),
        Case("two-lengths", lost(OK + b"Content-Length: 5\r\n" + LENGTH % 7 + b"12345"), UNREACHABLE),
        Case("interim-only", lost(b"HTTP/1.1 100 Continue\r\n\r\n"), UNREACHABLE),
    ])


def test_heads_and_bodies_without_end_are_cut_off(installation, scripted_s3, producer):
    filler = b"a" * (1 << 20)
    gigabyte = [filler] * 1024
    daemon = play(installation, scripted_s3, producer, [
        Case("continue", wire.reply(endless=b"HTTP/1.1 100 Continue\r\n\r\n" * 1000), TOO_LONG),
        Case("headers", wire.reply(OK, endless=b"X-More: of the same\r\n" * 1000), TOO_LONG),
        Case("one-header", wire.reply(OK + b"X-Long: ", *[filler] * 100, b"\r\n\r\n"), TOO_LONG),
        Case("status-line", wire.reply(b"HTTP/1.1 200 ", endless=filler), TOO_LONG),
        Case("error-body",
             wire.reply(BUSY + LENGTH % (1 << 30), b"<Error><Code>SlowDown</Code>", *gigabyte),
             "asks for fewer requests", kind="throttled"),
        Case("error-chunks",
             wire.reply(BUSY + CHUNKED, endless=b"100000\r\n" + filler + b"\r\n"), "error of its own"),
        # What is no request ID of S3 is not repeated.
        Case("request-id",
             wire.reply(BUSY + b"x-amz-request-id: " + b"7" * 90_000 + b"\r\n" + LENGTH % 0),
             "error of its own"),
    ])
    # Some 25 MB are the program itself.
    assert daemon.peak_memory() < 80 << 20


def test_a_gigabyte_behind_a_200_is_not_read(installation, scripted_s3, producer):
    """The status says that the object is stored; no more is wanted of that answer."""
    filler = b"a" * (1 << 20)
    taken = []

    def flood(visit: wire.Visit) -> None:
        visit.ask(visit.read_request())
        visit.send(OK + b'ETag: "0123456789abcdef"\r\n' + LENGTH % (1 << 30))
        for number in range(1024):
            visit.send(filler)
            taken.append(number)

    lines = producer.lines(40, event_type="shop.Order")
    with wire.Wire(port_of(scripted_s3), flood) as flooded:
        installation.connector("orders", "orders", flooded.url, scripted_s3.KEYS, batch=QUICK)
        installation.drop("a.jsonl", lines, "orders")
        daemon = installation.start()
        daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
    assert_balanced(scripted_s3, {"orders": lines})
    assert daemon.peak_memory() < 80 << 20
    # What lay between in the buffers of the two sockets is more than the daemon read.
    assert len(taken) < 64 * flooded.visits
