"""Fields and labels from version to version: their places are codes in the log, so they are add-only.

A label that a new document leaves out keeps its code and is marked as removed. The same id means the same for
ever: written again, the label is back under its old code.
"""

from __future__ import annotations

from typing import NamedTuple

from crowdroute.router.model import rules as model
from crowdroute.router.rules.document import MOST_LABELS, Label, Question
from crowdroute.router.rules.paths import Path


class Complaint(NamedTuple):
    """What is wrong with a part of the document, at a path within that part."""

    path: Path
    what: str
    advice: str


def follow(
    previous: tuple[model.Field, ...], asked: tuple[Question, ...]
) -> tuple[tuple[model.Field, ...], list[Complaint]]:
    """Give the fields of the next version, and what is wrong with them.

    A complaint's path begins with the place of the question in `asked`; an empty one is about all of them.
    """
    complaints: list[Complaint] = []
    places = {question.id: place for place, question in enumerate(asked)}
    fields: list[model.Field] = []
    for field in previous:
        place = places.pop(field.id, None)
        if place is None:
            complaints.append(
                Complaint((), f"the field {field.id!r} is missing", "keep it: fields are only ever added")
            )
            continue
        fields.append(_followed(field.id, field.labels, asked[place], place, complaints))
    fields.extend(_followed(id_, (), asked[place], place, complaints) for id_, place in places.items())
    return tuple(fields), complaints


def _followed(
    identity: str,
    previous: tuple[model.Label, ...],
    question: Question,
    place: int,
    complaints: list[Complaint],
) -> model.Field:
    here: Path = (place, "labels")
    written = {label.id: (number, label) for number, label in enumerate(question.labels)}
    labels: list[model.Label] = []
    for before in previous:
        number, label = written.pop(before.id, (None, None))
        if label is None:
            labels.append(model.Label(before.id, before.title, removed=True))
            continue
        if before.removed and before.title and label.title and before.title != label.title:
            complaints.append(
                Complaint(
                    (*here, number or 0),
                    f"{label.id!r} was removed as {before.title!r} and cannot come back as {label.title!r}",
                    "give it its old title, or a new id if it means something else",
                )
            )
        labels.append(_coded(label))
    labels.extend(_coded(label) for _, label in written.values())
    if sum(not label.removed for label in labels) < 2:
        complaints.append(
            Complaint(
                here, "there is nothing to choose from", "write at least two labels that are not removed"
            )
        )
    if len(labels) > MOST_LABELS:
        complaints.append(
            Complaint(
                here,
                f"with those removed before there are {len(labels)} labels, more than {MOST_LABELS}",
                "begin a new project: removed labels keep their codes",
            )
        )
    return model.Field(identity, tuple(labels))


def _coded(label: Label) -> model.Label:
    return model.Label(label.id, label.title, label.removed)
