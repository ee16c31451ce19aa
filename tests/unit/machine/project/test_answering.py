"""What becomes of answers: counted, surplus, refused and kept, amended, withdrawn."""

from __future__ import annotations

import pytest
from tests.support.desk import EXPERT, LABELS, NO, UNSURE, YES, Desk
from tests.support.engine import MINUTE

from crowdroute.router.commands.project import (
    AmendAnswer,
    CancelTask,
    EscalateTask,
    RequestNext,
    RevokeLease,
    SubmitAnswer,
    WithdrawAnswer,
)
from crowdroute.router.errors import (
    InvalidCommand,
    KeyReused,
    LeaseEnded,
    NotFound,
    NotYourLease,
    StaleLease,
    UnknownLabel,
    WrongState,
)
from crowdroute.router.events.project import (
    AnswerSubmitted,
    EntryPosted,
    ResultCorrected,
    TaskFinalised,
    TaskReopened,
)
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.rules import Field, GoldPlan, Label, LeaseTerms, Overlap, Stopping
from crowdroute.router.model.states import EntryKind, Receipt, TaskState


def test_an_answer_under_a_live_lease_is_counted_and_paid_in_the_same_entry() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    received = desk.submit(ann, lease)
    assert (received.receipt, received.price_micros) == (Receipt.COUNTED, 20_000)
    entry = desk.entries[-1]
    assert [type(event) for event in entry.events][:2] == [AnswerSubmitted, EntryPosted]
    assert entry.events[1].micros == 20_000
    assert entry.events[1].assignment == lease.assignment


def test_the_same_answer_again_gets_the_same_reply_and_changes_nothing() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    first = desk.submit(ann, lease)
    length = len(desk.entries)
    assert desk.submit(ann, lease) == first
    assert len(desk.entries) == length


def test_another_answer_under_an_answered_lease_is_refused() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    desk.submit(ann, lease, YES)
    desk.refuses(SubmitAnswer(ann, lease.assignment, lease.fence, NO), KeyReused)


def test_a_retry_of_the_first_answer_is_answered_as_before_even_after_it_was_amended() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    first = desk.submit(ann, lease, YES)
    desk.send(AmendAnswer(ann, lease.assignment, lease.fence, NO))
    assert desk.submit(ann, lease, YES) == first


def test_a_late_answer_is_counted_when_its_slot_is_free() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    desk.wait(11 * MINUTE)
    received = desk.submit(ann, lease)
    assert received.receipt is Receipt.COUNTED
    assert desk.events(AnswerSubmitted)[-1].late


def test_a_late_answer_is_surplus_and_paid_when_its_slot_is_taken() -> None:
    desk = Desk(overlap=Overlap(1, 1), stopping=Stopping(1.0))
    desk.task()
    ann, bob = desk.workers(2)
    lease = desk.take(ann)
    desk.wait(11 * MINUTE)
    desk.take(bob)
    received = desk.submit(ann, lease, NO)
    assert (received.receipt, received.reason) == (Receipt.SURPLUS, "SLOT_TAKEN")
    assert received.price_micros == 20_000
    assert desk.events(AnswerSubmitted)[-1].answer == NO
    assert len(desk.events(EntryPosted)) == 1


def test_an_answer_that_comes_later_than_a_leases_length_after_its_end_is_refused_and_kept() -> None:
    desk = Desk(gold=GoldPlan(1.0, 1))
    desk.task()
    desk.gold()
    ann = desk.worker()
    leases = desk.send(RequestNext(ann, 2)).leases
    desk.wait(21 * MINUTE)
    for lease in leases:
        received = desk.submit(ann, lease)
        assert (received.receipt, received.reason) == (Receipt.REFUSED, "TOO_LATE")
    assert not desk.events(EntryPosted)


def test_a_late_answer_to_a_cancelled_task_is_refused_and_kept() -> None:
    desk = Desk()
    task = desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    desk.wait(11 * MINUTE)
    desk.send(CancelTask(task, "not needed"))
    assert desk.submit(ann, lease).reason == "TASK_CLOSED"


