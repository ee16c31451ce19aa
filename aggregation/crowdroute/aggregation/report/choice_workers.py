"""The part of a report that tells how often each worker is right, and what they mix up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crowdroute.aggregation.findings import ChoiceFindings, WorkerFindings
from crowdroute.aggregation.report.charts import Matrix, caterpillar, interval_bar, matrix, small_matrices
from crowdroute.aggregation.report.document import (
    Cell,
    Picture,
    Section,
    Table,
    count,
    percent,
    span,
    table,
)

MATRICES = 24
"""Workers whose confusion matrix is drawn: those with the most labels."""

WORKERS = 40
"""Workers in the table, again those with the most labels."""

MOST_LABELS = 12
"""Labels in a picture that has a row for each: those that results have most."""


def workers_section(findings: ChoiceFindings) -> Section:
    """Write the section."""
    workers, ids = findings.workers, findings.annotations.worker_ids
    order = np.lexsort((np.arange(len(ids)), workers.accuracy)).tolist()
    drawn = [
        (float(workers.accuracy[w]), float(workers.lower[w]), float(workers.upper[w]), str(ids[w]))
        for w in order
    ]
    busiest = np.argsort(-workers.labels, kind="stable")
    shown = sorted(busiest[:WORKERS].tolist(), key=lambda w: (-workers.accuracy[w], w))
    note = "" if len(ids) <= WORKERS else f"The {WORKERS} with the most labels of {count(len(ids))}."
    gold = int(workers.checked.sum())
    text = (
        "How often each worker is right: agreement with what the others make likely, the worker's own label"
        " left out, is where the estimate begins"
    )
    text += (
        f"; {count(gold)} answers on gold tasks say how to read it, and each worker's own gold corrects it."
        if gold
        else ". No gold has confirmed it: workers who err alike look better than they are."
    )
    rows = [_worker_row(workers, str(ids[w]), w) for w in shown]
    blocks: list[Picture | Table] = [
        Picture(
            "Accuracy of every worker",
            caterpillar("Accuracy of every worker with its interval", drawn),
            "One dot per worker, from least to most accurate; the band is the 95 % interval.",
            table("worker", "labels", "accuracy", "95 %", "on gold", rows=rows, note=note, numbers=4),
        ),
        _confusion(findings),
    ]
    if findings.annotations.n_classes > 1:
        blocks.append(_confusions(findings, busiest[:MATRICES].tolist()))
    with_bars: list[tuple[str | Cell, ...]] = [
        (
            row[0],
            Cell(
                str(row[3]),
                interval_bar(*(float(a[w]) for a in (workers.accuracy, workers.lower, workers.upper))),
            ),
            *row[1:],
        )
        for row, w in zip(rows, shown, strict=True)
    ]
    blocks.append(
        table("worker", "", "labels", "accuracy", "95 %", "on gold", rows=with_bars, note=note, numbers=4)
    )
    return Section("Workers", text, tuple(blocks))


def _worker_row(workers: WorkerFindings, name: str, w: int) -> tuple[str | Cell, ...]:
    return (
        name,
        count(int(workers.labels[w])),
        percent(float(workers.accuracy[w])),
        span(float(workers.lower[w]), float(workers.upper[w])),
        f"{workers.right[w]} of {workers.checked[w]}" if workers.checked[w] else "–",
    )


def _confusion(findings: ChoiceFindings) -> Picture:
    """Return the matrix of the whole crowd, each worker weighing as much as they labelled."""
    workers = findings.workers
    pooled = np.average(workers.confusion, axis=0, weights=workers.labels)
    names = [str(label) for label in findings.annotations.label_ids]
    most = min(len(names), MOST_LABELS)
    order = np.sort(np.argsort(-findings.posteriors.sum(axis=0), kind="stable")[:most])
    names = [names[place] for place in order]
    pooled = pooled[np.ix_(order, order)]
    told = [
        [
            f"of tasks that are {truth}, {share:.1%} of labels say {label}"
            for label, share in zip(names, row, strict=True)
        ]
        for truth, row in zip(names, pooled.tolist(), strict=True)
    ]
    rows: list[tuple[str | Cell, ...]] = [
        (truth, *(percent(share) for share in row)) for truth, row in zip(names, pooled.tolist(), strict=True)
    ]
    return Picture(
        "What the crowd says for what is true",
        matrix("Confusion matrix of the crowd", names, Matrix("crowd", pooled.tolist(), told)),
        "A row for each true label, in percent of the labels it gets. Blue is right, orange is wrong.",
        table("truth", *names, rows=rows, numbers=most),
        wide=True,
    )


def _confusions(findings: ChoiceFindings, chosen: Sequence[int]) -> Picture:
    workers, annotations = findings.workers, findings.annotations
    labels = [str(label) for label in annotations.label_ids]
    drawn, rows = [], []
    for w in chosen:
        name = str(annotations.worker_ids[w])
        told = [
            [
                f"{truth} → {label}: {workers.confusion[w, t, s]:.1%}"
                f" ({span(workers.confusion_lower[w, t, s], workers.confusion_upper[w, t, s])})"
                for s, label in enumerate(labels)
            ]
            for t, truth in enumerate(labels)
        ]
        drawn.append(Matrix(name, workers.confusion[w].tolist(), told))
        wrong = workers.confusion[w].copy()
        np.fill_diagonal(wrong, -1.0)
        worst = divmod(int(wrong.argmax()), len(labels))
        rows.append((name, count(int(workers.labels[w])), told[worst[0]][worst[1]]))
    return Picture(
        "The busiest workers, one by one",
        small_matrices("Confusion matrices of the busiest workers", drawn),
        f"Truths down, labels across, in the order {', '.join(labels[:MOST_LABELS])}"
        f"{', …' if len(labels) > MOST_LABELS else ''}."
        " Rest the pointer on a cell to see its share and interval.",
        table("worker", "labels", "most frequent mistake", rows=list(rows), note=""),
    )
