"""What the supervisor does about a fleet: who starts, serves, hands over, and is ended."""

import msgspec
import pytest
from tests.support.fake_fleet import Claim, FakeFleet, MemoryRecord

from crowdroute.router.errors import FleetUnavailable
from crowdroute.router.model.placement import Placement, Wanted
from crowdroute.router.runtime.cluster.orders import Stage
from crowdroute.router.runtime.cluster.planning import settled
from crowdroute.router.runtime.cluster.supervisor import Supervisor


class Scene:
    """A supervisor and its fleet, a quarter of a second at a time."""

    def __init__(self, *nodes: str) -> None:
        self.fleet = FakeFleet(*nodes)
        self.record = MemoryRecord()
        self.supervisor = Supervisor(self.fleet, self.record, clock=lambda: self.fleet.now)

    def wish(self, **changes: object) -> None:
        self.supervisor.change(lambda placement: msgspec.structs.replace(placement, **changes))

    async def go_on(self, seconds: float = 0.25) -> None:
        for _ in range(round(seconds * 4)):
            await self.supervisor.step()
            await self.fleet.let_work()
            self.fleet.now += 0.25

    async def settle(self, seconds: float = 100) -> None:
        await self.go_on()
        for _ in range(round(seconds * 4)):
            placement = self.placement
            if settled(placement, self.supervisor.sight) and not placement.retiring:
                return
            await self.go_on()
        raise AssertionError((self.placement, self.supervisor.sight))

    @property
    def placement(self) -> Placement:
        return self.supervisor.placement

    def lives(self) -> dict[str, str]:
        return {actor: one.hosting.process for actor, one in self.fleet.processes.items()}


@pytest.fixture
async def scene() -> Scene:
    made = Scene("node-a", "node-b")
    made.wish(wanted=Wanted(4, 2))
    await made.settle()
    return made


async def test_actors_are_spread_over_the_nodes_and_shards_over_the_actors(scene: Scene) -> None:
    assert {actor: one.node for actor, one in scene.fleet.processes.items()} == {
        "actor-0": "node-a",
        "actor-1": "node-b",
    }
    assert scene.fleet.serving() == {0: "actor-0", 1: "actor-0", 2: "actor-1", 3: "actor-1"}


async def test_every_actor_knows_where_each_shard_is_served(scene: Scene) -> None:
    at = {actor: one.hosting.at for actor, one in scene.fleet.processes.items()}
    for process in scene.fleet.processes.values():
        assert process.hosting.owners == {
            0: at["actor-0"],
            1: at["actor-0"],
            2: at["actor-1"],
            3: at["actor-1"],
        }


async def test_a_life_that_does_not_listen_yet_gets_no_shard_and_is_nobodys_owner(scene: Scene) -> None:
    scene.fleet.slow_to_load = True
    scene.fleet.crash("actor-0")
    scene.fleet.restart("actor-0")
    await scene.go_on(2)
    assert scene.lives()["actor-0"] not in {grant.incarnation for grant in scene.placement.grants.values()}
    scene.fleet.processes["actor-0"].loading = False
    await scene.settle()
    for process in scene.fleet.processes.values():
        assert all(at.public for at in process.hosting.owners.values())
        assert process.hosting.owners.keys() == {0, 1, 2, 3}


async def test_who_heard_of_no_owner_is_told_when_the_owner_has_said_where_it_is(scene: Scene) -> None:
    scene.supervisor = Supervisor(scene.fleet, scene.record, clock=lambda: scene.fleet.now)
    scene.fleet.processes["actor-1"].frozen = True  # the next supervisor has no word of it
    scene.fleet.crash("actor-0")
    scene.fleet.restart("actor-0")
    await scene.go_on(1)
    scene.fleet.thaw(scene.fleet.processes["actor-1"])
    await scene.settle()
    known = scene.fleet.processes["actor-0"].hosting.owners
    assert known[2] == known[3] == scene.fleet.processes["actor-1"].hosting.at


async def test_a_crashed_actor_gets_its_shards_back_by_new_grants(scene: Scene) -> None:
    before = scene.placement.generation
    scene.fleet.crash("actor-0")
    await scene.go_on(1)
    scene.fleet.restart("actor-0")
    await scene.settle()
    assert scene.fleet.serving() == {0: "actor-0", 1: "actor-0", 2: "actor-1", 3: "actor-1"}
    assert scene.placement.grants[0].generation > before
    assert scene.placement.grants[2].generation <= before


async def test_shards_of_an_actor_that_does_not_come_back_are_served_by_the_others(scene: Scene) -> None:
    scene.fleet.crash("actor-0")
    await scene.go_on(10)
    assert scene.fleet.serving() == dict.fromkeys(range(4), "actor-1")
    scene.fleet.restart("actor-0")
    await scene.settle()
    assert sorted(scene.fleet.serving().values()) == ["actor-0", "actor-0", "actor-1", "actor-1"]


