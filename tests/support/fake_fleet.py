"""A fleet in memory whose processes can be killed, frozen and cut off, over logs that fence by generation."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Set
from dataclasses import dataclass, field

import msgspec

from crowdroute.router.errors import (
    ActorSilent,
    Fenced,
    FleetUnavailable,
    PlacementSuperseded,
    StorageError,
)
from crowdroute.router.model.placement import Placement
from crowdroute.router.runtime.cluster.actor import ShardActor
from crowdroute.router.runtime.cluster.fleet import Pulse
from crowdroute.router.runtime.cluster.orders import At, Order, Stage, Standing, decode, encode

SILENT_S = 10.0
"""How long an attempt to open a shard waits for brokers that are silent."""


class MemoryRecord:
    """A placement record that two supervisors may share."""

    def __init__(self) -> None:
        self.written = [Placement()]

    async def read(self) -> Placement:
        return self.written[-1]

    async def write(self, placement: Placement) -> None:
        if placement.generation <= self.written[-1].generation:
            raise PlacementSuperseded(f"generation {placement.generation} is written")
        self.written.append(msgspec.json.decode(msgspec.json.encode(placement), type=Placement))


@dataclass
class Claim:
    """Who claimed a shard's log, and by which generation."""

    generation: int
    incarnation: str
    orderly: bool
    """Whether the owner before had handed over, or its process had ended or was out of reach."""


class Logs:
    """The log of every shard, as far as ownership goes."""

    def __init__(self) -> None:
        self.claims: dict[int, list[Claim]] = {}
        self.owners: dict[int, str] = {}
        """The incarnation that may append to each shard's log now."""

    def claim(self, shard: int, claim: Claim) -> None:
        claims = self.claims.setdefault(shard, [])
        counts = max((one.generation for one in claims), default=0)
        claims.append(claim)
        if claim.generation < counts:
            raise Fenced("the claim is void", {"generation": str(counts)})
        self.owners[shard] = claim.incarnation


class FakeHosting:
    """Opens shards over `Logs`; opening and releasing take until the world lets them go on."""

    def __init__(self, fleet: FakeFleet, process: str, address: str) -> None:
        self.fleet = fleet
        self.process = process
        self.at = At(address, f"peers of {process}")
        self.owners: Mapping[int, At] = {}
        self.open_shards: dict[int, int] = {}

    def know(self, generation: int, owners: Mapping[int, At]) -> None:
        self.owners = owners

    async def open(self, shard: int, generation: int) -> None:
        assert shard not in self.open_shards
        await self.fleet.time_passes()
        patient_until = self.fleet.now + SILENT_S
        while shard in self.fleet.silent:
            if self.fleet.now >= patient_until:
                raise StorageError("no broker answers")
            await self.fleet.time_passes()
        logs = self.fleet.logs
        before = logs.owners.get(shard)
        orderly = before is None or not self.fleet.reachable(before)
        logs.claim(shard, Claim(generation, self.process, orderly))
        if shard in self.fleet.damaged:
            raise Fenced("the log cannot be read")
        if self.fleet.unforeseen is not None:
            raise self.fleet.unforeseen
        self.open_shards[shard] = generation

    async def release(self, shard: int) -> None:
        for _ in range(3):  # longer than opening, so that who does not wait for it is seen
            await self.fleet.time_passes()
        del self.open_shards[shard]
        if self.fleet.unforeseen is not None:
            raise self.fleet.unforeseen
        if self.fleet.logs.owners.get(shard) == self.process:
            del self.fleet.logs.owners[shard]


@dataclass
class Process:
    """One life of an actor."""

    actor: ShardActor
    hosting: FakeHosting
    node: str
    loading: bool = False
    """It answers its supervisor and does not listen yet."""
    why: str = ""
    """What keeps it from beginning."""
    frozen: bool = False
    inbox: list[bytes] = field(default_factory=list)
    """Orders that came while it was frozen or cut off: it will read them when it goes on."""

    def standing(self) -> Standing:
        """What it says of itself."""
        said = self.actor.standing()
        return msgspec.structs.replace(said, at=At(""), why=self.why) if self.loading else said


