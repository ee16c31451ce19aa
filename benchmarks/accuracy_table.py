"""The table of accuracy in docs/aggregation.md: our models beside crowd-kit's on every recorded crowd."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from crowdroute.aggregation import read_annotations, read_gold
from crowdroute.aggregation.models import AUTO_MODELS, CHOICE_MODELS
from crowdroute.aggregation.reference import CrowdKitReference
from crowdroute.aggregation.selection import right_on, select_model

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
    text = document.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    document.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}", encoding="utf-8")


def row_of(folder: Path) -> tuple[list[float], str, int]:
    """Return auto, our models, crowd-kit's; NaN where one is left out."""
    annotations = read_annotations(folder / "labels.csv.gz", repeats="first")
    gold = annotations.gold_codes(read_gold(folder / "gold.csv.gz"))
    selection, auto = select_model(annotations, AUTO_MODELS)
    cells = [
        float(right_on(model.predict_proba(), gold).mean())
        for model in (auto, *(make().fit(annotations) for make in CHOICE_MODELS.values()))
    ]
    for name, model in REFERENCES.items():
        small = len(annotations) <= AT_MOST.get(name, len(annotations))
        cells.append(
            float(right_on(CrowdKitReference(model).fit(annotations).predict_proba(), gold).mean())
            if small
            else float("nan")
        )
    return cells, selection.chosen, int(np.count_nonzero(gold >= 0))


def line(name: str, gold: str, cells: list[float], chosen: str) -> str:
    figures = ["–" if np.isnan(cell) else f"{cell:.4f}" for cell in cells]
    return f"| {name} | {gold} | " + " | ".join(figures) + f" | {chosen} |"
