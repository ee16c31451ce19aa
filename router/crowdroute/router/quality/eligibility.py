"""Whether a worker may be given a task at all, and why not."""

from __future__ import annotations

from crowdroute.router.errors import InvalidCommand
from crowdroute.router.model.facts import Requirement, SkillFact, WorkerFacts
from crowdroute.router.model.ids import NO_ID
from crowdroute.router.model.states import Stage, WorkerKind
from crowdroute.router.state.project import Project
from crowdroute.workers.capacity import Capacity
from crowdroute.workers.eligibility import Ineligible, Reason, Requirements, SkillNeed, judge
from crowdroute.workers.errors import WorkersError
from crowdroute.workers.profile import WorkerProfile
from crowdroute.workers.skill import Skill, SkillSource


def profile_of(facts: WorkerFacts) -> WorkerProfile:
    """Give the worker library's view of logged facts.

    Raises:
        InvalidCommand: the facts contradict themselves.
    """
    try:
        skills = [_skill(fact) for fact in facts.skills]
        return WorkerProfile(
            worker=facts.worker,
            person=NO_ID if facts.kind == WorkerKind.MODEL else facts.person,
            version=facts.version,
            kind=facts.kind,
            status=facts.status,
            vendor=facts.vendor,
            pool=facts.pool,
            stages=tuple(sorted(set(facts.stages))),
            skills=tuple(sorted(skills, key=lambda skill: skill.name)),
            languages=tuple(sorted(set(facts.languages))),
            capacity=Capacity(facts.capacity or None),
        )
    except WorkersError as error:
        raise InvalidCommand(f"worker facts: {error}", {"field": "facts"}) from error


def _skill(fact: SkillFact) -> Skill:
    source = SkillSource.MEASURED if fact.evidence else SkillSource.DECLARED
    return Skill(fact.name, fact.level, source, fact.evidence)


def requirements_of(requirement: Requirement, stage: Stage) -> Requirements:
    """Give the worker library's view of a logged requirement, for one stage.

    Raises:
        InvalidCommand: nobody could meet it.
    """
    try:
        return Requirements(
            stage=stage,
            kinds=(WorkerKind.HUMAN,) if requirement.humans_only else (),
            vendors=requirement.vendors,
            pools=requirement.pools,
            languages=requirement.languages,
            skills=tuple(SkillNeed(need.name, need.level) for need in requirement.skills),
        )
    except WorkersError as error:
        raise InvalidCommand(f"requirement: {error}", {"field": "requirement"}) from error


def misses(state: Project, worker: int, signature: int, stage: Stage) -> tuple[Reason, ...]:
    """Give every reason why a worker may not be given a task of this signature; none when they may."""
    facts = state.facts[worker]
    if facts is None:
        return ()
    requirement, _ = state.signatures.values[signature]
    profile = profile_of(facts)
    reasons: list[Reason] = []
    for needed in (state.rules.requirement, requirement):
        verdict = judge(profile, requirements_of(needed, stage))
        if isinstance(verdict, Ineligible):
            reasons.extend(reason for reason in verdict.reasons if reason not in reasons)
    return tuple(reasons)