class FakeFleet:
    """`Fleet` without processes: actors are objects of this one."""

    def __init__(self, *nodes: str) -> None:
        self.all_nodes = {node: f"10.0.0.{number}" for number, node in enumerate(nodes, 1)}
        self.cut: set[str] = set()
        self.away = False
        self.processes: dict[str, Process] = {}
        self.zombies: list[Process] = []
        """Lives that the fleet gave up while they may go on."""
        self.crashed: dict[str, str] = {}
        """Actors whose process ended and that were not started again yet, and the node of each."""
        self.logs = Logs()
        self.damaged: set[int] = set()
        self.silent: set[int] = set()
        """Shards whose brokers take connections and answer nothing."""
        self.unforeseen: Exception | None = None
        """What opening and releasing end with, which nobody declared."""
        self.slow_to_load = False
        """Whether new lives do not listen until they are told to."""
        self.lose_next_reply = False
        self.lose_next_order = False
        self.late: list[tuple[str, bytes]] = []
        """Orders that were lost, and may yet come in: whoever bears the actor's name then gets them."""
        self.renewed: list[str] = []
        self.now = 0.0
        self._numbers = itertools.count(1)
        self._waiting: list[asyncio.Future[None]] = []

    # What the world does

    async def time_passes(self) -> None:
        """Wait until the world lets work go on."""
        moment: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(moment)
        await moment

    async def let_work(self) -> None:
        """Let everything that was begun go one step on."""
        waiting, self._waiting = self._waiting, []
        for moment in waiting:
            moment.set_result(None)
        for _ in range(8):
            await asyncio.sleep(0)

    def begin(self, actor: str, node: str) -> None:
        """Begin a new life of an actor."""
        incarnation = f"life-{next(self._numbers)}"
        hosting = FakeHosting(self, incarnation, f"{self.all_nodes[node]}:{7000 + next(self._numbers)}")
        self.processes[actor] = Process(
            ShardActor(hosting, incarnation=incarnation, node=node, pid=1), hosting, node, self.slow_to_load
        )

    def crash(self, actor: str) -> None:
        """End an actor's process; `restart` begins the next."""
        self.crashed[actor] = self.processes.pop(actor).node

    def restart(self, actor: str) -> None:
        """Begin the next life of an actor that crashed, unless its node is gone, too."""
        if self.crashed[actor] not in self.cut:
            self.begin(actor, self.crashed.pop(actor))

    def cut_off(self, node: str) -> None:
        """Let nobody reach a node: its processes go on, and count as ended."""
        self.cut.add(node)
        for actor, process in list(self.processes.items()):
            if process.node == node:
                self.zombies.append(process)
                self.crash(actor)

    def reachable(self, incarnation: str) -> bool:
        """Say whether a life goes on and anybody can reach it."""
        return any(
            process.hosting.process == incarnation and not process.frozen
            for process in self.processes.values()
        )

    def thaw(self, process: Process) -> None:
        """Let a frozen process, or one that was cut off, go on; it reads what came meanwhile."""
        process.frozen = False
        for order in process.inbox:
            process.actor.obey(decode(order, Order))
        process.inbox.clear()

    def deliver_late(self) -> None:
        """Let the orders that were lost come in now."""
        for actor, order in self.late:
            if actor in self.processes and not self.processes[actor].frozen:
                self.processes[actor].actor.obey(decode(order, Order))
        self.late.clear()

    def serving(self) -> dict[int, str]:
        """The actor that serves each shard: the log is its own."""
        return {
            shard: actor
            for actor, process in self.processes.items()
            for shard, held in process.actor.standing().held.items()
            if held.stage is Stage.SERVING
            and not process.frozen
            and self.logs.owners.get(shard) == process.hosting.process
        }

    # What the supervisor sees

    def _answer(self) -> None:
        if self.away:
            raise FleetUnavailable("nobody can say")

    async def nodes(self) -> Mapping[str, str]:
        self._answer()
        return {node: at for node, at in self.all_nodes.items() if node not in self.cut}

    async def actors(self) -> Set[str]:
        self._answer()
        return self.processes.keys() | self.crashed.keys()

    async def start(self, actor: str, node: str) -> None:
        self._answer()
        if actor not in await self.actors() and node in await self.nodes():
            self.begin(actor, node)

    async def renew(self, actor: str) -> None:
        self._answer()
        self.renewed.append(actor)
        if actor in self.processes:
            self.crash(actor)

    async def stop(self, actor: str) -> None:
        self._answer()
        self.processes.pop(actor, None)
        self.crashed.pop(actor, None)

    async def ask(self, actor: str) -> Standing:
        process = self.processes.get(actor)
        if process is None or process.frozen:
            raise ActorSilent(f"{actor} does not answer")
        return decode(encode(process.standing()), Standing)

    async def order(self, actor: str, order: Order) -> Standing:
        process = self.processes.get(actor)
        if self.lose_next_order or process is None:
            self.lose_next_order = False
            self.late.append((actor, encode(order)))
            raise ActorSilent(f"{actor} was not reached")
        if process.frozen:
            process.inbox.append(encode(order))
            raise ActorSilent(f"{actor} does not answer")
        standing = process.standing()
        if not process.loading:
            standing = process.actor.obey(decode(encode(order), Order))
        if self.lose_next_reply:
            self.lose_next_reply = False
            raise ActorSilent(f"the reply of {actor} was lost")
        return decode(encode(standing), Standing)

    async def pulse(self, address: str) -> Pulse:
        assert address, "nobody is there to be asked"
        for process in self.processes.values():
            if process.standing().at.public == address:
                return Pulse.SILENT if process.frozen else Pulse.BEATING
        cut = {self.all_nodes[node] for node in self.cut}
        return Pulse.SILENT if address.partition(":")[0] in cut else Pulse.GONE
