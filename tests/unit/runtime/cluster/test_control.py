"""What people may ask of a cluster, and what they are told."""

import asyncio

import msgspec
import pytest
from tests.support.fake_fleet import FakeFleet, MemoryRecord

from crowdroute.router.errors import PlacementSuperseded
from crowdroute.router.model.placement import Placement
from crowdroute.router.runtime.cluster.control import (
    Answer,
    Control,
    Drain,
    Move,
    Question,
    Refused,
    Restart,
    Show,
    Want,
    decode_answer,
    encode,
)
from crowdroute.router.runtime.cluster.overview import ActorState, Overview
from crowdroute.router.runtime.cluster.supervisor import Supervisor


class Desk:
    """A cluster that people ask about."""

    def __init__(self) -> None:
        self.fleet = FakeFleet("node-a1", "node-a2")
        self.record = MemoryRecord()
        self.control = Control(Supervisor(self.fleet, self.record, clock=lambda: self.fleet.now))

    async def ask(self, question: Question) -> Answer:
        return decode_answer(await self.control.answer(encode(question)))

    async def show(self) -> Overview:
        answer = await self.ask(Show())
        assert isinstance(answer, Overview)
        return answer

    async def refusal(self, question: Question) -> str:
        answer = await self.ask(question)
        assert isinstance(answer, Refused), answer
        assert not self.control.supervisor.pending
        return f"{answer.message} [{answer.code}]"

    async def go_on(self, steps: int = 20) -> None:
        for _ in range(steps):
            await self.control.supervisor.step()
            await self.fleet.let_work()
            for actor in list(self.fleet.crashed):
                self.fleet.restart(actor)
            self.fleet.now += 0.25

    async def do(self, question: Question) -> Overview:
        assert isinstance(await self.ask(question), Overview)
        await self.go_on(60)
        seen = await self.show()
        assert seen.resting, seen
        return seen


@pytest.fixture
async def desk() -> Desk:
    made = Desk()
    await made.go_on(1)
    await made.do(Want(3, 2))
    return made


async def test_a_supervisor_that_has_not_looked_yet_takes_nothing_for_a_cluster_without_shards(
    desk: Desk,
) -> None:
    later = Control(Supervisor(desk.fleet, desk.record, clock=lambda: desk.fleet.now))
    asked = asyncio.ensure_future(later.answer(encode(Want(1, 1))))
    await asyncio.sleep(0)
    assert not asked.done()
    await later.supervisor.step()
    answer = decode_answer(await asked)
    assert isinstance(answer, Refused)
    assert "the number never falls" in answer.message


async def test_a_supervisor_that_cannot_look_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crowdroute.router.runtime.cluster.control.FIRST_LOOK_S", 0.01)
    desk.fleet.away = True
    later = Control(Supervisor(desk.fleet, desk.record, clock=lambda: desk.fleet.now))
    await later.supervisor.step()
    answer = decode_answer(await later.answer(encode(Restart())))
    assert isinstance(answer, Refused)
    assert answer.code == "FLEET_UNAVAILABLE"
    assert "see that Ray's head runs" in answer.message


async def test_nothing_rests_before_what_is_wanted_is_written_down() -> None:
    desk = Desk()
    await desk.go_on(1)
    assert (await desk.show()).resting
    await desk.ask(Want(1, 1))
    assert not (await desk.show()).resting


async def test_the_overview_tells_who_serves_what_where(desk: Desk) -> None:
    seen = await desk.show()
    assert [(one.shard, one.stage, one.actor) for one in seen.shards] == [
        (0, "serving", "actor-0"),
        (1, "serving", "actor-0"),
        (2, "serving", "actor-1"),
    ]
    assert [one.address for one in seen.shards] == [seen.actors[number].address for number in (0, 0, 1)]
    assert [(one.name, one.state, one.shards) for one in seen.actors] == [
        ("actor-0", ActorState.SERVING, [0, 1]),
        ("actor-1", ActorState.SERVING, [2]),
    ]
    assert [(one.address, one.actors) for one in seen.nodes] == [
        ("10.0.0.1", ["actor-0"]),
        ("10.0.0.2", ["actor-1"]),
    ]


async def test_a_shard_is_moved_and_let_go_again(desk: Desk) -> None:
    seen = await desk.do(Move(0, "actor-1"))
    assert (seen.shards[0].actor, seen.shards[0].pinned) == ("actor-1", True)
    seen = await desk.do(Move(0, ""))
    assert not seen.shards[0].pinned


@pytest.mark.parametrize("name", ["node-a2", "10.0.0.2", "actor-1"])
async def test_a_node_or_an_actor_is_drained_and_taken_back(desk: Desk, name: str) -> None:
    seen = await desk.do(Drain(name, undo=False))
    drained = "actor-1" if name == "actor-1" else "10.0.0.2"
    assert all(one.actor != drained for one in seen.shards)
    if name != "actor-1":
        assert [one.actors for one in seen.nodes if one.address == drained] == [[]]
    seen = await desk.do(Drain(name, undo=True))
    assert {one.actor for one in seen.shards} == {"actor-0", "actor-1"}


