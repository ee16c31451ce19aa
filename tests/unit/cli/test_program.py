"""The program as a whole: help, exit codes, and a message with a code for every error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import typer

from crowdroute.router.cli import DONE, FOUND, MISUSED, run
from crowdroute.router.cli.app import app
from crowdroute.router.cli.output import print_table


def commands(group: typer.Typer, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Give every command as the words that call it."""
    for command in group.registered_commands:
        assert command.callback is not None
        yield (*before, command.name or command.callback.__name__)
    for nested in group.registered_groups:
        assert nested.typer_instance is not None
        yield from commands(nested.typer_instance, (*before, str(nested.name)))


COMMANDS = sorted(commands(app))
EXAMPLES_WITHOUT_WORDS = {"demo"}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_an_example(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "--help"]) == DONE
    told = " ".join(capsys.readouterr().out.split())
    assert f"Example: crowdroute {' '.join(words)}" in told


def test_there_are_commands_for_everything() -> None:
    assert {words[0] for words in COMMANDS} >= {
        "serve", "demo", "import", "export", "rules", "replay", "aggregate", "workers", "explain", "log",
        "project", "token", "tasks", "stats",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing"], "nothing"),
        (["replay"], "labels"),
        (["replay", "/there/is/no.csv"], "/there/is/no.csv"),
        (["replay", "{labels}", "--policy", "best"], "best"),
        (["replay", "{labels}", "--rules", "{labels}", "--in-process"], "schema"),
        (["replay", "{labels}", "--gold", "{bad}", "--in-process"], "line 1"),
        (["replay", "{bad}", "--in-process"], "line 1"),
        (["replay", "{binary}", "--in-process"], "binary"),
        (["aggregate", "{labels}", "--model", "oracle"], "oracle"),
        (["aggregate", "{labels}", "--out", "/there/is/no/folder.csv"], "/there/is/no/folder.csv"),
        (["aggregate", "{bad}"], "line 1"),
        (["serve", "--address", "nowhere"], "address"),
        (["serve", "--config", "/there/is/no.toml"], "/there/is/no.toml"),
        (["log", "verify", "--dir", "/there/is/nothing"], "/there/is/nothing"),
        (["log", "verify", "--dir", "{folder}"], "no log"),
        (["log", "status"], "config"),
        (["log", "status", "--config", "{settings}"], "names no log on Kafka"),
        (["export", "birds", "--out", "birds.xlsx"], "birds.xlsx"),
        (["tasks", "list", "birds", "--state", "lost"], "lost"),
        (["token", "create", "x", "--scope", "tasks.read", "--expires", "soon"], "soon"),
        (["token", "create", "x", "--scope", "tasks.read", "--expires", "0d"], "is no lifetime"),
        (["token", "create", "x", "--scope", "tasks.read", "--expires", "9999999999d"], "is no lifetime"),
        (["export", "birds", "--out", "{folder}/folder.csv"], "is a folder: name a file"),
        (["aggregate", "{none}"], "holds no labels: there is nothing below its first line"),
        (["replay", "{none}", "--in-process"], "holds no labels: there is nothing below its first line"),
        (["stats", "birds"], "no token"),
        (["stats", "birds", "--token-file", "{binary}"], "binary"),
        (["stats", "birds", "--token-file", "/there/is/none"], "/there/is/none"),
    ],
)
def test_wrong_use_is_told_with_a_code(
    arguments: list[str],
    told: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CROWDROUTE_TOKEN", raising=False)
    monkeypatch.delenv("CROWDROUTE_TOKEN_FILE", raising=False)
    files = {"labels": tmp_path / "labels.csv", "bad": tmp_path / "bad.csv", "binary": tmp_path / "binary"}
    files["labels"].write_text("task,worker,label\nt,w,a\nt,v,b\n")
    files["bad"].write_text("one,two\n1,2\n")
    files["binary"].write_bytes(b"\xff\xfe\x00")
    files["settings"] = tmp_path / "crowdroute.toml"
    files["settings"].write_text("")
    files["none"] = tmp_path / "none.csv"
    files["none"].write_text("task,worker,label\n")
    (tmp_path / "folder.csv").mkdir()
    code = run([one.format(**files, folder=tmp_path) for one in arguments])
    captured = capsys.readouterr()
    assert code in (MISUSED, 3), captured.err
    error = next(line for line in captured.err.splitlines() if line.startswith("error: "))
    assert told in captured.err
    assert captured.err.rstrip().endswith("]"), error
    assert captured.out == ""


def test_a_group_without_a_command_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules"]) == MISUSED
    assert "history" in capsys.readouterr().out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == DONE
    assert capsys.readouterr().out.strip()


def test_sound_rules_are_sound_and_others_are_found_with_line_and_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("schema: crowdroute.rules/v1\nlabels: [owl, robin]\n")
    bad.write_text("schema: crowdroute.rules/v1\nlabels: [owl, robin]\nquality: {overlap: {minimum: 0}}\n")

    assert run(["rules", "check", str(good)]) == DONE
    capsys.readouterr()
    assert run(["rules", "check", str(good), "--json"]) == DONE
    assert json.loads(capsys.readouterr().out) == []
    assert run(["rules", "check", str(bad)]) == FOUND
    assert capsys.readouterr().err.startswith(f"{bad}:3:")
    assert run(["rules", "check", str(bad), "--json"]) == FOUND
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["line"], found["path"]) == (3, "quality.overlap.minimum")


