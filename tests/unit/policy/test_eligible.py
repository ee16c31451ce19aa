"""Which signatures a worker may be given follows facts, rules and new signatures, and is not computed
twice."""

from __future__ import annotations

import msgspec
from tests.unit.policy.world import World, need, rules

from crowdroute.router.events import project as facts
from crowdroute.router.model.states import Stage, WorkerStatus
from crowdroute.router.policy.eligible import EligibleSignatures


def test_the_same_array_comes_back_until_the_set_changes() -> None:
    world = World()
    worker = world.worker("read")
    eligible = EligibleSignatures(world.state)
    world.task("read")
    once = eligible.of(worker, Stage.CROWD)
    world.task("write")
    assert eligible.of(worker, Stage.CROWD) is once
    world.task("read", capability="other")
    assert eligible.of(worker, Stage.CROWD).tolist() == [0, 2]


def test_new_facts_are_followed() -> None:
    world = World()
    worker = world.worker("read")
    eligible = EligibleSignatures(world.state)
    world.task("read")
    assert eligible.of(worker, Stage.CROWD).tolist() == [0]
    before = world.state.facts[worker]
    assert before is not None
    banned = msgspec.structs.replace(before, version=2, status=WorkerStatus.BANNED)
    world.happen(facts.WorkerFactApplied(banned))
    assert eligible.of(worker, Stage.CROWD).tolist() == []


def test_a_requirement_of_the_rules_holds_for_every_signature() -> None:
    world = World()
    worker = world.worker("read")
    eligible = EligibleSignatures(world.state)
    world.task("read")
    assert eligible.of(worker, Stage.CROWD).tolist() == [0]
    world.apply_rules(msgspec.structs.replace(rules(version=2), requirement=need("write")))
    assert eligible.of(worker, Stage.CROWD).tolist() == []


def test_a_stage_that_the_facts_do_not_allow_has_nothing() -> None:
    world = World()
    worker = world.worker("read", stages=(Stage.CROWD,))
    eligible = EligibleSignatures(world.state)
    world.task("read")
    assert eligible.of(worker, Stage.EXPERT).tolist() == []
    assert eligible.of(worker, Stage.CROWD).tolist() == [0]


def test_a_stage_is_part_of_what_is_remembered() -> None:
    world = World()
    worker = world.worker("read", stages=(Stage.EXPERT,))
    eligible = EligibleSignatures(world.state)
    world.task("read")
    assert [eligible.of(worker, stage).tolist() for stage in Stage] == [[], [], [0]]
