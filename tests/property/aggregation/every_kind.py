"""Every kind of answers and every model of it in one table, and crowds that answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from crowdroute.aggregation import (
    AnnotationSet,
    AnswerSet,
    BradleyTerry,
    ComparisonSet,
    DawidSkene,
    PairConsensus,
    SmoothedDawidSkene,
    WorkerBradleyTerry,
)
from crowdroute.aggregation.answer_kinds import ANSWER_KINDS
from crowdroute.aggregation.kinds import (
    BOXES,
    CHOICE,
    KEYPOINTS,
    MASK,
    MULTI_LABEL,
    NUMERIC,
    PAIRWISE,
    SPANS,
    TEXT,
)
from crowdroute.aggregation.models import CHOICE_MODELS

Row = tuple[Any, Any, Any]
"""Task, worker, answer."""

Rng = np.random.Generator

TASKS, WORKERS = 7, 5

WORDS = ("a", "cat", "dog", "sat", "on", "the", "mat", "ran")


@dataclass(frozen=True)
class Kind:
    """What the tests need to know of one kind of answers."""

    models: Mapping[str, Callable[[], Any]]
    truth: Callable[[Rng], Any]
    """Draws the truth of a task."""
    spoil: Callable[[Rng, Any, float], Any]
    """Makes an answer of a truth, the farther off the greater the error (0 to 1)."""
    blank: Any
    """The emptiest answer there is."""
    set_of: Callable[[list[Row]], Any] = lambda rows: AnswerSet[Any].from_sequences(*columns(rows))
    answers_of: Callable[[Any], Mapping[Any, Any]] = lambda model: model.predict()
    """Returns what was found for each task, to be compared number by number."""
    by_task: tuple[str, ...] = ()
    by_worker: tuple[str, ...] = ()
    rename: Callable[[Any, Mapping[Any, Any]], Any] | None = None
    """Gives an answer with other names of labels, where labels have names."""
    labels: tuple[Any, ...] = field(default=())


def columns(rows: list[Row]) -> tuple[list[Any], list[Any], list[Any]]:
    tasks, workers, answers = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    return tasks, workers, answers


def comparisons(rows: list[Row]) -> ComparisonSet:
    tasks, workers, answers = columns(rows)
    pairs = [task.split("/") for task in tasks]
    winners = [None if answer == "tie" else pair[answer] for pair, answer in zip(pairs, answers, strict=True)]
    return ComparisonSet.from_sequences(workers, [p[0] for p in pairs], [p[1] for p in pairs], winners)


def posteriors_of(model: Any) -> Mapping[Any, Any]:
    """By task and label, whatever their order."""
    found = model.predict_proba()
    assert (found >= 0.0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-9)
    return {
        task: dict(zip(model.label_ids_, row, strict=True))
        for task, row in zip(model.task_ids_, found.tolist(), strict=True)
    }


def preferences_of(model: Any) -> Mapping[Any, Any]:
    if isinstance(model, PairConsensus):
        return {
            frozenset(pair): {item: row[place] for place, item in enumerate(pair)}
            for pair, row in zip(model.pairs_, model.predict_proba().tolist(), strict=True)
        }
    found: Mapping[Any, Any] = model.predict()
    return found


def jitter(rng: Rng, place: tuple[float, ...], error: float) -> tuple[float, ...]:
    return tuple(float(x) for x in np.array(place) + rng.normal(0.0, 4.0 * error, len(place)))


def some_boxes(rng: Rng) -> Any:
    return tuple(
        tuple(float(x) for x in (40 * n + rng.uniform(0, 9), rng.uniform(0, 9), 20, 15)) for n in range(2)
    )


def some_spans(rng: Rng) -> Any:
    start = int(rng.integers(0, 10))
    return ((start, start + 8, "x"), (start + 12, start + 20, "y"))


def other_spans(rng: Rng, truth: Any, error: float) -> Any:
    return tuple(
        (start + int(rng.binomial(6, error)), end - int(rng.binomial(1, error)), label)
        for start, end, label in truth
    )


def answers(
    kind: str,
    truth: Callable[[Rng], Any],
    spoil: Callable[[Rng, Any, float], Any],
    blank: Any,
    **further: Any,
) -> Kind:
    return Kind(
        ANSWER_KINDS[kind].models,
        truth,
        spoil,
        blank,
        by_task=(
            "distance_",
            "spread_",
            "vectors_",
            "deviation_",
            "probabilities_",
            "probabilities_of_pixels_",
        ),
        by_worker=("closeness_", "reliability_", "scatter_", "bias_", "sensitivity_", "specificity_"),
        **further,
    )


TABLE: Mapping[str, Kind] = {
    CHOICE: Kind(
        {
            **CHOICE_MODELS,
            "float32": lambda: DawidSkene(dtype="float32"),
            "smoothed float32 threads": lambda: SmoothedDawidSkene(dtype="float32", threads=2),
        },
        truth=lambda rng: "abc"[rng.integers(3)],
        spoil=lambda rng, truth, error: "abc"[rng.integers(3)] if rng.random() < error else truth,
        blank="",
        set_of=lambda rows: AnnotationSet.from_sequences(*columns(rows)),
        answers_of=posteriors_of,
        by_worker=("skills_", "confusion_", "abilities_", "competences_"),
        by_task=("log_ease_",),
        rename=lambda label, names: names[label],
        labels=("a", "b", "c"),
    ),
    PAIRWISE: Kind(
        {
            "pair-consensus": PairConsensus,
            "bradley-terry": BradleyTerry,
            "worker-bradley-terry": WorkerBradleyTerry,
        },
        truth=lambda rng: int(rng.integers(2)),
        spoil=lambda rng, truth, error: (
            "tie" if rng.random() < error / 4 else 1 - truth if rng.random() < error else truth
        ),
        blank="tie",
        set_of=comparisons,
        answers_of=preferences_of,
        by_worker=("heed_", "lean_"),
    ),
    TEXT: answers(
        TEXT,
        lambda rng: " ".join(rng.choice(WORDS, 6)),
        lambda rng, truth, error: " ".join(
            str(rng.choice(WORDS)) if rng.random() < error else word for word in truth.split()
        ),
        "",
    ),
    NUMERIC: answers(
        NUMERIC,
        lambda rng: float(rng.normal(0.0, 10.0)),
        lambda rng, truth, error: float(truth + rng.normal(0.0, 5.0 * error)),
        0.0,
    ),
    MULTI_LABEL: answers(
        MULTI_LABEL,
        lambda rng: frozenset("abc"[place] for place in np.flatnonzero(rng.random(3) < 0.6)),
        lambda rng, truth, error: frozenset(
            label for label in "abc" if (label in truth) != (rng.random() < error / 2)
        ),
        frozenset(),
        rename=lambda labels, names: frozenset(names[label] for label in labels),
        labels=("a", "b", "c"),
    ),
    MASK: answers(
        MASK,
        lambda rng: np.add.outer(np.arange(6), np.arange(6)) < rng.integers(3, 9),
        lambda rng, truth, error: truth ^ (rng.random((6, 6)) < error / 3),
        np.zeros((6, 6), dtype=bool),
    ),
    BOXES: answers(
        BOXES,
        some_boxes,
        lambda rng, truth, error: tuple(jitter(rng, box, error)[:2] + box[2:] for box in truth),
        (),
    ),
    KEYPOINTS: answers(
        KEYPOINTS,
        lambda rng: tuple((float(x), float(y)) for x, y in rng.uniform(0, 50, (3, 2))),
        lambda rng, truth, error: tuple(
            None if rng.random() < error / 4 else jitter(rng, point, error) for point in truth
        ),
        (None, None, None),
    ),
    SPANS: answers(
        SPANS,
        some_spans,
        other_spans,
        (),
        rename=lambda spans, names: tuple((start, end, names[label]) for start, end, label in spans),
        labels=("x", "y"),
    ),
}

EVERY = pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, table in TABLE.items() for name in table.models]
)

SEEDS = st.integers(0, 19)

WEIGHED_VOTES = ("wawa", "zero-based-skill")


def crowd(kind: str, seed: int) -> list[Row]:
    """Three or more answers per task by workers who differ, so that ties are as good as none."""
    rng = np.random.default_rng(seed)
    errors = np.sort(rng.uniform(0.05, 0.6, WORKERS))
    rows = []
    for number in range(TASKS):
        task = f"i{number % 4}/i{(number % 4 + 1 + number // 4) % 5}" if kind == PAIRWISE else f"t{number}"
        truth = TABLE[kind].truth(rng)
        for worker in rng.choice(WORKERS, int(rng.integers(3, WORKERS + 1)), replace=False):
            rows.append((task, f"w{worker}", TABLE[kind].spoil(rng, truth, errors[worker])))
    return rows


def fitted(kind: str, name: str, rows: list[Row]) -> Any:
    """Fit with a fixed number of steps: a sum in another order may move a loss across the tolerance."""
    model = TABLE[kind].models[name]()
    if kind == PAIRWISE and name != "pair-consensus":
        model.tol = 1e-12
    elif hasattr(model, "n_iter") and hasattr(model, "tol"):
        model.n_iter, model.tol = 5, -1e9
    if hasattr(model, "restarts"):
        # Of several starts that end equally well, rounding would say which is kept.
        model.restarts = 1
    return model.fit(TABLE[kind].set_of(rows))
