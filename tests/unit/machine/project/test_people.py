"""What becomes of workers and what they did: facts, discounts, bans, persons forgotten."""

from __future__ import annotations

import pytest
from tests.support.desk import EXPERT, NO, SENIOR, YES, Desk
from tests.support.engine import DAY, HOUR, MINUTE, ORGANISATION, TENANT

from crowdroute.router.commands.organisation import ErasePerson
from crowdroute.router.commands.project import (
    ApplyWorkerFact,
    CorrectResult,
    DiscountWorker,
    EraseItem,
    RequestNext,
    SeverPerson,
)
from crowdroute.router.errors import InvalidCommand, NotEligible, NotFound, WrongState
from crowdroute.router.events.project import (
    AnswerDiscounted,
    BonusDecided,
    LeaseRevoked,
    PersonSevered,
    ResultCorrected,
    TaskFinalised,
    TaskReopened,
    WorkerDiscounted,
    WorkerFactApplied,
)
from crowdroute.router.model.facts import SkillFact, WorkerFacts
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.rules import BonusBand, BonusPlan, GoldPlan, Overlap, ReviewPlan, Stopping
from crowdroute.router.model.states import Mode, Receipt, Revision, TaskState, WorkerKind, WorkerStatus

ONE_IS_ENOUGH = {"overlap": Overlap(1, 3), "stopping": Stopping(0.5)}
ALL_THREE = {"overlap": Overlap(3, 3), "stopping": Stopping(1.0)}


def discount(desk: Desk, worker: Id) -> None:
    """Discount a worker and let the repair come to its end."""
    desk.send(DiscountWorker(worker, "answers at random"))
    desk.wait(MINUTE)


def person_of(desk: Desk, worker: Id) -> Id:
    """Give the person behind a worker."""
    return desk.shard.organisation(TENANT).state.workers[worker].facts.person


# Facts


def test_facts_that_are_not_newer_change_nothing() -> None:
    desk = Desk()
    facts = WorkerFacts(desk.new_id(), desk.new_id(), 3)
    assert [type(event) for event in desk.gives(ApplyWorkerFact(facts))] == [WorkerFactApplied]
    assert desk.gives(ApplyWorkerFact(facts)) == []
    assert desk.gives(ApplyWorkerFact(WorkerFacts(facts.worker, facts.person, 2))) == []


def test_a_worker_never_changes_hands() -> None:
    desk = Desk()
    worker = desk.new_id()
    desk.send(ApplyWorkerFact(WorkerFacts(worker, desk.new_id(), 1)))
    desk.refuses(ApplyWorkerFact(WorkerFacts(worker, desk.new_id(), 2)), WrongState)


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 0},
        {"skills": (SkillFact("law", 1.5),)},
        {"languages": ("German",)},
        {"worker": NO_ID},
        {"worker": b"short"},
    ],
)
def test_facts_that_contradict_themselves_are_refused(wrong: dict[str, object]) -> None:
    desk = Desk()
    given = {"worker": desk.new_id(), "person": desk.new_id(), "version": 1, **wrong}
    desk.refuses(ApplyWorkerFact(WorkerFacts(**given)), InvalidCommand)


def test_models_without_a_person_stand_for_themselves_and_label_side_by_side() -> None:
    desk = Desk()
    desk.task()
    models = [desk.new_id(), desk.new_id()]
    for model in models:
        desk.send(ApplyWorkerFact(WorkerFacts(model, NO_ID, 1, kind=WorkerKind.MODEL)))
    assert [len(desk.send(RequestNext(model)).leases) for model in models] == [1, 1]


# Discounting


def test_discounting_takes_live_leases_away_and_a_second_time_changes_nothing() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    desk.take(ann)
    events = desk.gives(DiscountWorker(ann, "answers at random"))
    assert [type(event) for event in events] == [WorkerDiscounted, LeaseRevoked]
    assert desk.gives(DiscountWorker(ann, "answers at random")) == []
    desk.refuses(RequestNext(ann), NotEligible)
    desk.refuses(DiscountWorker(desk.new_id(), "who?"), NotFound)
    desk.refuses(DiscountWorker(ann, " "), InvalidCommand)


