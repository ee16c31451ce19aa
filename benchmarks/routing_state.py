"""Projects of any size for the routing benchmark, made by writing the tables instead of folding a million
events.

The tables hold what the fold would have left there: ids, slots, chains of assignments, lists; posteriors of
begun tasks are drawn instead of computed. Everything comes from one seed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdroute.router.events import project as facts
from crowdroute.router.machine.project.fold import HANDLERS
from crowdroute.router.model.facts import Requirement, SkillFact, SkillNeed, WorkerFacts
from crowdroute.router.model.ids import Id
from crowdroute.router.model.rules import Field, Label, ProjectRules, Routing
from crowdroute.router.model.states import AssignmentState, Receipt, Revision, WorkerStatus
from crowdroute.router.state.project import Project

LABELS = 4
WORKERS = 1_000
SIDE = 16
"""Skills on either side of a signature: 16 x 16 signatures need one of each."""
SKILLS_HELD = 8
BEGUN = 0.3
"""Share of the tasks that hold one or two answers already."""
MOST_ANSWERS = 2
PLANNED = 5
START_US = 1_700_000_000_000_000


class World:
    """A project whose tasks were written into its tables."""

    def __init__(
        self, tasks: int, policy: str = "information_gain", listed: float = 0.0, seed: int = 1
    ) -> None:
        self.random = np.random.default_rng(seed)
        self.state = Project()
        self._held: list[list[bool]] = []
        self.state.last_us = START_US
        labels = tuple(Label(f"label {number}") for number in range(LABELS))
        rules = ProjectRules(version=1, fields=(Field("label", labels),), routing=Routing(policy=policy))
        self.fold(facts.ProjectCreated(self.new_id(), "benchmark"))
        self.fold(facts.RulesApplied(rules))
        for left in range(SIDE):
            for right in range(SIDE):
                needs = (SkillNeed(f"left{left}", 0.5), SkillNeed(f"right{right}", 0.5))
                self.state.signatures.code((Requirement(skills=needs), f"left{left}"))
        for _ in range(WORKERS):
            self.add_worker(
                self.random.choice(SIDE, SKILLS_HELD, replace=False).tolist(),
                self.random.choice(SIDE, SKILLS_HELD, replace=False).tolist(),
            )
        self._write_tasks(tasks, listed)

    def new_id(self) -> Id:
        return self.random.bytes(16)

    def fold(self, event: Any) -> int:
        return HANDLERS[type(event)](self.state, event, self.state.last_us)

    def add_worker(self, left: list[int], right: list[int]) -> int:
        """Add a worker of these skills, who has answered a hundred tasks of every capability they may be
        given."""
        self._held.append(
            [number in left for number in range(SIDE)] + [number in right for number in range(SIDE)]
        )
        names = [f"left{number}" for number in left] + [f"right{number}" for number in right]
        given = WorkerFacts(
            worker=self.new_id(),
            person=self.new_id(),
            version=1,
            status=WorkerStatus.QUALIFIED,
            skills=tuple(SkillFact(name, 0.9) for name in names),
        )
        self.fold(facts.WorkerFactApplied(given))
        worker = self.state.workers.find(given.worker)
        model = self.state.models.fields[0]
        for number in left:
            matrix = self.state.models.matrix(worker, self.state.capabilities.code(f"left{number}"))
            right_share = self.random.uniform(0.5, 0.95)
            counts = np.full((LABELS, LABELS), (1 - right_share) / (LABELS - 1))
            np.fill_diagonal(counts, right_share)
            model.confusion[matrix] += 25 * counts
            model.row_sums[matrix] = model.confusion[matrix].sum(axis=1)
            model.versions[matrix] = 100
        return worker

    def _write_tasks(self, count: int, listed: float) -> None:
        random, state = self.random, self.state
        rows = np.zeros(count, state.tasks.rows.dtype)
        for half in ("id_high", "id_low"):
            rows[half] = random.integers(-(2**63), 2**63 - 1, count)
        for name in ("item", "next_of_item", "first_assignment", "known", "result"):
            rows[name] = -1
        rows["opened_us"] = START_US
        rows["round"] = 1
        rows["signature"] = random.integers(0, SIDE * SIDE, count)
        capabilities = [state.capabilities.code(name) for _, name in state.signatures.values]
        rows["capability"] = np.array(capabilities)[rows["signature"]]
        rows["priority"] = random.choice(4, count, p=[0.85, 0.1, 0.04, 0.01])
        rows["planned_crowd"] = PLANNED
        if listed:
            self._write_lists(rows, listed)
        state.tasks.unpack(rows.tobytes())
        state.models.fields[0].add_tasks(count)
        begun = np.flatnonzero(random.random(count) < BEGUN)
        for _ in range(MOST_ANSWERS):
            self.write_answers(begun, self._able(rows["signature"][begun]))
            begun = begun[random.random(len(begun)) < 0.5]
        answered = np.flatnonzero(self.state.tasks.rows["counted_crowd"][:count])
        state.models.fields[0].posteriors[answered] = random.dirichlet(np.full(LABELS, 0.4), len(answered))

    def _able(self, signatures: NDArray[np.int32]) -> NDArray[np.int64]:
        """Draw a worker with the skills of each signature."""
        held = np.array(self._held)
        workers = np.zeros(len(signatures), np.int64)
        for signature in range(SIDE * SIDE):
            able = np.flatnonzero(held[:, signature // SIDE] & held[:, SIDE + signature % SIDE])
            own = np.flatnonzero(signatures == signature)
            workers[own] = self.random.choice(able, len(own))
        return workers

    def _write_lists(self, rows: NDArray[Any], listed: float) -> None:
        """Give a share of the tasks an allow list each, of 5 to 50 workers."""
        chosen = np.flatnonzero(self.random.random(len(rows)) < listed)
        lengths = self.random.integers(5, 51, len(chosen))
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        total = int(lengths.sum())
        self.state.listed.reserve(total, 1)
        # A stretch of a shuffled ring of workers has no worker twice.
        ring = np.concatenate([self.random.permutation(WORKERS)] * 2)
        offsets = np.repeat(self.random.integers(0, WORKERS, len(chosen)), lengths)
        places = np.arange(total) - np.repeat(starts, lengths)
        self.state.listed.values[:total, 0] = ring[offsets + places]
        self.state.listed_count = total
        rows["allow_start"][chosen] = starts
        rows["allow_count"][chosen] = lengths

    def write_answers(self, tasks: NDArray[np.int64], workers: NDArray[np.int64]) -> None:
        """Write one counted answer per task, the posteriors apart."""
        state = self.state
        before, count = state.assignments.count, len(tasks)
        rows = np.zeros(before + count, state.assignments.rows.dtype)
        rows[:before] = state.assignments.rows[:before]
        new = rows[before:]
        for half in ("id_high", "id_low"):
            new[half] = self.random.integers(-(2**63), 2**63 - 1, count)
        new["granted_us"] = new["answered_us"] = START_US
        new["task"], new["worker"] = tasks, workers
        new["next_of_task"] = state.tasks.rows["first_assignment"][tasks]
        new["next_of_worker"] = -1
        pairs = zip(workers.tolist(), state.tasks.rows["capability"][tasks].tolist(), strict=True)
        new["matrix"] = [state.models.matrix(worker, capability) for worker, capability in pairs]
        new["state"] = AssignmentState.SUBMITTED
        new["receipt"], new["revision"] = Receipt.COUNTED, Revision.SUBMITTED
        state.tasks.rows["first_assignment"][tasks] = before + np.arange(count)
        state.tasks.rows["counted_crowd"][tasks] += 1
        state.assignments.unpack(rows.tobytes())
        state.answers.reserve(before + count, 1)
        state.answers.values[before : before + count, 0] = self.random.integers(0, LABELS, count)
