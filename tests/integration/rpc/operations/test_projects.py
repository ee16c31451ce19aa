"""Projects: created with their rules, found, paused and resumed, counted."""

from __future__ import annotations

import pytest
from tests.support.operations import RULES, Office, refusal

from crowdroute.api.v1 import projects_pb2 as wire
from crowdroute.api.v1 import types_pb2


def named(name: str, key: str = "", rules: str = RULES) -> wire.CreateProjectRequest:
    return wire.CreateProjectRequest(name=name, rules_yaml=rules, idempotency_key=key)


async def test_a_project_begins_with_the_rules_of_its_document(office: Office) -> None:
    project = await office.project("birds")

    assert project.id.startswith("prj_")
    assert project.name == "birds"
    assert project.state == wire.PROJECT_STATE_ACTIVE
    assert project.rules_version == 1
    assert project.currency == "USD"
    (field,) = project.fields
    assert field.id == "label"
    assert [label.id for label in field.labels] == ["cat", "dog", "neither"]


async def test_a_project_is_found_by_id_and_by_name(office: Office) -> None:
    project = await office.project("birds")
    ops = office.admin.operations

    assert await ops.GetProject(wire.GetProjectRequest(project_id=project.id)) == project
    assert await ops.GetProject(wire.GetProjectRequest(name="birds")) == project
    refused = await refusal(ops.GetProject(wire.GetProjectRequest(name="bees")))
    assert refused.code == "NOT_FOUND"
    refused = await refusal(ops.GetProject(wire.GetProjectRequest()))
    assert refused.code == "INVALID_ARGUMENT"


async def test_a_retry_of_a_creation_gets_the_project_that_was_created(office: Office) -> None:
    ops = office.admin.operations

    first = await ops.CreateProject(named("birds", "once"))
    again = await ops.CreateProject(named("birds", "once"))

    assert again == first
    assert len((await ops.ListProjects(wire.ListProjectsRequest())).projects) == 1


async def test_a_key_cannot_be_used_for_another_project(office: Office) -> None:
    ops = office.admin.operations
    await ops.CreateProject(named("birds", "once"))

    refused = await refusal(ops.CreateProject(named("bees", "once")))

    assert refused.code == "IDEMPOTENCY_KEY_REUSED"


async def test_two_callers_may_use_one_key(office: Office) -> None:
    other = await office.client()

    first = await office.admin.operations.CreateProject(named("birds", "once"))
    second = await other.operations.CreateProject(named("bees", "once"))

    assert first.id != second.id


async def test_a_name_is_given_once(office: Office) -> None:
    await office.project("birds")

    refused = await refusal(office.admin.operations.CreateProject(named("birds")))

    assert refused.code == "ALREADY_EXISTS"


@pytest.mark.parametrize("name", ["", " birds", "x" * 201, "two\nlines"])
async def test_a_name_that_cannot_be_one_is_refused(office: Office, name: str) -> None:
    refused = await refusal(office.admin.operations.CreateProject(named(name)))

    assert refused.code == "INVALID_ARGUMENT"


async def test_rules_that_are_wrong_create_nothing_and_all_problems_are_told(office: Office) -> None:
    wrong = RULES.replace("fifo", "lifo").replace("maximum: 3", "maximum: 1")

    refused = await refusal(office.admin.operations.CreateProject(named("birds", rules=wrong)))

    assert refused.code == "RULES_INVALID"
    assert "line 5, column 11: routing.policy" in refused.message
    assert "quality.overlap" in refused.message
    projects = await office.admin.operations.ListProjects(wire.ListProjectsRequest())
    assert list(projects.projects) == []


async def test_projects_come_in_pages_in_the_order_of_their_names(office: Office) -> None:
    for name in ("d", "a", "c", "b", "e"):
        await office.project(name)
    found, token = [], ""
    while True:
        request = wire.ListProjectsRequest(page_size=2, page_token=token)
        page = await office.admin.operations.ListProjects(request)
        found.append([project.name for project in page.projects])
        token = page.next_page_token
        if not token:
            break

    assert found == [["a", "b"], ["c", "d"], ["e"]]


async def test_a_paused_project_hands_out_nothing_until_it_is_resumed(office: Office) -> None:
    project = await office.project()
    await office.items(project, 1)
    _, worker = await office.session("ada")
    ops = office.admin.operations

    paused = await ops.PauseProject(wire.PauseProjectRequest(project_id=project.id, reason="holidays"))
    assert paused.state == wire.PROJECT_STATE_PAUSED
    assert await worker.next(project.id) == []
    again = await ops.PauseProject(wire.PauseProjectRequest(project_id=project.id, reason="holidays"))
    assert again == paused

    resumed = await ops.ResumeProject(wire.ResumeProjectRequest(project_id=project.id))
    assert resumed.state == wire.PROJECT_STATE_ACTIVE
    assert len(await worker.next(project.id)) == 1


async def test_a_reason_that_is_a_story_is_refused(office: Office) -> None:
    project = await office.project()
    request = wire.PauseProjectRequest(project_id=project.id, reason="x" * 201)

    refused = await refusal(office.admin.operations.PauseProject(request))

    assert refused.code == "INVALID_ARGUMENT"
    assert refused.details["field"] == "reason"


async def test_an_empty_project_counts_nothing(office: Office) -> None:
    project = await office.project()

    stats = await office.admin.operations.GetStats(wire.GetStatsRequest(project_id=project.id))

    assert stats.at.seconds == office.clock.now_us() // 1_000_000
    stats.ClearField("at")
    empty = wire.ProjectStats(
        stages=[
            wire.StageStats(stage=stage)
            for stage in (types_pb2.STAGE_CROWD, types_pb2.STAGE_SENIOR, types_pb2.STAGE_EXPERT)
        ],
        owed=types_pb2.Money(currency="USD", amount="0"),
    )
    assert stats == empty


async def test_a_project_is_counted_by_state_stage_answers_and_money(office: Office) -> None:
    project = await office.project()
    await office.finalised(project, 2)
    await office.items(project, 3, prefix="open")
    await office.items(project, 1, prefix="gold", gold="cat")
    _, worker = await office.session("cleo")
    await office.label(worker, project, "dog")
    await worker.next(project.id)

    stats = await office.admin.operations.GetStats(wire.GetStatsRequest(project_id=project.id))

    assert (stats.tasks_open, stats.tasks_finalised, stats.tasks_parked) == (4, 2, 0)
    crowd = stats.stages[0]
    assert (crowd.live, crowd.counted) == (1, 5)
    assert crowd.free == 9 - 2
    assert (stats.answers_accepted, stats.answers_refused, stats.in_review) == (5, 0, 0)
    assert (stats.workers_busy, stats.workers_known) == (1, 3)
    assert stats.answers_per_result == 2
    assert 0.9 <= stats.mean_confidence <= 1
    assert stats.owed.amount == "0.1"
    assert (stats.gold_checked, stats.gold_correct) == (0, 0)


async def test_checked_answers_are_counted(office: Office) -> None:
    project = await office.project(rules=RULES.replace("share: 0%, first: 0", "share: 100%, first: 0"))
    await office.items(project, 1, prefix="gold-a", gold="cat")
    await office.items(project, 1, prefix="gold-b", gold="dog")
    _, worker = await office.session("ada")
    await office.label(worker, project, "cat")
    await office.label(worker, project, "cat")

    stats = await office.admin.operations.GetStats(wire.GetStatsRequest(project_id=project.id))

    assert (stats.gold_checked, stats.gold_correct) == (2, 1)
    assert stats.stages[0].counted == 2
