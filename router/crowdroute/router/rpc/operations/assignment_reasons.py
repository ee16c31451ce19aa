"""Why a worker was given a task and what became of the answer, as sentences with the numbers behind them."""

from __future__ import annotations

from crowdroute.router.machine.project.explaining import AssignmentStory, explain_assignment
from crowdroute.router.model.ids import Id, Kind, to_text
from crowdroute.router.model.states import AssignmentState, Payment, Receipt, Review
from crowdroute.router.rpc.convert.money import amount_text
from crowdroute.router.rpc.operations import wording
from crowdroute.router.rpc.operations.task_reasons import Why
from crowdroute.router.state.project import Project

CHOSEN_BY = {
    "information_gain": "its answer promised to tell most of all that the worker could be given",
    "fifo": "it had waited longest of all that the worker could be given",
    "random": "it was drawn by chance from all that the worker could be given",
    "explore": "it was drawn by chance, so that the routing can be judged later",
    "gold": "its answer is known, and the worker was due to be checked",
    "training": "its answer is known, and the worker is new and is taught by it",
    "qualification": "its answer is known, and the worker is new and let in by it",
    "allowed": "it names the worker among those who may be given it",
    "stage": "results wait for this stage, so its work goes first",
}

ENDINGS = {
    AssignmentState.ACTIVE: "The lease is live.",
    AssignmentState.SUBMITTED: "It was answered.",
    AssignmentState.SKIPPED: "The worker skipped it.",
    AssignmentState.RELEASED: "The worker gave it back.",
    AssignmentState.EXPIRED: "The lease ran out.",
    AssignmentState.REVOKED: "The lease was taken away.",
    AssignmentState.REFUSED: "It was answered too late.",
}

RECEIPTS = {
    Receipt.COUNTED: "The answer was counted",
    Receipt.SURPLUS: "The answer came when the task was decided already: it is paid and does not count",
    Receipt.REFUSED: "The answer was refused: it is kept, neither counted nor paid",
}

VERDICTS = {
    Review.REQUESTED: "A reviewer is asked whether the answer is right",
    Review.PASSED: "A reviewer found the answer right",
    Review.RETURNED: "A reviewer returned the answer",
    Review.FAILED: "A reviewer found the answer wrong",
}

PAYMENTS = {
    Payment.DUE: "Its pay is due",
    Payment.HELD: "Its pay is held back",
    Payment.PAID: "It was paid",
    Payment.ADJUSTED: "Its pay was corrected",
}


def why_assignment(state: Project, identity: Id) -> tuple[str, list[Why]]:
    """Give the answer in one sentence, and what led to it, oldest first.

    Raises:
        NotFound: there is no such assignment.
    """
    story = explain_assignment(state, identity)
    row = state.assignment(identity)
    table = state.assignments
    reasons = [_granted(state, story, table.granted_us[row])]
    if story.receipt is not Receipt.NONE:
        reasons.append(_received(state, story, row))
    if story.review is not Review.NONE:
        reasons.append(
            Why(
                0,
                f"REVIEW_{story.review.name}",
                f"{VERDICTS[story.review]}.",
                {},
                {"review": story.review.name},
            )
        )
    if story.payment is not Payment.NONE:
        currency = state.rules_at(story.rules_version).prices.currency
        amount = f"{amount_text(story.price_micros)} {currency}"
        reasons.append(
            Why(
                0,
                f"PAYMENT_{story.payment.name}",
                f"{PAYMENTS[story.payment]}: {amount}.",
                {"price": story.price_micros / 1e6},
                {"currency": currency},
            )
        )
    reasons.append(_worker(story))
    if story.missing:
        reasons.append(_misses(story))
    return _summary(story), reasons


def _granted(state: Project, story: AssignmentStory, at_us: int) -> Why:
    why = CHOSEN_BY.get(story.policy, f"the policy {story.policy} chose it")
    return Why(
        at_us,
        "LEASE_GRANTED",
        f"{wording.short(Kind.WORKER, story.worker)} was given it {wording.ROLES[story.stage]}: {why}.",
        {
            "value": story.value,
            "propensity": story.propensity,
            "price": story.price_micros / 1e6,
            "rules_version": story.rules_version,
        },
        {
            "policy": story.policy,
            "task": to_text(Kind.TASK, story.task),
            "worker": to_text(Kind.WORKER, story.worker),
            "stage": story.stage.name,
        },
    )


def _received(state: Project, story: AssignmentStory, row: int) -> Why:
    said = wording.labels_text(state.rules.fields, state.answer_codes(row))
    reason = f" ({story.reason})" if story.reason else ""
    late = "; it came after the lease had ended" if story.late else ""
    return Why(
        state.assignments.answered_us[row],
        f"ANSWER_{story.receipt.name}",
        f"{RECEIPTS[story.receipt]}{reason}{late}: {said}.",
        {"late": float(story.late)},
        {"answer": said, "reason": story.reason, "revision": str(state.assignments.revisions[row])},
    )


def _worker(story: AssignmentStory) -> Why:
    accuracy = story.accuracy
    return Why(
        0,
        "WORKER_ACCURACY",
        f"{wording.short(Kind.WORKER, story.worker)} today: {wording.accuracy_text(accuracy)}.",
        {
            "accuracy": accuracy.mean,
            "accuracy_lower": accuracy.lower,
            "accuracy_upper": accuracy.upper,
            "correct": accuracy.correct,
            "checked": accuracy.count,
        },
        {"worker": to_text(Kind.WORKER, story.worker)},
    )


def _misses(story: AssignmentStory) -> Why:
    codes = ", ".join(reason.code.value for reason in story.missing)
    said = "; ".join(
        f"{reason.code.value}{f' of {reason.subject}' if reason.subject else ''}: needs {reason.needed},"
        f" has {reason.has}"
        for reason in story.missing
    )
    return Why(0, "NOT_ELIGIBLE", f"Today the worker would not be given it: {said}.", {}, {"missing": codes})


def _summary(story: AssignmentStory) -> str:
    why = CHOSEN_BY.get(story.policy, f"the policy {story.policy} chose it")
    ending = RECEIPTS.get(story.receipt, ENDINGS[story.state].rstrip("."))
    return (
        f"{wording.short(Kind.WORKER, story.worker)} was given {wording.short(Kind.TASK, story.task)} because"
        f" {why}. {ending}."
    )
