"""One step from what is towards what is wanted: pure, so that every interleaving of faults can be tried.

A shard changes hands in three steps, each written down before it is begun: its grant is recalled once the new
home is ready; its owner says that it has released it; the new home gets a grant of a new generation. A grant
is *spent* when its incarnation has ended, was given up, has released the shard or failed to open it; no other
is given before that. That two processes may still believe in grants of one shard (a frozen one, a node cut
off) is what the fence in the log is for: the claim of the lower generation is void.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from crowdroute.router.model.placement import Grant, Placement
from crowdroute.router.runtime.cluster.orders import Charge, Order, Stage, Standing
from crowdroute.router.runtime.cluster.planning import Sight, actor_names, holds_nothing, plan, stays


@dataclass(frozen=True)
class Decision:
    """What to write down, and what may be done once it is written."""

    placement: Placement
    start: dict[str, str] = field(default_factory=dict)
    """Actors to start, and the node of each."""
    stop: frozenset[str] = frozenset()
    """Actors to end for good."""
    renew: frozenset[str] = frozenset()
    """Actors whose process is to end and to be started again."""
    orders: dict[str, Order] = field(default_factory=dict)
    """By actor."""


def decide(
    written: Placement, sight: Sight, wish: Callable[[Placement], Placement] = lambda placement: placement
) -> Decision:
    """Give the next placement, which equals `written` when nothing is to be changed, and what goes with it.

    Args:
        written: the newest in the record.
        sight: what is seen now.
        wish: puts into a placement what a person wants of it.
    """
    generation = max(written.generation, *(one.least for one in sight.standings.values()), 0) + 1
    planned = plan(wish(written), sight)
    grants = _grants(planned, sight, generation)
    placement = msgspec.structs.replace(planned, grants=grants)
    if placement != written:
        placement = msgspec.structs.replace(placement, generation=generation)
    wanted = actor_names(placement.wanted.actors)
    idle = {
        actor
        for actor in sight.existing
        if not any(grant.actor == actor for grant in grants.values()) and holds_nothing(sight, actor)
    }
    return Decision(
        placement,
        start={actor: placement.seats[actor] for actor in wanted if _to_start(placement, sight, actor)},
        stop=frozenset(
            actor
            for actor in sight.existing
            if actor in sight.stranded
            or (actor in idle and (actor not in wanted or _sits_wrong(placement, sight, actor)))
        ),
        renew=frozenset(idle & {placement.turn} & sight.standings.keys()),
        orders=_orders(placement, sight),
    )


def spent(grant: Grant, shard: int, sight: Sight) -> bool:
    """Say whether a grant can no longer be used by whom it was given to."""
    if grant.actor in sight.lost:
        return True
    standing = sight.standings.get(grant.actor)
    if standing is None:  # not seen yet: it may well serve
        return False
    if standing.incarnation != grant.incarnation:
        return True
    held = standing.held.get(shard)
    if held is None or held.generation != grant.generation:  # the order has not come to it
        return False
    return held.stage is Stage.RELEASED or (held.stage is Stage.FAILED and shard in sight.retry)


def _grants(placement: Placement, sight: Sight, generation: int) -> dict[int, Grant]:
    grants = {}
    for shard in range(placement.wanted.shards):
        grant = placement.grants.get(shard)
        home = placement.homes.get(shard, "")
        if grant is not None and not spent(grant, shard, sight):
            due = grant.recalled or _is_due_back(placement, sight, grant.actor, home)
            grants[shard] = msgspec.structs.replace(grant, recalled=due)
        elif _is_ready(placement, sight, home):
            ready = sight.standings[home]
            grants[shard] = Grant(home, ready.incarnation, generation, address=ready.at.public)
    return grants


def _is_due_back(placement: Placement, sight: Sight, owner: str, home: str) -> bool:
    """Say whether an owner is to hand over: its successor waits, or there is none and it must end all the
    same."""
    if home != owner and _is_ready(placement, sight, home):
        return True
    return not stays(placement, sight, owner) and not stays(placement, sight, home)


def _is_ready(placement: Placement, sight: Sight, actor: str) -> bool:
    return actor in sight.standings and actor in sight.beating and stays(placement, sight, actor)


def _orders(placement: Placement, sight: Sight) -> dict[str, Order]:
    """Give the order for every actor that listens.

    It may change while the placement does not: where an owner is reached is known once it has said so.
    """
    owners = {}
    for shard, grant in placement.grants.items():
        owner = placement.homes.get(shard, "") if grant.recalled else grant.actor
        if owner in sight.standings and sight.standings[owner].at.public:
            owners[shard] = sight.standings[owner].at
    return {
        actor: Order(standing.incarnation, placement.generation, _charges(placement, actor, standing), owners)
        for actor, standing in sight.standings.items()
        if standing.at.public and actor not in sight.lost
    }


def _charges(placement: Placement, actor: str, standing: Standing) -> dict[int, Charge]:
    return {
        shard: Charge(grant.generation, serve=not grant.recalled)
        for shard, grant in placement.grants.items()
        if (grant.actor, grant.incarnation) == (actor, standing.incarnation)
    }


def _to_start(placement: Placement, sight: Sight, actor: str) -> bool:
    return actor not in sight.existing and placement.seats.get(actor) in sight.nodes


def _sits_wrong(placement: Placement, sight: Sight, actor: str) -> bool:
    standing = sight.standings.get(actor)
    return standing is not None and standing.node != placement.seats.get(actor, standing.node)
