"""The other groups as a server needs them: an address for peers, and the ways to them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import grpc

from crowdroute.peer.v1 import peer_pb2_grpc
from crowdroute.router.rpc.group.forwarding import Forwarding
from crowdroute.router.rpc.group.peers import Peers
from crowdroute.router.rpc.group.servicer import PeerServicer
from crowdroute.router.rpc.server import OPTIONS, Server
from crowdroute.router.runtime.group import ShardGroup

LARGEST = 64 << 20
"""Bytes of a message between peers: a batch of calls, or the state of an organisation."""


@contextlib.asynccontextmanager
async def peers_served(peers: Peers, server: Server, group: ShardGroup) -> AsyncIterator[Forwarding]:
    """Serve the other groups, and forward to them what reaches this one, until the block is left.

    Gives the ways to the other groups.

    Raises:
        ConfigurationError: the address of the peers cannot be listened on.
    """
    listening = grpc.aio.server(options=[*OPTIONS, ("grpc.max_receive_message_length", LARGEST)])
    forwarding = Forwarding(group, peers)
    servicer = PeerServicer(group, server.gate, server.services, peers, forwarding)
    peer_pb2_grpc.add_PeerServiceServicer_to_server(servicer, listening)  # type: ignore[no-untyped-call]
    forwarding.port = peers.listen(listening)
    await listening.start()
    try:
        forwarding.start()
        server.gate.elsewhere = forwarding
        yield forwarding
    finally:
        await forwarding.stop()
        await listening.stop(None)
