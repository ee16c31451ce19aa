"""The operations guide explains what a replay prints."""

import json
from pathlib import Path

import pytest
from tests.unit.docs.documents import codes, read, section, tables

from crowdroute.router.cli import run


def test_every_key_of_a_replay_report_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "labels.csv"
    rows = [f"t{task},w{worker},{'yes' if task % 2 else 'no'}" for task in range(4) for worker in range(3)]
    labels.write_text("\n".join(["task,worker,label", *rows]) + "\n")
    assert run(["replay", str(labels), "--in-process", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    told = [codes(row[0])[0] for row in tables(section(read("docs/operations.md"), "Reading a replay"))[0]]
    assert told == list(printed)