def test_a_late_answer_to_a_finalised_task_is_surplus_and_paid() -> None:
    desk = Desk(overlap=Overlap(1, 2), stopping=Stopping(0.34))
    desk.task()
    ann, bob = desk.workers(2)
    lease = desk.take(ann)
    desk.wait(11 * MINUTE)
    desk.answer(bob)
    received = desk.submit(ann, lease)
    assert (received.receipt, received.reason) == (Receipt.SURPLUS, "TASK_DECIDED")
    assert received.price_micros == 20_000


def test_a_late_answer_to_a_parked_task_is_counted_when_its_slot_is_free() -> None:
    desk = Desk(lease=LeaseTerms(attempts=1))
    task = desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    desk.wait(11 * MINUTE)
    assert desk.tasks.state[desk.state.task(task)] == TaskState.PARKED
    assert desk.submit(ann, lease).receipt is Receipt.COUNTED
    assert desk.tasks.state[desk.state.task(task)] == TaskState.PARKED
    assert len(desk.events(EntryPosted)) == 1


def test_an_answer_under_a_live_lease_is_counted_when_the_task_went_to_an_expert_meanwhile() -> None:
    desk = Desk(overlap=Overlap(1, 5))
    task = desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    desk.send(EscalateTask(task, "an expert is to look"))
    assert desk.submit(ann, lease).receipt is Receipt.COUNTED


def test_the_crowd_may_change_its_answers_to_decided_tasks_as_it_may_those_to_gold() -> None:
    desk = Desk(overlap=Overlap(1, 2), stopping=Stopping(0.34))
    task = desk.task()
    ann = desk.worker()
    lease = desk.answer(ann, YES)
    assert desk.tasks.state[desk.state.task(task)] == TaskState.FINALISED
    desk.send(AmendAnswer(ann, lease.assignment, lease.fence, NO))
    (corrected,) = desk.events(ResultCorrected)
    assert (corrected.reason, corrected.results[0].label) == ("ANSWER_CHANGED", NO[0].label)
    assert corrected.revision == 2


def test_a_result_whose_answer_was_taken_back_is_open_again() -> None:
    desk = Desk(overlap=Overlap(1, 2), stopping=Stopping(0.34))
    task = desk.task()
    ann = desk.worker()
    lease = desk.answer(ann, YES)
    desk.send(WithdrawAnswer(ann, lease.assignment, lease.fence, "slip"))
    assert desk.tasks.state[desk.state.task(task)] == TaskState.OPEN
    assert desk.events(TaskReopened)[-1].reason == "ANSWER_CHANGED"


def test_an_answer_to_a_task_that_others_finished_meanwhile_is_surplus_and_paid() -> None:
    desk = Desk(overlap=Overlap(1, 2), stopping=Stopping(0.34))
    task = desk.task()
    ann, bob = desk.workers(2)
    lease = desk.take(ann)
    desk.answer(bob)
    assert desk.tasks.state[desk.state.task(task)] == TaskState.FINALISED
    received = desk.submit(ann, lease, NO)
    assert (received.receipt, received.price_micros) == (Receipt.SURPLUS, 20_000)
    assert len(desk.events(EntryPosted)) == 2
    assert len(desk.events(TaskFinalised)) == 1


def test_an_answer_under_a_revoked_lease_is_refused_and_kept() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    desk.send(RevokeLease(lease.assignment, "by hand"))
    assert desk.submit(ann, lease).reason == "LEASE_REVOKED"


def test_an_answer_to_a_cancelled_task_is_refused_and_kept() -> None:
    desk = Desk()
    task = desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    desk.send(CancelTask(task, "not needed"))
    assert desk.submit(ann, lease).receipt is Receipt.REFUSED


