"""The one who decides who serves what: looks, decides, writes down, and only then tells anybody.

It keeps nothing that it could not see again: whoever takes its place reads the record and asks the actors.
Two of them harm nobody, because each generation of the placement is written by one, and the other reads it
and goes on from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Set
from typing import Any, NamedTuple

import structlog

from crowdroute.router.errors import ActorSilent, FleetUnavailable, PlacementSuperseded
from crowdroute.router.model.placement import Placement
from crowdroute.router.ports import PlacementRecord
from crowdroute.router.runtime.cluster.deciding import Decision, decide
from crowdroute.router.runtime.cluster.fleet import Fleet, Pulse
from crowdroute.router.runtime.cluster.orders import Order, Stage, Standing
from crowdroute.router.runtime.cluster.planning import Sight
from crowdroute.router.runtime.cluster.watchdog import Verdict, Watch

BEAT_S = 0.25
"""Pause between two steps: what happens is seen within half a second."""

FIRST_PAUSE_S = 1.0
"""From the beginning of an attempt to open a shard to that of the next; doubled each time, because the
reason is mostly not gone. An attempt that took longer by itself, as with brokers that are silent, is followed
by the next at once: whoever waits for an answer hears at once that they are back."""

LONGEST_PAUSE_S = 3.0
"""What a shard needs, brokers mostly, may be back at any moment: within ten seconds of that it is served, the
time to open it included. A broker that was silent for long takes no more connections, so that an attempt
fails soon, and hears of its return no sooner than the next."""

Change = Callable[[Placement], Placement]
"""Gives the placement with what is wanted in it; may be asked more than once."""

_log = structlog.get_logger("crowdroute.supervisor")


class _Attempt(NamedTuple):
    """To open a shard, by one grant."""

    generation: int
    """Of the grant."""
    begun: float
    """When it was first seen."""
    pause: float = 0.0
    """Seconds from then until the next, if this one fails, or has."""
    failed: bool = False


class Supervisor:
    """Leads a fleet towards what is wanted, step by step."""

    def __init__(
        self, fleet: Fleet, record: PlacementRecord, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with what the record says, once the first step has read it.

        Args:
            fleet: what runs the processes.
            record: where each placement is written.
            clock: seconds; only goes forward.
        """
        self._fleet = fleet
        self._record = record
        self._clock = clock
        self._watches: dict[str, Watch] = {}
        self._attempts: dict[int, _Attempt] = {}
        self._told: dict[str, Order] = {}
        self._changes: list[Change] = []
        self._nodes: Mapping[str, str] = {}
        self._existing: Set[str] = frozenset()
        self.placement = Placement()
        """The newest that is known to be written."""
        self.sight = Sight({}, frozenset())
        """What the last step saw."""
        self.fleet_answers = True
        """Whether the last step could ask the fleet."""
        self.steps = 0
        """How many were taken, the record having answered."""
        self._looked = asyncio.Event()

    def change(self, change: Change) -> None:
        """Have the next steps go towards something else, as a person wants."""
        self._changes.append(change)

    @property
    def pending(self) -> bool:
        """Whether something is wanted that is not written down yet."""
        return bool(self._changes)

    async def run(self) -> None:
        """Take one step after the other, for ever."""
        while True:
            try:
                await self.step()
            except FleetUnavailable as error:
                if self.fleet_answers:
                    _log.warning("the fleet does not answer", reason=error.message)
                self.fleet_answers = False
            await asyncio.sleep(BEAT_S)

    async def step(self) -> None:
        """Look, decide, write down, tell.

        Raises:
            FleetUnavailable: the record could not be read or written; nobody was told anything.
        """
        # Each time: who acts on an old placement ends actors that a newer one wants.
        self.placement = await self._record.read()
        await self._look()
        changes = tuple(self._changes)
        decision = decide(self.placement, self.sight, lambda placement: _changed(placement, changes))
        if decision.placement == self.placement or await self._write(decision.placement):
            del self._changes[: len(changes)]  # others may have come meanwhile
            await self._tell(decision)
        self.steps += 1
        if self.fleet_answers:
            self._looked.set()

    async def looked(self) -> None:
        """Return once the record was read and everybody was asked for the first time: before that, what is
        seen is nothing."""
        await self._looked.wait()

    async def _write(self, placement: Placement) -> bool:
        """Write the next generation; False when somebody else has."""
        try:
            await self._record.write(placement)
        except PlacementSuperseded:
            _log.warning("another supervisor decided", generation=placement.generation)
            return False
        _log.info("placement", generation=placement.generation)
        self.placement = placement
        return True

    # Looking

    async def _look(self) -> None:
        await self._ask_fleet()
        for gone in self._watches.keys() - self._existing:
            del self._watches[gone]
            self._told.pop(gone, None)
        reached = {grant.actor: grant.address for grant in self.placement.grants.values()}
        for actor in self._existing:
            self._watches.setdefault(actor, Watch(self._clock(), reached.get(actor, "")))
        verdicts = dict(
            zip(self._watches, await asyncio.gather(*map(self._visit, self._watches)), strict=True)
        )
        lost = {actor for actor, verdict in verdicts.items() if verdict is not Verdict.ALIVE}
        standings = {
            actor: watch.standing
            for actor, watch in self._watches.items()
            if watch.standing is not None and actor not in lost
        }
        self.sight = Sight(
            self._nodes,
            self._existing,
            standings,
            beating={actor for actor in standings if self._watches[actor].beats},
            lost=lost,
            stranded={actor for actor in lost if self._is_stranded(actor)},
            hindered={
                actor: watch.standing
                for actor, watch in self._watches.items()
                if watch.standing is not None and watch.standing.why
            },
            retry=self._retries(standings),
        )

    def _is_stranded(self, actor: str) -> bool:
        """Say whether a lost actor's node died; who never said a word may be anywhere."""
        standing = self._watches[actor].standing
        return standing is None or standing.node not in self._nodes

    async def _ask_fleet(self) -> None:
        """See which nodes and actors there are; what was seen last stands while nobody can say."""
        try:
            self._nodes, self._existing = await asyncio.gather(self._fleet.nodes(), self._fleet.actors())
            self.fleet_answers = True
        except FleetUnavailable:
            self.fleet_answers = False

    async def _visit(self, actor: str) -> Verdict:
        """Ask an actor and its server at once, and end it if it must be."""
        watch = self._watches[actor]
        address = watch.address
        asked = asyncio.ensure_future(self._fleet.ask(actor))
        pulse = await self._pulse(address)
        now = self._clock()
        try:
            watch.said(await asked, now)
        except ActorSilent:
            pass
        else:
            if watch.address != address:  # a new life: its server was not asked yet
                pulse = await self._pulse(watch.address)
        watch.felt(pulse, now)
        verdict = watch.verdict(self._clock())
        if verdict is Verdict.FROZEN:
            await self._renew(actor)
        return verdict

    async def _pulse(self, address: str) -> Pulse:
        """Ask a server; a life that does not listen yet is silent."""
        return await self._fleet.pulse(address) if address else Pulse.SILENT

    def _retries(self, standings: Mapping[str, Standing]) -> frozenset[int]:
        """Give the shards that failed to open and may be tried again."""
        now = self._clock()
        due = set()
        for shard, grant in self.placement.grants.items():
            attempt = self._attempts.get(shard, _Attempt(grant.generation, now))
            if attempt.generation != grant.generation:
                attempt = _Attempt(grant.generation, now, attempt.pause)
            standing = standings.get(grant.actor)
            held = standing.held.get(shard) if standing is not None else None
            if held is not None and held.generation == grant.generation:
                if held.stage is Stage.SERVING:
                    attempt = attempt._replace(pause=0.0)
                elif held.stage is Stage.FAILED and not attempt.failed:
                    _log.warning("shard failed to open", shard=shard, actor=grant.actor, reason=held.why)
                    pause = min(max(2 * attempt.pause, FIRST_PAUSE_S), LONGEST_PAUSE_S)
                    attempt = attempt._replace(pause=pause, failed=True)
            self._attempts[shard] = attempt
            if attempt.failed and now - attempt.begun >= attempt.pause:
                due.add(shard)
        return frozenset(due)

    # Telling

    async def _tell(self, decision: Decision) -> None:
        await asyncio.gather(
            *(self._try(self._fleet.start(actor, node)) for actor, node in decision.start.items()),
            *(self._try(self._fleet.stop(actor)) for actor in decision.stop),
            *(self._renew(actor) for actor in decision.renew),
            *(self._order(actor, order) for actor, order in decision.orders.items()),
        )

    async def _order(self, actor: str, order: Order) -> None:
        """Tell an actor what to do, unless it follows already what it was told by this supervisor."""
        standing = self._watches[actor].standing
        if standing is not None and standing.obeyed >= order.generation and self._told.get(actor) == order:
            return
        with contextlib.suppress(ActorSilent):  # the next step tells it again, unless it followed
            self._watches[actor].said(await self._fleet.order(actor, order), self._clock())
            self._told[actor] = order

    async def _renew(self, actor: str) -> None:
        """End an actor's process, unless that was asked for a moment ago: the next one may have begun."""
        if self._watches[actor].end(self._clock()):
            _log.info("actor ended", actor=actor)
            await self._try(self._fleet.renew(actor))

    async def _try(self, doing: Coroutine[Any, Any, None]) -> None:
        try:
            await doing
        except FleetUnavailable as error:
            _log.warning("the fleet could not do it", reason=error.message)


def _changed(placement: Placement, changes: Iterable[Change]) -> Placement:
    for change in changes:
        placement = change(placement)
    return placement
