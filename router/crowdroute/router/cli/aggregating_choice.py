"""`crowdroute aggregate` on single-choice labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import typer
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.file_tables import Table
from crowdroute.aggregation.files import annotations_of
from crowdroute.aggregation.findings import (
    ChoiceFindings,
    Score,
    WorkerFindings,
    agreement_of,
    gold_counts,
    least_agreeing_pairs,
    most_disputed,
    score_of,
)
from crowdroute.aggregation.intervals import Estimate
from crowdroute.aggregation.kinds import CHOICE
from crowdroute.aggregation.models import MODELS_BY_NAME, candidates_for
from crowdroute.aggregation.peers import confusion_intervals, peer_agreement
from crowdroute.aggregation.report.choice import choice_report
from crowdroute.aggregation.selection import Selection, fits, select_model
from crowdroute.aggregation.smoothed import SmoothedDawidSkene
from crowdroute.router.cli.aggregating_outcome import Outcome
from crowdroute.router.cli.output import percent
from crowdroute.workers.peers import fit_peer_prior

AUTO = "auto"
DISPUTED, PAIRS = 25, 10
"""Tasks and pairs of workers that the summary tells."""

Step = Callable[[str, int], None]
"""Told what is done next, and how many steps there are of it."""


def aggregate_choice(
    table: Table, gold: dict[str, str], model: str, title: str, begin: Step, advance: Callable[[], None]
) -> Outcome:
    """Choose or take a model, fit it, and find everything the report tells."""
    annotations = annotations_of(table, repeats="first")
    findings = find_choice(annotations, gold, model, begin, advance)
    names = [str(label) for label in annotations.label_ids]
    predicted = predicted_by(findings)
    return Outcome(
        summary={"kind": CHOICE, **summary_of(findings, predicted, names)},
        told=told_of(findings, gold),
        columns=("task", "label", *(f"p_{name}" for name in names)),
        rows=[
            (task, label, *row)
            for (task, label), row in zip(predicted.items(), findings.posteriors.tolist(), strict=True)
        ],
        report=lambda: choice_report(findings, title),
    )


def find_choice(
    annotations: AnnotationSet,
    gold: dict[str, str],
    model: str,
    begin: Step,
    advance: Callable[[], None],
) -> ChoiceFindings:
    """Fit and judge; gold labels that nobody gave count as missed."""
    check_model(model, "single-choice labels", ())
    selection: Selection | None = None
    if model == AUTO:
        models = candidates_for(annotations)
        begin("comparing models", fits(models))
        selection, fitted = select_model(annotations, models, _usable(annotations, gold), advance=advance)
        model, posteriors = selection.chosen, fitted.predict_proba()
    else:
        begin("fitting", 1)
        posteriors = MODELS_BY_NAME[model]().fit(annotations).predict_proba()
        advance()
    return judge_choice(annotations, gold, model, selection, posteriors, begin, advance)


def check_model(model: str, what: str, further: Iterable[str]) -> None:
    """Refuse a name that is neither automatic nor a model of single choice, and tell those there are."""
    if model != AUTO and model not in MODELS_BY_NAME:
        known = ", ".join([AUTO, *MODELS_BY_NAME, *further])
        raise typer.BadParameter(f"{model!r} is no model for {what}; choose one of {known}")


def judge_choice(
    annotations: AnnotationSet,
    gold: dict[str, str],
    model: str,
    selection: Selection | None,
    posteriors: NDArray[np.float64],
    begin: Step,
    advance: Callable[[], None],
) -> ChoiceFindings:
    """Judge what a model found: posteriors (tasks, labels) in the order of the annotations' ids."""
    begin("agreement, workers, calibration", 3)
    tasks, labels = set(annotations.task_ids), set(annotations.label_ids)
    usable = _usable(annotations, gold)
    foreign = sum(task in tasks and label not in labels for task, label in gold.items())
    agreement = agreement_of(annotations)
    advance()
    workers = _workers(annotations, usable)
    advance()
    score = score_of(annotations, posteriors, usable, foreign)
    advance()
    return ChoiceFindings(
        annotations,
        model,
        selection,
        posteriors,
        agreement,
        workers,
        most_disputed(annotations, posteriors, DISPUTED),
        least_agreeing_pairs(annotations, PAIRS),
        score,
    )


def _usable(annotations: AnnotationSet, gold: dict[str, str]) -> dict[str, str]:
    labels = set(annotations.label_ids)
    return {task: label for task, label in gold.items() if label in labels}


def predicted_by(findings: ChoiceFindings) -> dict[str, str]:
    """Return the likeliest label of each task, as text."""
    annotations = findings.annotations
    likeliest = findings.posteriors.argmax(axis=1).tolist()
    return {
        str(task): str(annotations.label_ids[label])
        for task, label in zip(annotations.task_ids, likeliest, strict=True)
    }


