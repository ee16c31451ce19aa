"""`crowdroute aggregate` on free text: of what was given, the text nearest to the others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import typer

from crowdroute.aggregation.answers import AnswerSet
from crowdroute.aggregation.errors import UnreadableFileError
from crowdroute.aggregation.file_tables import Table
from crowdroute.aggregation.intervals import Estimate, bootstrap_interval
from crowdroute.aggregation.kinds import COLUMNS_OF, TEXT
from crowdroute.aggregation.report.texts import TextFindings, text_report
from crowdroute.aggregation.texts import error_rates, nearest_text
from crowdroute.router.cli.aggregating_choice import AUTO, DISPUTED, Step
from crowdroute.router.cli.aggregating_outcome import Outcome
from crowdroute.router.cli.output import percent

NEAREST = "nearest-text"


def aggregate_texts(
    table: Table, gold: dict[str, str], model: str, title: str, begin: Step, advance: Callable[[], None]
) -> Outcome:
    """Choose a text per task and judge texts and workers by their distances."""
    if model not in (AUTO, NEAREST):
        raise typer.BadParameter(f"{model!r} is no model for text; choose {AUTO} or {NEAREST}")
    tasks, workers, texts = (table.texts(name, COLUMNS_OF[TEXT]) for name in COLUMNS_OF[TEXT])
    if not tasks:
        raise UnreadableFileError(f"{table.path} holds no texts: there is nothing below its first line")
    answers = AnswerSet[str].from_sequences(tasks, workers, texts, repeats="first")
    begin("comparing texts", answers.n_tasks)
    found = nearest_text(answers, lambda done: advance())
    results = dict(zip(map(str, answers.task_ids), found.texts, strict=True))
    rate = _rate(*error_rates({str(task): text for task, text in results.items()}, gold))
    findings = TextFindings(answers, found, NEAREST, rate)
    lines = [f"{answers.n_tasks} tasks, {len(answers)} texts by {answers.n_workers} workers, {NEAREST}"]
    if rate is not None:
        lines.append(
            f"word error rate {percent(rate.value)} (95 % interval {percent(rate.lower)} –"
            f" {percent(rate.upper)}) on tasks with gold"
        )
    elif gold:
        lines.append(f"no error rate: of the {len(gold)} tasks with gold none has a text")
    lines.append(
        f"mean distance of two texts of one task {percent(float(found.spread.mean()))} of the longer one"
    )
    counts = np.bincount(answers.workers, minlength=answers.n_workers)
    summary = {
        "kind": TEXT,
        "model": NEAREST,
        "tasks": answers.n_tasks,
        "workers": answers.n_workers,
        "labels": len(answers),
        "word_error_rate": None
        if rate is None
        else {"value": rate.value, "interval": [rate.lower, rate.upper]},
        "spread": float(found.spread.mean()),
        "by_worker": [
            {"worker": str(worker), "texts": int(counts[w]), "closeness": float(found.closeness[w])}
            for w, worker in enumerate(answers.worker_ids)
        ],
        "most_disputed": [
            {"task": str(answers.task_ids[task]), "spread": float(found.spread[task])}
            for task in np.argsort(-found.spread, kind="stable")[:DISPUTED].tolist()
        ],
        "results": results,
    }
    rows = [
        (task, text, 1.0 - float(distance))
        for (task, text), distance in zip(results.items(), found.distance, strict=True)
    ]
    return Outcome(summary, lines, ("task", "text", "closeness"), rows, lambda: text_report(findings, title))


def _rate(errors: np.ndarray, words: np.ndarray) -> Estimate | None:
    """Return errors per word of the truth, with its interval over tasks; None without gold."""
    if len(errors) == 0:
        return None
    return bootstrap_interval(lambda weights: (weights @ errors) / (weights @ words), len(errors))
