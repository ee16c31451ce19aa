"""Waiting for connections: of asyncio's channels, whose state changes in another thread, and of others."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from grpc import ChannelConnectivity as State

from crowdroute.client import Client, Connection
from crowdroute.client.ways import AioWay, BlockingWay

PATIENCE = 5.0


class ChangingChannel:
    """Moves on to its next state after each look, as when gRPC's thread is faster; rests in the last."""

    def __init__(self, *states: State) -> None:
        self.states = list(states)

    def get_state(self, try_to_connect: bool = False) -> State:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    async def wait_for_state_change(self, last: State) -> None:
        if last is self.states[0]:
            await asyncio.Event().wait()  # nothing will change it


@pytest.mark.parametrize(
    ("last", "stands"), [(State.READY, True), (State.TRANSIENT_FAILURE, False), (State.SHUTDOWN, False)]
)
@pytest.mark.parametrize("before", [State.IDLE, State.CONNECTING])
async def test_a_connection_that_is_decided_between_two_looks_is_not_waited_for(
    before: State, last: State, stands: bool
) -> None:
    way = AioWay(Connection("127.0.0.1:1", "token"), set())
    await way.channel.close()
    way.channel = ChangingChannel(before, last)
    async with asyncio.timeout(PATIENCE):
        await way.settled()
    assert way.stands() is stands


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Note who watches the state of a channel: gRPC prints an error when it is closed before they end."""
    watchers: list[object] = []
    monkeypatch.setattr(
        "grpc._channel.Channel.subscribe", lambda _channel, watcher, *_how: watchers.append(watcher)
    )
    return watchers


@pytest.fixture
def address() -> Iterator[str]:
    """Serve nothing at all."""
    with ThreadPoolExecutor(1) as threads:
        server = grpc.server(threads)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"127.0.0.1:{port}"
        server.stop(0).wait()


def test_whoever_answers_is_there_without_the_channel_being_watched(
    address: str, watched: list[object]
) -> None:
    with Client(address) as client:
        assert client.wait_ready(PATIENCE)
    way = BlockingWay(Connection(address, "")).connect()
    assert way.known.wait(PATIENCE)
    assert way.stands() is True
    way.end()
    assert watched == []


def test_nobody_is_there_who_does_not_answer_in_time(watched: list[object]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with Client(address) as client:
            assert not client.wait_ready(0.05)
    way = BlockingWay(Connection(address, "")).connect()
    assert way.known.wait(PATIENCE)
    assert way.stands() is False
    way.end()
    assert watched == []
