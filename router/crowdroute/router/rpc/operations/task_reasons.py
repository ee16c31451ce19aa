"""Why a task is where it is, as sentences with the numbers behind them."""

from __future__ import annotations

from typing import NamedTuple

from crowdroute.router.machine.project.explaining import AnswerStory, TaskStory, explain_task
from crowdroute.router.machine.project.reviewing import record_of
from crowdroute.router.model.answers import FieldResult
from crowdroute.router.model.ids import Id, Kind, to_text
from crowdroute.router.model.states import FinalReason, Receipt, Review, Revision, TaskState
from crowdroute.router.quality.stopping import Verdict
from crowdroute.router.rpc.operations import wording
from crowdroute.router.state.project import WITH_KNOWN_ANSWER, Project
from crowdroute.router.state.tables import NONE
from crowdroute.workers.reliability import accuracy_interval

MOST_ANSWERS = 200
"""Answers told one by one, the newest: a task of known answer may have those of everybody."""


class Why(NamedTuple):
    """One thing that was decided."""

    at_us: int
    """0: it is so now."""
    code: str
    text: str
    numbers: dict[str, float]
    details: dict[str, str]


FINAL = {
    FinalReason.CONFIDENT: "the answers were sure enough",
    FinalReason.EXPERT: "an expert decided",
    FinalReason.MAXIMUM: "all answers planned were in",
}

VERDICTS = {
    Verdict.GO_ON: "another answer is wanted, or one is on its way",
    Verdict.CONFIDENT: "it can be finalised: the answers are sure enough",
    Verdict.MAXIMUM: "it can be finalised: all answers planned are in",
    Verdict.ESCALATE: "an expert is to be asked: all answers planned are in and not sure enough",
    Verdict.TOO_FEW: "more answers are needed than were planned",
}

REVIEWS = {
    Review.NONE: "",
    Review.REQUESTED: "; a reviewer is asked about it",
    Review.PASSED: "; a reviewer found it right",
    Review.RETURNED: "; a reviewer returned it",
    Review.FAILED: "; a reviewer found it wrong",
}


def why_task(state: Project, identity: Id) -> tuple[str, list[Why]]:
    """Give the answer in one sentence, and what led to it, oldest first.

    Raises:
        NotFound: there is no such task.
    """
    story = explain_task(state, identity)
    task = state.task(identity)
    reasons = [_opened(state, task, story)]
    reasons += [_answer(state, one) for one in reversed(story.answers[:MOST_ANSWERS])]
    reasons += _results(state, task)
    reasons.sort(key=lambda why: why.at_us)
    left_out = len(story.answers) - MOST_ANSWERS
    if left_out > 0:
        text = f"{wording.answers(left_out)} before these are left out."
        reasons.insert(1, Why(0, "ANSWERS_LEFT_OUT", text, {"count": left_out}, {}))
    now = _now(state, story)
    if now is not None:
        reasons.append(now)
    return _summary(state, story), reasons


def _opened(state: Project, task: int, story: TaskStory) -> Why:
    tasks = state.tasks
    batch = state.batches.values[tasks.batch[task]]
    within = f" in batch {batch}" if batch else ""
    purpose = story.purpose.name.lower()
    if story.purpose in WITH_KNOWN_ANSWER:
        wanted = "its answer is known, so that it checks workers and never gets a result"
    else:
        wanted = (
            f"it wants at least {wording.answers(story.minimum)} and is finalised from"
            f" {wording.share(story.target)} confidence on"
        )
    return Why(
        tasks.opened_us[task],
        "TASK_OPENED",
        f"It was opened{within} for {purpose}: {wanted}.",
        {
            "minimum": story.minimum,
            "planned": story.planned[0],
            "target": story.target,
            "priority": tasks.priority[task],
        },
        {"purpose": purpose, "batch": batch, "item": to_text(Kind.ITEM, state.items.id_of(tasks.item[task]))},
    )


def _answer(state: Project, story: AnswerStory) -> Why:
    row = state.assignment(story.assignment)
    table = state.assignments
    accuracy = accuracy_interval(*record_of(state, table.worker[row]))
    who = f"{wording.short(Kind.WORKER, story.worker)} ({wording.accuracy_text(accuracy)})"
    details = {
        "assignment": to_text(Kind.ASSIGNMENT, story.assignment),
        "worker": to_text(Kind.WORKER, story.worker),
        "stage": story.stage.name,
        "state": story.state.name,
    }
    numbers = {
        "accuracy": accuracy.mean,
        "accuracy_lower": accuracy.lower,
        "accuracy_upper": accuracy.upper,
        "checked": accuracy.count,
    }
    if story.receipt is Receipt.NONE:
        text = f"{who} was given it {wording.ROLES[story.stage]}: {story.state.name.lower()}."
        return Why(table.granted_us[row], f"LEASE_{story.state.name}", text, numbers, details)
    said = wording.labels_text(state.rules.fields, story.labels)
    details |= {"answer": said, "receipt": story.receipt.name, "review": story.review.name}
    for field, likelihood in zip(state.rules.fields, story.likelihoods, strict=False):
        numbers[f"likelihood.{field.id}"] = likelihood
    text = f"{who} answered {said} {wording.ROLES[story.stage]}{_standing(state, row, story)}."
    return Why(table.answered_us[row], "ANSWER_SUBMITTED", text, numbers, details)


