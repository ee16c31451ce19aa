"""`crowdroute top` at served engines, and what it says where there is none to look at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.cli.test_operations import answer_all
from tests.support.groups import free_ports
from tests.support.program import Served

from crowdroute.router.cli import FAILED

LOOK = ("--once", "--every", "0.2")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, str]]:
    """An engine with a project that was worked in, and where its metrics are."""
    folder = tmp_path_factory.mktemp("top")
    (folder / "settings.toml").write_text('[metrics]\naddress = "127.0.0.1:0"\n')
    (folder / "birds.yaml").write_text(
        "schema: crowdroute.rules/v1\nlabels: [owl, robin]\n"
        "quality: {overlap: {minimum: 2, maximum: 2}, gold: {share: 0, first: 0}}\n"
    )
    (folder / "items.csv").write_text("external_id,text\nfirst,one\nsecond,two\n")
    engine = Served(folder, folder / "data", "--config", "settings.toml")
    try:
        project = engine.told("project", "create", "birds", "--rules", "birds.yaml")["id"]
        engine.done("import", "birds", "items.csv")
        answer_all(engine, project, "ann", "owl")
        (port,) = (json.loads(line)["port"] for line in engine.remarks if "metrics served" in line)
        yield engine, f"127.0.0.1:{port}"
    finally:
        engine.stop()


def test_one_look_tells_programs_how_projects_and_processes_stand(measured: tuple[Served, str]) -> None:
    engine, metrics = measured
    (dead,) = free_ports(1)
    seen = engine.told(
        *("top", "--every", "0.2", "-a", f"127.0.0.1:{dead}", "-a", engine.address),
        *("--metrics", f"127.0.0.1:{dead}", "--metrics", metrics),
    )
    (project,) = seen["projects"]
    assert (project["project"], project["open"], project["answers"]) == ("birds", 2, 2)
    gone, serving = seen["processes"]
    assert (gone["health"], "state" in gone) == ("UNREACHABLE", False)
    assert (serving["health"], serving["state"], list(serving["shards"])) == ("SERVING", "serving", ["0"])
    assert serving["calls_per_second"] > 0  # the looks themselves
    assert serving["memory_bytes"] > 0


def test_what_answers_at_an_address_of_metrics_and_is_none_takes_nothing_from_the_rest(
    measured: tuple[Served, str],
) -> None:
    engine, _ = measured
    seen = engine.told("top", "--every", "0.2", "-a", engine.address, "--metrics", engine.address)
    (serving,) = seen["processes"]
    assert (serving["health"], "state" in serving) == ("SERVING", False)
    assert seen["projects"]


def test_people_see_the_same_without_colours_where_there_is_no_terminal(
    measured: tuple[Served, str],
) -> None:
    engine, metrics = measured
    text = engine.done("top", *LOOK, "--metrics", metrics)
    assert "\x1b" not in text
    assert "birds" in text
    assert "commit p50" in text


def test_what_hinders_a_look_is_told_with_what_to_do(measured: tuple[Served, str], tmp_path: Path) -> None:
    engine, metrics = measured
    (tmp_path / "wrong.token").write_text("cr_nobody")
    assert "UNAUTHENTICATED" in engine.refused("top", *LOOK, "--token-file", str(tmp_path / "wrong.token"))
    narrow = engine.told("token", "create", "narrow", "--scope", "workers.write")
    (tmp_path / "narrow.token").write_text(narrow["bearer"])
    assert "projects.read" in engine.refused("top", *LOOK, "--token-file", str(tmp_path / "narrow.token"))
    misused = engine.run("top", *LOOK, "--metrics", metrics, "--metrics", metrics)
    assert (misused.returncode, "1 addresses and 2 of metrics" in misused.stderr) == (2, True)


def test_a_look_at_nobody_says_what_to_do(measured: tuple[Served, str]) -> None:
    ended = measured[0].run("top", *LOOK, "-a", "no-such-machine.invalid:7070")
    assert ended.returncode == FAILED
    assert "no machine called" in ended.stderr
    assert "name another with --address" in ended.stderr
