"""The report of free text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdroute.aggregation.answers import AnswerSet
from crowdroute.aggregation.intervals import Estimate
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
from crowdroute.aggregation.texts import TextConsensus

_SHOWN, _CHARACTERS = 20, 160
"""Tasks and workers in tables, and characters of a text there."""


@dataclass(frozen=True, slots=True, eq=False)
class TextFindings:
    """What one aggregation of texts found."""

    answers: AnswerSet[str]
    consensus: TextConsensus
    model: str
    error_rate: Estimate | None
    """Word errors per word of the gold text, where there is some."""


def text_report(findings: TextFindings, title: str) -> Report:
    """Write the report."""
    answers, found = findings.answers, findings.consensus
    tiles = [Tile("Model", findings.model)]
    if findings.error_rate is not None:
        told = findings.error_rate
        tiles.append(Tile("Word error rate", percent(told.value), f"on gold, {span(told.lower, told.upper)}"))
    tiles += [
        Tile("Two texts differ by", percent(float(found.spread.mean())), "words, on average"),
        Tile("Texts per task", f"{len(answers) / answers.n_tasks:.1f}"),
    ]
    sections = (
        Section(
            "Results",
            "Each task gets the text that lies nearest to the others, in words put in, taken out or"
            " exchanged; workers whose texts lie near those of others weigh more.",
            (
                _distribution("How far the chosen text lies from the others", found.distance, "tasks"),
                _distribution("How near workers are to others", found.closeness, "workers"),
            ),
        ),
        Section(
            "What disagrees most",
            "Tasks whose texts differ most: the item may be unclear, or the instruction.",
            (_disputed(findings),),
        ),
        Section(
            "Workers",
            "Closeness is 1 minus the mean distance to the texts of others; no gold has confirmed it.",
            (_workers(findings, "the farthest from others", False), _workers(findings, "the nearest", True)),
        ),
    )
    return Report(
        title,
        f"{count(len(answers))} texts on {count(answers.n_tasks)} tasks by {count(answers.n_workers)}"
        f" workers, aggregated by {findings.model}",
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


def _disputed(findings: TextFindings) -> Table:
    found = findings.consensus
    order = np.argsort(-found.spread, kind="stable")[:_SHOWN].tolist()
    rows: list[tuple[str | Cell, ...]] = [
        (
            str(findings.answers.task_ids[t]),
            shorten(found.texts[t], _CHARACTERS),
            percent(float(found.spread[t])),
        )
        for t in order
    ]
    return table("task", "chosen text", "texts differ by", rows=rows, numbers=1)


def _workers(findings: TextFindings, what: str, nearest: bool) -> Table:
    closeness = findings.consensus.closeness
    counts = np.bincount(findings.answers.workers, minlength=len(closeness))
    order = np.argsort(-closeness if nearest else closeness, kind="stable")[:_SHOWN].tolist()
    rows: list[tuple[str | Cell, ...]] = [
        (str(findings.answers.worker_ids[w]), count(int(counts[w])), percent(float(closeness[w])))
        for w in order
    ]
    return table(f"worker ({what})", "texts", "closeness", rows=rows, numbers=2)
