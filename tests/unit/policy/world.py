"""A small project driven through the fold, event by event, with every policy told of what it must know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from crowdroute.router.events import project as facts
from crowdroute.router.events.base import Fact
from crowdroute.router.machine.project.fold import EVERYTHING, HANDLERS
from crowdroute.router.model.answers import Answer, Choice, FieldResult
from crowdroute.router.model.facts import Requirement, SkillFact, SkillNeed, WorkerFacts
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.rules import Field, Label, Overlap, ProjectRules, Routing, Stopping
from crowdroute.router.model.states import FinalReason, Purpose, Receipt, Stage, WorkerStatus
from crowdroute.router.policy.base import Pick, Policy
from crowdroute.router.state.project import Project

SECOND = 1_000_000
LEASE = 600 * SECOND
ALL_STAGES = (Stage.CROWD, Stage.SENIOR, Stage.EXPERT)


def rules(
    labels: Sequence[int] = (2,),
    overlap: Overlap | None = None,
    routing: Routing | None = None,
    target: float = 0.95,
    version: int = 1,
) -> ProjectRules:
    """Rules with a field per entry of `labels`, of so many labels; no exploration unless asked for."""
    fields = tuple(
        Field(f"f{place}", tuple(Label(f"l{number}") for number in range(count)))
        for place, count in enumerate(labels)
    )
    return ProjectRules(
        version=version,
        fields=fields,
        overlap=overlap or Overlap(),
        routing=routing or Routing(exploration=0.0),
        stopping=Stopping(target),
    )


def need(*skills: str) -> Requirement:
    """A requirement of these skills at half level."""
    return Requirement(skills=tuple(SkillNeed(name, 0.5) for name in skills))


class Follower(Protocol):
    """What is told which tasks changed."""

    def rebuild(self) -> None: ...

    def touch(self, task: int) -> None: ...


class World:
    """Rows of workers, tasks and assignments are what its methods take and give."""

    def __init__(self, given: ProjectRules | None = None) -> None:
        self.state = Project()
        self.followers: list[Follower] = []
        self.now_us = 1_000 * SECOND
        self._ids = 0
        self.happen(facts.ProjectCreated(self.new_id(), "a project"))
        self.happen(facts.RulesApplied(given or rules()))

    def new_id(self) -> Id:
        self._ids += 1
        return self._ids.to_bytes(16, "big")

    def happen(self, event: Fact) -> None:
        self.state.last_us = self.now_us
        task = HANDLERS[type(event)](self.state, event, self.now_us)
        for follower in self.followers:
            if task >= 0:
                follower.touch(task)
            elif task == EVERYTHING:
                follower.rebuild()

    def apply_rules(self, given: ProjectRules) -> None:
        self.happen(facts.RulesApplied(given))

    def follow(self, policy: Policy) -> Policy:
        policy.rebuild()
        self.followers.append(policy)
        return policy

    def worker(self, *skills: str, person: Id | None = None, stages: tuple[Stage, ...] = ALL_STAGES) -> int:
        identity = self.new_id()
        given = WorkerFacts(
            worker=identity,
            person=person or self.new_id(),
            version=1,
            status=WorkerStatus.QUALIFIED,
            stages=stages,
            skills=tuple(SkillFact(name, 0.9) for name in skills),
        )
        self.happen(facts.WorkerFactApplied(given))
        return self.state.workers.find(identity)

    def task(
        self,
        *skills: str,
        planned: int = 5,
        priority: int = 0,
        allow: Sequence[int] = (),
        deny: Sequence[int] = (),
        deadline_us: int = 0,
        capability: str = "",
        purpose: Purpose = Purpose.PRODUCTION,
        gold: Answer = (),
    ) -> int:
        item, identity = self.new_id(), self.new_id()
        self.happen(facts.ItemAdded(item, NO_ID, bytes(16)))
        event = facts.TaskOpened(
            task=identity,
            item=item,
            round=1,
            purpose=purpose,
            batch="",
            planned=planned,
            priority=priority,
            deadline_us=deadline_us,
            capability=capability,
            requirement=need(*skills),
            allow=tuple(map(self.state.workers.id_of, allow)),
            deny=tuple(map(self.state.workers.id_of, deny)),
            gold=gold,
        )
        self.happen(event)
        return self.state.tasks.find(identity)

    def grant(self, worker: int, task: int, stage: Stage = Stage.CROWD) -> int:
        identity = self.new_id()
        event = facts.LeaseGranted(
            assignment=identity,
            task=self.state.tasks.id_of(task),
            worker=self.state.workers.id_of(worker),
            stage=stage,
            fence=1,
            deadline_us=self.now_us + LEASE,
            price_micros=0,
            rules_version=self.state.rules.version,
            policy="fifo",
            value=0.0,
            propensity=1.0,
        )
        self.happen(event)
        return self.state.assignments.find(identity)

    def give(self, worker: int, pick: Pick | None, stage: Stage = Stage.CROWD) -> int:
        assert pick is not None
        return self.grant(worker, pick.task, stage)

    def submit(self, assignment: int, *labels: int, receipt: Receipt = Receipt.COUNTED) -> None:
        answer = tuple(Choice(field, label) for field, label in enumerate(labels))
        self.happen(facts.AnswerSubmitted(self.state.assignments.id_of(assignment), answer, receipt))

    def label(self, worker: int, task: int, *labels: int) -> None:
        self.submit(self.grant(worker, task), *labels)

    def expire(self, assignment: int) -> None:
        self.happen(facts.LeaseExpired(self.state.assignments.id_of(assignment)))

    def finalise(self, task: int) -> None:
        tasks = self.state.tasks
        results = tuple(
            FieldResult(field, 0, self.state.models.probabilities(field, task))
            for field in range(len(self.state.rules.fields))
        )
        event = facts.TaskFinalised(
            task=tasks.id_of(task),
            revision=tasks.revision[task] + 1,
            reason=FinalReason.CONFIDENT,
            results=results,
            confidence=self.state.models.confidence(task),
            counted=tasks.counted_crowd[task],
            rules_version=1,
            model_version=0,
        )
        self.happen(event)

    def reopen(self, task: int, added: int = 1) -> None:
        self.happen(facts.TaskReopened(self.state.tasks.id_of(task), "a reason", added))

    def park(self, task: int) -> None:
        self.happen(facts.TaskParked(self.state.tasks.id_of(task), "a reason", 0))

    def cancel(self, task: int) -> None:
        self.happen(facts.TaskCancelled(self.state.tasks.id_of(task), "a reason"))

    def escalate(self, task: int) -> None:
        self.happen(facts.TaskEscalated(self.state.tasks.id_of(task), Stage.EXPERT, "a reason", 0.5, 0))

    def plan(self, task: int, stage: Stage, added: int = 1) -> None:
        self.happen(facts.SlotsPlanned(self.state.tasks.id_of(task), stage, added, "a reason"))
