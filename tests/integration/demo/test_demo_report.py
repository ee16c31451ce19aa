"""The demonstration from the first picture to the report, with a small crowd that thinks fast."""

from __future__ import annotations

import asyncio
import io

import pytest
from rich.console import Console

from crowdroute.api.v1 import answers_pb2, ledger_pb2, projects_pb2
from crowdroute.client import Client
from crowdroute.router.demo import play as demo
from crowdroute.router.demo import working
from crowdroute.router.demo.crowd import simulated_crowd
from crowdroute.router.demo.pictures import GOLD_EVERY, load_pictures
from crowdroute.router.demo.play import Played, play, to_last_bonus_s
from crowdroute.router.demo.report import Findings, find, show
from crowdroute.router.demo.rules import BONUS_PERIOD_S, DOCUMENT
from crowdroute.router.replay.temporary import temporary_engine
from crowdroute.router.rules.compile import compile_rules

PICTURES, SEED = 40, 5


class Seen:
    """What the report says, and what the engine itself says of the same."""

    played: Played
    findings: Findings
    stats: projects_pb2.ProjectStats
    reviewed: int
    bonuses: int


async def demonstrate() -> Seen:
    seen = Seen()
    pictures, crowd = load_pictures(PICTURES), simulated_crowd(SEED)
    async with temporary_engine() as connection:
        seen.played = await play(connection, pictures, crowd, SEED)

        def read() -> None:
            with Client(connection) as client:
                seen.findings = find(client, seen.played, pictures, crowd, SEED)
                project = seen.played.project.id
                ops = client.operations
                seen.stats = ops.GetStats(projects_pb2.GetStatsRequest(project_id=project))
                annotations = ops.ListAnnotations(
                    answers_pb2.ListAnnotationsRequest(project_id=project, page_size=1000)
                ).annotations
                seen.reviewed = sum(bool(one.review) for one in annotations)
                entries = ops.ListEntries(
                    ledger_pb2.ListEntriesRequest(project_id=project, page_size=1000)
                ).entries
                seen.bonuses = sum(
                    round(float(one.amount.amount) * 100)
                    for one in entries
                    if one.kind == ledger_pb2.ENTRY_KIND_BONUS
                )

        await asyncio.to_thread(read)
    return seen


async def test_the_report_says_what_the_engine_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "THINK_S", (0.0, 0.002))
    monkeypatch.setattr(working, "WAIT_S", 0.2)
    monkeypatch.setattr(demo, "to_last_bonus_s", lambda now_s: 0.0)

    seen = await demonstrate()

    found, stats = seen.findings, seen.stats
    assert found.pictures == PICTURES - PICTURES // GOLD_EVERY
    assert found.finalised == stats.tasks_finalised == found.pictures
    assert found.accuracy > 0.8
    assert found.labels + found.gold_labels == seen.played.progress.work.answers
    assert found.gold_labels == stats.gold_checked > 0
    truth = {worker.name: worker.accuracy for worker in simulated_crowd(SEED) if not worker.senior}
    assert {one.name: one.true for one in found.workers}.items() <= truth.items()
    assert sum(one.reviewed for one in found.workers) == seen.reviewed > 0
    assert sum(one.checked for one in found.workers) >= stats.gold_checked
    assert sum(round(float(one.bonus) * 100) for one in found.workers) == seen.bonuses
    # What the seniors earned is owed as well, and stands in no row.
    assert 0 < sum(float(one.earned) for one in found.workers) <= float(stats.owed.amount)
    assert [point[:2] for point in found.fixed[:2]] == [(1, found.pictures), (2, 2 * found.pictures)]

    text = io.StringIO()
    show(found, Console(file=text, width=200))
    told = text.getvalue()
    assert f"{found.finalised} of {found.pictures} pictures finalised" in told
    assert "A fixed overlap" in told
    for one in found.workers:
        (row,) = [line for line in told.splitlines() if line.startswith(one.name)]
        outside = not one.lower <= one.true <= one.upper
        assert row.split()[-3:] == [str(one.reviewed), f"{float(one.earned):.2f}", one.bonus]
        assert f"{one.mean:.0%} ({one.lower:.0%} – {one.upper:.0%})" in row
        assert (f"{one.true:.0%} *" in row) == outside


@pytest.mark.parametrize(("now_s", "wait_s"), [(1_700_000_000.0, 11.5), (1_700_000_009.5, 2.0)])
def test_the_report_waits_for_the_last_bonus(now_s: float, wait_s: float) -> None:
    assert to_last_bonus_s(now_s) == wait_s
    (bonus,) = compile_rules(DOCUMENT, 1).bonuses
    assert bonus.period_us == BONUS_PERIOD_S * 1_000_000
