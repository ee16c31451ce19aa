"""What a copy of an organisation may be believed, and how it begins."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest
from tests.support.shards import ORGANISATION, Street, add_worker, found
from tests.support.wire import TENANT

from crowdroute.router.adapters.memory import ManualClock
from crowdroute.router.errors import NotReady
from crowdroute.router.machine.organisation import OrganisationMachine
from crowdroute.router.runtime import copies
from crowdroute.router.runtime.copies import STALE_SECONDS, OrganisationCopy, copied
from crowdroute.router.state import organisation_rows
from crowdroute.router.state.organisation import OrganisationState

SECOND = 1_000_000
WORKERS = [bytes([number]) * 16 for number in range(1, 6)]


def believed(copy: OrganisationCopy) -> bool:
    try:
        copy.require_fresh()
    except NotReady:
        return False
    return True


def test_a_copy_that_began_is_believed_once_what_followed_is_told_too() -> None:
    clock = ManualClock()
    copy = OrganisationCopy(ORGANISATION, 0, lambda: clock.now_us() / SECOND)
    copy.begin(OrganisationState(), 7)
    assert copy.sequence == 7
    assert not believed(copy)
    copy.heard(8)
    assert believed(copy)
    clock.advance(int((STALE_SECONDS + 1) * SECOND))
    assert not believed(copy)
    copy.begin(OrganisationState(), 9)
    assert not believed(copy), "its rows are as old as the way to here took"


async def test_a_copy_is_made_while_others_have_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(organisation_rows, "PIECE_ROWS", 1)
    street = Street(1)
    async with street.group() as group:
        await found(group)
        for worker in WORKERS:
            await add_worker(group, worker)
        state = group.where.organisation(TENANT)
        turns, before = 0, len(state.workers)
        making = asyncio.ensure_future(copied(state))
        while not making.done():
            await asyncio.sleep(0)
            turns += 1
            if turns == 3:
                await add_worker(group, b"9" * 16)
        whole, same = OrganisationMachine(), OrganisationMachine()
        whole.state = await making
        assert turns > before
        assert set(whole.state.workers) == set(WORKERS), "who came meanwhile is told by an entry"
        whole.check()
        same.state = await copied(whole.state)
        assert same.digest() == whole.digest()


async def test_the_memory_of_a_state_that_was_replaced_is_given_back_bit_by_bit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(copies, "PIECE_ROWS", 1)
    street = Street(1)
    async with street.group() as group:
        await found(group)
        for worker in WORKERS:
            await add_worker(group, worker)
        kept = [await copied(group.where.organisation(TENANT))]
    state = weakref.ref(kept[0])
    letting_go = asyncio.ensure_future(copies.let_go(kept.pop()))
    turns = 0
    gc.disable()
    try:
        while state() is not None:
            await asyncio.sleep(0)
            turns += 1
        assert not letting_go.done(), "its rows are still kept"
        while not letting_go.done():
            await asyncio.sleep(0)
            turns += 1
    finally:
        gc.enable()
    assert turns > len(WORKERS)


def test_a_state_that_nobody_needs_is_gone_without_the_collector() -> None:
    gc.disable()
    try:
        machine = OrganisationMachine()
        state = weakref.ref(machine.state)
        machine.state = OrganisationState()
        assert state() is None
    finally:
        gc.enable()
