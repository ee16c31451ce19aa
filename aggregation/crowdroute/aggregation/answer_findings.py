"""What one aggregation of answers that are more than labels found, for reports and programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.answer_kinds import AnswerKind
from crowdroute.aggregation.answers import AnswerSet
from crowdroute.aggregation.intervals import Estimate, bootstrap_interval
from crowdroute.aggregation.nearest import AnswerEstimator

_OF_WORKERS = ("bias_", "scatter_", "reliability_", "sensitivity_", "specificity_")
"""Results of models that stand for workers."""


@dataclass(frozen=True, slots=True, eq=False)
class AnswerFindings:
    """Results with what they rest on, in the order of the ids of the answers."""

    kind: AnswerKind
    answers: AnswerSet[Any]
    model: str
    results: tuple[Any, ...]
    """As ``kind.write`` writes them."""
    further: Mapping[str, NDArray[np.float64]]
    """What else the model says of each task: bounds or probabilities, by the name of a column."""
    of_workers: Mapping[str, NDArray[np.float64]]
    """What the model says of each worker, by name."""
    distance: NDArray[np.float64]
    """(tasks,): mean distance of the answers from the result, in 0..1."""
    closeness: NDArray[np.float64]
    """(workers,): 1 - mean distance of the worker's answers from the results, in 0..1."""
    error: Estimate | None
    """Errors per word, or per task, where there is gold."""


def findings_of(
    kind: AnswerKind, answers: AnswerSet[Any], model: str, gold: Mapping[str, Any]
) -> AnswerFindings:
    """Fit the model, and compare its results with the answers, and with gold, which it does not see."""
    fitted = kind.models[model]().fit(answers)
    found = fitted.predict()
    distance = kind.distance(answers)
    results = list(found.values())
    apart = np.array(
        [
            distance(answer, results[task])
            for task, answer in zip(answers.tasks.tolist(), answers.answers, strict=True)
        ]
    )
    return AnswerFindings(
        kind,
        answers,
        model,
        tuple(kind.write(result) for result in results),
        _further(fitted),
        {name[:-1]: getattr(fitted, name) for name in _OF_WORKERS if hasattr(fitted, name)},
        np.bincount(answers.tasks, apart) / np.bincount(answers.tasks),
        1.0 - np.bincount(answers.workers, apart) / np.bincount(answers.workers),
        _error(kind, {str(task): result for task, result in found.items()}, gold),
    )


def _further(fitted: AnswerEstimator[Any]) -> dict[str, NDArray[np.float64]]:
    """Return probabilities of labels and intervals of values, where the model has them."""
    if hasattr(fitted, "predict_interval"):
        bounds = fitted.predict_interval()
        return {"lower": bounds[:, 0], "upper": bounds[:, 1]}
    if hasattr(fitted, "probabilities_"):
        columns = zip(fitted.label_ids_, fitted.probabilities_.T, strict=True)  # type: ignore[attr-defined]
        return {f"p_{label}": column for label, column in columns}
    return {}


def _error(kind: AnswerKind, found: Mapping[str, Any], gold: Mapping[str, Any]) -> Estimate | None:
    """Return errors over their number, with the interval over tasks; None without gold."""
    told = [kind.errors(result, gold[task]) for task, result in found.items() if task in gold]
    if not told:
        return None
    errors, sizes = np.array(told).T
    return bootstrap_interval(lambda weights: (weights @ errors) / (weights @ sizes), len(told))
