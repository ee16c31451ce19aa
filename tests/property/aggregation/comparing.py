"""What models found, compared but for rounding."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any

import numpy as np
from tests.property.aggregation.every_kind import TABLE, Row

FLOAT32 = 1e-4
"""How far rounding moves what is found in that precision, in five steps."""


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
