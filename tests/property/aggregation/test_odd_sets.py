"""The smallest, oddest and largest sets give a right result or a clear refusal, and no NaN."""

import numpy as np
import pytest
from tests.property.aggregation.comparing import assert_same, numbers_in
from tests.property.aggregation.every_kind import (
    EVERY,
    TABLE,
    Row,
    comparisons,
    posteriors_of,
    preferences_of,
)

from crowdroute.aggregation import AggregationError, AnnotationSet
from crowdroute.aggregation.kinds import CHOICE, MULTI_LABEL, PAIRWISE


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
