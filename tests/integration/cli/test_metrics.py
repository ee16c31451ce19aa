"""`crowdroute serve` with metrics and all its lines: scraped while calls are made, and read afterwards."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.support.program import Served, run
from tests.unit.docs.documents import codes, read, section, tables

from crowdroute.api.v1 import tokens_pb2
from crowdroute.client import Client, ClientError, Connection
from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.adapters.sqlite_log import SqliteLog

SETTINGS = """\
log_level = "debug"

[metrics]
address = "127.0.0.1:0"
"""
NOT_HERE = ("crowdroute_feed_", "crowdroute_outbox_", "crowdroute_directory_", "crowdroute_archive_")
"""What the metrics begin with that an engine without feeds, Redis and an archive has none of."""
RULES = """\
schema: crowdroute.rules/v1
labels: [owl, robin]
quality: {overlap: {minimum: 1, maximum: 1}, gold: {share: 0, first: 0}}
"""
PERSON, NOTE = "ann@example.org", "a robin in the snow"


def lines(engine: Served) -> list[dict[str, Any]]:
    return [json.loads(line) for line in engine.remarks]


def work(engine: Served) -> str:
    """Have one task answered by one person; gives their bearer."""
    folder = engine.folder
    (folder / "birds.yaml").write_text(RULES)
    (folder / "items.csv").write_text(f"external_id,text\nfirst,{NOTE}\nsecond,{NOTE}\n")
    project = engine.told("project", "create", "birds", "--rules", "birds.yaml")["id"]
    engine.done("import", "birds", "items.csv")
    with Client(Connection(engine.address, engine.token_file.read_text().strip())) as owner:
        session = owner.operations.CreateWorkerSession(
            tokens_pb2.CreateWorkerSessionRequest(upsert={"external_id": PERSON})
        )
    with Client(Connection(engine.address, session.bearer)) as annotator:
        offers = annotator.next(project)
        annotator.submit(offers[0], {"label": "owl"})
        with pytest.raises(ClientError):
            annotator.submit(offers[0], {"label": "crow"})
    return str(session.bearer)


def secret_of(bearer: str) -> str:
    return bearer.split("_", maxsplit=2)[2]  # which may hold underscores itself


def test_a_served_engine_is_measured_and_tells_what_it_does(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(SETTINGS)
    engine = Served(tmp_path, tmp_path / "data", "--config", "settings.toml")
    try:
        (port,) = [line["port"] for line in lines(engine) if line["event"] == "metrics served"]
        bearer = work(engine)
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answered:
            text = answered.read().decode()
        token = engine.token_file.read_text().strip()
    finally:
        assert engine.stop() == 0

    # Every metric that is documented, and no other.
    families = {
        f"{family.name}_total" if family.type == "counter" else family.name: family
        for family in text_string_to_metric_families(text)
    }
    (table,) = tables(section(read("docs/operations.md"), "Metrics"))
    documented = {codes(row[0])[0] for row in table}
    assert set(families) == {name for name in documented if not name.startswith(NOT_HERE)}
    silent = {name for name, family in families.items() if not family.samples}
    assert silent == {"crowdroute_snapshot_last_written_timestamp_seconds"}, "no snapshot was written yet"
    (answers,) = [
        sample.value
        for sample in families["crowdroute_commands_total"].samples
        if sample.labels == {"shard": "0", "command": "SubmitAnswer", "outcome": "DONE"}
    ]
    assert answers == 1

    # Every line that a call leaves leads to what the call brought about.
    told = lines(engine)
    events = [line["event"] for line in told]
    assert events[-1] == "stopping"
    assert set(codes_of_events()) >= set(events)
    calls = [line for line in told if line["event"] == "call ended"]
    log = SqliteLog(engine.directory)
    causes = {
        (entry.cause.request, entry.cause.principal)
        for stored in log.read()
        for entry in decode_batch(stored.body, stored.sequence).entries
        if entry.cause.command == "SubmitAnswer"
    }
    log.close()
    submits = [line for line in calls if line["call"].endswith("/Submit")]
    assert {line["code"] for line in submits} == {"OK", "INVALID_ARGUMENT"}
    assert {(line["request"], line["principal"]) for line in submits if line["code"] == "OK"} == causes
    assert {line["tenant"] for line in submits} == {"default"}

    # Nothing secret, and nothing that people wrote or are called.
    for output in (text, "\n".join(engine.remarks)):
        for secret in (bearer, token, secret_of(bearer), secret_of(token), PERSON, NOTE):
            assert secret not in output
    assert not re.search(r"\b(?:wrk|psn|itm|tsk|asg|tok)_", text)


def codes_of_events() -> list[str]:
    """Give the events that the guide tells of."""
    return [codes(row[0])[0] for row in tables(section(read("docs/operations.md"), "Logs"))[0]] + [
        "the first administrator's token was written"
    ]


def test_an_address_for_metrics_that_is_taken_is_told_in_a_line(served: Served, tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(f'[metrics]\naddress = "{served.address}"\n')
    ran = run(tmp_path, "serve", "--dir", "data", "--address", "127.0.0.1:0", "--config", "settings.toml")
    assert ran.returncode == 2
    (line,) = [json.loads(each) for each in ran.stderr.splitlines()]
    assert (line["level"], line["event"], line["code"]) == ("critical", "ended", "CONFIGURATION")
    assert line["reason"].startswith(f"cannot serve metrics on {served.address}")