def test_rules_that_only_an_engine_can_fully_judge_are_checked_as_far_as_they_go(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named, single = tmp_path / "named.yaml", tmp_path / "single.yaml"
    named.write_text(
        "schema: crowdroute.rules/v1\nlabels: [owl, robin]\npeople: {pools: [munich], vendors: [acme]}\n"
    )
    single.write_text("schema: crowdroute.rules/v1\nlabels: [owl]\n")
    assert run(["rules", "check", str(named)]) == DONE
    assert run(["rules", "check", str(single)]) == FOUND
    assert "at least two labels" in capsys.readouterr().err


def test_the_schema_is_a_json_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "schema"]) == DONE
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate({"schema": "crowdroute.rules/v1", "labels": ["owl", "robin"]}, schema)


def test_labels_are_aggregated_scored_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels, gold, out = tmp_path / "labels.csv", tmp_path / "gold.csv", tmp_path / "out.csv"
    labels.write_text("task,worker,label\nt,w,a\nt,v,a\nt,u,b\ns,w,b\ns,v,b\nt,w,b\n")
    gold.write_text("task,label\nt,a\ns,a\n")
    words = ["aggregate", str(labels), "--gold", str(gold), "--model", "majority-vote", "--out", str(out)]
    assert run([*words, "--json"]) == DONE
    told = json.loads(capsys.readouterr().out)
    assert told["results"] == {"t": "a", "s": "b"}
    assert (told["labels"], told["gold_tasks"], told["accuracy"]) == (5, 2, 0.5)
    assert out.read_text().splitlines()[0] == "task,label,p_a,p_b"
    assert run(words) == DONE
    assert "50.0%" in capsys.readouterr().out


def test_gold_that_scores_nothing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels, gold = tmp_path / "labels.csv", tmp_path / "gold.csv"
    labels.write_text("task,worker,label\nt,w,a\n")
    gold.write_text("task,label\nother,a\n")
    assert run(["aggregate", str(labels), "--gold", str(gold)]) == DONE
    assert "no accuracy: of the 1 tasks with gold none has a label" in capsys.readouterr().out


def test_a_table_without_columns_begins_with_its_rows(capsys: pytest.CaptureFixture[str]) -> None:
    print_table((), [("tasks open", 3)], "none")
    assert capsys.readouterr().out.startswith("tasks open")


def test_a_record_is_replayed_in_process_as_text_and_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels, rules = tmp_path / "labels.csv", tmp_path / "rules.yaml"
    labels.write_text("task,worker,label\n" + "".join(f"t{t},w{w},a\n" for t in range(5) for w in range(4)))
    rules.write_text(
        "schema: crowdroute.rules/v1\nlabels: [a, b]\nquality: {overlap: {minimum: 1, maximum: 1}}\n"
    )
    words = ["replay", str(labels), "--in-process", "--rules", str(rules), "--policy", "fifo"]
    assert run([*words, "--json"]) == DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["finalised"], told["labels_used"], told["accuracy"]) == (5, 5, None)
    assert run(words) == DONE
    assert "5 of 20 recorded labels" in capsys.readouterr().out
