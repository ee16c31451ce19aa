"""What holds for every model of every kind of answers, from one table of kinds.

Neither the order of rows nor the names of tasks, workers and labels change a result by more than rounding.
"""

import copy
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.property.aggregation.comparing import FLOAT32, assert_same, assert_same_result, numbers_in
from tests.property.aggregation.every_kind import (
    EVERY,
    SEEDS,
    TABLE,
    TASKS,
    WEIGHED_VOTES,
    WORKERS,
    crowd,
    fitted,
    preferences_of,
)

from crowdroute.aggregation import MajorityVote
from crowdroute.aggregation.answer_kinds import ANSWER_KINDS
from crowdroute.aggregation.kinds import CHOICE, KINDS, PAIRWISE
from crowdroute.aggregation.models import CHOICE_MODELS


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
