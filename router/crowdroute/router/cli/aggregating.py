"""`crowdroute aggregate`: labels from a file of redundant ones, without an engine."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.base import CategoricalEstimator
from crowdroute.aggregation.dawid_skene import DawidSkene
from crowdroute.aggregation.files import read_annotations, read_gold
from crowdroute.aggregation.majority_vote import MajorityVote
from crowdroute.aggregation.smoothed import SmoothedDawidSkene
from crowdroute.router.cli.output import console, percent, print_json
from crowdroute.router.cli.target import AsJson

MODELS: dict[str, Callable[[], CategoricalEstimator]] = {
    "majority-vote": MajorityVote,
    "dawid-skene": DawidSkene,
    "smoothed-dawid-skene": SmoothedDawidSkene,
}


def aggregate(
    labels: Annotated[
        Path, typer.Argument(help="CSV or CSV.GZ: task,worker,label.", exists=True, dir_okay=False)
    ],
    gold: Annotated[
        Path | None, typer.Option(help="CSV: task,label; only to score.", exists=True, dir_okay=False)
    ] = None,
    model: Annotated[str, typer.Option(help=f"One of: {', '.join(MODELS)}.")] = "smoothed-dawid-skene",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="CSV to write: task, label, probabilities.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Aggregate redundant labels; of a repeated (task, worker) the first counts.

    Example: crowdroute aggregate labels.csv --gold gold.csv --model dawid-skene --out result.csv
    """
    if model not in MODELS:
        raise typer.BadParameter(f"{model!r} is no model; choose one of {', '.join(MODELS)}")
    annotations = read_annotations(labels, repeats="first")
    fitted = MODELS[model]().fit(annotations)
    predicted = {str(task): str(label) for task, label in fitted.predict().items()}
    known = read_gold(gold) if gold else {}
    scored = [predicted[task] == label for task, label in known.items() if task in predicted]
    summary: dict[str, Any] = {
        "model": model,
        "tasks": annotations.n_tasks,
        "workers": annotations.n_workers,
        "labels": len(annotations),
        "gold_tasks": len(scored),
        "accuracy": sum(scored) / len(scored) if scored else None,
    }
    if out is not None:
        _write(annotations, fitted, predicted, out)
        summary["out"] = str(out)
    if as_json:
        print_json(summary | {"results": predicted})
        return
    console().print(
        f"{summary['tasks']} tasks, {summary['labels']} labels by {summary['workers']} workers, {model}"
    )
    if scored:
        console().print(f"accuracy {percent(summary['accuracy'])} on {len(scored)} gold tasks")
    elif gold is not None:
        console().print(f"no accuracy: of the {len(known)} tasks in {gold} none has a label")
    if out is not None:
        console().print(f"written to {out}")


def _write(
    annotations: AnnotationSet, fitted: CategoricalEstimator, predicted: dict[str, str], out: Path
) -> None:
    names = [str(label) for label in annotations.label_ids]
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("task", "label", *(f"p_{name}" for name in names)))
        for (task, label), row in zip(predicted.items(), fitted.predict_proba().tolist(), strict=True):
            writer.writerow((task, label, *row))
