"""What people ask of a running cluster, as JSON: questions to the supervisor, and its answers."""

from __future__ import annotations

import asyncio

import msgspec

from crowdroute.router.errors import (
    ConfigurationError,
    FleetUnavailable,
    NotFound,
    RouterError,
    WrongState,
)
from crowdroute.router.model.placement import Placement, Wanted
from crowdroute.router.runtime.cluster.overview import Overview, overview, require_growth
from crowdroute.router.runtime.cluster.planning import Sight, actor_names
from crowdroute.router.runtime.cluster.supervisor import Supervisor

SHORTEST_ID = 4
"""Fewest characters of a node's id that name it."""

FIRST_LOOK_S = 10.0
"""Longest wait for a supervisor's first look, which takes a second where an actor is silent; who asks waits
for longer."""


class Show(msgspec.Struct, frozen=True, tag=True):
    """How does the cluster do?"""


class Want(msgspec.Struct, frozen=True, tag=True):
    """Be of this size; actors 0 takes it down."""

    shards: int
    actors: int


class Move(msgspec.Struct, frozen=True, tag=True):
    """Hand a shard over to an actor, where it stays; or let it live anywhere again."""

    shard: int
    actor: str
    """Empty: anywhere."""


class Drain(msgspec.Struct, frozen=True, tag=True):
    """Take a node or an actor out of service, or back into it."""

    name: str
    """Of an actor; or a node's address, or its id or the beginning of it."""
    undo: bool


class Restart(msgspec.Struct, frozen=True, tag=True):
    """Replace the process of every actor, one after the other."""


class Refused(msgspec.Struct, frozen=True, tag=True):
    """Nothing was changed."""

    code: str
    message: str


Question = Show | Want | Move | Drain | Restart
Answer = Overview | Refused


def encode(said: Question | Answer) -> bytes:
    """Encode a question or an answer."""
    return msgspec.json.encode(said)


def decode_answer(answer: bytes) -> Answer:
    """Decode an answer.

    Raises:
        msgspec.ValidationError: it is none, as from another release.
    """
    decoded: Answer = msgspec.json.decode(answer, type=Answer)
    return decoded


class Control:
    """Answers for a supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        """Answer for that one."""
        self.supervisor = supervisor

    async def answer(self, question: bytes) -> bytes:
        """Change what is wanted, as the question says, and tell how the cluster does."""
        try:
            await self._require_sight()
            self._take(msgspec.json.decode(question, type=Question))
        except msgspec.ValidationError as error:
            return encode(Refused(ConfigurationError.code, f"the supervisor is of another release: {error}"))
        except RouterError as error:
            return encode(Refused(error.code, error.message))
        led = self.supervisor
        return encode(
            overview(led.placement, led.sight, fleet_answers=led.fleet_answers, pending=led.pending)
        )

    async def _require_sight(self) -> None:
        """Wait until the supervisor has looked once: one that has just begun would take a running cluster for
        none, and shrink it.

        Raises:
            FleetUnavailable: it cannot.
        """
        try:
            async with asyncio.timeout(FIRST_LOOK_S):
                await self.supervisor.looked()
        except TimeoutError:
            raise FleetUnavailable(
                f"the supervisor has just begun, and Ray's head has not answered it for {FIRST_LOOK_S:.0f} s:"
                " see that Ray's head runs, then ask again"
            ) from None

    def _take(self, question: Question) -> None:
        placement, sight = self.supervisor.placement, self.supervisor.sight
        match question:
            case Show():
                pass
            case Want(shards, actors):
                self._want(placement, sight, Wanted(shards, actors))
            case Move(shard, actor):
                self._move(placement, sight, shard, actor)
            case Drain(name, undo):
                self._drain(placement, sight, name, undo=undo)
            case Restart():
                self._change(retiring=_lives(sight))

    def _change(self, **changes: object) -> None:
        self.supervisor.change(lambda placement: msgspec.structs.replace(placement, **changes))

    def _want(self, placement: Placement, sight: Sight, wanted: Wanted) -> None:
        require_growth(placement, wanted.shards)
        if wanted.shards > placement.wanted.shards:  # a process learns at its start how many there are
            self._change(wanted=wanted, retiring=_lives(sight))
        else:
            self._change(wanted=wanted)

    def _move(self, placement: Placement, sight: Sight, shard: int, actor: str) -> None:
        if not 0 <= shard < placement.wanted.shards:
            raise NotFound(f"there is no shard {shard}: they are 0 to {placement.wanted.shards - 1}")
        if not actor:
            self.supervisor.change(lambda now: _unpinned(now, shard))
            return
        if actor not in actor_names(placement.wanted.actors):
            raise NotFound(
                f"there is no actor {actor}: they are {', '.join(actor_names(placement.wanted.actors))}"
            )
        if placement.drained & {actor, sight.nodes.get(placement.seats.get(actor, ""), "")}:
            raise WrongState(f"{actor} is drained: choose another, or take it back with drain --undo")
        self.supervisor.change(lambda now: _pinned(now, {**now.pinned, shard: actor}))

    def _drain(self, placement: Placement, sight: Sight, name: str, *, undo: bool) -> None:
        found = _find(name, placement, sight)
        if undo:
            self.supervisor.change(lambda now: _drained(now, now.drained - {found}))
            return
        drained = placement.drained | {found}
        actors = set(actor_names(placement.wanted.actors))
        if not set(sight.nodes.values()) - drained or (actors and not actors - drained):
            raise WrongState(f"without {name} nothing would be left to serve; `cluster down` ends everything")
        self.supervisor.change(lambda now: _drained(now, now.drained | {found}))


def _lives(sight: Sight) -> dict[str, str]:
    return {actor: standing.incarnation for actor, standing in sight.standings.items()}


def _pinned(placement: Placement, pinned: dict[int, str]) -> Placement:
    return msgspec.structs.replace(placement, pinned=pinned)


def _unpinned(placement: Placement, shard: int) -> Placement:
    return _pinned(placement, {one: actor for one, actor in placement.pinned.items() if one != shard})


def _drained(placement: Placement, drained: frozenset[str]) -> Placement:
    return msgspec.structs.replace(placement, drained=drained)


def _find(name: str, placement: Placement, sight: Sight) -> str:
    """Give the actor, or the address of the node, that is meant."""
    if name in actor_names(placement.wanted.actors) or name in placement.drained:
        return name
    found = [
        address
        for node, address in sight.nodes.items()
        if name == address or (len(name) >= SHORTEST_ID and node.startswith(name))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(f"{name} may be any of {len(found)} nodes: give more of the id")
    known = [*sight.nodes.values(), *actor_names(placement.wanted.actors)]
    raise NotFound(f"there is no node or actor {name}: there are {', '.join(known)}")
