"""A project's models are fitted anew in another process, which tells how far it is, and are taken over."""

from __future__ import annotations

import asyncio

import pytest
from tests.support.operations import RULES, Office, open_office, refusal
from tests.support.refits import HeldJobs

from crowdroute.api.v1 import explanations_pb2
from crowdroute.api.v1 import projects_pb2 as wire
from crowdroute.client import AsyncClient
from crowdroute.client.errors import NotConnected
from crowdroute.router.adapters import process_jobs

PATIENCE_S = 10.0


async def refitted(client: AsyncClient, request: wire.RefitProjectRequest) -> list[wire.RefitProjectProgress]:
    return [told async for told in client.operations.RefitProject(request)]


async def test_a_refit_is_done_outside_told_stage_by_stage_and_taken_over(office: Office) -> None:
    project = await office.project()
    await office.finalised(project)

    told = await refitted(office.admin, wire.RefitProjectRequest(project_id=project.id))

    stages = [one.stage for one in told]
    assert stages == sorted(stages)
    assert stages[0] == wire.REFIT_STAGE_WAITING
    assert stages[-2:] == [wire.REFIT_STAGE_INSTALLING, wire.REFIT_STAGE_DONE]
    (*_, swept) = (one for one in told if one.stage == wire.REFIT_STAGE_FITTING)
    assert swept.field_id == "label"
    assert 1 <= swept.sweep <= swept.most_sweeps
    assert swept.moved < swept.rest or swept.sweep == swept.most_sweeps
    refit = told[-1].refit
    assert refit.version == 1
    assert refit.labels > 0
    assert len(refit.digest) == 32


async def test_nothing_is_fitted_where_nobody_has_answered(office: Office) -> None:
    project = await office.project()

    refused = await refusal(
        office.admin.operations.RefitProject(wire.RefitProjectRequest(project_id=project.id))
    )

    assert refused.code == "WRONG_STATE"


async def test_a_retried_refit_is_answered_though_nothing_can_be_fitted_any_more(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await office.project()
    await office.finalised(project)
    request = wire.RefitProjectRequest(project_id=project.id, idempotency_key="once")
    *_, done = await refitted(office.admin, request)
    monkeypatch.setattr(process_jobs, "PROGRAM", "crowdroute.router.no_such_program")

    again = await refitted(office.admin, request)
    request.idempotency_key = "another"
    with pytest.raises(NotConnected, match="JOB_FAILED"):
        await refitted(office.admin, request)

    assert again == [done]


async def test_a_retry_after_a_later_refit_tells_what_came_of_its_own(office: Office) -> None:
    project = await office.project()
    await office.finalised(project)
    request = wire.RefitProjectRequest(project_id=project.id, idempotency_key="once")
    *_, done = await refitted(office.admin, request)
    *_, later = await refitted(office.admin, wire.RefitProjectRequest(project_id=project.id))

    again = await refitted(office.admin, request)

    assert (done.refit.version, later.refit.version) == (1, 2)
    assert again == [done]


async def test_a_retry_that_comes_while_its_refit_is_under_way_waits_and_fits_nothing_itself() -> None:
    jobs = HeldJobs()
    async with open_office(jobs=jobs) as office:
        project = await office.project()
        await office.finalised(project)
        request = wire.RefitProjectRequest(project_id=project.id, idempotency_key="once")
        told = aiter(office.admin.operations.RefitProject(request))
        assert (await anext(told)).stage == wire.REFIT_STAGE_WAITING
        retry = asyncio.create_task(refitted(office.admin, request))
        await asyncio.sleep(0)  # it is sent
        # A call that came after the retry is answered: so the retry has begun.
        await office.admin.operations.GetProject(wire.GetProjectRequest(project_id=project.id))

        jobs.begun[0].end()

        *_, done = [one async for one in told]
        async with asyncio.timeout(PATIENCE_S):
            assert await retry == [done]
        assert len(jobs.begun) == 1


async def test_whoever_hangs_up_ends_the_job() -> None:
    jobs = HeldJobs()
    async with open_office(jobs=jobs) as office:
        project = await office.project()
        await office.finalised(project)
        told = aiter(office.admin.operations.RefitProject(wire.RefitProjectRequest(project_id=project.id)))
        stages = [(await anext(told)).stage for _ in range(2)]

        await told.aclose()  # type: ignore[attr-defined]  # it is a generator

        (job,) = jobs.begun
        await asyncio.wait_for(job.cancelled.wait(), PATIENCE_S)
        assert stages == [wire.REFIT_STAGE_WAITING, wire.REFIT_STAGE_READING]


SCHEDULED = RULES.replace("quality:", "quality:\n  refit: {every: 5m, answers: 2}")


async def test_rules_with_a_schedule_have_a_project_refitted_when_time_has_passed(office: Office) -> None:
    project = await office.project(rules=SCHEDULED)
    await office.finalised(project)
    watched = office.admin.operations.Watch(
        explanations_pb2.WatchRequest(project_id=project.id, codes=["REFIT_FELL_DUE", "MODEL_INSTALLED"])
    )
    assert (await anext(watched)).code == "WATCHING"

    await office.pass_time(300)

    async with asyncio.timeout(PATIENCE_S):
        due, installed = await anext(watched), await anext(watched)
    assert due.text == "Refit 1 is due: 2 answers came since the last one."
    assert installed.text == "The models were fitted anew to 2 labels (refit 1)."
    assert installed.caused_by == ""
