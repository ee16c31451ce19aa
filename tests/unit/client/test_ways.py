"""Waiting for asyncio's channels, whose state changes in another thread."""

from __future__ import annotations

import asyncio

import pytest
from grpc import ChannelConnectivity as State

from crowdroute.client import Connection
from crowdroute.client.ways import AioWay

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
