"""Whatever dies, freezes, is cut off or gets lost: no grant is used twice, and all shards are served in the
end."""

import asyncio

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.support.fake_fleet import FakeFleet, MemoryRecord

from crowdroute.router.errors import FleetUnavailable
from crowdroute.router.model.placement import Placement, Wanted
from crowdroute.router.runtime.cluster.orders import Stage
from crowdroute.router.runtime.cluster.planning import settled
from crowdroute.router.runtime.cluster.supervisor import Supervisor

NODES = ("node-a", "node-b", "node-c")
STEPS_TO_REST = 600
"""Steps of a quarter of a second in which a cluster without new faults must come to rest."""


class Cluster(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.fleet = FakeFleet(*NODES)
        self.record = MemoryRecord()
        self.supervisors = [self.supervisor(), self.supervisor()]
        self.faults = 0

    def supervisor(self) -> Supervisor:
        return Supervisor(self.fleet, self.record, clock=lambda: self.fleet.now)

    def teardown(self) -> None:
        try:
            self.comes_to_rest()
        finally:
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.loop.run_until_complete(asyncio.sleep(0))
            self.loop.close()

    def step(self, which: int) -> None:
        try:
            self.loop.run_until_complete(self.supervisors[which].step())
        except FleetUnavailable:
            assert self.fleet.away

    @initialize(shards=st.integers(1, 6), actors=st.integers(1, 4))
    def begins(self, shards: int, actors: int) -> None:
        self.shards = shards
        self.wish(0, wanted=Wanted(shards, actors))
        for _ in range(4):
            self.steps(0)
            self.works()

    def wish(self, which: int, **changes: object) -> None:
        self.supervisors[which].change(lambda placement: msgspec.structs.replace(placement, **changes))

    @rule(which=st.integers(0, 1))
    def steps(self, which: int) -> None:
        self.step(which)

    @rule()
    def works(self) -> None:
        self.loop.run_until_complete(self.fleet.let_work())

    @rule(seconds=st.sampled_from([0.5, 2.0, 5.0]))
    def waits(self, seconds: float) -> None:
        self.fleet.now += seconds

    @rule(data=st.data())
    def an_actor_crashes(self, data: st.DataObject) -> None:
        if self.fleet.processes:
            self.fleet.crash(data.draw(st.sampled_from(sorted(self.fleet.processes))))

    @rule(data=st.data())
    def an_actor_starts_again(self, data: st.DataObject) -> None:
        if self.fleet.crashed:
            self.fleet.restart(data.draw(st.sampled_from(sorted(self.fleet.crashed))))

    @rule(data=st.data())
    def an_actor_freezes(self, data: st.DataObject) -> None:
        if self.fleet.processes:
            self.fleet.processes[data.draw(st.sampled_from(sorted(self.fleet.processes)))].frozen = True

    @rule(data=st.data())
    def an_actor_goes_on(self, data: st.DataObject) -> None:
        async def thaw() -> None:
            self.fleet.thaw(data.draw(st.sampled_from(frozen)))

        frozen = [one for one in self.fleet.processes.values() if one.frozen] + self.fleet.zombies
        if frozen:
            self.loop.run_until_complete(thaw())

    @precondition(lambda self: len(self.fleet.cut) < len(NODES) - 1)
    @rule(node=st.sampled_from(NODES))
    def a_node_is_cut_off(self, node: str) -> None:
        self.fleet.cut_off(node)

    @rule(node=st.sampled_from(NODES))
    def a_node_is_back(self, node: str) -> None:
        self.fleet.cut.discard(node)

    @rule(kind=st.sampled_from(["lose_next_reply", "lose_next_order"]))
    def a_message_is_lost(self, kind: str) -> None:
        setattr(self.fleet, kind, True)

    @rule()
    def what_was_lost_comes_late(self) -> None:
        async def deliver() -> None:
            self.fleet.deliver_late()

        self.loop.run_until_complete(deliver())

    @rule(away=st.booleans())
    def the_head_goes_or_comes(self, away: bool) -> None:
        self.fleet.away = away

    @rule(which=st.integers(0, 1))
    def a_supervisor_is_replaced(self, which: int) -> None:
        self.supervisors[which] = self.supervisor()

    @rule(which=st.integers(0, 1), actors=st.integers(1, 4))
    def is_scaled(self, which: int, actors: int) -> None:
        self.wish(which, wanted=Wanted(self.shards, actors))

    @rule(which=st.integers(0, 1), shard=st.integers(0, 5), actor=st.integers(0, 3))
    def a_shard_is_moved(self, which: int, shard: int, actor: int) -> None:
        self.wish(which, pinned={shard: f"actor-{actor}"})

    @rule(
        which=st.integers(0, 1), drained=st.sampled_from(["10.0.0.1", "10.0.0.2", "10.0.0.3", "actor-0", ""])
    )
    def is_drained(self, which: int, drained: str) -> None:
        self.wish(which, drained=frozenset({drained} - {""}))

    @rule(which=st.integers(0, 1))
    def is_restarted(self, which: int) -> None:
        lives = {actor: one.actor.standing().incarnation for actor, one in self.fleet.processes.items()}
        self.wish(which, retiring=lives)

    @invariant()
    def no_generation_is_claimed_by_two(self) -> None:
        for shard, claims in self.fleet.logs.claims.items():
            generations = [claim.generation for claim in claims]
            assert len(generations) == len(set(generations)), (shard, claims)

    @invariant()
    def nobody_who_can_be_reached_is_fenced(self) -> None:
        for shard, claims in self.fleet.logs.claims.items():
            for claim in claims:
                assert claim.orderly, (shard, claims)

    @invariant()
    def generations_rise(self) -> None:
        generations = [placement.generation for placement in self.record.written]
        assert generations == sorted(set(generations))

    def comes_to_rest(self) -> None:
        """Without new faults everything that is wanted is reached."""
        fleet = self.fleet
        fleet.away = fleet.lose_next_order = fleet.lose_next_reply = False
        fleet.cut.clear()
        fleet.damaged.clear()
        for which in (0, 1):
            self.wish(which, drained=frozenset())
        for number in range(STEPS_TO_REST):
            for actor in list(fleet.crashed):
                fleet.restart(actor)
            fleet.now += 0.25
            self.step(number % 2)
            self.works()
            if number > 20 and self.at_rest(number % 2):
                return
        raise AssertionError((self.placement(0), fleet.serving()))

    def placement(self, which: int) -> Placement:
        return self.supervisors[which].placement

    def at_rest(self, which: int) -> bool:
        placement, sight = self.placement(which), self.supervisors[which].sight
        if not settled(placement, sight) or placement.retiring or placement.turn:
            return False
        assert self.fleet.serving() == placement.homes
        counts = [list(placement.homes.values()).count(actor) for actor in sight.standings]
        held = [
            held.stage
            for process in self.fleet.processes.values()
            for held in process.actor.standing().held.values()
        ]
        return (
            len(sight.standings) == placement.wanted.actors
            and held.count(Stage.SERVING) == placement.wanted.shards
            and (max(counts) - min(counts) <= 1 or bool(placement.pinned))
        )


TestCluster = Cluster.TestCase
TestCluster.settings = settings(max_examples=150, stateful_step_count=50)