def _standing(state: Project, row: int, story: AnswerStory) -> str:
    """Say what became of an answer."""
    reason = state.reasons.values[state.assignments.reason[row]]
    match Revision(state.assignments.revision[row]):
        case Revision.WITHDRAWN:
            return "; it was withdrawn"
        case Revision.DISCOUNTED:
            return "; it does not count, since none of its worker's answers do"
    match story.receipt:
        case Receipt.SURPLUS:
            return f"; the task was decided already ({reason}), so it is paid and does not count"
        case Receipt.REFUSED:
            return f"; it was refused ({reason})"
    return REVIEWS[story.review]


def _results(state: Project, task: int) -> list[Why]:
    table = state.results
    reasons = []
    row = state.tasks.result[task]
    while row != NONE:
        results = state.result_fields(row)
        confidence = min(result.probabilities[result.label] for result in results)
        said = _most_probable(state, results)
        numbers = {"revision": table.revision[row], "confidence": confidence, "counted": table.counted[row]}
        details = {"answer": said, "rules_version": str(table.rules_version[row])}
        if table.corrected[row]:
            which = f"revision {table.revision[row]}"
            text = f"Its result was corrected to {said} ({which}): {state.corrections[row]}."
            reasons.append(Why(table.at_us[row], "RESULT_CORRECTED", text, numbers, details))
        else:
            final = FinalReason(table.reason[row])
            text = (
                f"It was finalised as {said} with {wording.share(confidence)} confidence from"
                f" {wording.answers(table.counted[row])}: {FINAL[final]}."
            )
            details["reason"] = final.name
            reasons.append(Why(table.at_us[row], "TASK_FINALISED", text, numbers, details))
        row = table.previous[row]
    return reasons


def _most_probable(state: Project, results: tuple[FieldResult, ...]) -> str:
    codes = [NONE] * len(state.rules.fields)
    for result in results:
        codes[result.field] = result.label
    return wording.labels_text(state.rules.fields, codes)


def _now(state: Project, story: TaskStory) -> Why | None:
    """Say what the rules say of it now, when it is not decided."""
    standing = story.standing
    numbers = {
        "confidence": standing.confidence,
        "target": story.target,
        "counted": standing.counted,
        "minimum": story.minimum,
        "free": sum(story.free),
        "live": standing.live,
        "in_review": standing.in_review,
    }
    if story.state is TaskState.PARKED:
        text = (
            f"It is parked ({story.parked_for}) after {story.attempts} leases in a row that ended without an"
            " answer: look at it, then re-open or cancel it."
        )
        return Why(0, "TASK_PARKED", text, numbers, {"reason": story.parked_for})
    if story.verdict is None:
        return None
    waits = f"; {standing.in_review} under review" if standing.in_review else ""
    text = (
        f"It has {wording.answers(standing.counted)} and {wording.share(standing.confidence)} confidence"
        f" of {wording.share(story.target)} needed{waits}: {VERDICTS[story.verdict]}."
    )
    return Why(0, f"VERDICT_{story.verdict.name}", text, numbers, {"stage": story.stage.name})


def _summary(state: Project, story: TaskStory) -> str:
    name = wording.short(Kind.TASK, story.task)
    where = wording.TASK_STATES[story.state]
    if story.purpose in WITH_KNOWN_ANSWER:
        return f"{name} is {where}; its answer is known and it checks workers."
    said = _most_probable(state, story.results)
    confidence = min((result.probabilities[result.label] for result in story.results), default=0.0)
    sure = wording.share(confidence)
    if story.state is TaskState.FINALISED:
        how = "it was corrected" if story.reason is None else FINAL[story.reason]
        return f"{name} is finalised as {said} with {sure} confidence (revision {story.revision}): {how}."
    if not story.standing.counted:
        return f"{name} is {where} and has no answer that counts yet."
    at = f" and asks {wording.STAGES[story.stage]}" if story.state is TaskState.OPEN else ""
    return (
        f"{name} is {where}{at}; after {wording.answers(story.standing.counted)} the most probable is {said}"
        f" with {sure}."
    )