async def test_a_restart_replaces_every_life(desk: Desk) -> None:
    before = {one.name: one.incarnation for one in (await desk.show()).actors}
    after = {one.name: one.incarnation for one in (await desk.do(Restart())).actors}
    assert all(after[name] != before[name] for name in before)


async def test_more_shards_replace_every_life_because_it_learns_their_number_at_its_start(desk: Desk) -> None:
    before = {one.name: one.incarnation for one in (await desk.show()).actors}
    after = await desk.do(Want(5, 2))
    assert len(after.shards) == 5
    assert all(one.incarnation != before[one.name] for one in after.actors)


async def test_a_cluster_that_is_down_keeps_its_shards(desk: Desk) -> None:
    seen = await desk.do(Want(3, 0))
    assert (seen.actors, [one.stage for one in seen.shards]) == ([], ["unowned"] * 3)
    assert all(one.stage == "serving" for one in (await desk.do(Want(3, 1))).shards)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        (Want(2, 2), "the number never falls"),
        (Move(3, "actor-0"), "there is no shard 3: they are 0 to 2"),
        (Move(0, "actor-2"), "there is no actor actor-2: they are actor-0, actor-1"),
        (Drain("node-b", undo=False), "there is no node or actor node-b"),
        (Drain("node-a", undo=False), "node-a may be any of 2 nodes"),
        (Drain("nod", undo=False), "there is no node or actor nod"),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(
    desk: Desk, question: Question, told: str
) -> None:
    assert told in await desk.refusal(question)


async def test_the_last_node_or_actor_is_not_drained(desk: Desk) -> None:
    await desk.do(Drain("node-a1", undo=False))
    assert "nothing would be left" in await desk.refusal(Drain("node-a2", undo=False))
    await desk.do(Drain("node-a1", undo=True))
    await desk.do(Drain("actor-0", undo=False))
    assert "nothing would be left" in await desk.refusal(Drain("actor-1", undo=False))
    assert "is drained" in await desk.refusal(Move(0, "actor-0"))


async def test_a_lost_actor_and_what_it_served_are_shown(desk: Desk) -> None:
    desk.fleet.processes["actor-1"].frozen = True
    await desk.control.supervisor.step()
    seen = await desk.show()
    assert seen.actors[1].state is ActorState.SILENT
    assert (seen.shards[2].stage, seen.shards[2].why) == ("unowned", "actor-1 does not answer")
    assert not seen.resting


async def test_an_actor_that_is_back_and_has_nothing_yet_is_no_rest(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.fleet.crash("actor-1")
    for _ in range(40):  # nobody starts it again, so that actor-0 gets everything
        await desk.control.supervisor.step()
        await desk.fleet.let_work()
        desk.fleet.now += 0.25
    assert {one.actor for one in (await desk.show()).shards} == {"actor-0"}
    desk.fleet.restart("actor-1")

    async def refused(placement: Placement) -> None:
        raise PlacementSuperseded("another supervisor has written")

    monkeypatch.setattr(desk.record, "write", refused)
    await desk.control.supervisor.step()
    seen = await desk.show()
    assert seen.actors[1].state is ActorState.SERVING
    assert not seen.resting


async def test_a_shard_that_does_not_open_says_why(desk: Desk) -> None:
    desk.fleet.damaged.add(2)
    desk.fleet.crash("actor-1")
    await desk.go_on(8)
    shard = (await desk.show()).shards[2]
    assert (shard.stage, shard.why) == ("failed", "the log cannot be read")


async def test_while_the_head_is_away_that_is_told(desk: Desk) -> None:
    desk.fleet.away = True
    await desk.control.supervisor.step()
    seen = await desk.show()
    assert (seen.fleet_answers, seen.resting) == (False, False)


async def test_a_question_of_another_release_is_refused(desk: Desk) -> None:
    answer = decode_answer(await desk.control.answer(msgspec.json.encode({"type": "Dance"})))
    assert isinstance(answer, Refused)
    assert answer.code == "CONFIGURATION"


async def test_an_actor_that_cannot_begin_is_shown_with_the_reason_given_up_or_not(desk: Desk) -> None:
    desk.fleet.slow_to_load = True
    desk.fleet.crash("actor-0")
    desk.fleet.restart("actor-0")
    desk.fleet.processes["actor-0"].why = "there is no file peer.pem"
    for steps in (1, 40):
        await desk.go_on(steps)
        hindered, well = (await desk.show()).actors
        assert (hindered.state, hindered.why) == (ActorState.HINDERED, "there is no file peer.pem")
        assert (well.state, well.why) == (ActorState.SERVING, "")
    assert "actor-0" in desk.control.supervisor.sight.lost
