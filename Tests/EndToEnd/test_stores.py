"""A store that answers, and wrongly: errors in storms, by chance, in disguise, or from somewhere else."""

import os

import wire
from daemon import Daemon
from troubles import (
    QUICK, Case, assert_balanced, drop_for_each, port_of, see_through, told)

NOBODY = {"x-amz-request-id": None}
"""No request ID: whoever answers so is not S3."""
PORTAL = "<html><head><title>Sign in to the guest network</title></head></html>"
NOT_S3 = "what answers is not S3 .*check endpoint, proxy and network"


def document(code: str, more: str = "") -> str:
    return (f"<Error><Code>{code}</Code><Message>not today</Message>{more}"
            "<RequestId>4442587FB7D0A2F9</RequestId></Error>")


def answer(status: int, body: str, headers: dict[str, str | None] | None = None) -> dict:
    return {"do": "answer", "status": status, "body": body, "headers": headers or {}}


def play(
    installation, scripted_s3, producer, cases: dict[Case, dict], *, reload: bool = False
) -> Daemon:
    """A connector for each case, whose bucket answers every upload as the rule says.

    With `reload` somebody mends it, and does not wait until the daemon tries again by itself.
    """

    def mend(daemon: Daemon) -> None:
        scripted_s3.mend()
        if reload:
            # What recovers by itself does so first: what is under way at a reload decides nothing.
            for each in cases:
                if each.ends == "reachable":
                    daemon.wait_for("reachable", each.name)
            daemon.reload()

    for case in cases:
        installation.connector(
            case.name, case.name, scripted_s3.endpoint, scripted_s3.KEYS, batch=QUICK)
    scripted_s3.script(*({"method": "PUT", "bucket": case.name, "times": None} | rule
                         for case, rule in cases.items()))
    return see_through(installation, scripted_s3, producer, list(cases), mend)


def case(name: str, says: str, **more: str) -> Case:
    return Case(name, wire.Visit.pass_on, says, **more)


def test_storms_of_errors(installation, scripted_s3, producer):
    play(installation, scripted_s3, producer, {
        case("s500", "has an error of its own: not today .InternalError, request"):
            answer(500, document("InternalError")),
        case("s503", "asks for fewer requests .SlowDown", kind="throttled"):
            answer(503, document("SlowDown")),
        case("s429", "asks for fewer requests .HTTP 429", kind="throttled"): answer(429, ""),
        # A balancer with nothing behind it.
        case("s502", "has an error of its own .HTTP 502"): answer(502, PORTAL, NOBODY),
        case("s408", "waited too long for the request .RequestTimeout"):
            answer(400, document("RequestTimeout")),
        case("s599", "has an error of its own .HTTP 599"): answer(599, ""),
    })


def test_a_200_alone_delivers_nothing(installation, scripted_s3, producer):
    """An object is stored when S3 says so: not an error document, nor a server that says 200 to anything."""
    play(installation, scripted_s3, producer, {
        case("error", "has an error of its own: not today .InternalError, request"):
            answer(200, document("InternalError")),
        case("busy", "asks for fewer requests .SlowDown", kind="throttled"):
            answer(200, document("SlowDown")),
        case("denied", NOT_S3): answer(200, document("AccessDenied")),
        case("portal", NOT_S3): answer(200, PORTAL, NOBODY),
        case("empty", NOT_S3): answer(204, "", NOBODY),
    })


def test_what_answers_is_not_s3(installation, scripted_s3, producer):
    bomb = "<!DOCTYPE a [<!ENTITY b 'bb'>]>" + document("&b;" * 100)
    play(installation, scripted_s3, producer, {
        # None of these says anything about credentials, so nothing may ever be dropped for them.
        case("proxy-403", NOT_S3): answer(403, document("AccessDenied").split("<RequestId>")[0], NOBODY),
        case("portal-401", NOT_S3): answer(401, PORTAL, NOBODY),
        case("portal-302", NOT_S3): answer(302, PORTAL, NOBODY | {"Location": "http://127.0.0.1:1/"}),
        case("bomb", NOT_S3): answer(400, bomb, NOBODY),
        case("nested", NOT_S3): answer(403, "<Error>" * 100_000, NOBODY),
        case("garbage", "refuses s3:PutObject .HTTP 400, request", kind="destination misconfigured",
             ends="connector verified"): {"do": "garbage"},
        case("escapes", r"refuses s3:PutObject: a \[31m red .Odd", kind="destination misconfigured",
             ends="connector verified"):
            answer(400, document("Odd").replace("not today", "a\x1b[31m\nred\r")),
    }, reload=True)


