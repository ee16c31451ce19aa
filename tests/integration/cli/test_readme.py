"""The five minutes of the README, line by line, with the files that it speaks of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.support.program import Served
from tests.unit.docs.documents import blocks, commands, read, section

from crowdroute.router.cli import DONE, run

README = read("README.md")
MINUTES = section(README, "Five minutes on the command line")


def test_the_program_is_where_the_readme_says() -> None:
    makefile = read("Makefile")
    (folder,) = re.findall(r"^    \. (\S+)/bin/activate ", MINUTES, re.MULTILINE)
    assert f"VENV := {folder}\n" in makefile


def test_the_five_minutes_of_the_readme_can_be_typed_as_they_stand(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cats.yaml").write_text(blocks(README, "yaml")[0])
    (tmp_path / "items.csv").write_text("external_id,text\na,a picture\nb,another\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CROWDROUTE_TOKEN", raising=False)
    monkeypatch.setenv("CROWDROUTE_ADDRESS", served.address)
    monkeypatch.setenv("CROWDROUTE_TOKEN_FILE", str(served.token_file))
    (first, *rest) = commands(MINUTES, "crowdroute")
    assert first == ["serve"]
    assert {words[0] for words in rest} == {"project", "import", "stats", "workers", "explain", "export"}
    for words in rest:
        if "tsk_…" in words:
            assert run(["tasks", "list", "cats"]) == DONE
            (task, *_) = re.findall(r"tsk_[0-9a-f]{32}", capsys.readouterr().out)
            words[words.index("tsk_…")] = task
        assert run(words) == DONE, capsys.readouterr().err
    assert (tmp_path / "cats.csv").exists()
