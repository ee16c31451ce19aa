"""The report of answers that are more than one label."""

from __future__ import annotations

import numpy as np

from crowdroute.aggregation.answer_findings import AnswerFindings
from crowdroute.aggregation.report.charts import histogram
from crowdroute.aggregation.report.document import (
    Cell,
    Picture,
    Report,
    Section,
    Table,
    Tile,
    count,
    percent,
    span,
    table,
)
from crowdroute.aggregation.report.shapes import shorten

_SHOWN, _CHARACTERS = 20, 160
"""Tasks and workers in tables, and characters of a result there."""


def answer_report(findings: AnswerFindings, title: str) -> Report:
    """Write the report."""
    answers, told = findings.answers, findings.error
    tiles = [Tile("Model", findings.model)]
    if told is not None:
        note = f"on gold, {told.lower:.3f} – {told.upper:.3f}"
        tiles.append(Tile(findings.kind.measure.capitalize(), f"{told.value:.3f}", note))
    tiles += [
        Tile("Answers lie off by", percent(float(findings.distance.mean())), "mean distance from the result"),
        Tile("Answers per task", f"{len(answers) / answers.n_tasks:.1f}"),
    ]
    sections = (
        Section(
            "Results",
            "Each task gets one result, made of its answers; how far they lie from it tells how sure it is.",
            (
                _distribution("How far answers lie from the result", findings.distance, "tasks"),
                _distribution("How near workers are to the results", findings.closeness, "workers"),
            ),
        ),
        Section(
            "What disagrees most",
            "Tasks whose answers lie farthest from the result: the item may be unclear, or the instruction.",
            (_disputed(findings),),
        ),
        Section(
            "Workers",
            "Closeness is 1 minus the mean distance of the worker's answers from the results, which they are"
            " part of; no gold has confirmed it.",
            (
                _workers(findings, "the farthest from the results", False),
                _workers(findings, "the nearest", True),
            ),
        ),
    )
    return Report(
        title,
        f"{count(len(answers))} answers ({findings.kind.name}) on {count(answers.n_tasks)} tasks by"
        f" {count(answers.n_workers)} workers, aggregated by {findings.model}",
        tuple(tiles),
        sections,
        "Made by crowdroute aggregate. Intervals are 95 %.",
    )


def _distribution(title: str, values: np.ndarray, what: str) -> Picture:
    edges = np.linspace(0.0, 1.0, 17)
    shares = (np.histogram(np.clip(values, 0.0, 1.0), edges)[0] / max(len(values), 1)).tolist()
    rows: list[tuple[str | Cell, ...]] = [
        (span(edges[place], edges[place + 1]), percent(share)) for place, share in enumerate(shares)
    ]
    told = [f"{row[0]}: {row[1]} of {what}" for row in rows]
    caption = f"Share of {what} across."
    figures = table("from – to", what, rows=rows, numbers=1)
    return Picture(title, histogram(title, shares, edges.tolist(), told), caption, figures, wide=False)


def _disputed(findings: AnswerFindings) -> Table:
    order = np.argsort(-findings.distance, kind="stable")[:_SHOWN].tolist()
    rows: list[tuple[str | Cell, ...]] = [
        (
            str(findings.answers.task_ids[task]),
            shorten(str(findings.results[task]), _CHARACTERS),
            percent(float(findings.distance[task])),
        )
        for task in order
    ]
    return table("task", "result", "answers lie off by", rows=rows, numbers=1)


def _workers(findings: AnswerFindings, what: str, nearest: bool) -> Table:
    closeness = findings.closeness
    counts = np.bincount(findings.answers.workers, minlength=len(closeness))
    order = np.argsort(-closeness if nearest else closeness, kind="stable")[:_SHOWN].tolist()
    rows: list[tuple[str | Cell, ...]] = [
        (
            str(findings.answers.worker_ids[w]),
            count(int(counts[w])),
            percent(float(closeness[w])),
            *(f"{values[w]:.3g}" for values in findings.of_workers.values()),
        )
        for w in order
    ]
    names = (f"worker ({what})", "answers", "closeness", *findings.of_workers)
    return table(*names, rows=rows, numbers=len(names) - 1)
