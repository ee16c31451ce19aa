"""Where actors sit and where shards live: pure, from what is written down and what is seen.

Nothing here lets anybody serve; that is `deciding`, one step after the other, towards what this wants.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

import msgspec

from crowdroute.router.model.placement import Placement
from crowdroute.router.runtime.cluster.balancing import balance
from crowdroute.router.runtime.cluster.orders import Stage, Standing


@dataclass(frozen=True)
class Sight:
    """What the supervisor sees at one moment."""

    nodes: Mapping[str, str]
    """Living nodes, and the address of each."""
    existing: Set[str]
    """Actors that the fleet runs, or is about to run again."""
    standings: Mapping[str, Standing] = field(default_factory=dict)
    """The last word of each actor that was not given up."""
    beating: Set[str] = frozenset()
    """Actors whose server answered just now: what is handed over, only they get."""
    lost: Set[str] = frozenset()
    """Actors that were given up: nothing answers, and no new life of theirs came."""
    stranded: Set[str] = frozenset()
    """Those of them that the fleet cannot start again where they are: their node died."""
    hindered: Mapping[str, Standing] = field(default_factory=dict)
    """The last word of each actor whose newest life cannot begin, given up or not: it says why."""
    retry: Set[int] = frozenset()
    """Shards that failed to open and whose pause is over."""


def actor_names(count: int) -> tuple[str, ...]:
    """Name the actors of a cluster of that size."""
    return tuple(f"actor-{number}" for number in range(count))


def number_of(actor: str) -> int:
    """Give the number in an actor's name."""
    return int(actor.rpartition("-")[2])


def plan(placement: Placement, sight: Sight) -> Placement:
    """Give the placement with seats, homes and the turn of a rolling restart as they should be now."""
    placement = _next_turn(placement, sight)
    placement = msgspec.structs.replace(placement, seats=_seats(placement, sight))
    names = actor_names(placement.wanted.actors)
    there = [actor for actor in names if stays(placement, sight, actor)]
    # A pin outlives the absence of its actor, and is void as long as that lasts.
    pinned = {shard: actor for shard, actor in placement.pinned.items() if actor in names}
    shards = range(placement.wanted.shards)
    homes = balance(shards, there, placement.homes, pinned) or placement.homes
    return msgspec.structs.replace(placement, homes=homes, pinned=pinned)


def stays(placement: Placement, sight: Sight, actor: str) -> bool:
    """Say whether shards may live in an actor: it is wanted, in service, and neither to be moved nor
    replaced."""
    seat = placement.seats.get(actor, "")
    standing = sight.standings.get(actor)
    return (
        actor in actor_names(placement.wanted.actors)
        and actor not in sight.lost
        and actor != placement.turn
        and not placement.drained & {actor, sight.nodes.get(seat, "")}
        and (standing is None or standing.node == seat)
    )


def settled(placement: Placement, sight: Sight) -> bool:
    """Say whether every shard is served where it is to live, so that something new may be begun."""
    for shard in range(placement.wanted.shards):
        grant = placement.grants.get(shard)
        if grant is None or grant.actor != placement.homes.get(shard):
            return False
        standing = sight.standings.get(grant.actor)
        if standing is None or standing.incarnation != grant.incarnation:
            return False
        held = standing.held.get(shard)
        if held is None or (held.generation, held.stage) != (grant.generation, Stage.SERVING):
            return False
    return True


def _next_turn(placement: Placement, sight: Sight) -> Placement:
    """Strike out who was replaced, and give the turn to the next when that keeps nobody from work."""
    names = actor_names(placement.wanted.actors)
    left = {
        actor: incarnation
        for actor, incarnation in placement.retiring.items()
        if actor in names
        and (actor not in sight.standings or sight.standings[actor].incarnation == incarnation)
    }
    turn = placement.turn if placement.turn in left else ""
    without = msgspec.structs.replace(placement, retiring=left, turn=turn)
    # Whoever serves nothing is missed by nobody: with other settings its next life may serve again.
    idle = {actor for actor in left if actor in sight.standings and holds_nothing(sight, actor)}
    ready = left if settled(without, sight) else idle
    if not turn and ready:
        return msgspec.structs.replace(without, turn=min(ready, key=names.index))
    return without


def holds_nothing(sight: Sight, actor: str) -> bool:
    """Say whether an actor, as far as is known, has no shard and is about to open none."""
    standing = sight.standings.get(actor)
    return standing is None or all(
        held.stage in (Stage.RELEASED, Stage.FAILED) for held in standing.held.values()
    )


def _seats(placement: Placement, sight: Sight) -> dict[str, str]:
    """Give each actor a node: those without one at once, and one at a time of those that only even things
    out."""
    names = actor_names(placement.wanted.actors)
    nodes = [node for node in sorted(sight.nodes) if sight.nodes[node] not in placement.drained]
    if not nodes:
        return {actor: seat for actor, seat in placement.seats.items() if actor in names}
    now = {}
    for actor in names:
        standing = sight.standings.get(actor)
        for seat in (placement.seats.get(actor), standing.node if standing else None):
            if seat in nodes:
                now[actor] = seat
                break
    even = balance(names, nodes, now)
    seats = {actor: now.get(actor, even[actor]) for actor in names}
    moving = [actor for actor in names if seats[actor] != even[actor]]
    if moving and not placement.turn and settled(placement, sight) and _seated(seats, sight):
        seats[moving[0]] = even[moving[0]]
    return seats


def _seated(seats: Mapping[str, str], sight: Sight) -> bool:
    return all(
        actor in sight.standings and sight.standings[actor].node == seat for actor, seat in seats.items()
    )
