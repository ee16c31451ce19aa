"""How a simulated world of several shards comes to rest, and what must hold between them then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.checker import Report, check_acknowledged
from tests.checker.ending import check_balances
from tests.checker.organisation import Organisation
from tests.checker.project import Project
from tests.simulation import faults
from tests.simulation.knowledge import ORGANISATION, TENANT

from crowdroute.router.machine import crossing
from crowdroute.router.machine.stream import project_stream
from crowdroute.router.state.project import Project as ProjectState

if TYPE_CHECKING:
    from tests.simulation.sharded import ShardedWorld
    from tests.simulation.site import Site

TOTALS_WAIT_US = 61_000_000
"""Longer than a total waits until it crosses."""
MOST_MOMENTS = 3_000
"""Moments at which something is due until a world that nobody disturbs has come to rest."""


def come_to_rest(world: ShardedWorld) -> Report:
    """Deliver all that is under way, let everything run out that can, and judge the shards together."""
    for site in world.sites:
        if site.away:
            site.away = 0
            faults.die(site, in_flight_survives=False)
            faults.start(site)
    for site in world.sites:
        site.cut = 0
        site.began()
    for _ in range(MOST_MOMENTS):
        settle_down(world)
        moments = [due for site in world.sites if (due := site.process.core.next_due_us()) is not None]
        if moments:
            world.pass_time(max(min(moments) - world.now_us, 0))
            continue
        world.pass_time(TOTALS_WAIT_US)
        if not sum(site.look() for site in world.sites):
            return _judge(world)
    raise world.failure(f"still not at rest after {MOST_MOMENTS} moments at which something was due")


def settle_down(world: ShardedWorld) -> None:
    """Deliver every call, bring about everything that is due now, and tell everybody."""
    while any(_is_busy(world, site) for site in world.sites):
        for site in world.sites:
            for _ in range(len(site.network)):  # a call that goes by an old copy comes again
                site.take(site.network.pop(0))
            site.bring_about_due()
            while not site.process.idle:
                site.advance_disk()
            site.hear(world.at_home)
        world.sites[0].look()


def _is_busy(world: ShardedWorld, site: Site) -> bool:
    due_us = site.process.core.next_due_us()
    awaits = bool(
        site.number == 0 and site.disk.batches and site.process.core.organisation(TENANT).state.awaited
    )
    behind = site.arriving or (site.copies and site.copy.begun and site.copy.sequence < len(world.at_home))
    return bool(
        site.network
        or not site.process.idle
        or awaits
        or behind
        or (due_us is not None and due_us <= world.now_us)
    )


def _judge(world: ShardedWorld) -> Report:
    _judge_states(world)
    organisation = world.sites[0].reading.streams[ORGANISATION].fold
    assert isinstance(organisation, Organisation)
    total = Report()
    for site in world.sites:
        for stream in site.reading.streams.values():
            if isinstance(stream.fold, Project):
                check_balances(stream.fold, organisation)
        report = site.reading.finish(quiescent=True)
        streams = site.process.core.streams()
        told = check_acknowledged(
            site.disk.batches, [one for one in world.clients.journal.acknowledged if one.stream in streams]
        )
        for each in (report, told):
            if not each.ok:
                raise site.failure(str(each))
            total.counters.update(each.counters)
    return total


def _judge_states(world: ShardedWorld) -> None:
    organisation = world.sites[0].process.core.organisation(TENANT).state
    placed = {project_stream(TENANT, row.project): row.shard for row in organisation.projects.values()}
    for site in world.sites:
        core = site.process.core
        core.check()
        site.require_same(
            core.digest(), site.follower.digest(), "the live state is not what the log folds to"
        )
        here = {name for name in core.streams() if name != ORGANISATION}
        if here != {name for name, shard in placed.items() if shard == site.number}:
            raise site.failure("its projects are not those that the organisation has placed there")
        for name in here:
            _judge_project(site, core.project_state(name), world)


def _judge_project(site: Site, state: ProjectState, world: ShardedWorld) -> None:
    organisation = world.sites[0].process.core.organisation(TENANT).state
    if site.copies and list(crossing.behind(state, organisation)):
        raise site.failure("a project has not heard the newest facts of its workers")
