"""The report says whether anything was lost or came twice."""

from __future__ import annotations

import dataclasses
import io
import json

import pytest
from rich.console import Console
from tests.unit.demo.cluster.world import flow, result

from crowdroute.api.v1 import projects_pb2
from crowdroute.router.demo.cluster.flow import Flow
from crowdroute.router.demo.cluster.report import find, show
from crowdroute.router.demo.cluster.stage import Outage
from crowdroute.router.demo.crowd import simulated_crowd
from crowdroute.router.feeds.told import ResultRecord

SEED = 1
CROWD = simulated_crowd(SEED)


def played() -> Flow:
    """Two tasks and one of gold, three answers, one corrected result; everything is where it belongs."""
    made = flow(10, 11, 12)
    made.projects[0].produced = 3
    made.projects[0].stats = projects_pb2.ProjectStats(tasks_open=1, tasks_finalised=2, gold_checked=1)
    made.work.answers = 3
    made.work.acknowledged = {"asg_1", "asg_2", "asg_3"}
    made.answers.update(made.work.acknowledged)
    take(made, result(0, 10, 11))
    take(made, result(0, 11, 12, label="7"))
    take(made, result(0, 12, 12, revision=2))
    made.revisions = {"tsk_11": 1, "tsk_12": 2}
    made.outage = Outage("actor-0", [0], 1.5, 2.5)
    return made


def take(into: Flow, record: ResultRecord) -> None:
    into.read.result(record.model_dump_json().encode())


def said(made: Flow) -> str:
    text = io.StringIO()
    show(find(made, CROWD, SEED, 3.0), Console(file=text, width=200))
    return text.getvalue()


def test_what_is_all_there_once_is_whole_and_the_last_revision_stands() -> None:
    found = find(played(), CROWD, SEED, 3.0)
    assert found.whole
    assert (found.pictures, found.finalised, found.accuracy) == (2, 2, 1.0)
    assert (found.labels, found.gold_labels, found.seconds) == (2, 1, 3.0)
    assert [point[:2] for point in found.fixed[:2]] == [(1, 2), (2, 4)]
    (project,) = found.projects
    assert (project.shard, project.produced, project.taken, project.finalised) == (0, 3, 3, 2)
    assert (found.kept.acknowledged, found.kept.answers, found.kept.revisions) == (3, 3, 3)
    told = said(played())
    assert "nothing was lost, nothing came twice" in told
    assert "actor-0 was killed with SIGKILL: its shards (0) were served again after 1.5 s" in told
    assert json.loads(json.dumps(dataclasses.asdict(found)))["outage"]["back_s"] == 2.5


def test_a_record_that_came_again_under_its_id_is_no_loss_and_not_twice() -> None:
    made = played()
    take(made, result(0, 12, 12, revision=2))
    found = find(made, CROWD, SEED, 3.0)
    assert found.whole
    assert found.kept.came_again == 1


def lose_an_answer(made: Flow) -> None:
    made.work.acknowledged.add("asg_4")


def lose_a_revision(made: Flow) -> None:
    made.revisions["tsk_11"] = 2


def lose_a_result(made: Flow) -> None:
    del made.read.results["tsk_11"]


def double_an_answer(made: Flow) -> None:
    made.answers["asg_1"] += 1


def double_a_revision(made: Flow) -> None:
    take(made, result(0, 13, 12, revision=2))


@pytest.mark.parametrize(
    "befall", [lose_an_answer, lose_a_revision, lose_a_result, double_an_answer, double_a_revision]
)
def test_what_is_lost_or_twice_is_not_whole(befall: object) -> None:
    made = played()
    assert callable(befall)
    befall(made)
    assert not find(made, CROWD, SEED, 3.0).whole
    assert "something is missing or came twice" in said(made)
