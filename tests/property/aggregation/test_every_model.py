"""What holds for every model of every kind of answers, from one table of kinds.

Neither the order of rows nor the names of tasks, workers and labels change a result by more than rounding;
the smallest and oddest sets give a right result or a clear refusal; no NaN ever leaves.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crowdroute.aggregation import (
    AggregationError,
    AnnotationSet,
    AnswerSet,
    BradleyTerry,
    ComparisonSet,
    DawidSkene,
    MajorityVote,
    PairConsensus,
    SmoothedDawidSkene,
    WorkerBradleyTerry,
)
from crowdroute.aggregation.answer_kinds import ANSWER_KINDS
from crowdroute.aggregation.kinds import (
    BOXES,
    CHOICE,
    KEYPOINTS,
    KINDS,
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

FLOAT32 = 1e-4
"""How far rounding moves what is found in that precision, in five steps."""

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


def worker_ids(kind: str, rows: list[Row]) -> tuple[Any, ...]:
    found: tuple[Any, ...] = TABLE[kind].set_of(rows).worker_ids
    return found


def assert_same(one: Any, other: Any, within: float = 1e-9) -> None:
    """The same but for rounding, whatever it is made of."""
    if isinstance(one, Mapping):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key], within)
    elif isinstance(one, (tuple, list)):
        assert len(one) == len(other)
        for mine, theirs in zip(one, other, strict=True):
            assert_same(mine, theirs, within)
    elif isinstance(one, (float, np.ndarray)):
        np.testing.assert_allclose(one, other, rtol=within, atol=within)
    else:
        assert one == other


def assert_same_result(
    kind: str,
    one: Any,
    other: Any,
    rows: list[Row],
    moved: list[Row],
    task_of: Callable[[Any], Any] = lambda task: task,
    worker_of: Callable[[Any], Any] = lambda worker: worker,
) -> None:
    """Compare by name everything that is told of tasks and workers; ``..._of`` give their new names."""
    table = TABLE[kind]
    within = FLOAT32 if getattr(one, "dtype", None) == "float32" else 1e-9
    found = {task_of(task): it for task, it in table.answers_of(one).items()}
    assert_same(found, table.answers_of(other), within)
    inner, inner_other = (getattr(model, "nearest_", model) for model in (one, other))
    for name in table.by_task:
        if hasattr(inner, name):
            mine = dict(zip(map(task_of, inner.task_ids_), getattr(inner, name), strict=True))
            theirs = dict(zip(inner_other.task_ids_, getattr(inner_other, name), strict=True))
            assert_same(mine, theirs, within)
    for name in table.by_worker:
        if hasattr(inner, name):
            mine = dict(zip(map(worker_of, worker_ids(kind, rows)), getattr(inner, name), strict=True))
            theirs = dict(zip(worker_ids(kind, moved), getattr(inner_other, name), strict=True))
            assert_same(mine, theirs, within)


def numbers_in(found: Any) -> Iterator[np.ndarray]:
    """Every number in what a model has found, however it is wrapped."""
    if isinstance(found, np.ndarray):
        if found.dtype != object:
            yield found
    elif isinstance(found, (float, int)):
        yield np.array(found)
    elif isinstance(found, Mapping):
        for each in found.values():
            yield from numbers_in(each)
    elif isinstance(found, (tuple, list)):
        for each in found:
            yield from numbers_in(each)
    elif not isinstance(found, type) and (hasattr(found, "fit") or is_dataclass(found)):
        names = [name for name in getattr(found, "__dict__", {}) if name.endswith("_")]
        for name in names:
            yield from numbers_in(getattr(found, name))


def test_the_table_has_every_kind_and_every_model_by_name() -> None:
    assert set(TABLE) == set(KINDS)
    assert set(CHOICE_MODELS) <= set(TABLE[CHOICE].models)
    for kind, table in ANSWER_KINDS.items():
        assert table.models is TABLE[kind].models


@EVERY
def test_a_fit_changes_nothing_it_was_given_and_the_next_finds_the_same(kind: str, name: str) -> None:
    model, given = TABLE[kind].models[name](), TABLE[kind].set_of(crowd(kind, 3))
    model.rng = np.random.default_rng(7)
    held = [it.name for it in fields(given)]
    before = copy.deepcopy({it: getattr(given, it) for it in held})
    parameters = copy.deepcopy(vars(model))
    first = [np.copy(numbers) for numbers in numbers_in(model.fit(given))]
    assert_same({it: getattr(given, it) for it in held}, before, 0.0)
    assert model.rng.bit_generator.state == parameters.pop("rng").bit_generator.state
    assert_same({it: vars(model)[it] for it in parameters}, parameters, 0.0)
    for one, other in zip(first, numbers_in(model.fit(given)), strict=True):
        np.testing.assert_array_equal(one, other)


@EVERY
@settings(max_examples=8)
@given(seed=SEEDS, shuffler=st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(kind: str, name: str, seed: int, shuffler: Any) -> None:
    rows = crowd(kind, seed)
    moved = list(rows)
    shuffler.shuffle(moved)
    one, other = fitted(kind, name, rows), fitted(kind, name, moved)
    assert_same_result(kind, one, other, rows, moved)


@EVERY
@settings(max_examples=8)
@given(seed=SEEDS, workers=st.permutations(range(WORKERS)), tasks=st.permutations(range(TASKS)))
def test_the_names_of_tasks_and_workers_do_not_matter(
    kind: str, name: str, seed: int, workers: list[int], tasks: list[int]
) -> None:
    def worker_of(worker: str) -> str:
        return f"w{workers[int(worker[1:])]}"

    def task_of(task: str) -> str:
        # The items of a pair are what is asked about, not names of tasks.
        return task if kind == PAIRWISE else f"t{tasks[int(task[1:])]}"

    rows = crowd(kind, seed)
    moved = [(task_of(task), worker_of(worker), answer) for task, worker, answer in rows]
    one, other = fitted(kind, name, rows), fitted(kind, name, moved)
    if kind == PAIRWISE:
        assert_same_result(kind, one, other, rows, moved, worker_of=worker_of)
    else:
        assert_same_result(kind, one, other, rows, moved, task_of, worker_of)


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, table in TABLE.items() if table.rename for name in table.models]
)
@settings(max_examples=8)
@given(seed=SEEDS, data=st.data())
def test_renaming_the_labels_renames_the_result(kind: str, name: str, seed: int, data: st.DataObject) -> None:
    table = TABLE[kind]
    assert table.rename is not None
    names = dict(zip(table.labels, data.draw(st.permutations(table.labels)), strict=True))
    rows = crowd(kind, seed)
    if name in WEIGHED_VOTES:
        # Where the first vote ties, the first label by name wins, and its voters weigh more.
        assume(not MajorityVote().fit(table.set_of(rows)).ties_.any())
    moved = [(task, worker, table.rename(answer, names)) for task, worker, answer in rows]
    one = table.answers_of(fitted(kind, name, rows))
    other = table.answers_of(fitted(kind, name, moved))
    if kind == CHOICE:
        within = FLOAT32 if "float32" in name else 1e-9
        assert_same({task: {names[k]: p for k, p in row.items()} for task, row in one.items()}, other, within)
    else:
        renamed = {task: table.rename(answer, names) for task, answer in one.items()}
        assert {task: sorted(answer) for task, answer in renamed.items()} == {
            task: sorted(answer) for task, answer in other.items()
        }


@settings(max_examples=8)
@given(seed=SEEDS, names=st.permutations(range(5)))
@pytest.mark.parametrize("name", list(TABLE[PAIRWISE].models))
def test_renaming_the_items_renames_their_preferences(name: str, seed: int, names: list[int]) -> None:
    def item_of(item: str) -> str:
        return f"i{names[int(item[1:])]}"

    rows = crowd(PAIRWISE, seed)
    moved = [("/".join(map(item_of, task.split("/"))), worker, answer) for task, worker, answer in rows]
    one = preferences_of(fitted(PAIRWISE, name, rows))
    if name == "pair-consensus":
        renamed = {
            frozenset(map(item_of, pair)): {item_of(item): p for item, p in row.items()}
            for pair, row in one.items()
        }
    else:
        renamed = {item_of(item): score for item, score in one.items()}
    assert_same(renamed, preferences_of(fitted(PAIRWISE, name, moved)))


def odd_sets(kind: str) -> dict[str, list[Row]]:
    """The smallest and oddest sets there are."""
    table, rng = TABLE[kind], np.random.default_rng(5)
    tasks = ["i0/i1", "i1/i2", "i0/i2"] if kind == PAIRWISE else ["s", "t", "u"]
    truths = [table.truth(rng) for _ in tasks]
    everybody = [(task, f"w{n}") for task in tasks for n in range(3)]
    return {
        "one annotation": [(tasks[0], "w", truths[0])],
        "one worker": [(task, "w", truth) for task, truth in zip(tasks, truths, strict=True)],
        "one task": [(tasks[0], f"w{n}", table.spoil(rng, truths[0], 0.5)) for n in range(4)],
        "one answer by all": [(*who, truths[0]) for who in everybody],
        "a worker with one label": [
            *((*who, truths[tasks.index(who[0])]) for who in everybody),
            (tasks[0], "late", truths[1]),
        ],
        "nothing but blanks": [(*who, table.blank) for who in everybody],
        "one blank": [*((*who, truths[0]) for who in everybody[1:]), (*everybody[0], table.blank)],
        "nobody agrees": [(tasks[0], f"w{n}", truth) for n, truth in enumerate(truths)],
    }


@EVERY
@pytest.mark.parametrize("odd", list(odd_sets(CHOICE)))
def test_the_oddest_sets_give_numbers_or_a_clear_refusal(kind: str, name: str, odd: str) -> None:
    model = TABLE[kind].models[name]()
    rows = odd_sets(kind)[odd]
    if (kind, odd) == (MULTI_LABEL, "nothing but blanks"):
        with pytest.raises(AggregationError, match="nothing to choose among"):
            model.fit(TABLE[kind].set_of(rows))
        return
    model.fit(TABLE[kind].set_of(rows))
    for array in (*numbers_in(model), *numbers_in(TABLE[kind].answers_of(model))):
        assert np.isfinite(array).all()
    if odd in ("one annotation", "one answer by all") and kind != PAIRWISE:
        assert_same(tuple(model.predict().values()), tuple(rows[0][2] for _ in model.task_ids_))


@pytest.mark.parametrize("kind", list(TABLE))
def test_an_empty_set_is_refused(kind: str) -> None:
    with pytest.raises(AggregationError, match="at least one"):
        TABLE[kind].set_of([])


@pytest.mark.parametrize("name", list(TABLE[CHOICE].models))
@pytest.mark.parametrize("classes", [1, 2, 1_000])
def test_any_number_of_classes_gives_posteriors(name: str, classes: int) -> None:
    annotations = AnnotationSet.from_sequences(
        [0, 0, 1], [0, 1, 0], [classes - 1, 0, 0], label_ids=range(classes)
    )
    model = TABLE[CHOICE].models[name]()
    if hasattr(model, "n_iter"):
        # Subtypes of a thousand classes take a tenth of a second per step.
        model.n_iter = 3
    model.fit(annotations)
    assert model.predict_proba().shape == (2, classes)
    posteriors_of(model)
    for array in numbers_in(model):
        assert np.isfinite(array).all()


@pytest.mark.parametrize("name", list(TABLE[PAIRWISE].models))
def test_a_thousand_items_give_preferences(name: str) -> None:
    rows = [(f"i{n}/i{(7 * n + 1) % 1_000}", f"w{n % 3}", n % 2) for n in range(1_000) if (6 * n + 1) % 1_000]
    model = TABLE[PAIRWISE].models[name]().fit(comparisons(rows))
    for array in (*numbers_in(model), *numbers_in(preferences_of(model))):
        assert np.isfinite(array).all()


@pytest.mark.parametrize("name", list(TABLE[MULTI_LABEL].models))
def test_a_thousand_labels_give_sets(name: str) -> None:
    labels = [frozenset(map(str, range(n, 1_000, 3))) for n in range(3)]
    rows = [(task, worker, labels[(task + worker % 2) % 3]) for task in range(3) for worker in range(4)]
    model = TABLE[MULTI_LABEL].models[name]().fit(TABLE[MULTI_LABEL].set_of(rows))
    assert len(model.label_ids_) == 1_000
    assert np.isfinite(model.predict_proba()).all()
