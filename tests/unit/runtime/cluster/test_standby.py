"""Who leads while the supervisor is not heard."""

import asyncio
import itertools
from collections.abc import Mapping

import pytest
from tests.support.fake_fleet import FakeFleet, MemoryRecord

from crowdroute.router.errors import FleetUnavailable
from crowdroute.router.model.placement import Placement, Wanted
from crowdroute.router.runtime.cluster import standby, supervisor
from crowdroute.router.runtime.cluster.standby import FIRST, SILENT_S, Signs, Standby, Succession
from crowdroute.router.runtime.cluster.supervisor import Supervisor


class MemoryBeats:
    """Signs in memory."""

    def __init__(self) -> None:
        self.signs: dict[int, str] = {}
        self.away = False
        self.cut_off: set[int] = set()

    async def beat(self, rank: int, sign: str) -> None:
        if rank in self.cut_off:
            raise FleetUnavailable("nobody can be reached")
        self.signs[rank] = sign

    async def heard(self) -> Mapping[int, str]:
        if self.away:
            raise FleetUnavailable("nobody can say")
        return dict(self.signs)


class Scene:
    """Those who stand by, and a supervisor whose signs are left by hand."""

    def __init__(self, standbys: int = 1) -> None:
        self.fleet = FakeFleet("node-a")
        self.record = MemoryRecord()
        self.record.written.append(Placement(1, Wanted(1, 1)))
        self.beats = MemoryBeats()
        self.renewed = 0
        self._numbers = itertools.count()
        self.standbys = [
            Standby(
                rank, self.beats, lambda: Supervisor(self.fleet, self.record), self.renew, lambda: self.now
            )
            for rank in range(FIRST + 1, FIRST + 1 + standbys)
        ]

    @property
    def now(self) -> float:
        return self.fleet.now

    async def renew(self) -> None:
        self.renewed += 1

    def first_beats(self) -> None:
        self.beats.signs[FIRST] = str(next(self._numbers))

    async def pass_time(self, seconds: float, beating: bool = False) -> None:
        for _ in range(round(seconds)):
            self.fleet.now += 1
            if beating:
                self.first_beats()
            for one in self.standbys:
                await one.look()
            await self.fleet.let_work()

    def leading(self) -> list[bool]:
        return [one.leads for one in self.standbys]


@pytest.fixture(autouse=True)
def time_of_the_scene(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses last for as long as the scene lets others work."""
    monkeypatch.setattr(standby, "LOOK_S", 0)
    monkeypatch.setattr(supervisor, "BEAT_S", 0)


async def test_nobody_stands_in_for_a_supervisor_that_is_heard() -> None:
    scene = Scene()
    await scene.pass_time(60, beating=True)
    assert not scene.standbys[0].leads


async def test_who_stands_by_leads_the_fleet_once_the_supervisor_is_silent() -> None:
    scene = Scene()
    await scene.pass_time(3, beating=True)
    await scene.pass_time(SILENT_S)
    assert not scene.standbys[0].leads
    await scene.pass_time(1)
    assert scene.standbys[0].leads
    assert scene.renewed == 1, "it may be frozen, which nobody else would notice"
    assert scene.record.written[-1].generation > 1
    assert await scene.fleet.actors() == {"actor-0"}


async def test_it_ceases_when_the_supervisor_is_heard_again() -> None:
    scene = Scene()
    await scene.pass_time(SILENT_S + 1)
    assert scene.standbys[0].leads
    await scene.pass_time(1, beating=True)
    assert not scene.standbys[0].leads
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_of_several_the_first_leads_and_no_other_begins_to() -> None:
    scene = Scene(standbys=3)
    await scene.pass_time(60)
    assert scene.leading() == [True, False, False]
    scene.beats.cut_off.add(FIRST + 1)
    scene.standbys.pop(0)
    await scene.pass_time(60)
    assert scene.leading() == [True, False]
    assert scene.renewed == 2, "once for each that began to lead"


async def test_silence_does_not_count_while_nobody_could_be_heard() -> None:
    scene = Scene()
    scene.beats.away = True
    await scene.pass_time(60)
    scene.beats.away = False
    await scene.pass_time(SILENT_S - 1)
    assert not scene.standbys[0].leads


async def test_a_supervisor_that_takes_no_steps_leaves_no_signs() -> None:
    scene = Scene()
    led = Supervisor(scene.fleet, scene.record)
    signs = Signs(led, scene.beats, FIRST)
    await signs.leave()
    assert not scene.beats.signs
    await led.step()
    await signs.leave()
    told = scene.beats.signs[FIRST]
    await signs.leave()
    assert scene.beats.signs[FIRST] == told
    scene.fleet.away = True  # the record answers, so placements can be written
    await led.step()
    await signs.leave()
    assert scene.beats.signs[FIRST] != told


async def test_a_defect_while_it_leads_is_not_kept_from_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()

    async def run(led: Supervisor) -> None:
        raise ValueError("a defect")

    monkeypatch.setattr(Supervisor, "run", run)
    await scene.pass_time(SILENT_S + 1)
    with pytest.raises(ExceptionGroup):
        await scene.standbys[0].look()


def test_an_old_sign_that_is_seen_for_the_first_time_is_waited_for_like_a_new_one() -> None:
    succession = Succession(FIRST + 1, 0.0)
    assert not succession.leads({FIRST: "old"}, 1.0)
    assert not succession.leads({FIRST: "old"}, SILENT_S)
    assert succession.leads({FIRST: "old"}, 1.0 + SILENT_S)


def test_the_signs_of_those_behind_are_not_waited_for() -> None:
    succession = Succession(FIRST + 1, 0.0)
    for moment in range(int(SILENT_S)):
        assert not succession.leads({FIRST + 2: str(moment)}, float(moment))
    assert succession.leads({FIRST + 2: "again"}, SILENT_S)
