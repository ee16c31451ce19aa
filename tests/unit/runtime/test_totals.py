"""Totals reach an organisation in another shard, many at a time, whatever is lost or refused on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from structlog.testing import capture_logs
from tests.support.shards import SECOND, Street, add_task, add_worker
from tests.support.wire import TENANT
from tests.unit.runtime.test_crossing import WORKER, answered, found_for_a_worker, offered

from crowdroute.router.commands import Command, Reply, Request
from crowdroute.router.commands.organisation import NoteBalance, NoteBalances
from crowdroute.router.commands.project import AddTasks, NewTask, SubmitAnswer
from crowdroute.router.commands.replies import Noted
from crowdroute.router.errors import AppendFailed, InvalidCommand, InvariantBroken, NotFound, NotReady
from crowdroute.router.machine import crossing
from crowdroute.router.model.answers import Choice
from crowdroute.router.ports import ContentChange
from crowdroute.router.runtime.group import ShardGroup

MINUTE = 61_000_000
OTHERS = [bytes([number]) * 16 for number in range(20, 24)]

Answer = Callable[[Command], Reply | None]
"""What becomes of a command; None: it is carried on."""


class Way:
    """The way to other shards; keeps what was carried, and answers itself where a test says so."""

    def __init__(self, group: ShardGroup, answer: Answer = lambda command: None) -> None:
        self._group = group
        self._answer = answer
        self.carried: list[Command] = []

    async def carry(self, shard: int, request: Request, contents: Sequence[ContentChange] = ()) -> Reply:
        self.carried.append(request.command)
        reply = self._answer(request.command)
        return await self._group.carry(shard, request, contents) if reply is None else reply


async def owing(group: ShardGroup, street: Street) -> str:
    """Have five workers earn something in a project apart from its organisation, more than a minute ago."""
    stream = await found_for_a_worker(group)
    await answered(group, stream)
    for worker in OTHERS:
        await add_worker(group, worker)
        await add_task(group, stream)
        (lease,) = (await offered(group, stream, worker)).leases
        answer = SubmitAnswer(worker, lease.assignment, lease.fence, (Choice(0, 0),))
        await group.submit(group.request(stream, answer))
    street.clock.advance(MINUTE)
    return stream


def noted(group: ShardGroup) -> list[bytes]:
    """Give the workers whose totals the organisation knows and has right."""
    organisation = group.where.organisation(TENANT)
    project = group.where.project(TENANT, SECOND)
    return [
        worker
        for worker in (WORKER, *OTHERS)
        if crossing.is_known(crossing.balance_of(project, worker), organisation)
    ]


async def look(group: ShardGroup, patch: pytest.MonkeyPatch, answer: Answer = lambda command: None) -> Way:
    """Look once for what is to cross, and give what was carried."""
    way = Way(group, answer)
    with patch.context() as inside:
        inside.setattr(group.crossing, "_carrier", way)
        await group.crossing.look()
    return way


def sizes(way: Way) -> list[int]:
    """Give how many totals each command held."""
    return [len(command.balances) for command in way.carried if isinstance(command, NoteBalances)]


async def test_totals_reach_an_organisation_elsewhere_and_are_told_once() -> None:
    street = Street()
    async with street.group() as group:
        stream = await found_for_a_worker(group)
        await answered(group, stream)

        await group.crossing.look()
        assert not group.where.organisation(TENANT).list_balances(WORKER), "a total is told after a minute"
        street.clock.advance(MINUTE)
        await group.crossing.look()

        (balance,) = group.where.organisation(TENANT).list_balances(WORKER)
        state = group.where.project(TENANT, SECOND)
        assert balance.micros == state.workers.earned_micros[state.workers.find(WORKER)] > 0
        batches = len(street.disks[0].batches)
        await group.crossing.look()
        assert len(street.disks[0].batches) == batches


async def test_totals_cross_together_and_are_one_entry_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    street = Street()
    async with street.group() as group:
        await owing(group, street)
        batches = len(street.disks[0].batches)
        way = await look(group, monkeypatch)
        assert sizes(way) == [5]
        assert len(noted(group)) == 5
        assert len(street.disks[0].batches) == batches + 1


async def test_more_totals_than_one_command_holds_cross_in_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    street = Street()
    monkeypatch.setattr(crossing, "TOTALS_TOGETHER", 2)
    async with street.group() as group:
        await owing(group, street)
        way = await look(group, monkeypatch)
        assert sizes(way) == [2, 2, 1]
        assert len(noted(group)) == 5


async def test_totals_that_are_known_by_the_copy_are_not_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    street = Street()
    async with street.group() as group:
        await owing(group, street)

        def lose_the_reply(command: Command) -> Reply | None:
            home = group.engines[0]
            home.decide(home.request(f"{TENANT}/organisation", command))
            raise NotReady("no answer")

        await look(group, monkeypatch, lose_the_reply)
        await group.observe()
        way = await look(group, monkeypatch)
        assert not way.carried
        assert len(noted(group)) == 5
        assert not list(group.engines[1].shard.outgoing(street.clock.now_us()))


async def test_totals_that_are_refused_together_are_told_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def one_by_one(command: Command) -> None:
        if isinstance(command, NoteBalances):
            raise InvalidCommand("several totals at once")

    street = Street()
    async with street.group() as group:
        await owing(group, street)
        way = await look(group, monkeypatch, one_by_one)
        assert [type(command) for command in way.carried] == [NoteBalances, *[NoteBalance] * 5]
        assert len(noted(group)) == 5
        assert not (await look(group, monkeypatch)).carried


async def test_one_total_that_is_refused_for_good_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def pedantic(command: Command) -> None:
        told = command.balances if isinstance(command, NoteBalances) else (command,)
        if any(balance.worker == OTHERS[0] for balance in told):
            raise InvalidCommand("that cannot be right")

    street = Street()
    async with street.group() as group:
        await owing(group, street)
        await look(group, monkeypatch, pedantic)
        assert noted(group) == [WORKER, *OTHERS[1:]]
        assert not (await look(group, monkeypatch)).carried


async def test_a_total_of_a_project_that_is_not_registered_yet_is_told_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    street = Street()
    async with street.group() as group:
        await owing(group, street)
        await look(group, monkeypatch, lambda command: Noted((0, 1, 2, 3, 4)))
        assert not noted(group)
        await look(group, monkeypatch)
        assert len(noted(group)) == 5


async def test_a_total_of_an_organisation_that_is_not_known_there_is_told_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(command: Command) -> None:
        raise NotFound("there is no organisation")

    street = Street()
    async with street.group() as group:
        await owing(group, street)
        await look(group, monkeypatch, unknown)
        await look(group, monkeypatch)
        assert len(noted(group)) == 5


@pytest.mark.parametrize("error", [NotReady("away"), AppendFailed("the disk")])
async def test_a_shard_that_does_not_answer_is_asked_once_a_look(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def silent(command: Command) -> None:
        raise error

    street = Street()
    monkeypatch.setattr(crossing, "TOTALS_TOGETHER", 2)
    async with street.group() as group:
        await owing(group, street)
        assert len((await look(group, monkeypatch, silent)).carried) == 1
        await look(group, monkeypatch)
        assert len(noted(group)) == 5


async def test_a_defect_in_the_organisations_shard_is_logged_where_the_totals_are_and_silence_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(command: Command) -> None:
        raise InvariantBroken("a sum is negative")

    def silent(command: Command) -> None:
        raise NotReady("away")

    street = Street()
    async with street.group() as group:
        await owing(group, street)
        with capture_logs() as lines:
            await look(group, monkeypatch, silent)
            assert not lines
            await look(group, monkeypatch, broken)
        assert [line["reason"] for line in lines] == ["a sum is negative"]
        await look(group, monkeypatch)
        assert len(noted(group)) == 5


async def test_who_takes_one_at_a_time_and_falls_silent_is_told_the_rest_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def one_by_one(command: Command) -> None:
        if isinstance(command, NoteBalances):
            raise InvalidCommand("several totals at once")
        if isinstance(command, NoteBalance) and command.worker == OTHERS[1]:
            raise NotReady("away")

    street = Street()
    async with street.group() as group:
        await owing(group, street)
        await look(group, monkeypatch, one_by_one)
        assert noted(group) == [WORKER, OTHERS[0]]
        way = await look(group, monkeypatch)
        assert sizes(way) == [3]
        assert len(noted(group)) == 5


async def test_who_takes_one_at_a_time_and_does_not_know_the_project_yet_is_told_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def one_by_one(command: Command) -> Reply | None:
        if isinstance(command, NoteBalances):
            raise InvalidCommand("several totals at once")
        if isinstance(command, NoteBalance) and command.worker == WORKER:
            raise NotFound("no project", {"field": "project"})
        return None

    street = Street()
    async with street.group() as group:
        await owing(group, street)
        await look(group, monkeypatch, one_by_one)
        assert noted(group) == OTHERS
        await look(group, monkeypatch)
        assert len(noted(group)) == 5


async def test_a_total_that_is_not_durable_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    street = Street()
    async with street.group() as group:
        stream = await owing(group, street)
        street.fail_at = street.appends + 1
        engine = group.engines[1]
        task = NewTask(group.new_id(), group.new_id(), digest=bytes([1] * 16))
        engine.decide(engine.request(stream, AddTasks((task,))))
        way = await look(group, monkeypatch)
        assert not way.carried
        assert engine.failed.done()
