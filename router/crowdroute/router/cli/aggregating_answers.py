"""`crowdroute aggregate` on answers that are more than one label: texts, numbers, sets, masks, boxes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import typer

from crowdroute.aggregation.answer_findings import AnswerFindings, findings_of
from crowdroute.aggregation.answer_kinds import AnswerKind
from crowdroute.aggregation.file_tables import Table
from crowdroute.aggregation.report.answers import answer_report
from crowdroute.router.cli.aggregating_choice import AUTO, DISPUTED, Step
from crowdroute.router.cli.aggregating_outcome import Outcome
from crowdroute.router.cli.output import percent


def aggregate_answers(
    kind: AnswerKind,
    table: Table,
    gold: Table | None,
    model: str,
    title: str,
    begin: Step,
    advance: Callable[[], None],
) -> Outcome:
    """Aggregate by the model asked for, and judge tasks and workers by distances from the results."""
    if model != AUTO and model not in kind.models:
        known = ", ".join([AUTO, *kind.models])
        raise typer.BadParameter(f"{model!r} is no model for {kind.name}; choose one of {known}")
    answers = kind.answers_of(table)
    known_answers = {} if gold is None else kind.gold_of(gold)
    begin("aggregating", 1)
    chosen = kind.default(answers) if model == AUTO else model
    findings = findings_of(kind, answers, chosen, known_answers)
    advance()
    further = [values.tolist() for values in findings.further.values()]
    rows = zip(
        map(str, answers.task_ids),
        findings.results,
        (1.0 - findings.distance).tolist(),
        *further,
        strict=True,
    )
    return Outcome(
        _summary(findings),
        _told(findings, len(known_answers)),
        ("task", kind.column, "closeness", *findings.further),
        rows,
        lambda: answer_report(findings, title),
    )


def _told(findings: AnswerFindings, gold_tasks: int) -> list[str]:
    answers, measure = findings.answers, findings.kind.measure
    lines = [
        f"{answers.n_tasks} tasks, {len(answers)} answers by {answers.n_workers} workers, {findings.model}"
    ]
    if findings.error is not None:
        lines.append(f"{measure} {findings.error} on tasks with gold (95 % interval)")
    elif gold_tasks:
        lines.append(f"no {measure}: of the {gold_tasks} tasks with gold none has an answer")
    lines.append(f"mean distance of an answer from the result {percent(float(findings.distance.mean()))}")
    return lines


def _summary(findings: AnswerFindings) -> dict[str, object]:
    answers, told = findings.answers, findings.error
    counts = np.bincount(answers.workers, minlength=answers.n_workers)
    tasks = [str(task) for task in answers.task_ids]
    return {
        "kind": findings.kind.name,
        "model": findings.model,
        "tasks": answers.n_tasks,
        "workers": answers.n_workers,
        "answers": len(answers),
        "error": None
        if told is None
        else {
            "measure": findings.kind.measure,
            "value": told.value,
            "interval": [told.lower, told.upper],
        },
        "distance": float(findings.distance.mean()),
        "by_worker": [
            {
                "worker": str(worker),
                "answers": int(counts[w]),
                "closeness": float(findings.closeness[w]),
                **{name: float(values[w]) for name, values in findings.of_workers.items()},
            }
            for w, worker in enumerate(answers.worker_ids)
        ],
        "most_disputed": [
            {"task": tasks[task], "distance": float(findings.distance[task])}
            for task in np.argsort(-findings.distance, kind="stable")[:DISPUTED].tolist()
        ],
        "results": dict(zip(tasks, findings.results, strict=True)),
        "further": {
            name: dict(zip(tasks, values.tolist(), strict=True)) for name, values in findings.further.items()
        },
    }
