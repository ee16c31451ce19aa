"""An annotator's day through the Python client, against a real engine; both kinds of client alike."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from tests.support.wire import Wire

from crowdroute.api.v1 import assignments_pb2
from crowdroute.client import AsyncClient, Client, Connection, Refused
from crowdroute.client.answers import text_of
from crowdroute.router.model.states import AssignmentState
from crowdroute.router.rpc.scopes import SESSION_SCOPES


async def session(wire: Wire) -> Connection:
    """Give the connection of a new worker."""
    _, bearer = await wire.token(scopes=SESSION_SCOPES, worker=await wire.worker())
    return Connection(f"127.0.0.1:{wire.server.port}", bearer)


async def test_offers_come_and_answers_go_back(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 3)

    async with AsyncClient(await session(wire)) as client:
        offers = await client.next(project, count=2)
        receipt = await client.submit(offers[0], {"label": "yes"}, comment="sure", active_s=1.5)
        again = await client.submit(offers[0], {"label": "yes"}, comment="sure", active_s=1.5)

    assert [text_of(offer) for offer in offers] == ["Is it?"] * 2
    assert receipt.receipt == assignments_pb2.RECEIPT_ACCEPTED
    assert again == receipt


async def test_a_blocking_program_works_until_nothing_is_left(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 5)
    connection = await session(wire)

    def work() -> list[str]:
        done = []
        with Client(connection) as client:
            held = client.next(project)  # as a program that was killed leaves behind
            for offer in client.work(project, wait_s=0.0):
                client.extend(offer)
                if len(done) == 1:
                    client.skip(offer, "unreadable")
                elif len(done) == 2:
                    client.release(offer)
                else:
                    client.submit(offer, {"label": "no"})
                done.append(offer.assignment_id)
        assert done[0] == held[0].assignment_id
        return done

    done = await asyncio.to_thread(work)

    assert len(set(done)) == len(done) >= 5
    (state,) = (state for _, state in wire.engine.projects())
    assert state.workers.live[0] == 0
    assert state.workers.answered[0] == len(done) - 2


async def test_what_a_worker_does_not_answer_can_be_kept_declined_and_given_back(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 3)

    async with AsyncClient(await session(wire)) as client:
        kept, declined, given_back = await client.next(project, count=3)
        await client.extend(kept)
        await client.skip(declined, "unreadable", problem=True, comment="all black")
        await client.release(given_back)

    (state,) = (state for _, state in wire.engine.projects())
    states = {
        state.assignments.id_of(row).hex(): AssignmentState(state.assignments.state[row]).name
        for row in range(state.assignments.count)
    }
    ended = [states[offer.assignment_id.removeprefix("asg_")] for offer in (kept, declined, given_back)]
    assert ended == ["ACTIVE", "SKIPPED", "RELEASED"]


@pytest.mark.parametrize("kind", ["sync", "asyncio"])
async def test_errors_carry_the_engines_code_words_and_details(wire: Wire, kind: str) -> None:
    project = await wire.project()
    await wire.tasks(project)
    connection = await session(wire)

    if kind == "sync":
        with Client(connection) as client:
            (offer,) = await asyncio.to_thread(client.next, project)
            with pytest.raises(Refused) as caught:
                await asyncio.to_thread(client.submit, offer, {"label": "maybe"})
    else:
        async with AsyncClient(connection) as client:
            (offer,) = await client.next(project)
            with pytest.raises(Refused) as caught:
                await client.submit(offer, {"label": "maybe"})

    error = caught.value
    assert error.code == "UNKNOWN_LABEL"
    assert error.status is grpc.StatusCode.INVALID_ARGUMENT
    assert "maybe" in error.message
    assert error.details
    assert str(error) == f"{error.message} [UNKNOWN_LABEL]"


async def test_sessions_share_a_connection_but_not_their_tokens(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 1)
    first, second = await session(wire), await session(wire)

    async with AsyncClient(first) as client:
        (one,) = await client.next(project)
        (other,) = await client.as_bearer(second.token).next(project)

    assert one.assignment_id != other.assignment_id
    (state,) = (state for _, state in wire.engine.projects())
    assert state.workers.live[0] == state.workers.live[1] == 1


async def test_a_token_is_not_shown_when_a_connection_is_printed() -> None:
    connection = Connection("localhost:7070", "crd_secret", client_key=b"key material")
    assert "secret" not in repr(connection)
    assert "material" not in repr(connection)
