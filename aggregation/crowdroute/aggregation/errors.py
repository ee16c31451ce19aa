"""The error tree of the aggregation library.

Every error carries a stable ``code`` that a caller may match on or send over a wire; the message is for
people and says what happened, where, and what to do next.
"""

from __future__ import annotations

from typing import ClassVar


class AggregationError(Exception):
    """The base of everything this library raises on purpose."""

    code: ClassVar[str] = "AGGREGATION_ERROR"


class InvalidParameterError(AggregationError):
    """An estimator or a prior was given a parameter it cannot work with."""

    code = "AGGREGATION_INVALID_PARAMETER"


class InvalidAnnotationsError(AggregationError):
    """A set of annotations, or gold, breaks a rule of its format."""

    code = "AGGREGATION_INVALID_ANNOTATIONS"


class RepeatedAnnotationError(InvalidAnnotationsError):
    """A worker labelled one task twice, and the caller asked for that to be refused."""

    code = "AGGREGATION_REPEATED_ANNOTATION"

    def __init__(
        self, task: object, worker: object, earlier: int, later: int, counted: str = "annotations"
    ) -> None:
        """Name the pair and its two places; ``counted`` says what the places count."""
        # All of them are arguments of the exception, so that it survives being sent to another process.
        super().__init__(task, worker, earlier, later, counted)
        self.task = task
        self.worker = worker
        self.earlier = earlier
        self.later = later
        self.counted = counted

    def __str__(self) -> str:
        return (
            f"{self.counted} {self.earlier} and {self.later} are both of worker {self.worker!r} on task"
            f' {self.task!r}; pass repeats="first" to keep the first of each pair'
        )


class UnreadableFileError(InvalidAnnotationsError):
    """A file of annotations or gold could not be read; the message names the file and the line."""

    code = "AGGREGATION_UNREADABLE_FILE"


class NotFittedError(AggregationError):
    """A result was asked of an estimator before ``fit``."""

    code = "AGGREGATION_NOT_FITTED"


class OutOfRangeError(AggregationError):
    """A task, matrix, label or class number lies outside the model."""

    code = "AGGREGATION_OUT_OF_RANGE"


class SnapshotError(AggregationError):
    """A packed model is incomplete, of another format, or does not fit its own header."""

    code = "AGGREGATION_SNAPSHOT"


class MissingExtraError(AggregationError):
    """An optional dependency is not installed; the message names the extra that brings it."""

    code = "AGGREGATION_MISSING_EXTRA"
