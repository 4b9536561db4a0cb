"""A connector leaves the configuration while a producer still writes a file for it."""

from objects import assert_same_events, events_in

BATCH = {"max_age": "1s"}


def test_a_file_whose_writer_outlives_its_connector_waits_for_the_connector(
    installation, scripted_s3, producer
):
    def configure(name: str) -> None:
        installation.connector(
            name, "scripted", scripted_s3.endpoint, scripted_s3.KEYS, batch=BATCH, folder=name)

    configure("stays")
    configure("leaves")
    daemon = installation.start()
    lines, others = producer.lines(40), producer.lines(10)
    with (installation.incoming("leaves") / "slow.jsonl").open("wb") as file:
        file.writelines(lines[:20])
        file.flush()
        daemon.wait_until(
            lambda: list(installation.spool.glob("active/.claiming-*")), "the file was found")
        (installation.connectors / "leaves.toml").unlink()
        daemon.reload()
        daemon.wait_for("reloaded")
        file.writelines(lines[20:])
    # Whatever becomes of the first file has become of it when a later one is delivered.
    installation.drop("later.jsonl", others, "stays")
    daemon.wait_until(lambda: scripted_s3.objects("scripted"), "the later file was delivered")
    assert not list((installation.spool / "quarantine").iterdir()), daemon.transcript()
    (told,) = daemon.said("file waiting")
    assert told.message == ("file incoming/leaves/slow.jsonl waits: "
                            "connector leaves is not in the configuration")

    # A start neither takes it nor waits for it.
    assert daemon.stop() == 0
    installation.drain()
    configure("leaves")
    installation.drain()
    assert installation.waiting() == []
    assert_same_events(events_in(scripted_s3.objects("scripted")), lines + others)
