"""Refitting a project's models: what the job is given, what it gives, and how it is done."""

from __future__ import annotations

from collections.abc import Iterable

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


def describe(fields: Iterable[tuple[OnlineDawidSkene, Evidence]]) -> FitModels:
    """Copy models and their evidence into a job. O(tasks K + annotations)."""
    return FitModels(
        tuple(FieldToFit(model.pack(), *(part.tobytes() for part in known)) for model, known in fields)
    )


def fit_models(job: FitModels) -> FittedModels:
    """Refit the models one after the other.

    Raises:
        SnapshotError, OutOfRangeError: the job does not fit together.
    """
    return FittedModels(tuple(map(_fitted, job.fields)))


def _evidence(field: FieldToFit, model: OnlineDawidSkene) -> Evidence:
    shape = (model.n_matrices, model.n_classes, model.n_classes)
    return Evidence(
        np.frombuffer(field.starts, np.int64).copy(),
        np.frombuffer(field.matrices, np.int32).copy(),
        np.frombuffer(field.labels, np.int32).copy(),
        np.frombuffer(field.truths, np.int32).copy(),
        np.frombuffer(field.observed, np.float64).reshape(shape),
    )


def _fitted(field: FieldToFit) -> FittedField:
    model = OnlineDawidSkene.unpack(field.model)
    fit = refit(model, _evidence(field, model))
    matrices, classes, _ = fit.confusion.shape
    numbers = fit.confusion.astype("<f4").tobytes()
    return FittedField(classes, matrices, numbers, tuple(fit.class_counts.tolist()))
