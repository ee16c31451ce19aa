"""What operations managers do with the program, against one served engine."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from tests.support.program import Served

from crowdroute.api.v1 import tokens_pb2, workers_pb2
from crowdroute.client import Client, Connection


def connect(served: Served) -> Client:
    return Client(Connection(served.address, served.token_file.read_text().strip()))


def answer_all(served: Served, project: str, worker: str, label: str) -> int:
    """Let one worker answer everything there is for them."""
    answered = 0
    with connect(served) as client:
        session = client.operations.CreateWorkerSession(
            tokens_pb2.CreateWorkerSessionRequest(upsert=workers_pb2.UpsertWorkerRequest(external_id=worker))
        )
        with Client(Connection(served.address, session.bearer)) as annotator:
            while offers := annotator.next(project):
                annotator.submit(offers[0], {"label": label})
                answered += 1
    return answered


def test_a_project_goes_from_rules_to_results(served: Served, folder: Path) -> None:
    project = served.told("project", "create", "whole", "--rules", "birds.yaml")
    (folder / "items.csv").write_text(
        "external_id,text,batch\n" + "".join(f"i{n},t{n},b{n % 2}\n" for n in range(6))
    )
    assert served.told("import", "whole", "items.csv") == {"rows": 6, "added": 6, "known": 0}
    assert answer_all(served, project["id"], "ann", "owl") == 6
    assert answer_all(served, project["id"], "bob", "owl") == 6

    stats = served.told("stats", "whole")
    assert (int(stats["tasks_finalised"]), int(stats["answers_accepted"])) == (6, 12)
    assert stats["owed"]["amount"] == "0.24"
    assert "tasks finalised" in served.done("stats", "whole")

    rows = list(csv.DictReader(io.StringIO(served.done("export", "whole"))))
    assert {row["external_id"] for row in rows} == {f"i{n}" for n in range(6)}
    assert {row["label"] for row in rows} == {"owl"}
    assert json.loads(rows[0]["label_probabilities"]).keys() == {"owl", "robin"}
    assert len(json.loads(rows[0]["annotations"])) == 2

    served.done("export", "whole", "--out", "out.jsonl", "--batch", "b0")
    lines = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert {line["external_id"] for line in lines} == {"i0", "i2", "i4"}
    assert lines[0].keys() == rows[0].keys()

    task = rows[0]["task_id"]
    assert "owl" in served.done("explain", "whole", task)
    assert served.told("explain", "whole", task)["summary"]
    assert served.told("tasks", "list", "whole", "--state", "finalised")[0]["state"] == "TASK_STATE_FINALISED"
    served.done("tasks", "reopen", "whole", task, "--reason", "client disagrees")
    served.done("tasks", "cancel", "whole", task, "--reason", "broken")
    assert served.told("tasks", "list", "whole", "--state", "cancelled")[0]["id"] == task
    assert "no such tasks" in served.done("tasks", "list", "whole", "--state", "open")


def test_results_are_exported_as_parquet_too(served: Served, folder: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow comes with the extra `models`")
    project = served.told("project", "create", "columns", "--rules", "birds.yaml")
    served.done("export", "columns", "--out", "none.parquet")
    assert parquet.read_table(folder / "none.parquet").num_rows == 0
    (folder / "one.csv").write_text("external_id,text\nx,hoot\n")
    served.done("import", "columns", "one.csv")
    answer_all(served, project["id"], "cyd", "robin")
    answer_all(served, project["id"], "dan", "robin")
    served.done("export", "columns", "--out", "one.parquet")
    (row,) = parquet.read_table(folder / "one.parquet").to_pylist()
    assert (row["external_id"], row["label"], row["revision"]) == ("x", "robin", 1)


def test_an_import_stops_at_a_bad_row_and_doubles_nothing_when_repeated(served: Served, folder: Path) -> None:
    served.done("project", "create", "gold", "--rules", "birds.yaml")
    rows = ["external_id,text,gold", *(f"r{n},t," for n in range(600)), "g1,t,eagle"]
    (folder / "gold.csv").write_text("\n".join(rows) + "\n")

    message = served.refused("import", "gold", "gold.csv")

    assert "gold.csv, line 602: " in message
    assert "'eagle'" in message
    assert "owl, robin" in message
    assert "from gold.csv, line 502 on" in message
    rows[-1] = "g1,t,owl"
    (folder / "gold.csv").write_text("\n".join(rows) + "\n")
    assert served.told("import", "gold", "gold.csv") == {"rows": 601, "added": 101, "known": 500}
    assert served.told("import", "gold", "gold.csv") == {"rows": 601, "added": 0, "known": 601}


def test_a_file_with_a_malformed_row_sends_nothing(served: Served, folder: Path) -> None:
    served.done("project", "create", "untouched", "--rules", "birds.yaml")
    (folder / "torn.csv").write_text("external_id,text\na,b\nc\n")
    ended = served.run("import", "untouched", "torn.csv")
    assert ended.returncode == 2
    assert "torn.csv, line 3: 1 cells" in ended.stderr
    assert served.told("tasks", "list", "untouched") == []


def test_large_content_is_sent_in_parts(served: Served, folder: Path) -> None:
    served.done("project", "create", "large", "--rules", "birds.yaml")
    (folder / "picture.png").write_bytes(bytes(200_000))
    rows = "".join(f"p{n},@picture.png\n" for n in range(30))
    (folder / "large.csv").write_text("external_id,picture\n" + rows)
    assert served.told("import", "large", "large.csv")["added"] == 30


def test_rules_are_applied_looked_back_at_and_written_out(served: Served, folder: Path) -> None:
    served.done("project", "create", "ruled", "--rules", "birds.yaml")
    shown = served.done("rules", "show", "ruled")
    (folder / "again.yaml").write_text(shown.replace("maximum: 2", "maximum: 3"))
    assert served.told("rules", "apply", "ruled", "again.yaml")["version"] == 2
    assert [one["version"] for one in served.told("rules", "history", "ruled")] == [2, 1]
    assert "maximum: 3" in served.done("rules", "show", "ruled")
    assert "maximum: 2" in served.done("rules", "show", "ruled", "--version", "1")
    served.refused("rules", "apply", "ruled", "again.yaml", "--expected-version", "1")
    (folder / "wrong.yaml").write_text("schema: crowdroute.rules/v1\nlabels: [owl]\n")
    assert "labels" in served.refused("rules", "apply", "ruled", "wrong.yaml")


def test_tokens_are_issued_listed_and_revoked(served: Served, folder: Path) -> None:
    issued = served.told("token", "create", "reader", "--scope", "projects.read", "--expires", "1d")
    token = issued["token"]["id"]
    (folder / "reader.token").write_text(issued["bearer"])
    as_reader = ("--token-file", "reader.token")
    assert "birds" in served.done("project", "list", *as_reader)
    assert "PERMISSION_DENIED" in served.refused("token", "list", *as_reader)
    assert token in {one["id"] for one in served.told("token", "list")}
    assert token in served.done("token", "list")
    served.done("token", "revoke", token)
    assert next(one for one in served.told("token", "list") if one["id"] == token)["revoked"]
    assert served.run("project", "list", *as_reader).returncode == 3
    assert "no scope 'nothing'" in served.refused("token", "create", "x", "--scope", "nothing")


def test_workers_are_paused_resumed_discounted_and_banned(served: Served, folder: Path) -> None:
    project = served.told("project", "create", "people", "--rules", "birds.yaml")
    (folder / "people.csv").write_text("external_id,text\nx,hoot\n")
    served.done("import", "people", "people.csv")
    answer_all(served, project["id"], "eve", "owl")
    before = next(one for one in served.told("workers", "list") if one["external_id"] == "eve")["status"]

    assert "eve is paused" in served.done("workers", "pause", "eve")
    assert "eve is " in served.done("workers", "resume", "eve")
    after = next(one for one in served.told("workers", "list") if one["external_id"] == "eve")["status"]
    assert after == before
    assert "WRONG_STATE" in served.refused("workers", "resume", "eve")

    assert "eve" in served.done("workers", "list", "--project", "people")
    served.done("workers", "discount", "people", "eve", "--reason", "answers at random")
    (listed,) = [one for one in served.told("workers", "list", "--project", "people") if "record" in one]
    assert listed["record"]["discounted"]
    assert "eve is banned" in served.done("workers", "ban", "eve")
    assert "NOT_FOUND" in served.refused("workers", "pause", "nobody")


def test_an_operator_says_what_a_worker_may_do(served: Served) -> None:
    known = served.told("workers", "add", "sue", "--stages", "senior", "--capacity", "3")
    assert (known["stages"], known["capacity"]) == (["STAGE_SENIOR"], 3)

    words = ("--stages", "crowd,senior", "--skills", "law=0.8, birds=1", "--languages", "de,pt-BR")
    changed = served.told("workers", "set", "sue", *words)
    assert changed["id"] == known["id"]
    assert changed["stages"] == ["STAGE_CROWD", "STAGE_SENIOR"]
    assert [(one["name"], one["level"]) for one in changed["skills"]] == [("birds", 1.0), ("law", 0.8)]
    assert (changed["languages"], changed["capacity"]) == (["de", "pt-br"], 3)

    text = served.done("workers", "set", known["id"], "--skills", "", "--capacity", "0")
    assert f"sue ({known['id']}): stages crowd,senior; skills none; languages de, pt-br;" in text
    assert "capacity as the rules say" in text
    assert "crowd,senior" in served.done("workers", "list")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--stages", "boss"), "there is no stage 'boss'; the stages are crowd, senior, expert"),
        (("--stages", ""), "name at least one of crowd, senior, expert"),
        (("--skills", "law"), "'law' is no skill with a level"),
        ((), "nothing to set"),
    ],
)
def test_what_nobody_may_do_is_refused_by_the_program(
    served: Served, words: tuple[str, ...], said: str
) -> None:
    ended = served.run("workers", "set", "sue", *words)
    assert ended.returncode == 2
    assert said in " ".join(ended.stderr.replace("│", " ").split())


def test_a_worker_whom_nobody_knows_is_not_set(served: Served) -> None:
    assert "NOT_FOUND" in served.refused("workers", "set", "nobody", "--stages", "senior")
    assert "level" in served.refused("workers", "add", "sue", "--skills", "law=7")
    assert "NOT_FOUND" in served.refused("workers", "add", "sue", "--pool", "pol_" + "0" * 31 + "1")


def test_a_project_is_paused_and_resumed(served: Served) -> None:
    project = served.told("project", "create", "halted", "--rules", "birds.yaml")
    assert "halted is paused" in served.done("project", "pause", "halted")
    state = next(one for one in served.told("project", "list") if one["id"] == project["id"])["state"]
    assert state == "PROJECT_STATE_PAUSED"
    assert "halted is active" in served.done("project", "resume", project["id"])
    assert "ALREADY_EXISTS" in served.refused("project", "create", "halted", "--rules", "birds.yaml")


@pytest.mark.parametrize(
    "words",
    [
        ("stats", "nothing"),
        ("export", "nothing"),
        ("explain", "birds", "tsk_1"),
        ("explain", "birds", "asg_" + "0" * 32),
        ("tasks", "cancel", "birds", "tsk_" + "0" * 32, "--reason", "x"),
        ("rules", "show", "birds", "--version", "9"),
        ("token", "revoke", "tok_" + "0" * 32),
    ],
)
def test_what_does_not_exist_is_refused_with_a_code(served: Served, words: tuple[str, ...]) -> None:
    served.refused(*words)


def test_an_engine_that_is_not_there_is_told_with_the_address(served: Served) -> None:
    ended = served.run("stats", "birds", "--address", "127.0.0.1:1")
    assert ended.returncode == 1
    assert "127.0.0.1:1" in ended.stderr


def test_a_record_is_replayed_against_a_running_engine(served: Served, folder: Path) -> None:
    (folder / "labels.csv").write_text(
        "task,worker,label\n" + "".join(f"t{t},w{w},a\n" for t in range(8) for w in range(3))
    )
    (folder / "known.csv").write_text("task,label\nt1,a\nt2,b\n")
    told = served.told(
        "replay", "labels.csv", "--gold", "known.csv", "--server", served.address, "--concurrency", "2"
    )
    assert told["finalised"] + told["exhausted"] + told["escalated"] == 8
    assert told["accuracy"] == 0.5