def test_repair_re_opens_a_result_that_nothing_counted_is_left_of() -> None:
    desk = Desk(overlap=Overlap(1, 4), stopping=Stopping(0.5))
    task = desk.task()
    liar = desk.worker()
    held = [(worker, desk.take(worker)) for worker in desk.workers(2)]
    lease = desk.take(liar)
    desk.submit(liar, lease, NO)
    assert desk.events(TaskFinalised)[0].results[0].label == NO[0].label
    # Two answers came after the result: surplus, so a correction cannot rest on them.
    for worker, own in held:
        assert desk.submit(worker, own, YES).receipt is Receipt.SURPLUS
    discount(desk, liar)
    assert [type(event) for event in desk.events((ResultCorrected, TaskReopened))] == [TaskReopened]
    assert desk.tasks.state[desk.task_row(task)] == TaskState.OPEN


def test_repair_corrects_a_result_that_turns_without_the_worker() -> None:
    desk = Desk(gold=GoldPlan(1.0, 0), **ALL_THREE)
    liar, careless, proven = desk.workers(3)
    for _ in range(8):
        desk.gold(YES)
        desk.answer(proven, YES)
    desk.change_rules(overlap=Overlap(3, 3), stopping=Stopping(0.34))
    task = desk.task()
    for worker, answer in ((liar, NO), (careless, NO), (proven, YES)):
        desk.answer(worker, answer)
    desk.change_rules(overlap=Overlap(2, 3), stopping=Stopping(0.34))
    assert [event.results[0].label for event in desk.events(TaskFinalised)] == [NO[0].label]
    discount(desk, liar)
    (corrected,) = desk.events(ResultCorrected)
    assert (corrected.revision, corrected.results[0].label) == (2, YES[0].label)
    assert (corrected.reason, corrected.counted) == ("WORKER_DISCOUNTED", 2)
    assert desk.tasks.state[desk.task_row(task)] == TaskState.FINALISED


def test_repair_leaves_a_result_alone_that_stands_without_the_worker() -> None:
    desk = Desk(overlap=Overlap(3, 3), stopping=Stopping(0.5))
    task = desk.task()
    ann, bob, cid = desk.workers(3)
    for worker in (ann, bob, cid):
        desk.answer(worker, YES)
    desk.change_rules(overlap=Overlap(2, 3), stopping=Stopping(0.5))
    discount(desk, cid)
    assert desk.events(AnswerDiscounted)
    assert not desk.events((ResultCorrected, TaskReopened))
    assert desk.tasks.revision[desk.task_row(task)] == 1


def test_an_operators_correction_stands_whoever_is_discounted_later() -> None:
    desk = Desk(**ONE_IS_ENOUGH)
    task = desk.task()
    ann = desk.worker()
    desk.answer(ann, YES)
    desk.send(CorrectResult(task, NO, "the client says so"))
    discount(desk, ann)
    assert desk.tasks.state[desk.task_row(task)] == TaskState.FINALISED
    assert desk.tasks.revision[desk.task_row(task)] == 2


def test_an_experts_decision_stands_when_the_crowd_is_discounted() -> None:
    desk = Desk(overlap=Overlap(1, 1), stopping=Stopping(1.0, True))
    task = desk.task()
    ann, expert = desk.worker(), desk.worker(EXPERT)
    desk.answer(ann, YES)
    desk.answer(expert, NO)
    discount(desk, ann)
    assert desk.tasks.revision[desk.task_row(task)] == 1
    discount(desk, expert)
    assert desk.events(TaskReopened)
    assert desk.tasks.free(desk.task_row(task), 2) == 1


def test_a_task_whose_item_was_erased_is_never_re_opened() -> None:
    desk = Desk(**ONE_IS_ENOUGH)
    row = desk.row()
    desk.add(row)
    ann = desk.worker()
    desk.answer(ann)
    desk.send(EraseItem(row.item, "asked for"))
    discount(desk, ann)
    assert desk.events(AnswerDiscounted)
    assert not desk.events(TaskReopened)
    assert desk.tasks.state[desk.task_row(row.task)] == TaskState.CANCELLED


