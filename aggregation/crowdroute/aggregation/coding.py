"""Identifiers as integer codes: the vocabularies of tasks, workers and labels, and what repeats are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.errors import InvalidAnnotationsError, RepeatedAnnotationError

Identifier = str | int
"""A task, worker or label as the outside names it: opaque, compared for equality; labels are also sorted."""

Repeats = Literal["first", "last", "refuse"]
"""What to do when a worker annotated one task more than once: keep the first or the last annotation in the
order given, or refuse the whole set."""

Vocabulary = tuple[Identifier, ...]


def identifier(value: object) -> Identifier:
    """Return plain text, an integer or a truth value; raise ``InvalidAnnotationsError`` for anything else."""
    # numpy's scalars would print, sort and compare by their own rules.
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    raise InvalidAnnotationsError(
        f"{value!r} is a {type(value).__name__}; tasks, workers and labels are text or integers"
    )


def codes_by_appearance(
    column: Sequence[Identifier] | NDArray[Any],
) -> tuple[NDArray[np.int32], Vocabulary]:
    """Return each entry's code and the identifiers, numbered in the order in which they first appear."""
    if isinstance(column, np.ndarray) and column.dtype.kind in "iu":
        values, first, inverse = np.unique(column, return_index=True, return_inverse=True)
        order = np.argsort(first)
        rank = np.empty(len(order), dtype=np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        return rank[inverse], tuple(values[order].tolist())
    known: dict[Identifier, int] = {}
    codes = [known.setdefault(identifier(value), len(known)) for value in column]
    return np.array(codes, dtype=np.int32), tuple(known)


def sorted_vocabulary(
    codes: NDArray[np.int32], ids: Iterable[Identifier], further: Iterable[Identifier] = ()
) -> tuple[NDArray[np.int32], Vocabulary]:
    """Renumber ``codes`` so that the identifiers, and those of ``further``, are in sorted order."""
    used = tuple(ids)
    every: list[Any] = list(dict.fromkeys([*used, *(identifier(label) for label in further)]))
    try:
        every.sort()
    except TypeError as error:
        raise InvalidAnnotationsError("the labels mix numbers and text; give them all as text") from error
    place = {label: code for code, label in enumerate(every)}
    rank = np.array([place[label] for label in used], dtype=np.int32)
    return rank[codes], tuple(every)


def kept_places(
    tasks: NDArray[np.int32], workers: NDArray[np.int32], n_workers: int, repeats: Repeats
) -> NDArray[np.intp] | None:
    """Return the places, ascending, that stay when repeats are resolved; None when all do.

    With ``repeats="refuse"`` nothing is resolved: that is for ``refuse_repeats``. Raises
    ``InvalidAnnotationsError`` for another rule.
    """
    if repeats not in ("first", "last", "refuse"):
        raise InvalidAnnotationsError(f"repeats is {repeats!r}; choose first, last or refuse")
    if repeats == "refuse" or not _repeats_anything(tasks, workers, n_workers):
        return None
    keys = _keys(tasks, workers, n_workers)
    if repeats == "first":
        return np.sort(np.unique(keys, return_index=True)[1])
    return np.sort(len(keys) - 1 - np.unique(keys[::-1], return_index=True)[1])


def refuse_repeats(
    tasks: NDArray[np.int32],
    workers: NDArray[np.int32],
    task_ids: Sequence[Identifier],
    worker_ids: Sequence[Identifier],
) -> None:
    """Raise ``RepeatedAnnotationError`` with the first (task, worker) pair that repeats an earlier one."""
    if not _repeats_anything(tasks, workers, len(worker_ids)):
        return
    is_first = np.zeros(len(tasks), dtype=bool)
    is_first[np.unique(_keys(tasks, workers, len(worker_ids)), return_index=True)[1]] = True
    later = int(np.argmin(is_first))
    earlier = int(np.argmax((tasks == tasks[later]) & (workers == workers[later])))
    raise RepeatedAnnotationError(task_ids[tasks[later]], worker_ids[workers[later]], earlier, later)


def check_codes(name: str, codes: NDArray[np.int32], ids: Vocabulary, every_one: bool) -> None:
    """Refuse codes that are not int32 within the vocabulary, and (``every_one``) an identifier not used."""
    if codes.dtype != np.int32 or codes.ndim != 1:
        raise InvalidAnnotationsError(
            f"{name}s is a {codes.ndim}-dimensional {codes.dtype} array; codes are one-dimensional int32"
        )
    if len(set(ids)) != len(ids):
        raise InvalidAnnotationsError(f"{name}_ids names something twice; each id stands once")
    if codes.min() < 0 or codes.max() >= len(ids):
        raise InvalidAnnotationsError(
            f"{name}s has codes from {codes.min()} to {codes.max()}, but there are {len(ids)} {name}_ids"
        )
    if every_one and np.count_nonzero(np.bincount(codes, minlength=len(ids))) < len(ids):
        raise InvalidAnnotationsError(f"{name}_ids names a {name} without annotations; leave it out")


def _keys(tasks: NDArray[np.int32], workers: NDArray[np.int32], n_workers: int) -> NDArray[np.int64]:
    return tasks.astype(np.int64) * n_workers + workers


def _repeats_anything(tasks: NDArray[np.int32], workers: NDArray[np.int32], n_workers: int) -> bool:
    # Sorting in place takes a quarter of the time and memory of finding where each pair stands first.
    keys = _keys(tasks, workers, n_workers)
    keys.sort()
    return bool((keys[1:] == keys[:-1]).any())
