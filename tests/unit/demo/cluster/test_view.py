"""The live view shows what flows and who serves it, at every moment of a killed actor."""

from __future__ import annotations

import io

from rich.console import Console
from tests.unit.demo.cluster.test_stage import BACK, BEFORE, GONE
from tests.unit.demo.cluster.world import flow, picture, result

from crowdroute.api.v1 import projects_pb2
from crowdroute.router.demo.cluster.flow import Flow
from crowdroute.router.demo.cluster.view import draw
from crowdroute.router.runtime.cluster.overview import Overview


def drawn(seen: Flow) -> list[str]:
    text = io.StringIO()
    Console(file=text, width=80).print(draw(seen))
    return text.getvalue().splitlines()


def moment(overview: Overview | None) -> Flow:
    seen = flow(10, 11, 12, 13)
    seen.projects[0].produced = 4
    seen.projects[0].stats = projects_pb2.ProjectStats(tasks_open=3, tasks_finalised=1, answers_accepted=8)
    seen.read.result(result(0, 1, 11).model_dump_json().encode())
    seen.overview = overview
    seen.work.latest = [("worker-01", picture(11), 3)]
    return seen


def row(lines: list[str], begins: str) -> list[str]:
    return next(line for line in lines if line.startswith(begins)).split()


def test_a_project_is_shown_with_its_shard_its_owner_and_what_has_flowed() -> None:
    lines = drawn(moment(BEFORE))
    assert row(lines, "digits-a") == ["digits-a", "0", "actor-0", "4", "4", "8", "1", "1"]
    assert row(lines, "results in Kafka")[-3:] == ["1", "of", "3"]
    assert row(lines, "actor-1") == ["actor-1", "serving", "101", "127.0.0.2:7001", "1"]
    assert any("worker-01: 3" in line for line in lines)


def test_a_shard_that_nobody_serves_is_shown_as_such_until_somebody_does() -> None:
    seen = moment(GONE)
    seen.told = "actor-0 is killed"
    lines = drawn(seen)
    assert row(lines, "digits-a")[2] == "unowned"
    assert row(lines, "actor-0  starting")[1] == "starting"
    assert "actor-0 is killed" in [line.strip() for line in lines]
    assert row(drawn(moment(BACK)), "digits-a")[2] == "actor-0"


def test_before_anything_is_known_there_are_dashes() -> None:
    assert row(drawn(flow(11)), "digits-a")[1:] == ["0", "–", "0", "0", "0", "0", "0"]