def test_an_answer_needs_the_fence_and_the_worker_of_its_lease() -> None:
    desk = Desk()
    desk.task()
    ann, bob = desk.workers(2)
    lease = desk.take(ann)
    desk.send(RequestNext(bob))
    desk.refuses(SubmitAnswer(ann, lease.assignment, lease.fence + 1, YES), StaleLease)
    desk.refuses(SubmitAnswer(bob, lease.assignment, lease.fence, YES), NotYourLease)
    desk.refuses(SubmitAnswer(ann, desk.new_id(), lease.fence, YES), NotFound)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((Choice(0, 7),), UnknownLabel),
        ((Choice(0, -1),), UnknownLabel),
        ((Choice(3, 0),), UnknownLabel),
        ((), InvalidCommand),
        ((Choice(0, 0), Choice(0, 1)), InvalidCommand),
    ],
)
def test_an_answer_that_does_not_fit_the_schema_is_refused_and_the_lease_goes_on(
    answer: tuple[Choice, ...], error: type[InvalidCommand]
) -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    desk.refuses(SubmitAnswer(ann, lease.assignment, lease.fence, answer), error)
    assert desk.submit(ann, lease).receipt is Receipt.COUNTED


def test_a_skipped_task_cannot_be_answered_any_more() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    lease = desk.skip(ann)
    desk.refuses(SubmitAnswer(ann, lease.assignment, lease.fence, YES), LeaseEnded)


def test_an_amended_answer_counts_in_place_of_the_first() -> None:
    desk = Desk(overlap=Overlap(2, 3), stopping=Stopping(1.0))
    task = desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    desk.submit(ann, lease, YES)
    before = desk.state.models.probabilities(0, desk.state.task(task))
    desk.send(AmendAnswer(ann, lease.assignment, lease.fence, NO))
    after = desk.state.models.probabilities(0, desk.state.task(task))
    assert before.index(max(before)) == YES[0].label
    assert after.index(max(after)) == NO[0].label
    assert desk.tasks.counted_crowd[desk.state.task(task)] == 1


def test_an_answer_may_be_changed_only_for_as_long_as_a_lease_lasts() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    lease = desk.answer(ann)
    desk.wait(11 * MINUTE)
    desk.refuses(AmendAnswer(ann, lease.assignment, lease.fence, NO), WrongState)


def test_a_withdrawn_answer_frees_its_slot_and_takes_its_pay_back() -> None:
    desk = Desk()
    task = desk.state.task(desk.task())
    ann = desk.worker()
    lease = desk.answer(ann)
    free = desk.tasks.free(task, 0)
    desk.send(WithdrawAnswer(ann, lease.assignment, lease.fence, "mistaken"))
    assert desk.tasks.free(task, 0) == free + 1
    assert [(entry.kind, entry.micros) for entry in desk.events(EntryPosted)] == [
        (EntryKind.PIECE, 20_000),
        (EntryKind.CORRECTION, -20_000),
    ]
    assert desk.state.workers.earned_micros[desk.state.workers.find(ann)] == 0


def test_an_experts_answer_decides_whatever_the_crowd_said() -> None:
    desk = Desk(overlap=Overlap(1, 1), stopping=Stopping(1.0, True))
    task = desk.task()
    ann, expert = desk.worker(), desk.worker(EXPERT)
    desk.answer(ann, YES)
    desk.answer(expert, UNSURE)
    row = desk.state.task(task)
    (result,) = desk.state.result_fields(desk.tasks.result[row])
    assert result.label == UNSURE[0].label
    assert result.probabilities == (0.0, 0.0, 1.0)


def test_an_answer_fits_the_schema_that_was_shown_with_the_task() -> None:
    desk = Desk(overlap=Overlap(2, 2), stopping=Stopping(1.0))
    task = desk.task()
    ann, bob = desk.workers(2)
    lease = desk.take(ann)
    fields = (Field("label", LABELS), Field("bird", (Label("robin"), Label("wren"))))
    desk.change_rules(overlap=Overlap(2, 2), stopping=Stopping(1.0), fields=fields)
    assert desk.submit(ann, lease, YES).receipt is Receipt.COUNTED
    later = desk.take(bob)
    desk.refuses(SubmitAnswer(bob, later.assignment, later.fence, YES), InvalidCommand)
    desk.submit(bob, later, (*YES, Choice(1, 1)))
    bird = desk.state.result_fields(desk.tasks.result[desk.task_row(task)])[1]
    assert bird.label == 1