async def test_who_leads_next_gives_up_an_actor_that_it_never_heard_as_fast_as_any(scene: Scene) -> None:
    scene.supervisor = Supervisor(scene.fleet, scene.record, clock=lambda: scene.fleet.now)
    scene.fleet.processes["actor-0"].frozen = True  # as good as cut off, and the fleet calls it alive
    await scene.go_on(5)
    assert scene.fleet.serving().keys() == set(range(4))


async def test_a_frozen_actor_is_ended_once_and_its_shards_are_served_elsewhere(scene: Scene) -> None:
    scene.fleet.processes["actor-0"].frozen = True
    await scene.go_on(5)
    assert scene.fleet.renewed == ["actor-0"]
    assert scene.fleet.serving() == dict.fromkeys(range(4), "actor-1")


async def test_actors_that_cannot_open_anything_are_replaced_all_the_same(scene: Scene) -> None:
    scene.fleet.damaged = {0, 1, 2, 3}  # as with settings that cannot work
    for actor in ("actor-0", "actor-1"):
        scene.fleet.crash(actor)
        scene.fleet.restart(actor)
    await scene.go_on(10)
    assert scene.fleet.serving() == {}
    before = scene.lives()
    scene.wish(retiring=before)
    for _ in range(200):
        await scene.go_on()
        for actor in list(scene.fleet.crashed):
            scene.fleet.restart(actor)
        if not scene.placement.retiring:
            break
    assert all(scene.lives()[actor] != life for actor, life in before.items())
    scene.fleet.damaged.clear()
    await scene.settle()
    assert scene.fleet.serving().keys() == {0, 1, 2, 3}


async def test_a_pinned_shard_is_handed_over_in_order_and_stays(scene: Scene) -> None:
    scene.wish(pinned={0: "actor-1"})
    await scene.go_on()
    while 0 in scene.fleet.logs.owners and scene.fleet.serving().get(0) == "actor-0":
        assert scene.placement.grants[0].actor == "actor-0"  # nobody else may open it yet
        await scene.go_on()
    await scene.settle()
    await scene.go_on(5)
    assert scene.fleet.serving()[0] == "actor-1"
    assert all(claim.orderly for claims in scene.fleet.logs.claims.values() for claim in claims)


async def test_a_pinned_shard_comes_back_to_its_actor(scene: Scene) -> None:
    scene.wish(pinned={0: "actor-1"})
    await scene.settle()
    scene.fleet.crash("actor-1")
    await scene.go_on(10)
    assert scene.fleet.serving()[0] == "actor-0"
    scene.fleet.restart("actor-1")
    await scene.settle()
    assert scene.fleet.serving()[0] == "actor-1"


async def test_an_actor_whose_node_died_is_started_on_another(scene: Scene) -> None:
    scene.fleet.cut_off("node-a")
    await scene.go_on(10)
    await scene.settle()
    assert {one.node for one in scene.fleet.processes.values()} == {"node-b"}
    assert sorted(scene.fleet.serving().values()) == ["actor-0", "actor-0", "actor-1", "actor-1"]


async def test_an_actor_that_never_says_a_word_is_ended_and_started_anew(scene: Scene) -> None:
    scene.wish(wanted=Wanted(4, 3))
    await scene.go_on()
    scene.fleet.processes["actor-2"].frozen = True
    await scene.go_on(70)
    await scene.settle()
    assert len(scene.lives()) == 3


async def test_a_drained_node_serves_nothing_and_its_actor_goes_to_another(scene: Scene) -> None:
    scene.wish(drained=frozenset({"10.0.0.1"}))
    await scene.settle()
    await scene.go_on(5)
    await scene.settle()
    assert {one.node for one in scene.fleet.processes.values()} == {"node-b"}
    assert len(scene.fleet.processes) == 2
    assert all(claim.orderly for claims in scene.fleet.logs.claims.values() for claim in claims)


async def test_a_rolling_restart_replaces_every_life_in_order(scene: Scene) -> None:
    before = scene.lives()
    scene.wish(retiring=dict(before))
    await scene.go_on()
    while scene.placement.retiring or not settled(scene.placement, scene.supervisor.sight):
        await scene.go_on()
        for actor in list(scene.fleet.crashed):
            scene.fleet.restart(actor)
    assert not {*before.values()} & {*scene.lives().values()}
    assert sorted(scene.fleet.renewed) == ["actor-0", "actor-1"]
    assert all(claim.orderly for claims in scene.fleet.logs.claims.values() for claim in claims)