def test_a_redirect_is_never_followed(installation, scripted_s3, producer):
    """Whoever it names would get headers that are signed."""
    with wire.Wire(port_of(scripted_s3)) as elsewhere:
        there = {"Location": f"{elsewhere.url}/bucket/key"}
        daemon = play(installation, scripted_s3, producer, {
            case("r301", "refuses s3:PutObject .HTTP 301", kind="destination misconfigured",
                 ends="connector verified"): answer(301, "", there),
            case("r302", NOT_S3): answer(302, "", there | NOBODY),
            case("r307", "has an error of its own .HTTP 307"): answer(307, "", there),
            case("r308", NOT_S3): answer(308, "", there | NOBODY),
        }, reload=True)
        assert elsewhere.visits == 0
    assert "AWS4-HMAC" not in daemon.transcript()


def test_a_400_that_names_the_region_corrects_it(installation, scripted_s3, producer):
    installation.connector("orders", "orders", scripted_s3.endpoint, scripted_s3.KEYS, batch=QUICK)
    lines = producer.lines(40, event_type="shop.Order")
    installation.drop("a.jsonl", lines, "orders")
    region = "<Region>eu-central-1</Region>"
    scripted_s3.script(
        {"method": "PUT"} | answer(400, document("AuthorizationHeaderMalformed", region)))
    daemon = installation.drain()
    first, second = (dict(request["headers"])["authorization"]
                     for request in scripted_s3.requests("PUT"))
    assert "/eu-west-1/s3/" in first
    assert "/eu-central-1/s3/" in second
    assert daemon.troubles() == []
    assert_balanced(scripted_s3, {"orders": lines})


def test_a_region_that_is_no_region_goes_nowhere(installation, scripted_s3, producer):
    """It would become part of a host name, which would then get signed requests."""
    text = document("AuthorizationHeaderMalformed", "<Region>evil.example/</Region>")
    daemon = play(installation, scripted_s3, producer, {
        case("orders", "cannot be used with this region and endpoint: not today .Authorization",
             kind="destination misconfigured", ends="connector verified"): answer(400, text),
    }, reload=True)
    assert "evil" not in daemon.transcript()


MIX = [
    ({"do": "exists", "same": True}, 0.12),
    ({"do": "answer", "status": 409, "code": "ConditionalRequestConflict"}, 0.12),
    ({"do": "skew", "seconds": 3600}, 0.08),
    ({"do": "answer", "status": 503, "code": "SlowDown"}, 0.06),
    ({"do": "answer", "status": 500, "code": "InternalError"}, 0.06),
    ({"do": "answer", "status": 502, "body": PORTAL, "headers": NOBODY}, 0.04),
    ({"do": "lose"}, 0.06),
    ({"do": "cut", "bytes": 20}, 0.05),
    ({"do": "reset", "after": 0}, 0.05),
    ({"do": "reset", "after": 1000}, 0.04),
]
"""What happens to an upload, and how often where nothing before it in the list did."""


def test_half_of_all_answers_are_errors_of_all_kinds(installation, scripted_s3, producer):
    """With a seeded schedule. SLUICE_LONG=N makes it N times as long."""
    names = [f"orders-{number}" for number in range(4)]
    for name in names:
        installation.connector(
            name, name, scripted_s3.endpoint, scripted_s3.KEYS, batch=QUICK | {"max_events": 100})
    scripted_s3.script(
        *({"method": "PUT", "times": None, "probability": often, "seed": seed} | rule
          for seed, (rule, often) in enumerate(MIX)),
        *({"method": "HEAD", "times": None, "probability": 0.2, "seed": seed} | rule
          for seed, rule in enumerate([{"do": "reset"}, {"do": "answer", "status": 503}])))
    daemon = installation.start()
    count = 1000 * int(os.environ.get("SLUICE_LONG", "1"))
    dropped = drop_for_each(
        installation, producer, [case(name, "") for name in names], count, event_type="shop.Order")
    daemon.wait_until(
        lambda: not installation.waiting(), "everything was delivered", seconds=count / 10)
    assert_balanced(scripted_s3, dropped)
    requests = scripted_s3.requests("PUT")
    failed = [request for request in requests if request.get("rule")]
    assert 0.3 < len(failed) / len(requests) < 0.7
    # Each trouble is told once while it lasts, not once for each failure.
    lines = [line for name in names for line in told(daemon, name)]
    assert len(lines) < len(failed) / 2, daemon.transcript()
    assert {line.kind for line in lines} <= {"unreachable", "throttled"}, daemon.transcript()
