"""Rules over the wire: checked, applied against a version, kept as written, listed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.support.operations import RULES, Office, refusal

from crowdroute.api.v1 import rules_pb2 as wire
from crowdroute.api.v1 import workers_pb2
from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.rpc.operations import rules

DEARER = RULES.replace('crowd: "0.02"', 'crowd: "0.03"')


async def test_every_problem_of_a_document_is_found_where_it_stands(office: Office) -> None:
    wrong = RULES.replace("fifo", "lifo").replace("minimum: 2", "minimum: no")

    reply = await office.admin.operations.CheckRules(wire.CheckRulesRequest(rules_yaml=wrong))

    found = {finding.path: (finding.line, finding.column) for finding in reply.findings}
    assert found == {"routing.policy": (5, 11), "quality.overlap.minimum": (7, 22)}
    assert {finding.severity for finding in reply.findings} == {wire.RulesFinding.SEVERITY_ERROR}
    assert all(";" in finding.message for finding in reply.findings)
    assert reply.resolved_yaml == ""


async def test_a_document_that_is_none_is_found_too(office: Office) -> None:
    for text in ("", "[", "- a\n- b\n", "schema: other/v9\n", "a: &x 1\nb: *x\n", "x" * 300_000):
        reply = await office.admin.operations.CheckRules(wire.CheckRulesRequest(rules_yaml=text))
        assert reply.findings, text[:20]
        assert reply.findings[0].line >= 1


async def test_a_sound_document_is_resolved_and_compared_with_the_rules_in_force(office: Office) -> None:
    project = await office.project()

    request = wire.CheckRulesRequest(rules_yaml=DEARER, project_id=project.id)
    reply = await office.admin.operations.CheckRules(request)

    assert list(reply.findings) == []
    assert list(reply.differences) == ["money.crowd: 0.02 -> 0.03"]
    assert 'crowd: "0.03"' in reply.resolved_yaml
    same = wire.CheckRulesRequest(rules_yaml=RULES, project_id=project.id)
    assert list((await office.admin.operations.CheckRules(same)).differences) == []


async def test_a_project_is_told_which_labels_and_fields_would_go(office: Office) -> None:
    project = await office.project()
    fewer = RULES.replace("[cat, dog, neither]", "[cat, dog]")
    other = RULES.replace("labels: [cat, dog, neither]", "fields: [{id: kind, labels: [cat, dog]}]")
    ops = office.admin.operations

    without_label = await ops.CheckRules(wire.CheckRulesRequest(rules_yaml=fewer, project_id=project.id))
    without_field = await ops.CheckRules(wire.CheckRulesRequest(rules_yaml=other, project_id=project.id))

    assert list(without_label.differences) == ["labels.neither: in use -> removed"]
    assert [finding.path for finding in without_field.findings] == ["fields"]


async def test_pools_are_named_as_the_tenant_names_them(office: Office) -> None:
    ops = office.admin.operations
    text = RULES + "people:\n  pools: [munich]\n"

    before = await ops.CheckRules(wire.CheckRulesRequest(rules_yaml=text))
    await ops.AddPool(workers_pb2.AddPoolRequest(name="munich"))
    after = await ops.CheckRules(wire.CheckRulesRequest(rules_yaml=text))

    assert [finding.path for finding in before.findings] == ["people.pools[0]"]
    assert list(after.findings) == []
    assert "- munich" in after.resolved_yaml


async def test_applied_rules_are_kept_as_they_were_written(office: Office) -> None:
    project = await office.project()
    ops = office.admin.operations
    await office.pass_time(3)

    applied = await ops.ApplyRules(
        wire.ApplyRulesRequest(project_id=project.id, rules_yaml=DEARER, expected_version=1)
    )

    assert applied.version == 2
    assert applied.rules_yaml == DEARER
    assert 'crowd: "0.03"' in applied.resolved_yaml
    assert applied.applied_by.startswith("tok_")
    assert applied.applied_at.seconds == office.clock.now_us() // 1_000_000
    assert await ops.GetRules(wire.GetRulesRequest(project_id=project.id)) == applied
    first = await ops.GetRules(wire.GetRulesRequest(project_id=project.id, version=1))
    assert (first.version, first.rules_yaml) == (1, RULES)


async def test_rules_written_for_another_version_are_refused(office: Office) -> None:
    project = await office.project()
    ops = office.admin.operations
    await ops.ApplyRules(wire.ApplyRulesRequest(project_id=project.id, rules_yaml=DEARER, expected_version=1))

    for expected in (1, 3):
        refused = await refusal(
            ops.ApplyRules(
                wire.ApplyRulesRequest(project_id=project.id, rules_yaml=RULES, expected_version=expected)
            )
        )
        assert refused.code == "WRONG_STATE"
        assert refused.details["version"] == "2"


async def test_a_retry_of_applied_rules_gets_their_version(office: Office) -> None:
    project = await office.project()
    ops = office.admin.operations
    for expected in (1, 0):
        request = wire.ApplyRulesRequest(
            project_id=project.id,
            rules_yaml=DEARER,
            expected_version=expected,
            idempotency_key=f"once-{expected}",
        )
        first = await ops.ApplyRules(request)
        assert await ops.ApplyRules(request) == first
    versions = await ops.ListRulesVersions(wire.ListRulesVersionsRequest(project_id=project.id))
    assert [version.version for version in versions.versions] == [3, 2, 1]


async def test_wrong_rules_are_refused_and_change_nothing(office: Office) -> None:
    project = await office.project()
    ops = office.admin.operations

    refused = await refusal(
        ops.ApplyRules(wire.ApplyRulesRequest(project_id=project.id, rules_yaml=RULES.replace("USD", "EUR")))
    )

    assert refused.code == "RULES_INVALID"
    assert "money.currency" in refused.message
    assert (await ops.GetRules(wire.GetRulesRequest(project_id=project.id))).version == 1


async def test_versions_come_in_pages_newest_first_without_their_documents(office: Office) -> None:
    project = await office.project()
    ops = office.admin.operations
    for _ in range(4):
        await ops.ApplyRules(wire.ApplyRulesRequest(project_id=project.id, rules_yaml=RULES))
    found, token = [], ""
    while True:
        page = await ops.ListRulesVersions(
            wire.ListRulesVersionsRequest(project_id=project.id, page_size=2, page_token=token)
        )
        found.append([version.version for version in page.versions])
        assert all(not version.rules_yaml and version.applied_by for version in page.versions)
        token = page.next_page_token
        if not token:
            break

    assert found == [[5, 4], [3, 2], [1]]


async def test_a_version_that_never_was_is_unknown(office: Office) -> None:
    project = await office.project()
    ops = office.admin.operations

    refused = await refusal(ops.GetRules(wire.GetRulesRequest(project_id=project.id, version=2)))
    assert refused.code == "NOT_FOUND"
    refused = await refusal(ops.GetRules(wire.GetRulesRequest(project_id=project.id, version=-1)))
    assert refused.code == "INVALID_ARGUMENT"


async def test_documents_for_whatever_is_in_force_follow_one_another(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await office.project()
    request = wire.ApplyRulesRequest(project_id=project.id, rules_yaml=DEARER)
    together, begun = asyncio.Barrier(3), 0
    compiled = rules.compiled

    async def compiled_together(*how: Any) -> ProjectRules:
        nonlocal begun
        begun += 1
        if begun <= together.parties:
            await together.wait()
        return await compiled(*how)

    monkeypatch.setattr(rules, "compiled", compiled_together)

    applied = await asyncio.gather(*(office.admin.operations.ApplyRules(request) for _ in range(3)))

    assert sorted(version.version for version in applied) == [2, 3, 4]


async def test_a_late_retry_gets_its_version_although_the_schema_has_grown(office: Office) -> None:
    project = await office.project()
    ops = office.admin.operations
    request = wire.ApplyRulesRequest(
        project_id=project.id, rules_yaml=DEARER, expected_version=1, idempotency_key="once"
    )
    first = await ops.ApplyRules(request)
    grown = RULES.replace(
        "labels: [cat, dog, neither]",
        "fields: [{id: label, labels: [cat, dog, neither]}, {id: colour, labels: [black, white]}]",
    )
    await ops.ApplyRules(wire.ApplyRulesRequest(project_id=project.id, rules_yaml=grown))

    assert await ops.ApplyRules(request) == first
