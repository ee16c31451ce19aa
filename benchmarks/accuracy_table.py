"""The table of accuracy in docs/aggregation.md: our models beside crowd-kit's on every recorded crowd."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from crowdroute.aggregation import AnswerSet, read_annotations, read_gold
from crowdroute.aggregation.file_tables import read_table
from crowdroute.aggregation.models import AUTO_MODELS, CHOICE_MODELS
from crowdroute.aggregation.reference import CrowdKitReference
from crowdroute.aggregation.selection import choose, gather_evidence, right_on
from crowdroute.aggregation.texts import error_rates, nearest_text

BEGIN, END = "<!-- accuracy: begin -->", "<!-- accuracy: end -->"

REFERENCES = {
    "MV": "MajorityVote",
    "Wawa": "Wawa",
    "DS": "DawidSkene",
    "one-coin": "OneCoinDawidSkene",
    "GLAD": "GLAD",
}

AT_MOST = {"one-coin": 100_000, "GLAD": 30_000}
"""Labels above which crowd-kit's model is left out, for it takes minutes."""

TEXTS = ("crowdspeech_dev_clean", "crowdwsa_j1", "crowdwsa_t1")


def write_table(document: Path, datasets: Path, crowds: list[str]) -> None:
    """Replace what stands between the marks in the document."""
    lines = [
        "| crowd | gold tasks | auto | "
        + " | ".join(CHOICE_MODELS)
        + " | "
        + " | ".join(f"crowd-kit {name}" for name in REFERENCES)
        + " | auto chose |",
        "|---|" + "---:|" * (2 + len(CHOICE_MODELS) + len(REFERENCES)) + "---|",
    ]
    means: list[list[float]] = []
    for name in crowds:
        cells, chosen, gold_tasks = row_of(datasets / name)
        means.append(cells)
        lines.append(line(name, f"{gold_tasks:,}", cells, chosen))
        print(lines[-1], flush=True)
    averages = [float(np.mean(column)) for column in zip(*means, strict=True)]
    lines.append(line("**mean**", "", averages, ""))
    lines += ["", *text_lines(datasets)]
    text = document.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    document.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}", encoding="utf-8")


def row_of(folder: Path) -> tuple[list[float], str, int]:
    """Return auto, our models, crowd-kit's; NaN where one is left out."""
    annotations = read_annotations(folder / "labels.csv.gz", repeats="first")
    gold = annotations.gold_codes(read_gold(folder / "gold.csv.gz"))
    evidence, fitted, sample = gather_evidence(annotations, AUTO_MODELS)
    chosen = choose(evidence, sample.tasks).chosen
    further = {name: make().fit(annotations) for name, make in CHOICE_MODELS.items() if name not in fitted}
    models = fitted | further
    ours = {name: float(right_on(models[name].predict_proba(), gold).mean()) for name in CHOICE_MODELS}
    cells = [ours[chosen], *ours.values()]
    for name, model in REFERENCES.items():
        small = len(annotations) <= AT_MOST.get(name, len(annotations))
        cells.append(
            float(right_on(CrowdKitReference(model).fit(annotations).predict_proba(), gold).mean())
            if small
            else float("nan")
        )
    return cells, chosen, int(np.count_nonzero(gold >= 0))


def line(name: str, gold: str, cells: list[float], chosen: str) -> str:
    figures = ["–" if np.isnan(cell) else f"{cell:.4f}" for cell in cells]
    return f"| {name} | {gold} | " + " | ".join(figures) + f" | {chosen} |"


def text_lines(datasets: Path) -> list[str]:
    lines = [
        "| crowd of texts | gold tasks | one text at random | nearest-text | crowd-kit ROVER |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in TEXTS:
        table = read_table(datasets / name / "labels.csv.gz")
        columns = [table.texts(column, ()) for column in ("task", "worker", "text")]
        answers = AnswerSet[str].from_sequences(*columns, repeats="first")
        gold = read_gold(datasets / name / "gold.csv.gz")
        rng = np.random.default_rng(0)
        drawn = [answers.answers[rng.choice(places)] for places in answers.places_by_task()]
        found = (drawn, nearest_text(answers).texts, rover(answers))
        rates = []
        for texts in found:
            errors, words = error_rates(dict(zip(answers.task_ids, texts, strict=True)), gold)
            rates.append(f"{errors.sum() / words.sum():.4f}")
        lines.append(f"| {name} | {len(gold):,} | " + " | ".join(rates) + " |")
        print(lines[-1], flush=True)
    return lines


def rover(answers: AnswerSet[str]) -> list[str]:
    """Return crowd-kit's ROVER over words without case and punctuation."""
    import pandas as pd
    from crowdkit.aggregation import ROVER

    from crowdroute.aggregation.texts import words_of

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