async def test_a_lone_actor_is_restarted_too() -> None:
    scene = Scene("node-a")
    scene.wish(wanted=Wanted(2, 1))
    await scene.settle()
    before = scene.lives()
    scene.wish(retiring=before)
    await scene.go_on(3)
    assert scene.fleet.renewed == ["actor-0"]
    scene.fleet.restart("actor-0")
    await scene.settle()
    assert scene.fleet.serving() == {0: "actor-0", 1: "actor-0"}
    assert scene.lives() != before


async def test_more_actors_take_their_share_and_fewer_give_it_back(scene: Scene) -> None:
    scene.wish(wanted=Wanted(4, 4))
    await scene.settle()
    assert sorted(scene.fleet.serving().values()) == ["actor-0", "actor-1", "actor-2", "actor-3"]
    scene.wish(wanted=Wanted(4, 1))
    await scene.settle()
    await scene.go_on(2)
    assert scene.lives().keys() == {"actor-0"}


async def test_a_cluster_that_is_taken_down_hands_everything_over_and_ends(scene: Scene) -> None:
    scene.wish(wanted=Wanted(4, 0))
    await scene.go_on(5)
    assert (scene.fleet.processes, scene.fleet.logs.owners) == ({}, {})


async def test_a_shard_that_does_not_open_is_tried_again_after_a_growing_pause(scene: Scene) -> None:
    scene.fleet.damaged.add(0)
    scene.fleet.crash("actor-0")
    scene.fleet.restart("actor-0")
    await scene.go_on(20)
    tried = len(scene.fleet.logs.claims[0]) - 1
    assert 6 <= tried <= 8  # after 0, 1, 3, 6, 9 s and so on
    assert scene.supervisor.sight.standings["actor-0"].held[0].stage in (Stage.FAILED, Stage.OPENING)
    scene.fleet.damaged.clear()
    await scene.settle()


async def test_a_shard_whose_brokers_are_silent_is_tried_without_pauses_and_served_once_they_answer(
    scene: Scene,
) -> None:
    scene.fleet.silent |= {0, 1}
    scene.fleet.crash("actor-0")
    scene.fleet.restart("actor-0")
    await scene.go_on(2)
    untried = longest = 0.0
    while scene.fleet.now < 100:
        held = scene.fleet.processes["actor-0"].standing().held
        untried = 0.0 if held[0].stage is Stage.OPENING else untried + 0.25
        longest = max(longest, untried)
        await scene.go_on()
    assert 0 < longest <= 1
    scene.fleet.silent.clear()
    await scene.go_on(2)
    assert scene.fleet.serving().keys() == set(range(4))


async def test_a_new_record_over_old_logs_finds_the_generation_that_counts() -> None:
    scene = Scene("node-a")
    scene.fleet.logs.claims[0] = [Claim(1000, "an earlier cluster", True)]
    scene.wish(wanted=Wanted(1, 1))
    await scene.settle()
    before, void, good = scene.fleet.logs.claims[0]
    assert void.generation < before.generation < good.generation


async def test_an_owner_serves_on_until_the_new_home_of_its_shard_is_ready(scene: Scene) -> None:
    scene.fleet.crash("actor-1")
    scene.wish(pinned={0: "actor-1"})
    await scene.go_on(2)
    assert scene.placement.homes[0] == "actor-1"
    assert scene.fleet.serving()[0] == "actor-0"


async def test_while_the_head_is_away_actors_serve_on_and_nothing_is_ended(scene: Scene) -> None:
    scene.fleet.away = True
    await scene.go_on(10)
    assert len(scene.fleet.serving()) == 4
    assert not scene.supervisor.fleet_answers
    scene.fleet.away = False
    await scene.go_on()
    assert scene.supervisor.fleet_answers


async def test_nobody_is_told_what_could_not_be_written_down(scene: Scene) -> None:
    async def refuse(placement: Placement) -> None:
        raise FleetUnavailable("nobody writes")

    scene.record.write = refuse  # type: ignore[method-assign]
    scene.wish(pinned={0: "actor-1"})
    for _ in range(4):
        with pytest.raises(FleetUnavailable):
            await scene.supervisor.step()
        await scene.fleet.let_work()
    assert scene.fleet.serving()[0] == "actor-0"


async def test_what_another_supervisor_wrote_meanwhile_is_read_and_stands(scene: Scene) -> None:
    other = Supervisor(scene.fleet, scene.record, clock=lambda: scene.fleet.now)
    other.change(lambda placement: msgspec.structs.replace(placement, pinned={0: "actor-1"}))
    await other.step()
    await scene.settle()
    assert scene.fleet.serving()[0] == "actor-1"
