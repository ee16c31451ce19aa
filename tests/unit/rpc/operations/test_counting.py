"""Counting in blocks gives what counting row by row gives."""

from __future__ import annotations

import pytest
from tests.support.desk import EXPERT, NO, YES, Desk

from crowdroute.router.commands.project import DiscountWorker, EscalateTask, SubmitAnswer
from crowdroute.router.model.rules import Overlap
from crowdroute.router.model.states import AssignmentState, Purpose, Receipt, Stage, TaskState
from crowdroute.router.rpc.operations import counting
from crowdroute.router.rpc.operations.counting import count, count_answers


@pytest.fixture
def desk() -> Desk:
    """A project in which a bit of everything happened."""
    desk = Desk(overlap=Overlap(2, 3))
    tasks = [desk.task() for _ in range(5)]
    for answer, times in ((YES, 3), (YES, 3), (NO, 2)):
        worker = desk.worker()
        for _ in range(times):
            desk.answer(worker, answer)
    desk.gold()
    slow = desk.worker()
    desk.take(slow)
    late = desk.take(slow)
    desk.send(EscalateTask(tasks[4], "hard"))
    desk.take(desk.worker(EXPERT))
    desk.wait(3_600_000_000)
    desk.send(SubmitAnswer(slow, late.assignment, late.fence, YES))
    desk.send(DiscountWorker(slow, "spam"))
    desk.wait()
    return desk


@pytest.mark.parametrize("block", [1, 2, 7, 1 << 16])
async def test_blocks_make_no_difference(desk: Desk, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "BLOCK", block)
    state = desk.state
    tasks, table = state.tasks, state.assignments

    counts = await count(state)

    rows = range(tasks.count)
    assert counts.states.tolist() == [sum(tasks.state[row] == one for row in rows) for one in TaskState]
    assert counts.escalated == sum(
        tasks.state[row] == TaskState.OPEN and tasks.stage[row] == Stage.EXPERT for row in rows
    )
    for stage in Stage:
        assert counts.free[stage] == sum(
            tasks.free(row, stage)
            for row in rows
            if state.wanted(row, stage) and tasks.purpose[row] == Purpose.PRODUCTION
        )
        here = [row for row in range(table.count) if table.stage[row] == stage]
        assert counts.live[stage] == sum(table.state[row] == AssignmentState.ACTIVE for row in here)
        assert counts.counted[stage] == sum(state.counts(row) for row in here)
    receipts = [table.receipt[row] for row in range(table.count)]
    assert counts.accepted == receipts.count(Receipt.COUNTED) + receipts.count(Receipt.SURPLUS)
    assert counts.refused == receipts.count(Receipt.REFUSED)
    done = [row for row in rows if tasks.state[row] == TaskState.FINALISED]
    assert counts.results == len(done) > 0
    assert counts.confidence == pytest.approx(
        sum(state.result_fields(tasks.result[row])[0].probabilities[0] for row in done)
    )
    answers = await count_answers(state)
    assert answers.tolist() == [
        sum(table.worker[row] == worker and table.receipt[row] != Receipt.NONE for row in range(table.count))
        for worker in range(state.workers.count)
    ]


async def test_a_project_without_anything_counts_nothing() -> None:
    counts = await count(Desk().state)

    assert counts.states.sum() == counts.accepted == counts.results == 0
    assert (await count_answers(Desk().state)).tolist() == []
