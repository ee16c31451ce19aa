"""The cluster as people see it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from crowdroute.router.errors import WrongState
from crowdroute.router.model.placement import Placement, Wanted
from crowdroute.router.runtime.cluster.orders import Held, Stage
from crowdroute.router.runtime.cluster.planning import Sight, actor_names, plan, settled, stays


class ActorState(StrEnum):
    """How an actor does."""

    STARTING = "starting"
    HINDERED = "hindered"
    """It cannot begin, and says why; it is tried again."""
    SERVING = "serving"
    SILENT = "silent"
    """It did not answer just now."""
    LOST = "lost"
    """It was given up; its shards are served elsewhere until it is back."""
    LEAVING = "leaving"
    """It hands its shards over, to be moved, replaced or ended."""


class NodeView(msgspec.Struct, frozen=True):
    """One node."""

    id: str
    address: str
    drained: bool
    actors: list[str]


class ActorView(msgspec.Struct, frozen=True):
    """One actor."""

    name: str
    state: ActorState
    node: str
    address: str
    pid: int
    incarnation: str
    shards: list[int]
    """Those that it serves."""
    why: str
    """What keeps it from beginning, when that is known."""


class ShardView(msgspec.Struct, frozen=True):
    """One shard."""

    shard: int
    stage: str
    """Of `Stage`; `unowned` while nobody has a grant."""
    actor: str
    """Who may own it now."""
    address: str
    """host:port where it is served."""
    generation: int
    home: str
    pinned: bool
    why: str
    """What keeps it from being served, when that is known."""


class Overview(msgspec.Struct, frozen=True, tag=True):
    """The whole cluster at one moment."""

    generation: int
    wanted: Wanted
    fleet_answers: bool
    """Whether Ray's head answers; without it nothing is started, moved or given to another."""
    resting: bool
    """Whether everything is as it is wanted."""
    retiring: list[str]
    """Actors that a rolling restart has still to replace."""
    nodes: list[NodeView]
    actors: list[ActorView]
    shards: list[ShardView]


def require_growth(now: Placement | Overview, shards: int) -> None:
    """Refuse a smaller number of shards than there are.

    Raises:
        WrongState: it is.
    """
    if shards < now.wanted.shards:
        raise WrongState(
            f"{shards} shards were asked for, and there are {now.wanted.shards}: streams live in them, so the"
            " number never falls; ask for as many or more"
        )


def overview(placement: Placement, sight: Sight, *, fleet_answers: bool, pending: bool) -> Overview:
    """Give the cluster as it is written down and seen.

    Args:
        placement: the newest in the record.
        sight: what was seen last.
        fleet_answers: whether the fleet could be asked.
        pending: whether something is wanted that is not written down yet.
    """
    actors = [_actor(name, placement, sight) for name in sorted(sight.existing)]
    return Overview(
        placement.generation,
        placement.wanted,
        fleet_answers,
        not pending and fleet_answers and at_rest(placement, sight),
        sorted(placement.retiring),
        [
            NodeView(
                node,
                address,
                address in placement.drained,
                [actor.name for actor in actors if actor.node == node],
            )
            for node, address in sorted(sight.nodes.items(), key=lambda node: node[1])
        ],
        actors,
        [_shard(shard, placement, sight) for shard in range(placement.wanted.shards)],
    )


def at_rest(placement: Placement, sight: Sight) -> bool:
    """Say whether everything is as it is wanted, so that no step changes anything."""
    names = actor_names(placement.wanted.actors)
    if placement.retiring or sight.existing != set(names):
        return False
    if not names:
        return True
    # What was seen may be newer than what is written: an actor that is back has its share yet to come.
    if plan(placement, sight) != placement:
        return False
    return settled(placement, sight) and all(
        actor in sight.beating and (stays(placement, sight, actor) or actor in placement.drained)
        for actor in names
    )


def _actor(name: str, placement: Placement, sight: Sight) -> ActorView:
    hindered = sight.hindered.get(name)
    if hindered is not None:
        state = ActorState.HINDERED
        return ActorView(name, state, hindered.node, "", hindered.pid, hindered.incarnation, [], hindered.why)
    standing = sight.standings.get(name)
    if standing is None:
        lost = name in sight.lost
        state = ActorState.LOST if lost else ActorState.STARTING
        return ActorView(name, state, placement.seats.get(name, ""), "", 0, "", [], "")
    if not standing.at.public:
        state = ActorState.STARTING
    elif name not in sight.beating:
        state = ActorState.SILENT
    else:
        state = ActorState.SERVING if stays(placement, sight, name) else ActorState.LEAVING
    serves = sorted(shard for shard, held in standing.held.items() if held.stage is Stage.SERVING)
    return ActorView(
        name,
        state,
        standing.node,
        standing.at.public,
        standing.pid,
        standing.incarnation,
        serves,
        "",
    )


def _shard(shard: int, placement: Placement, sight: Sight) -> ShardView:
    home, pinned = placement.homes.get(shard, ""), shard in placement.pinned
    grant = placement.grants.get(shard)
    if grant is None:
        return ShardView(shard, "unowned", "", "", 0, home, pinned, "no actor is ready to own it")
    standing = sight.standings.get(grant.actor)
    if standing is None or standing.incarnation != grant.incarnation or grant.actor not in sight.beating:
        why = f"{grant.actor} does not answer"
        return ShardView(shard, "unowned", grant.actor, "", grant.generation, home, pinned, why)
    held = standing.held.get(shard)
    if held is None or held.generation != grant.generation:
        held = Held(grant.generation, Stage.OPENING)
    return ShardView(
        shard, held.stage, grant.actor, standing.at.public, grant.generation, home, pinned, held.why
    )
