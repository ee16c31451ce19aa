"""What a call needs of the other groups, where several processes serve; `rpc.group` has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from crowdroute.router.rpc.calls import Call
from crowdroute.router.rpc.deadlines import Context

HERE = frozenset({"VerifyLog", "BackupLog"})
"""Calls that concern the process which they reach."""

OWNER = "crowdroute-owner"
"""Metadata of a call that was forwarded, trailing or, of one that streams, initial: where it is carried out
without a detour."""


class Elsewhere(Protocol):
    """The other groups; see `rpc.group.forwarding`."""

    def away(self, call: Call, message: Message) -> int | None:
        """Give the shard that a call is for, when another group serves it."""

    def owner(self, shard: int) -> str:
        """Give where clients reach a shard."""

    async def forward(self, call: Call, shard: int, method: str, raw: bytes) -> bytes:
        """Have a call of one request and one answer carried out where its shard is served."""

    async def gather(self, call: Call, method: str, raw: bytes) -> Sequence[bytes]:
        """Have every other group answer a call from what lives with it alone."""

    async def relay(
        self, call: Call, shard: int, described: MethodDescriptor, raw: bytes, context: Context
    ) -> bytes | None:
        """Have a call that streams carried out where its shard is served; gives the answer where there is one
        only."""

    async def catch_up(self) -> bool:
        """Return when everything durable of the organisations is known here; false: they live here."""


def owner_metadata(elsewhere: Elsewhere, shard: int) -> tuple[tuple[str, str], ...]:
    """Give the metadata that names who serves a shard; none when clients are not to be told."""
    owner = elsewhere.owner(shard)
    return ((OWNER, owner),) if owner else ()
