"""The tables of answers of other kinds in docs/aggregation.md, on the crowds that have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from crowdroute.aggregation import (
    AnswerSet,
    BradleyTerry,
    ComparisonSet,
    MajorityVote,
    OnlineBradleyTerry,
    SmoothedDawidSkene,
    WorkerBradleyTerry,
    read_annotations,
    read_gold,
)
from crowdroute.aggregation.answer_kinds import ANSWER_KINDS, AnswerKind
from crowdroute.aggregation.comparison_set import LEFT, RIGHT, TIE
from crowdroute.aggregation.file_tables import read_table
from crowdroute.aggregation.kinds import NUMERIC, TEXT
from crowdroute.aggregation.pairs import comparisons_of
from crowdroute.aggregation.text_reference import CrowdKitRover
from crowdroute.aggregation.texts import error_rates

BEGIN, END = "<!-- kinds: begin -->", "<!-- kinds: end -->"

TEXTS = ("crowdspeech_dev_clean", "crowdwsa_j1", "crowdwsa_t1")

PREFERENCES = ("ukpconvarg1",)

SCALES = {"adult2": "GPRX", "s_rel": "0123"}
"""Crowds whose labels are places on a scale, from the lowest."""


def write_kinds_table(document: Path, datasets: Path) -> None:
    """Replace what stands between the marks in the document."""
    lines = []
    for line in (*text_lines(datasets), "", *scale_lines(datasets), "", *preference_lines(datasets)):
        lines.append(line)
        print(line, flush=True)
    before, rest = document.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    document.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}", encoding="utf-8")


def text_lines(datasets: Path) -> Iterator[str]:
    """Yield the word errors per word of the gold text."""
    kind = ANSWER_KINDS[TEXT]
    yield from header("crowd of texts", ["one at random", *kind.models, "crowd-kit ROVER"])
    for name in TEXTS:
        answers = kind.answers_of(read_table(datasets / name / "labels.csv.gz"))
        gold = read_gold(datasets / name / "gold.csv.gz")
        rng = np.random.default_rng(0)
        drawn = [answers.answers[rng.choice(places)] for places in answers.places_by_task()]
        rates = []
        for texts in (drawn, *results(kind, answers), CrowdKitRover().fit(answers).answers_):
            errors, words = error_rates(dict(zip(answers.task_ids, texts, strict=True)), gold)
            rates.append(f"{errors.sum() / words.sum():.4f}")
        yield f"| {name} | {len(gold):,} | " + " | ".join(rates) + " |"


def scale_lines(datasets: Path) -> Iterator[str]:
    """Yield how many places of the scale a result lies off, on average."""
    kind = ANSWER_KINDS[NUMERIC]
    yield from header(
        "crowd of places on a scale", ["mean", "majority-vote", "smoothed-dawid-skene", *kind.models]
    )
    for name, scale in SCALES.items():
        labels = read_annotations(datasets / name / "labels.csv.gz", repeats="first")
        gold = {
            task: scale.index(label) for task, label in read_gold(datasets / name / "gold.csv.gz").items()
        }
        places = [float(scale.index(str(labels.label_ids[code]))) for code in labels.labels]
        answers = AnswerSet(labels.tasks, labels.workers, tuple(places), labels.task_ids, labels.worker_ids)
        means = np.bincount(labels.tasks, places) / np.bincount(labels.tasks)
        voted = (
            [scale.index(str(label)) for label in model.fit(labels).predict().values()]
            for model in (MajorityVote(), SmoothedDawidSkene())
        )
        cells = []
        for found in (means, *voted, *results(kind, answers)):
            pairs = zip(answers.task_ids, found, strict=True)
            off = [abs(float(place) - gold[str(task)]) for task, place in pairs if str(task) in gold]
            cells.append(f"{np.mean(off):.4f}")
        yield f"| {name} | {len(off):,} | " + " | ".join(cells) + " |"


def preference_lines(datasets: Path) -> Iterator[str]:
    """Yield how well hidden answers are foretold, and how far the online scores lie from the batch's."""
    models = "coin | bradley-terry | worker-bradley-terry | online | mean gap | largest gap"
    yield f"| crowd of preferences | answers | {models} |"
    yield "|---|" + "---:|" * 7
    for name in PREFERENCES:
        shown = comparisons_of(read_table(datasets / name / "labels.csv.gz")).shown
        hidden = np.random.default_rng(0).random(len(shown)) < 0.2
        names = [shown.item_ids[code] for code in range(shown.n_items)]
        outcome_of = {LEFT: 0, RIGHT: 1}
        rows = [
            (
                shown.worker_ids[w],
                names[one],
                names[other],
                (names[one], names[other], None)[outcome_of.get(o, 2)],
            )
            for w, one, other, o in zip(shown.workers, shown.left, shown.right, shown.outcomes, strict=True)
        ]
        kept = [row for row, out in zip(rows, hidden, strict=True) if not out]
        known = ComparisonSet.from_sequences(*zip(*kept, strict=True))
        asked = [row for row, out in zip(rows, hidden, strict=True) if out and row[3] is not None]
        online = OnlineBradleyTerry()
        for _, one, other, winner in kept:
            online.partial_fit(one, other, TIE if winner is None else LEFT if winner == one else RIGHT)
        batch = [model.fit(known).predict() for model in (BradleyTerry(), WorkerBradleyTerry())]
        scores = [{}, *batch, online.scores_]
        losses = []
        for found in scores:
            odds = [found.get(row[1], 0.0) - found.get(row[2], 0.0) for row in asked]
            won = [1.0 if row[3] == row[1] else -1.0 for row in asked]
            losses.append(float(np.logaddexp(0.0, -np.array(odds) * won).mean()))
        cells = [f"{value:.4f}" for value in (*losses, *online.gap())]
        yield f"| {name} | {len(asked):,} | " + " | ".join(cells) + " |"


def header(what: str, models: list[str]) -> Iterator[str]:
    yield f"| {what} | gold tasks | " + " | ".join(models) + " |"
    yield "|---|" + "---:|" * (1 + len(models))


def results(kind: AnswerKind, answers: AnswerSet) -> Iterator[list]:
    """Yield the results of every model of a kind, in the order of the tasks."""
    for make in kind.models.values():
        yield list(make().fit(answers).predict().values())
