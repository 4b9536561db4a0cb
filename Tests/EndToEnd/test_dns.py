"""Names without an address: that of a store, and that of STS."""

from issuer import Issuer
from objects import events_in
from troubles import QUICK, ROLE, Case, assert_balanced, assert_clear, drop_for_each


def test_a_name_without_an_address_holds_its_connector_and_no_other(installation, scripted_s3, producer):
    cases = [
        Case("store", None, r"s3\.sluice\.invalid cannot be reached: .*[Rr]esolv.*check network, DNS"),
        Case("role", None, r"sts\.sluice\.invalid does not answer: .*[Rr]esolv.*check what issues them"),
    ]

    def configure(s3: str, sts: str) -> None:
        installation.connector("store", "store", s3, scripted_s3.KEYS, batch=QUICK)
        installation.connector(
            "role", "role", scripted_s3.endpoint, scripted_s3.KEYS, batch=QUICK,
            credentials={"role_arn": ROLE, "sts_endpoint": sts})

    with Issuer() as issuer:
        configure("https://s3.sluice.invalid", "https://sts.sluice.invalid")
        installation.connector("orders", "orders", scripted_s3.endpoint, scripted_s3.KEYS, batch=QUICK)
        daemon = installation.start()
        dropped = drop_for_each(installation, producer, [*cases, Case("orders", None, "")])
        # It does not wait for the resolver.
        daemon.wait_until(
            lambda: len(events_in(scripted_s3.objects("orders"))) == 40, "the other delivers", seconds=8)
        assert not any(daemon.said("reachable"))
        for case in cases:
            daemon.wait_for("unreachable", case.name, seconds=60)
            assert_clear(daemon, case)

        configure(scripted_s3.endpoint, issuer.url)
        daemon.reload()
        daemon.wait_until(lambda: not installation.waiting(), "everything was delivered")
        for case in cases:
            daemon.wait_for("reachable", case.name)
            assert_clear(daemon, case)
    assert_balanced(scripted_s3, dropped)
