"""Save a project's state as named sections, restore it, and hash its discrete facts."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import msgspec
import numpy as np

from crowdroute.aggregation.errors import SnapshotError
from crowdroute.router.errors import SnapshotUnusable
from crowdroute.router.model.answers import Answer
from crowdroute.router.model.facts import WorkerFacts
from crowdroute.router.model.ids import Id
from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.model.states import AssignmentState, ProjectState
from crowdroute.router.state.interned import Interned
from crowdroute.router.state.matrix import Matrix
from crowdroute.router.state.project import Project, Signature
from crowdroute.router.state.refits import RefitSchedule
from crowdroute.router.state.table import Table

VERSION = 2
"""Version of the sections' layout; a snapshot of another version is not read, the log is folded instead."""


class _Small(msgspec.Struct, array_like=True):
    """Everything of a project that is not a table."""

    version: int
    project: Id
    name: str
    state: ProjectState
    last_us: int
    history: list[ProjectRules]
    facts: list[WorkerFacts | None]
    persons: list[Id]
    batches: list[str]
    capabilities: list[str]
    signatures: list[Signature]
    reasons: list[str]
    known: list[Answer]
    listed_count: int
    bonuses: list[tuple[tuple[int, str, int], int]]
    active: list[tuple[tuple[str, int], list[tuple[int, tuple[int, int]]]]]
    parked: list[tuple[int, str]]
    corrections: list[tuple[int, str]]
    severed: list[int]
    refits: RefitSchedule = msgspec.field(default_factory=RefitSchedule)
    """Left out by releases that knew no schedule."""


def _tables(state: Project) -> dict[str, Table]:
    return {
        "items": state.items,
        "tasks": state.tasks,
        "assignments": state.assignments,
        "workers": state.workers,
        "results": state.results,
    }


def _matrices(state: Project) -> dict[str, tuple[Matrix, int]]:
    sized = {
        "answers": (state.answers, state.assignments.count),
        "labels": (state.labels, state.results.count),
        "listed": (state.listed, state.listed_count),
    }
    for field, matrix in enumerate(state.probabilities):
        sized[f"probabilities/{field}"] = (matrix, state.results.count)
    return sized


def _small(state: Project) -> bytes:
    return msgspec.msgpack.encode(
        _Small(
            version=VERSION,
            project=state.project,
            name=state.name,
            state=state.state,
            last_us=state.last_us,
            history=state.history,
            facts=state.facts,
            persons=state.persons.values,
            batches=state.batches.values,
            capabilities=state.capabilities.values,
            signatures=state.signatures.values,
            reasons=state.reasons.values,
            known=state.known,
            listed_count=state.listed_count,
            bonuses=sorted(state.bonuses.items()),
            active=sorted((key, sorted(workers.items())) for key, workers in state.active.items()),
            parked=sorted(state.parked.items()),
            corrections=sorted(state.corrections.items()),
            severed=sorted(state.severed),
            refits=state.refits,
        )
    )


def pack(state: Project) -> dict[str, bytes]:
    """Give the state as named sections."""
    sections = {"small": _small(state)}
    sections |= {name: table.pack() for name, table in _tables(state).items()}
    sections |= {name: matrix.pack(rows) for name, (matrix, rows) in _matrices(state).items()}
    return sections | state.models.pack()


def unpack(sections: Mapping[str, bytes | memoryview]) -> Project:
    """Build the state that `pack` was given.

    Raises:
        SnapshotUnusable: the sections are of another version, or parts are missing or do not fit.
    """
    try:
        small = msgspec.msgpack.decode(sections["small"], type=_Small)
        if small.version != VERSION:
            raise SnapshotUnusable(f"the snapshot has layout {small.version}, this release reads {VERSION}")
        state = Project()
        _restore_small(state, small)
        for name, table in _tables(state).items():
            table.unpack(sections[name])
        state.probabilities = [Matrix("f8", 0.0, width=len(field.labels)) for field in state.rules.fields]
        for name, (matrix, rows) in _matrices(state).items():
            matrix.unpack(sections[name], rows)
        state.models.unpack(sections)
    except (KeyError, msgspec.DecodeError, SnapshotError) as error:
        raise SnapshotUnusable(f"the snapshot of a project does not fit together: {error}") from error
    _derive(state)
    return state


def _restore_small(state: Project, small: _Small) -> None:
    state.project, state.name, state.state = small.project, small.name, small.state
    state.last_us = small.last_us
    state.history = small.history
    if small.history:
        state.rules = small.history[-1]
    state.facts = small.facts
    state.persons = Interned(small.persons)
    state.batches = Interned(small.batches)
    state.capabilities = Interned(small.capabilities)
    state.signatures = Interned(small.signatures)
    state.reasons = Interned(small.reasons)
    state.known = small.known
    state.listed_count = small.listed_count
    state.bonuses = dict(small.bonuses)
    state.active = {key: dict(workers) for key, workers in small.active}
    state.parked = dict(small.parked)
    state.corrections = dict(small.corrections)
    state.severed = set(small.severed)
    state.refits = small.refits


def _derive(state: Project) -> None:
    """Rebuild what is derived from the tables."""
    rows = state.assignments.rows[: state.assignments.count]
    live = np.flatnonzero(rows["state"] == AssignmentState.ACTIVE)
    state.deadlines.rebuild(list(zip(rows["deadline_us"][live].tolist(), live.tolist(), strict=True)))
    for worker in np.flatnonzero(state.workers.rows["discounted"][: state.workers.count]).tolist():
        state.repairs.extend(sorted(row for row in state.assignments_of_worker(worker) if state.counts(row)))
    state.reexamine_from = 0 if state.tasks.count else -1


def digest(state: Project) -> str:
    """Hash every discrete fact, column by column; floating-point numbers of models and results are left
    out."""
    total = blake2b(_small(state), digest_size=16)
    for name, table in _tables(state).items():
        total.update(name.encode())
        rows = table.rows[: table.count]
        for column in rows.dtype.names or ():
            total.update(np.ascontiguousarray(rows[column]).tobytes())
    for name in ("answers", "labels", "listed"):
        matrix, count = _matrices(state)[name]
        total.update(matrix.pack(count))
    if state.models.installed.version:
        total.update(msgspec.msgpack.encode(state.models.installed))
    return total.hexdigest()
