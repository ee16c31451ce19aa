"""The engine's own policy in a world, asked for one task."""

from __future__ import annotations

from tests.unit.policy.world import World, rules

from crowdroute.router.model.ids import Id
from crowdroute.router.model.rules import Routing
from crowdroute.router.model.states import Stage
from crowdroute.router.policy.base import Policy
from crowdroute.router.policy.information_gain import InformationGain

ENTROPY: Id = b"sixteen bytes ok"


def policy_of(world: World) -> Policy:
    return world.follow(InformationGain(world.state))


def picked(policy: Policy, worker: int, stage: Stage = Stage.CROWD) -> int | None:
    pick = policy.pick(worker, stage, ENTROPY)
    return None if pick is None else pick.task


def with_window(window: int, labels: tuple[int, ...] = (2,)) -> World:
    return World(rules(labels, routing=Routing(exploration=0.0, window=window)))