def test_a_published_result_reads_as_it_was_after_labels_were_added() -> None:
    desk = Desk(overlap=Overlap(1, 1), stopping=Stopping(0.34))
    task = desk.task()
    desk.answer(desk.worker())
    published = desk.events(TaskFinalised)[0].results
    desk.change_rules(fields=(Field("label", (*LABELS, Label("other"))), Field("bird", (Label("wren"),))))
    assert desk.state.result_fields(desk.tasks.result[desk.task_row(task)]) == published


def test_an_answer_may_be_changed_for_as_long_as_leases_lasted_when_it_was_granted() -> None:
    desk = Desk(overlap=Overlap(2, 3), stopping=Stopping(1.0))
    desk.task()
    ann = desk.worker()
    lease = desk.answer(ann)
    desk.change_rules(lease=LeaseTerms(duration_us=MINUTE), overlap=Overlap(2, 3), stopping=Stopping(1.0))
    desk.wait(5 * MINUTE)
    desk.send(AmendAnswer(ann, lease.assignment, lease.fence, NO))


def test_a_withdrawn_answer_is_changed_no_more_and_its_worker_is_not_given_the_task_again() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    received = desk.submit(ann, lease)
    desk.send(WithdrawAnswer(ann, lease.assignment, lease.fence, "mistaken"))
    desk.refuses(AmendAnswer(ann, lease.assignment, lease.fence, NO), WrongState)
    desk.refuses(WithdrawAnswer(ann, lease.assignment, lease.fence, "mistaken"), WrongState)
    assert desk.submit(ann, lease) == received
    assert desk.send(RequestNext(ann)).reason == "NO_TASK"


def test_an_answer_past_its_deadline_is_in_time_until_the_lease_has_ended() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    desk.now_us += 20 * MINUTE
    assert desk.submit(ann, lease).receipt is Receipt.COUNTED
    assert not desk.events(AnswerSubmitted)[-1].late


def test_gold_is_answered_amended_and_withdrawn_like_any_task_and_the_evidence_follows() -> None:
    desk = Desk(gold=GoldPlan(1.0, 1))
    desk.gold(YES)
    ann = desk.worker()
    lease = desk.answer(ann, NO)
    workers, row = desk.state.workers, desk.state.workers.find(ann)
    assert (workers.gold_correct[row], workers.gold_checked[row]) == (0, 1)
    desk.send(AmendAnswer(ann, lease.assignment, lease.fence, YES))
    assert (workers.gold_correct[row], workers.gold_checked[row]) == (1, 1)
    desk.send(WithdrawAnswer(ann, lease.assignment, lease.fence, "mistaken"))
    assert (workers.gold_correct[row], workers.gold_checked[row]) == (0, 0)


def test_any_number_of_workers_answers_gold_each_person_once() -> None:
    desk = Desk(overlap=Overlap(1, 2), gold=GoldPlan(1.0, 9))
    desk.gold()
    for worker in desk.workers(5):
        assert desk.submit(worker, desk.take(worker)).receipt is Receipt.COUNTED
        assert desk.send(RequestNext(worker)).reason == "NO_TASK"
    assert not desk.events(TaskFinalised)


def test_an_answer_that_fitted_the_rules_before_is_refused_once_its_label_is_removed() -> None:
    desk = Desk()
    desk.task()
    ann, bob = desk.workers(2)
    desk.answer(ann, YES)
    lease = desk.take(bob)
    desk.change_rules(fields=(Field("label", (Label("yes", removed=True), *LABELS[1:])),))
    desk.refuses(SubmitAnswer(bob, lease.assignment, lease.fence, YES), UnknownLabel)
