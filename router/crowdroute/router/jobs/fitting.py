"""Refitting a project's models: what the job is given, what it gives, and how it is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
import numpy as np

from crowdroute.aggregation.online import OnlineDawidSkene
from crowdroute.aggregation.refitting import Evidence, refit
from crowdroute.router.model.fitted import FittedField


class FieldToFit(msgspec.Struct, frozen=True):
    """One field's model as it is, and what it rests on."""

    model: dict[str, bytes]
    """As `OnlineDawidSkene.pack` gives it."""
    starts: bytes
    matrices: bytes
    labels: bytes
    truths: bytes
    observed: bytes


class FitModels(msgspec.Struct, frozen=True, tag="FitModels"):
    """Refit every field's model."""

    fields: tuple[FieldToFit, ...]


class FittedModels(msgspec.Struct, frozen=True, tag="FittedModels"):
    """What was found."""

    fields: tuple[FittedField, ...]


class FieldSwept(msgspec.Struct, frozen=True, tag="FieldSwept"):
    """A sweep over one field's tasks was done."""

    field: int
    """Place of the field among those to fit."""
    sweep: int
    """From 1 on."""
    moved: float
    """Mean total variation distance, 0 to 1, by which it moved the labelled tasks' posteriors."""


def describe(fields: Iterable[tuple[OnlineDawidSkene, Evidence]]) -> FitModels:
    """Copy models and their evidence into a job. O(tasks K + annotations)."""
    return FitModels(
        tuple(FieldToFit(model.pack(), *(part.tobytes() for part in known)) for model, known in fields)
    )


def fit_models(job: FitModels) -> Iterator[FieldSwept | FittedModels]:
    """Refit the models one after the other; yields after each sweep, and last what was found.

    Raises:
        SnapshotError, OutOfRangeError: the job does not fit together.
    """
    found = []
    for number, field in enumerate(job.fields):
        model = OnlineDawidSkene.unpack(field.model)
        for sweep in refit(model, _evidence(field, model)):
            yield FieldSwept(number, sweep.number, sweep.moved)
        found.append(_fitted(model))
    yield FittedModels(tuple(found))


def _evidence(field: FieldToFit, model: OnlineDawidSkene) -> Evidence:
    shape = (model.n_matrices, model.n_classes, model.n_classes)
    return Evidence(
        np.frombuffer(field.starts, np.int64).copy(),
        np.frombuffer(field.matrices, np.int32).copy(),
        np.frombuffer(field.labels, np.int32).copy(),
        np.frombuffer(field.truths, np.int32).copy(),
        np.frombuffer(field.observed, np.float64).reshape(shape),
    )


def _fitted(model: OnlineDawidSkene) -> FittedField:
    numbers = model.confusion[: model.n_matrices].astype("<f4").tobytes()
    return FittedField(model.n_classes, model.n_matrices, numbers, tuple(model.class_counts.tolist()))
