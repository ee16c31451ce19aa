"""What happened, for people who watch: which events are told, to whom, and in which words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from crowdroute.router.events import organisation as organisation_facts
from crowdroute.router.events import project as facts
from crowdroute.router.events.base import Fact
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.rpc.convert.money import amount_text
from crowdroute.router.rpc.operations import wording
from crowdroute.router.rpc.scopes import Scope

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


class News(NamedTuple):
    """How one kind of event is told."""

    scope: Scope
    """Who may read of such things elsewhere may hear of them here."""
    text: Callable[[Any], str]
    details: Callable[[Any], dict[str, str]] = lambda event: {}


def _worker(event: Any) -> str:
    return wording.short(Kind.WORKER, event.worker)


def _reason(event: Any) -> dict[str, str]:
    return {"reason": event.reason}


def _project_news() -> dict[type[Fact], News]:
    projects, tasks, results = Scope.PROJECTS_READ, Scope.TASKS_READ, Scope.RESULTS_READ
    workers, ledger = Scope.WORKERS_READ, Scope.LEDGER_READ
    return {
        facts.ProjectCreated: News(
            projects, lambda e: f"Project {e.name} was created.", lambda e: {"name": e.name}
        ),
        facts.RulesApplied: News(
            projects,
            lambda e: f"Version {e.rules.version} of the rules is in force.",
            lambda e: {"version": str(e.rules.version)},
        ),
        facts.ProjectPaused: News(projects, lambda e: f"Work is paused: {e.reason}.", _reason),
        facts.ProjectResumed: News(projects, lambda e: "Work is handed out again."),
        facts.OutageNoted: News(
            projects,
            lambda e: f"The engine was away for {e.length_us / 1e6:.0f} seconds; live leases were extended.",
            lambda e: {"seconds": f"{e.length_us / 1e6:.3f}"},
        ),
        facts.TaskOpened: News(
            tasks,
            lambda e: f"A {e.purpose.name.lower()} task was opened.",
            lambda e: {"purpose": e.purpose.name, "batch": e.batch, "round": str(e.round)},
        ),
        facts.SlotsPlanned: News(
            tasks,
            lambda e: f"{wording.answers(e.added)} more wanted from {wording.STAGES[e.stage]}: {e.reason}.",
            lambda e: {"stage": e.stage.name, "added": str(e.added), "reason": e.reason},
        ),
        facts.LeaseGranted: News(
            tasks,
            lambda e: f"{_worker(e)} was given a task {wording.ROLES[e.stage]}.",
            lambda e: {"stage": e.stage.name, "policy": e.policy},
        ),
        facts.LeaseExpired: News(tasks, lambda e: "A lease ran out."),
        facts.LeaseReleased: News(tasks, lambda e: "A task was given back unanswered."),
        facts.AssignmentSkipped: News(
            tasks,
            lambda e: f"A task was {'reported as broken' if e.problem else 'skipped'}: {e.reason}.",
            lambda e: {"reason": e.reason, "problem": str(e.problem).lower()},
        ),
        facts.ProblemReported: News(tasks, lambda e: f"A problem was reported: {e.reason}.", _reason),
        facts.LeaseRevoked: News(tasks, lambda e: f"A lease was taken away: {e.reason}.", _reason),
        facts.AnswerSubmitted: News(
            tasks,
            lambda e: (
                f"An answer came in and was {e.receipt.name.lower()}"
                + (f": {e.reason}." if e.reason else ".")
            ),
            lambda e: {"receipt": e.receipt.name, "reason": e.reason, "late": str(e.late).lower()},
        ),
        facts.AnswerAmended: News(tasks, lambda e: "An answer was changed by its author."),
        facts.AnswerWithdrawn: News(tasks, lambda e: f"An answer was withdrawn: {e.reason}.", _reason),
        facts.AnswerDiscounted: News(tasks, lambda e: "An answer no longer counts.", _reason),
        facts.ReviewRequested: News(
            tasks,
            lambda e: f"An answer {'goes' if e.mode else 'would go'} to review ({e.reason}).",
            lambda e: {
                "reason": e.reason,
                "mode": e.mode.name,
                "lower_bound": f"{e.lower_bound:.6f}",
                "correct": str(e.correct),
                "checked": str(e.checked),
                "threshold": f"{e.threshold:.6f}",
            },
        ),
        facts.ReviewConcluded: News(
            tasks,
            lambda e: f"A reviewed answer {e.verdict.name.lower()}.",
            lambda e: {"verdict": e.verdict.name},
        ),
        facts.TaskEscalated: News(
            tasks,
            lambda e: (
                f"{wording.STAGES[e.stage].capitalize()} is asked after {wording.answers(e.counted)}"
                f" with {wording.share(e.confidence)} confidence: {e.reason}."
            ),
            lambda e: {
                "reason": e.reason,
                "confidence": f"{e.confidence:.6f}",
                "counted": str(e.counted),
            },
        ),
        facts.TaskFinalised: News(
            results,
            lambda e: (
                f"A task was finalised with {wording.share(e.confidence)} confidence from"
                f" {wording.answers(e.counted)}."
            ),
            lambda e: {
                "reason": e.reason.name,
                "revision": str(e.revision),
                "confidence": f"{e.confidence:.6f}",
                "counted": str(e.counted),
            },
        ),
        facts.ResultCorrected: News(
            results,
            lambda e: f"A result was corrected (revision {e.revision}): {e.reason}.",
            lambda e: {
                "reason": e.reason,
                "revision": str(e.revision),
                "confidence": f"{e.confidence:.6f}",
                "counted": str(e.counted),
            },
        ),
        facts.TaskReopened: News(
            tasks,
            lambda e: f"A task takes answers again: {e.reason}.",
            lambda e: {
                "reason": e.reason,
                "added": str(e.added),
                "confidence": f"{e.confidence:.6f}",
                "counted": str(e.counted),
            },
        ),
        facts.TaskParked: News(
            tasks,
            lambda e: f"A task was parked after {e.attempts} leases without an answer: {e.reason}.",
            lambda e: {"reason": e.reason, "attempts": str(e.attempts)},
        ),
        facts.TaskCancelled: News(tasks, lambda e: f"A task was cancelled: {e.reason}.", _reason),
        facts.RefitFellDue: News(
            projects,
            lambda e: f"Refit {e.version} is due: {wording.answers(e.answers)} came since the last one.",
            lambda e: {"version": str(e.version), "answers": str(e.answers)},
        ),
        facts.ModelInstalled: News(
            projects,
            lambda e: f"The models were fitted anew to {e.annotations} labels (refit {e.version}).",
            lambda e: {
                "version": str(e.version),
                "fitted_through": str(e.fitted_through),
                "labels": str(e.annotations),
                "digest": e.digest.hex(),
            },
        ),
        facts.WorkerDiscounted: News(
            workers, lambda e: f"The answers of {_worker(e)} no longer count: {e.reason}.", _reason
        ),
        facts.ItemErased: News(
            tasks,
            lambda e: f"An item was erased: {e.reason}.",
            lambda e: {"reason": e.reason, "item": to_text(Kind.ITEM, e.item)},
        ),
        facts.PersonSevered: News(
            workers,
            lambda e: "What an erased person wrote was deleted.",
            lambda e: {"person": to_text(Kind.PERSON, e.person)},
        ),
        facts.EntryPosted: News(
            ledger,
            lambda e: (
                f"An entry of {amount_text(e.micros)} {e.currency} was posted for {_worker(e)}"
                f" ({e.kind.name.lower()})."
            ),
            lambda e: {"kind": e.kind.name, "amount": amount_text(e.micros), "currency": e.currency},
        ),
        facts.BonusDecided: News(
            ledger,
            lambda e: (
                f"A bonus {'was' if e.mode else 'would be'} decided for {_worker(e)}:"
                f" {amount_text(e.micros)} by rule {e.rule}."
            ),
            lambda e: {
                "rule": e.rule,
                "mode": e.mode.name,
                "amount": amount_text(e.micros),
                "lower_bound": f"{e.lower_bound:.6f}",
                "correct": str(e.correct),
                "checked": str(e.checked),
            },
        ),
    }


def _organisation_news() -> dict[type[Fact], News]:
    workers, tokens = Scope.WORKERS_READ, Scope.TOKENS_MANAGE
    return {
        organisation_facts.OrganisationCreated: News(
            Scope.PROJECTS_READ, lambda e: f"The organisation {e.tenant} began."
        ),
        organisation_facts.ProjectRegistered: News(
            Scope.PROJECTS_READ, lambda e: f"Project {e.name} was registered.", lambda e: {"name": e.name}
        ),
        organisation_facts.VendorAdded: News(
            workers,
            lambda e: f"Vendor {e.name} was added.",
            lambda e: {"name": e.name, "vendor": to_text(Kind.VENDOR, e.vendor)},
        ),
        organisation_facts.PoolAdded: News(
            workers,
            lambda e: f"Pool {e.name} was added.",
            lambda e: {"name": e.name, "pool": to_text(Kind.POOL, e.pool)},
        ),
        organisation_facts.WorkerUpserted: News(
            workers,
            lambda e: f"{wording.short(Kind.WORKER, e.facts.worker)} is known (version {e.facts.version}).",
            lambda e: {"version": str(e.facts.version)},
        ),
        organisation_facts.WorkerStatusChanged: News(
            workers,
            lambda e: f"{_worker(e)} is {e.status.name.lower()} now: {e.reason}.",
            lambda e: {"status": e.status.name, "reason": e.reason},
        ),
        organisation_facts.PersonErased: News(
            workers,
            lambda e: f"A person was erased: {e.reason}.",
            lambda e: {"person": to_text(Kind.PERSON, e.person), "reason": e.reason},
        ),
        organisation_facts.TokenIssued: News(
            tokens,
            lambda e: f"Token {e.name} was issued.",
            lambda e: {"token": to_text(Kind.TOKEN, e.token), "scopes": " ".join(e.scopes)},
        ),
        organisation_facts.TokenRevoked: News(
            tokens,
            lambda e: f"{to_text(Kind.TOKEN, e.token)} was revoked: {e.reason}.",
            lambda e: {"token": to_text(Kind.TOKEN, e.token), "reason": e.reason},
        ),
    }


NEWS: dict[type[Fact], News] = {**_project_news(), **_organisation_news()}
"""By kind of event."""

UNTOLD: frozenset[type[Fact]] = frozenset(
    {
        # Told by what follows from them, or of interest to nobody but the engine.
        facts.WorkerFactApplied,
        facts.ItemAdded,
        facts.LeaseExtended,
        facts.DraftSaved,
        organisation_facts.BalanceNoted,
        organisation_facts.ProjectAwaited,
    }
)


def code_of(kind: type[Fact]) -> str:
    """Give the stable code of a kind of event, for example `TASK_PARKED`."""
    return _CAPITAL.sub("_", kind.__name__).upper()


KINDS: dict[str, type[Fact]] = {code_of(kind): kind for kind in NEWS}
"""Kinds of event that are told, by code."""
