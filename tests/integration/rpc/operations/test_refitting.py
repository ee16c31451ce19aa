"""A project's models are fitted anew in another process, and what was found is taken over."""

from __future__ import annotations

import pytest
from tests.support.operations import Office, refusal

from crowdroute.api.v1 import projects_pb2 as wire
from crowdroute.client.errors import NotConnected
from crowdroute.router.adapters import process_jobs


async def test_a_refit_is_done_outside_and_taken_over(office: Office) -> None:
    project = await office.project()
    await office.finalised(project)

    done = await office.admin.operations.RefitProject(wire.RefitProjectRequest(project_id=project.id))

    assert done.version == 1
    assert done.labels > 0
    assert len(done.digest) == 32


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
    done = await office.admin.operations.RefitProject(request)
    monkeypatch.setattr(process_jobs, "PROGRAM", "crowdroute.router.no_such_program")

    again = await office.admin.operations.RefitProject(request)
    request.idempotency_key = "another"
    with pytest.raises(NotConnected, match="JOB_FAILED"):
        await office.admin.operations.RefitProject(request)

    assert again == done
