"""A snapshot leads to the same state, or says that it cannot be used."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from tests.support.desk import NO, SENIOR, YES, Desk
from tests.support.engine import DAY, MINUTE, TENANT

from crowdroute.router.commands.project import CorrectResult, DiscountWorker, RequestNext, SkipAssignment
from crowdroute.router.errors import SnapshotUnusable
from crowdroute.router.machine.project import saving
from crowdroute.router.machine.project.machine import ProjectMachine
from crowdroute.router.model.rules import (
    BonusBand,
    BonusPlan,
    GoldPlan,
    LeaseTerms,
    Overlap,
    ReviewPlan,
    Stopping,
)
from crowdroute.router.model.states import Mode


@pytest.fixture
def desk() -> Desk:
    """A project with something in every part of its state."""
    desk = Desk(
        overlap=Overlap(1, 3),
        stopping=Stopping(0.7),
        gold=GoldPlan(1.0, 1),
        lease=LeaseTerms(attempts=1),
        review=ReviewPlan(Mode.ENFORCE, 0.3),
        bonuses=(BonusPlan("daily", (BonusBand(0.05, 500),), 1, DAY, Mode.ENFORCE),),
    )
    (ann, bob, cid), senior = desk.workers(3), desk.worker(SENIOR)
    desk.gold()
    desk.answer(ann)
    task = desk.task(batch="first", capability="birds", allow=(ann, bob, senior), deny=(cid,))
    desk.answer(ann, NO)
    desk.answer(senior, NO)
    desk.wait(2 * DAY)
    desk.task()
    lease = desk.take(cid)
    desk.send(SkipAssignment(cid, lease.assignment, lease.fence, "too hard"))
    desk.task()
    desk.take(bob)
    desk.send(CorrectResult(task, YES, "the client says so"))
    return desk


def test_a_snapshot_is_exact_and_a_snapshot_of_it_the_same(desk: Desk) -> None:
    packed = desk.machine.pack()
    restored = ProjectMachine()
    restored.unpack(packed)
    restored.check()
    assert restored.digest() == desk.machine.digest()
    assert restored.pack() == packed


def test_a_restored_project_goes_on_as_the_one_that_was_saved(desk: Desk) -> None:
    ann = desk.worker()
    desk.task()
    twin = desk.unpacked()
    entropy = desk.new_id()
    first = desk.send(RequestNext(ann), entropy=entropy)
    desk.shard, live = twin, desk.shard
    assert desk.send(RequestNext(ann), entropy=entropy) == first
    assert twin.digest() == live.digest()


def test_an_empty_project_is_saved_and_restored() -> None:
    desk = Desk()
    restored = ProjectMachine()
    restored.unpack(desk.machine.pack())
    assert restored.digest() == desk.machine.digest()
    assert restored.state.rules == desk.state.rules


def test_a_machine_before_its_first_event_is_saved_and_restored() -> None:
    restored = ProjectMachine()
    restored.unpack(ProjectMachine().pack())
    assert restored.digest() == ProjectMachine().digest()


def test_repairs_that_were_under_way_go_on_after_a_restart() -> None:
    desk = Desk(overlap=Overlap(3, 3), stopping=Stopping(1.0))
    ann = desk.worker()
    for _ in range(3):
        desk.task()
        desk.answer(ann)
    desk.send(DiscountWorker(ann, "answers at random"))
    for shard in (desk.folded(), desk.unpacked()):
        while (due_us := shard.next_due_us()) is not None and due_us <= desk.now_us:
            shard.due(desk.now_us)
        table = shard.project(TENANT, desk.project).state.tasks
        assert [table.kept_crowd[row] for row in range(3)] == [1, 1, 1]


@pytest.mark.parametrize("part", sorted(Desk().machine.pack()))
def test_a_snapshot_without_one_of_its_parts_cannot_be_used(desk: Desk, part: str) -> None:
    packed = desk.machine.pack()
    del packed[part]
    with pytest.raises(SnapshotUnusable):
        ProjectMachine().unpack(packed)


@pytest.mark.parametrize("part", sorted(Desk().machine.pack()))
def test_a_snapshot_with_a_part_cut_short_cannot_be_used(desk: Desk, part: str) -> None:
    packed = desk.machine.pack()
    packed[part] = packed[part][:-1]
    with pytest.raises(SnapshotUnusable):
        ProjectMachine().unpack(packed)


def test_a_snapshot_of_another_layout_cannot_be_used(desk: Desk) -> None:
    packed = desk.machine.pack()
    small = msgspec.msgpack.decode(packed["small"])
    small[0] = saving.VERSION + 1
    packed["small"] = msgspec.msgpack.encode(small)
    with pytest.raises(SnapshotUnusable, match="layout"):
        ProjectMachine().unpack(packed)


def test_the_digest_tells_any_discrete_fact_and_no_float_of_a_model(desk: Desk) -> None:
    before = desk.machine.digest()
    desk.state.models.fields[0].posteriors[0] = np.array([0.2, 0.3, 0.5])
    assert desk.machine.digest() == before
    for table in (desk.state.items, desk.state.tasks, desk.state.assignments, desk.state.workers):
        for column in table.rows.dtype.names:
            cell = table.rows[column][0]
            table.rows[column][0] = cell + 1
            assert desk.machine.digest() != before, column
            table.rows[column][0] = cell
    assert desk.machine.digest() == before


def test_models_agree_after_a_fold_and_after_a_snapshot(desk: Desk) -> None:
    desk.wait(MINUTE)
    live = desk.state.models
    for shard in (desk.folded(), desk.unpacked()):
        other = shard.project(TENANT, desk.project).state.models
        for ours, theirs in zip(live.fields, other.fields, strict=True):
            assert np.array_equal(ours.posteriors[: ours.n_tasks], theirs.posteriors[: theirs.n_tasks])
            assert np.array_equal(ours.confusion[: ours.n_matrices], theirs.confusion[: theirs.n_matrices])
