"""The tables of texts and of places on a scale in docs/aggregation.md, on the crowds that have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from crowdroute.aggregation import AnswerSet, MajorityVote, SmoothedDawidSkene, read_annotations, read_gold
from crowdroute.aggregation.answer_kinds import ANSWER_KINDS, AnswerKind
from crowdroute.aggregation.file_tables import read_table
from crowdroute.aggregation.kinds import NUMERIC, TEXT
from crowdroute.aggregation.texts import error_rates, words_of

BEGIN, END = "<!-- kinds: begin -->", "<!-- kinds: end -->"

TEXTS = ("crowdspeech_dev_clean", "crowdwsa_j1", "crowdwsa_t1")

SCALES = {"adult2": "GPRX", "s_rel": "0123"}
"""Crowds whose labels are places on a scale, from the lowest."""


def write_kinds_table(document: Path, datasets: Path) -> None:
    """Replace what stands between the marks in the document."""
    lines = []
    for line in (*text_lines(datasets), "", *scale_lines(datasets)):
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
        for texts in (drawn, *results(kind, answers), rover(answers)):
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


def header(what: str, models: list[str]) -> Iterator[str]:
    yield f"| {what} | gold tasks | " + " | ".join(models) + " |"
    yield "|---|" + "---:|" * (1 + len(models))


def results(kind: AnswerKind, answers: AnswerSet) -> Iterator[list]:
    """Yield the results of every model of a kind, in the order of the tasks."""
    for make in kind.models.values():
        yield list(make().fit(answers).predict().values())


def rover(answers: AnswerSet[str]) -> list[str]:
    """Return crowd-kit's ROVER over words without case and punctuation."""
    import pandas as pd
    from crowdkit.aggregation import ROVER

    split: Callable[[str], list[str]] = lambda text: text.split()  # noqa: E731
    frame = pd.DataFrame(
        {
            "task": answers.tasks.copy(),
            "worker": answers.workers.copy(),
            "text": [" ".join(words_of(text)) for text in answers.answers],
        }
    )
    found = ROVER(split, " ".join).fit_predict(frame)
    return [str(found[task]) for task in range(answers.n_tasks)]
