"""What is slow without end: it is given up after a while, and holds nobody else up until then."""

import os
import secrets

import pytest

import wire
from issuer import Issuer
from objects import assert_same_events, events_in
from troubles import (
    QUICK, ROLE, Case, assert_balanced, drop_for_each, port_of, see_through, wires)

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
HEADER = b"X-More: " + b"a" * 190 + b"\r\n"
CHUNK = b"64\r\n" + b"a" * 100 + b"\r\n"


def bytes_of(text: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in text]


SLOW = [
    Case("silent", wire.never_answer, "no answer within|[Oo]peration too slow"),
    Case("answer-of-1-byte-a-second", wire.drip(*bytes_of(OK + HEADER * 9)),
         "[Oo]peration too slow"),
    # libcurl counts no bytes of a head as progress.
    Case("head-without-end", wire.drip(OK, endless=HEADER), "[Oo]peration too slow"),
    Case("body-without-end", wire.drip(OK + CHUNKED, endless=CHUNK), "no answer within 90 s"),
    Case("request-read-by-1-byte-a-second", wire.crawl, "[Oo]peration too slow|no answer within 90 s"),
]


def test_slow_connectors_hold_no_other_up(installation, scripted_s3, producer):
    """More of them than there may be transfers: 32, of which each takes four."""
    cases = [case._replace(name=f"{case.name}-{number}") for case in SLOW for number in range(2)]
    with wires(cases, port_of(scripted_s3)) as by_name:
        for name, each in by_name.items():
            installation.connector(name, name, each.url, scripted_s3.KEYS, batch=QUICK)
        installation.connector(
            "orders", "orders", scripted_s3.endpoint, scripted_s3.KEYS, batch=QUICK)
        daemon = installation.start()
        dropped = drop_for_each(installation, producer, cases, 60)
        daemon.wait_until(
            lambda: sum(each.visits for each in by_name.values()) >= 32,
            "the slow ones take all transfers")

        dropped["orders"] = producer.lines(60)
        installation.drop("orders.jsonl", dropped["orders"], "orders")
        daemon.wait_until(
            lambda: len(events_in(scripted_s3.objects("orders"))) == 60, "the other delivers",
            seconds=20)
        assert_same_events(events_in(scripted_s3.objects("orders")), dropped["orders"])
        assert daemon.stop(seconds=5) == 0
        for each in by_name.values():
            each.mend()
        installation.drain()
    assert_balanced(scripted_s3, dropped)


@pytest.mark.skipif("SLUICE_LONG" not in os.environ, reason="takes four minutes: set SLUICE_LONG=1")
def test_what_is_slow_without_end_is_given_up_and_told(installation, scripted_s3, producer):
    sts = [
        Case("sts-silent", wire.never_answer, "does not answer"),
        Case("sts-answer-of-1-byte-a-second", wire.drip(*bytes_of(OK + HEADER * 9)),
             "does not answer: .*(too slow|no answer within 30 s)"),
        Case("sts-head-without-end", wire.drip(OK, endless=HEADER),
             "does not answer: .*(too slow|no answer within 30 s)"),
        Case("sts-body-without-end",
             wire.drip(OK + CHUNKED, endless=CHUNK),
             "did not come within|too slow|no answer within"),
    ]
    tls = Case("handshake", wire.never_answer, "SSL connection timeout")
    with Issuer() as issuer, wires(sts, issuer.port) as issuers, \
            wires([*SLOW, tls], port_of(scripted_s3)) as stores:
        for name, each in stores.items():
            url = each.url.replace("http:", "https:") if name == "handshake" else each.url
            installation.connector(name, name, url, scripted_s3.KEYS, batch=QUICK)
        for name, each in issuers.items():
            installation.connector(
                name, name, scripted_s3.endpoint, scripted_s3.KEYS, batch=QUICK,
                credentials={"role_arn": ROLE, "sts_endpoint": each.url})

        def mend(daemon) -> None:
            assert scripted_s3.requests() == []
            for each in [*stores.values(), *issuers.values()]:
                each.mend()
            installation.connector(
                "handshake", "handshake", stores["handshake"].url, scripted_s3.KEYS, batch=QUICK)
            daemon.reload()

        # More than the buffers of two sockets hold, so that most of it stays in the daemon.
        see_through(
            installation, scripted_s3, producer, [*SLOW, tls, *sts], mend, seconds=400,
            filler=secrets.token_hex(200_000))
