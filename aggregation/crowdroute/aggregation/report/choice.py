"""The report of single-choice labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crowdroute.aggregation.base import vote_counts
from crowdroute.aggregation.findings import ChoiceFindings, Disputed, Score
from crowdroute.aggregation.intervals import Estimate
from crowdroute.aggregation.report.charts import (
    Whisker,
    histogram,
    pairs_of_bars,
    reliability,
    votes_bar,
    whiskers,
)
from crowdroute.aggregation.report.choice_workers import MOST_LABELS, workers_section
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
from crowdroute.aggregation.selection import Selection


def choice_report(findings: ChoiceFindings, title: str) -> Report:
    """Write the report of one aggregation."""
    annotations = findings.annotations
    per_task = len(annotations) / annotations.n_tasks
    sections = [_results(findings), _agreement(findings)]
    if findings.disputed:
        sections.append(_disputed(findings.disputed))
    sections.append(workers_section(findings))
    if findings.selection is not None:
        sections.append(_selection(findings.selection))
    return Report(
        title,
        f"{count(len(annotations))} labels on {count(annotations.n_tasks)} tasks by"
        f" {count(annotations.n_workers)} workers, aggregated by {findings.model}",
        (*_tiles(findings), Tile("Labels per task", f"{per_task:.1f}", f"{annotations.n_classes} answers")),
        tuple(sections),
        "Made by crowdroute aggregate. Intervals are 95 %.",
    )


def _tiles(findings: ChoiceFindings) -> tuple[Tile, ...]:
    score, alpha = findings.score, findings.agreement["Krippendorff's alpha"]
    sure = float((findings.posteriors.max(axis=1) >= 0.95).mean())
    tiles = [Tile("Model", findings.model, "chosen for these labels" if findings.selection else "as asked")]
    if score is not None:
        note = f"{span(score.accuracy.lower, score.accuracy.upper)}, {count(score.gold_tasks)} gold tasks"
        tiles.append(Tile("Accuracy", percent(score.accuracy.value), note))
    if alpha is not None:
        tiles.append(Tile("Agreement", f"{alpha.value:.2f}", f"Krippendorff's alpha, {_bounds(alpha)}"))
    tiles.append(Tile("Sure results", percent(sure), "tasks above 95 % confidence"))
    return tuple(tiles)


def _results(findings: ChoiceFindings) -> Section:
    annotations, posteriors = findings.annotations, findings.posteriors
    edges = np.linspace(1.0 / annotations.n_classes if annotations.n_classes > 1 else 0.0, 1.0, 17)
    confidence = np.clip(posteriors.max(axis=1), edges[0], 1.0)
    bins = np.histogram(confidence, edges)[0] / annotations.n_tasks
    rows = [
        (f"{span(edges[place], edges[place + 1])}", percent(share))
        for place, share in enumerate(bins.tolist())
    ]
    blocks: list[Picture | Table] = [
        Picture(
            "How sure the results are",
            histogram(
                "Confidence of the results",
                bins.tolist(),
                edges.tolist(),
                [f"{where}: {share} of tasks" for where, share in rows],
            ),
            "Share of tasks by the probability of their likeliest label.",
            table("confidence", "tasks", rows=list(rows), numbers=1),
            wide=False,
        )
    ]
    text = (
        "Each task gets the label that is likeliest given who said what. The confidence is the model's own:"
        " it takes workers for independent, so it tends to be too high."
    )
    if findings.score is not None:
        blocks.append(_reliability(findings.score))
        text += " Gold tells by how much."
    blocks.append(_shares(findings))
    if findings.score is not None:
        blocks.append(_scores(findings.score))
    return Section("Results", text, tuple(blocks))


def _reliability(score: Score) -> Picture:
    bins = [(b.confidence, b.accuracy.value, b.accuracy.lower, b.accuracy.upper, b.count) for b in score.bins]
    rows: list[tuple[str | Cell, ...]] = [
        (percent(told), percent(right), span(lower, upper), count(tasks))
        for told, right, lower, upper, tasks in bins
    ]
    return Picture(
        "Told and true",
        reliability("Confidence told beside the share that was right", bins),
        "Confidence across, share that gold finds right upwards. On the dashed line it can be believed;"
        " below it, it is too high.",
        table("told", "right", "95 %", "tasks", rows=rows, numbers=4),
        wide=False,
    )


def _scores(score: Score) -> Table:
    def row(name: str, told: Estimate, shares: bool, meaning: str) -> tuple[str | Cell, ...]:
        if shares:
            return name, percent(told.value), span(told.lower, told.upper), meaning
        return name, f"{told.value:.3f}", _bounds(told), meaning

    return table(
        "on gold",
        "value",
        "95 %",
        "meaning",
        rows=[
            row("accuracy", score.accuracy, True, "share of tasks that are right"),
            row("majority vote", score.majority_vote, True, "the same with every worker counting alike"),
            row("calibration error", score.calibration_error, True, "mean gap of told and true; 0 is best"),
            row("Brier score", score.brier, False, "squared error of the probabilities, 0 to 2"),
            row("log loss", score.log_loss, False, "nats per task; punishes sure mistakes"),
        ],
    )


def _shares(findings: ChoiceFindings) -> Picture:
    annotations = findings.annotations
    given = vote_counts(annotations).sum(axis=0) / len(annotations)
    decided = np.bincount(findings.posteriors.argmax(axis=1), minlength=annotations.n_classes)
    found = decided / annotations.n_tasks
    order = np.argsort(-found, kind="stable")
    names = [str(annotations.label_ids[place]) for place in order]
    rows: list[tuple[str | Cell, ...]] = [
        (name, percent(found[place]), percent(given[place])) for name, place in zip(names, order, strict=True)
    ]
    top = order[:MOST_LABELS]
    return Picture(
        "Labels",
        pairs_of_bars(
            "Labels of results and as given", names[:MOST_LABELS], found[top].tolist(), given[top].tolist()
        ),
        "Blue: share of tasks with this result. Grey: share of all labels given."
        + (f" The {MOST_LABELS} most frequent of {len(names)}." if len(names) > MOST_LABELS else ""),
        table("label", "results", "labels given", rows=rows, numbers=2),
    )


def _agreement(findings: ChoiceFindings) -> Section:
    known = {name: told for name, told in findings.agreement.items() if told is not None}
    rows: list[tuple[str | Cell, ...]] = [
        (
            name,
            "–" if told is None else f"{told.value:.3f}",
            "undefined here" if told is None else _bounds(told),
        )
        for name, told in findings.agreement.items()
    ]
    figures = table("coefficient", "value", "95 %", rows=rows, numbers=2)
    blocks: list[Picture | Table] = [figures]
    if known:
        drawn = [
            Whisker(name, told.value, told.lower, told.upper, f"{told.value:.3f}", name.startswith("Kripp"))
            for name, told in known.items()
        ]
        low = min(0.0, *(max(told.lower, -1.0) for told in known.values()))
        picture = whiskers("Agreement beyond chance", drawn, low, 1.0, percent=False)
        caption = "0 is agreement by chance, 1 perfect; the lines are 95 % intervals over tasks."
        blocks = [Picture("Agreement beyond chance", picture, caption, figures)]
    if findings.least_agreeing:
        ids = findings.annotations.worker_ids
        blocks.append(
            table(
                "workers who agree least",
                "and",
                "tasks shared",
                "Cohen's kappa",
                "95 %",
                rows=[
                    (
                        str(ids[one.first]),
                        str(ids[one.second]),
                        count(one.shared),
                        f"{one.kappa.value:.2f}",
                        _bounds(one.kappa),
                    )
                    for one in findings.least_agreeing
                    if one.kappa is not None
                ],
                numbers=3,
            )
        )
    return Section(
        "Agreement",
        "How far workers agree beyond what chance would give. Where nearly all labels are one, kappa and"
        " alpha are low although people agree; AC1 is not.",
        tuple(blocks),
    )


def _disputed(disputed: Sequence[Disputed]) -> Section:
    rows: list[tuple[str | Cell, ...]] = []
    for one in disputed:
        total = sum(number for _, number in one.votes)
        told = [f"{label}: {number}" for label, number in one.votes]
        bar = votes_bar([number / total for _, number in one.votes], told)
        rows.append(
            (
                str(one.task),
                Cell(", ".join(told), bar),
                ", ".join(told[:4]),
                str(one.label),
                percent(one.confidence),
            )
        )
    return Section(
        "What disagrees most",
        "Tasks of three labels or more whose result is least sure: look at these first, for they show where"
        " the guideline is silent or the item is broken.",
        (table("task", "votes", "", "result", "confidence", rows=rows, numbers=1),),
    )


def _selection(selection: Selection) -> Section:
    rows: list[tuple[str | Cell, ...]] = []
    for one in selection.candidates:
        chosen = one.name == selection.chosen
        accuracy = "–" if one.accuracy is None else f"{percent(one.accuracy.value)}"
        bounds = "–" if one.accuracy is None else span(one.accuracy.lower, one.accuracy.upper)
        figures = (
            one.name,
            f"{one.log_likelihood:.4f}",
            f"{one.gain.value:+.4f}",
            _bounds(one.gain, 4),
            accuracy,
            bounds,
        )
        rows.append(tuple(Cell(figure, strong=chosen) for figure in figures))
    first = selection.candidates[0].name
    return Section(
        "Why this model",
        f"Chosen: {selection.chosen}, because {selection.reason}. Labels were hidden in turn and foretold"
        f" from the rest ({count(selection.annotations)} labels, five folds). Probabilities are the mean of"
        " the model's and of the votes' shares.",
        (
            table(
                "model", "ln P per hidden label", f"more than {first}", "95 %", "on gold", "95 %",
                rows=rows, numbers=5, note="Gold only scores: no model has learned from it.",
            ),
        ),
    )  # fmt: skip


def _bounds(told: Estimate, digits: int = 2) -> str:
    return f"{told.lower:.{digits}f} to {told.upper:.{digits}f}"
