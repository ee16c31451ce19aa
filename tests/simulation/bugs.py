"""Defects planted in the engine one at a time: each breaks a promise that some test must see broken.

Every function takes pytest's monkeypatch. A name that the engine no longer has fails the test that plants it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import msgspec
import pytest

from crowdroute.router.adapters.codec import CHAIN_START, chain
from crowdroute.router.adapters.memory import MemoryLog
from crowdroute.router.commands.replies import Received
from crowdroute.router.events import Event
from crowdroute.router.events import project as facts
from crowdroute.router.machine.deciding import Deciding
from crowdroute.router.machine.delivering import Delivering
from crowdroute.router.machine.idempotency import Replies
from crowdroute.router.machine.project import (
    answering,
    due,
    fold,
    fold_answers,
    fold_tasks,
    guards,
    leasing,
    people,
    reviewing,
    saving,
    settling,
)
from crowdroute.router.machine.shard import Shard
from crowdroute.router.model.states import AssignmentState, Receipt, Stage, WorkerStatus
from crowdroute.router.ports import ContentChange, StoredBatch
from crowdroute.router.runtime import commits
from crowdroute.router.state.project import Project
from crowdroute.router.timers import Deadlines

HANDLERS: dict[Any, Any] = fold.HANDLERS
Plant = Callable[[pytest.MonkeyPatch], None]


def no_inner_check(patch: pytest.MonkeyPatch) -> None:
    """Silence the engine's own look at its invariants, so that the history alone must show the defect."""
    patch.setattr(Shard, "check", lambda self: None)


# The shell and the log


def replies_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """Answers leave while their batch is still on its way to the disk."""

    async def at_once(durable: commits.Commits) -> None:
        await asyncio.sleep(0)

    patch.setattr(commits.Commits, "observe", at_once)


def links_no_chain(patch: pytest.MonkeyPatch) -> None:
    """Each batch is hashed by itself, so batches could be swapped or left out."""
    patch.setattr(commits, "chain", lambda previous, body: chain(CHAIN_START, body))


def lets_anybody_append(patch: pytest.MonkeyPatch) -> None:
    """The log takes batches from an owner that was replaced."""

    async def append(log: MemoryLog, batch: StoredBatch, contents: Sequence[ContentChange]) -> None:
        await asyncio.sleep(0)
        log._disk.store(batch, contents)

    patch.setattr(MemoryLog, "append", append)


# Slots and leases


def frees_a_slot_twice(patch: pytest.MonkeyPatch) -> None:
    """An expired lease gives its slot back two times over."""
    once = HANDLERS[facts.LeaseExpired]

    def twice(state: Project, event: Any, at_us: int) -> int:
        task: int = once(state, event, at_us)
        state.tasks.live[Stage.CROWD][task] -= 1
        return task

    patch.setitem(HANDLERS, facts.LeaseExpired, twice)
    no_inner_check(patch)


def forgets_who_is_behind_a_worker(patch: pytest.MonkeyPatch) -> None:
    """Each working identity passes for a person of its own."""
    for module in (fold, people):
        patch.setattr(module, "person_behind", lambda given: given.worker)


def expires_leases_early(patch: pytest.MonkeyPatch) -> None:
    """Leases end up to half a minute before their deadline."""
    on_time = Deadlines.pop_due
    patch.setattr(Deadlines, "pop_due", lambda self, now_us: on_time(self, now_us + 30_000_000))


def works_on_while_paused(patch: pytest.MonkeyPatch) -> None:
    """A paused project hands out tasks."""
    patch.setitem(HANDLERS, facts.ProjectPaused, lambda state, event, at_us: -1)


def overlooks_bans_and_pauses(patch: pytest.MonkeyPatch) -> None:
    """Whatever the organisation says of a worker's standing, the project takes them for qualified."""
    known = HANDLERS[facts.WorkerFactApplied]

    def kindly(state: Project, event: facts.WorkerFactApplied, at_us: int) -> Any:
        fine = msgspec.structs.replace(event.facts, status=WorkerStatus.QUALIFIED)
        return known(state, facts.WorkerFactApplied(fine), at_us)

    patch.setitem(HANDLERS, facts.WorkerFactApplied, kindly)


def plans_fewer_slots(patch: pytest.MonkeyPatch) -> None:
    """Asking for a review takes a slot away."""

    def plan(state: Project, task: int) -> Iterator[Event]:
        yield facts.SlotsPlanned(state.tasks.id_of(task), Stage.SENIOR, -1, "REVIEW")

    def planned(state: Project, event: facts.SlotsPlanned, at_us: int) -> int:
        return state.tasks.find(event.task)

    patch.setattr(reviewing, "_plan_senior", plan)
    patch.setitem(HANDLERS, facts.SlotsPlanned, planned)