def test_discounted_gold_is_no_evidence_any_more_and_no_bonus_comes_of_it() -> None:
    plan = BonusPlan("daily", (BonusBand(0.05, 500),), 1, DAY, Mode.ENFORCE)
    desk = Desk(gold=GoldPlan(1.0, 9), bonuses=(plan,))
    desk.gold()
    ann = desk.worker()
    desk.answer(ann)
    row = desk.state.workers.find(ann)
    assert desk.state.workers.gold_correct[row] == 1
    discount(desk, ann)
    assert (desk.state.workers.gold_correct[row], desk.state.workers.gold_checked[row]) == (0, 0)
    desk.wait(2 * DAY)
    assert not desk.events(BonusDecided)


def test_what_was_reviewed_when_its_worker_is_discounted_is_waited_for_no_longer() -> None:
    desk = Desk(review=ReviewPlan(Mode.ENFORCE, 0.5), **ALL_THREE)
    task = desk.task()
    ann = desk.worker()
    lease = desk.answer(ann)
    assert desk.tasks.in_review[desk.task_row(task)] == 1
    discount(desk, ann)
    assert desk.tasks.in_review[desk.task_row(task)] == 0
    assert desk.state.assignments.revision[desk.row_of(lease)] == Revision.DISCOUNTED


def test_the_repair_of_many_answers_goes_in_bounded_steps() -> None:
    desk = Desk(**ALL_THREE)
    ann = desk.worker()
    for _ in range(70):
        desk.task()
        desk.answer(ann)
    desk.send(DiscountWorker(ann, "answers at random"))
    (entry,) = desk.shard.due(desk.now_us)
    assert len([event for event in entry.events if isinstance(event, AnswerDiscounted)]) == 64
    assert len(desk.state.repairs) == 6


# Late answers of those who do not count any more


def test_a_late_answer_of_somebody_banned_discounted_or_forgotten_is_refused_and_kept() -> None:
    def ban(desk: Desk, worker: Id) -> None:
        desk.ban(worker)

    def take_out(desk: Desk, worker: Id) -> None:
        desk.send(DiscountWorker(worker, "answers at random"))

    def forget(desk: Desk, worker: Id) -> None:
        desk.send(SeverPerson(person_of(desk, worker)))

    for shut_out in (ban, take_out, forget):
        desk = Desk()
        desk.task()
        ann = desk.worker()
        lease = desk.take(ann)
        desk.wait(HOUR)
        shut_out(desk, ann)
        received = desk.submit(ann, lease)
        assert (received.receipt, received.reason) == (Receipt.REFUSED, "LEASE_REVOKED")


def test_a_banned_worker_is_given_nothing_and_holds_nothing() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    desk.take(ann)
    desk.ban(ann)
    assert desk.events(LeaseRevoked)[-1].reason == "WORKER_BANNED"
    assert desk.state.workers.status[desk.state.workers.find(ann)] == WorkerStatus.BANNED
    desk.refuses(RequestNext(ann), NotEligible)


# Persons


def test_a_person_is_forgotten_once_and_an_unknown_one_is_not_found() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    desk.take(ann)
    person = person_of(desk, ann)
    assert [type(event) for event in desk.gives(SeverPerson(person))] == [LeaseRevoked, PersonSevered]
    assert desk.gives(SeverPerson(person)) == []
    desk.refuses(SeverPerson(desk.new_id()), NotFound)


def test_every_worker_of_an_erased_person_is_severed_and_their_answers_still_count() -> None:
    desk = Desk(**ALL_THREE)
    task = desk.task()
    desk.task()
    person = desk.new_id()
    ann, also_ann = desk.worker(person=person), desk.worker(person=person)
    desk.answer(ann)
    desk.take(also_ann)
    desk.send_to(ORGANISATION, ErasePerson(person, "asked for"))
    assert len(desk.events(PersonSevered)) == 1
    assert desk.events(LeaseRevoked)[-1].reason == "PERSON_ERASED"
    assert desk.tasks.counted_crowd[desk.task_row(task)] == 1
    for worker in (ann, also_ann):
        desk.refuses(RequestNext(worker), NotEligible)


def test_a_seniors_check_of_a_discounted_answer_concludes_nothing() -> None:
    desk = Desk(review=ReviewPlan(Mode.ENFORCE, 0.5), **ALL_THREE)
    desk.task()
    ann, senior = desk.worker(), desk.worker(SENIOR)
    desk.answer(ann)
    lease = desk.take(senior)
    discount(desk, ann)
    desk.submit(senior, lease)
    assert desk.state.workers.review_checked[desk.state.workers.find(ann)] == 0