def _workers(annotations: AnnotationSet, gold: dict[str, str]) -> WorkerFindings:
    """Judge the workers by their peers under one model, whichever gave the results: it sees each label."""
    reference = SmoothedDawidSkene().fit(annotations)
    peers = peer_agreement(annotations, reference.confusion_, reference.class_shares_, gold)
    right, checked = gold_counts(annotations, gold)
    prior = fit_peer_prior(peers.agreement, peers.labels, right, checked)
    accuracy = prior.intervals(peers.agreement, peers.labels, right, checked)
    labels = np.bincount(annotations.workers, minlength=annotations.n_workers).astype(np.int64)
    return WorkerFindings(
        labels,
        accuracy.mean,
        accuracy.lower,
        accuracy.upper,
        right,
        checked,
        *confusion_intervals(peers.confusion_counts),
    )


def told_of(findings: ChoiceFindings, gold: dict[str, str]) -> list[str]:
    """Return the lines for people."""
    annotations, score = findings.annotations, findings.score
    lines = [
        f"{annotations.n_tasks} tasks, {len(annotations)} labels by {annotations.n_workers} workers,"
        f" {findings.model}"
    ]
    if findings.selection is not None:
        lines.append(f"{findings.model} was chosen because {findings.selection.reason}")
    if score is not None:
        told = score.accuracy
        lines.append(
            f"accuracy {percent(told.value)} (95 % interval {percent(told.lower)} – {percent(told.upper)})"
            f" on {score.gold_tasks} gold tasks; majority vote {percent(score.majority_vote.value)}"
        )
    elif gold:
        lines.append(f"no accuracy: of the {len(gold)} tasks with gold none has a label")
    alpha = findings.agreement["Krippendorff's alpha"]
    if alpha is not None:
        lines.append(f"agreement beyond chance (Krippendorff's alpha) {alpha}")
    if findings.disputed:
        tasks = ", ".join(str(one.task) for one in findings.disputed[:3])
        lines.append(f"least sure: {tasks}")
    return lines


def summary_of(findings: ChoiceFindings, predicted: dict[str, str], names: list[str]) -> dict[str, Any]:
    """Return what a program reads."""
    annotations, score = findings.annotations, findings.score
    return {
        "model": findings.model,
        "selection": None if findings.selection is None else _selection(findings.selection),
        "tasks": annotations.n_tasks,
        "workers": annotations.n_workers,
        "labels": len(annotations),
        "gold_tasks": 0 if score is None else score.gold_tasks,
        "accuracy": None if score is None else score.accuracy.value,
        "accuracy_interval": None if score is None else _bounds(score.accuracy),
        "score": None if score is None else _score(score),
        "agreement": {name: _estimate(told) for name, told in findings.agreement.items()},
        "by_worker": _by_worker(findings, names),
        "most_disputed": [
            {
                "task": str(one.task),
                "votes": {str(label): number for label, number in one.votes},
                "label": str(one.label),
                "confidence": one.confidence,
            }
            for one in findings.disputed
        ],
        "least_agreeing": [
            {
                "workers": [str(annotations.worker_ids[one.first]), str(annotations.worker_ids[one.second])],
                "tasks": one.shared,
                "kappa": _estimate(one.kappa),
            }
            for one in findings.least_agreeing
        ],
        "results": predicted,
        "probabilities": {
            task: dict(zip(names, row, strict=True))
            for task, row in zip(predicted, findings.posteriors.tolist(), strict=True)
        },
    }


def _by_worker(findings: ChoiceFindings, names: list[str]) -> list[dict[str, Any]]:
    workers = findings.workers
    return [
        {
            "worker": str(worker),
            "labels": int(workers.labels[w]),
            "accuracy": float(workers.accuracy[w]),
            "accuracy_interval": [float(workers.lower[w]), float(workers.upper[w])],
            "gold_right": int(workers.right[w]),
            "gold_checked": int(workers.checked[w]),
            "confusion": {
                truth: {
                    label: {
                        "probability": float(workers.confusion[w, t, s]),
                        "interval": [
                            float(workers.confusion_lower[w, t, s]),
                            float(workers.confusion_upper[w, t, s]),
                        ],
                    }
                    for s, label in enumerate(names)
                }
                for t, truth in enumerate(names)
            },
        }
        for w, worker in enumerate(findings.annotations.worker_ids)
    ]


def _selection(selection: Selection) -> dict[str, Any]:
    return {
        "chosen": selection.chosen,
        "reason": selection.reason,
        "gold_tasks": selection.gold_tasks,
        "candidates": [
            {
                "model": one.name,
                "log_likelihood": one.log_likelihood,
                "gain": _estimate(one.gain),
                "accuracy": _estimate(one.accuracy),
            }
            for one in selection.candidates
        ],
    }


def _score(score: Score) -> dict[str, Any]:
    return {
        "majority_vote": _estimate(score.majority_vote),
        "calibration_error": _estimate(score.calibration_error),
        "brier": _estimate(score.brier),
        "log_loss": _estimate(score.log_loss),
        "reliability": [
            {
                "above": one.above,
                "up_to": one.up_to,
                "tasks": one.count,
                "confidence": one.confidence,
                "accuracy": _estimate(one.accuracy),
            }
            for one in score.bins
        ],
    }


def _estimate(told: Estimate | None) -> dict[str, Any] | None:
    return None if told is None else {"value": told.value, "interval": _bounds(told)}


def _bounds(told: Estimate) -> list[float]:
    return [told.lower, told.upper]