# Answers and results


def counts_every_late_answer(patch: pytest.MonkeyPatch) -> None:
    """A late answer is counted though its slot was given to somebody else."""
    careful = answering._receipt

    def generous(state: Project, row: int, now: int, now_us: int) -> tuple[Receipt, str]:
        return (Receipt.COUNTED, "") if now == AssignmentState.EXPIRED else careful(state, row, now, now_us)

    patch.setattr(answering, "_receipt", generous)
    no_inner_check(patch)


def leaves_discounted_answers_counted(patch: pytest.MonkeyPatch) -> None:
    """Of a discounted worker's answers every other one is overlooked."""
    thorough = due._discount

    def hasty(state: Project, row: int) -> Generator[Event, None, None]:
        if row % 2:
            state.repairs.popleft()
        else:
            yield from thorough(state, row)

    patch.setattr(due, "_discount", hasty)


def uses_a_revision_again(patch: pytest.MonkeyPatch) -> None:
    """A re-opened task gets its next result under the number of the last one."""
    honest, published = settling._finalise, fold_tasks._publish

    def again(state: Project, task: int, *how: Any) -> facts.TaskFinalised:
        event = honest(state, task, *how)
        return msgspec.structs.replace(event, revision=max(event.revision - 1, 1))

    def publish(state: Project, task: int, revision: int, *what: Any) -> int:
        return published(state, task, state.tasks.revision[task] + 1, *what)

    patch.setattr(settling, "_finalise", again)
    patch.setattr(fold_tasks, "_publish", publish)


def answers_a_retry_otherwise(patch: pytest.MonkeyPatch) -> None:
    """Who submits again is told that the answer came too late."""
    patch.setattr(
        answering, "_repeated", lambda state, row, wish: Received(Receipt.SURPLUS, "TASK_DECIDED", 0)
    )


def ignores_idempotency_keys(patch: pytest.MonkeyPatch) -> None:
    """A repeated command is carried out again."""
    patch.setattr(Deciding, "repeated", lambda self, request, now_us: None)


# Money


def posts_no_pay(patch: pytest.MonkeyPatch) -> None:
    """Accepted answers earn nothing."""
    patch.setattr(answering, "piece_entry", lambda *_: None)
    no_inner_check(patch)


def keeps_the_pay_of_a_withdrawn_answer(patch: pytest.MonkeyPatch) -> None:
    """A withdrawal takes the answer back and leaves the money."""
    patch.setattr(answering, "take_back", lambda state, row: iter(()))
    no_inner_check(patch)


def tells_the_organisation_no_balances(patch: pytest.MonkeyPatch) -> None:
    """What projects owe never reaches the organisation."""

    def silence(delivering: Delivering, now_us: int) -> list[Any]:
        list(delivering._untold.due(now_us))
        return []

    patch.setattr(Delivering, "tell_balances", silence)


# Folding and saving


def loses_the_replies_on_a_restart(patch: pytest.MonkeyPatch) -> None:
    """A snapshot brings no idempotency keys back."""
    patch.setattr(Replies, "unpack", lambda self, raw: None)


def loses_the_severed_on_a_restart(patch: pytest.MonkeyPatch) -> None:
    """A snapshot brings everybody back whom the project had forgotten."""
    whole = saving.unpack

    def without(sections: Any) -> Project:
        state = whole(sections)
        state.severed.clear()
        return state

    patch.setattr(saving, "unpack", without)


def changes_state_without_an_event(patch: pytest.MonkeyPatch) -> None:
    """Looking for work leaves a mark that no event tells of."""

    def mark(state: Project, worker: Any) -> int:
        row = guards.working(state, worker)
        state.workers.seen_us[row] += 1
        return row

    patch.setattr(leasing, "working", mark)


def miscounts_answers(patch: pytest.MonkeyPatch) -> None:
    """A worker's answers are counted twice in their row, the same way in every fold."""
    honest = fold_answers.submitted

    def twice(state: Project, row: int, event: Any, at_us: int) -> int:
        state.workers.answered[state.assignments.worker[row]] += 1
        return honest(state, row, event, at_us)

    patch.setattr(fold_answers, "submitted", twice)


def folds_by_chance(patch: pytest.MonkeyPatch) -> None:
    """What a fold makes of an answer depends on where its objects lie in memory."""
    honest = fold_answers.submitted

    def by_chance(state: Project, row: int, event: Any, at_us: int) -> int:
        state.workers.answered[state.assignments.worker[row]] += id(state) // 16 % 7
        return honest(state, row, event, at_us)

    patch.setattr(fold_answers, "submitted", by_chance)
    no_inner_check(patch)
