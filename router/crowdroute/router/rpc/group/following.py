"""Keeps the copies of organisations that live with another group: follows what becomes durable there."""

from __future__ import annotations

import asyncio

import structlog

from crowdroute.peer.v1 import peer_pb2
from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.errors import NotReady, RouterError
from crowdroute.router.rpc.group.link import PeerLink
from crowdroute.router.rpc.group.telling import ArrivingOrganisation
from crowdroute.router.runtime.group import ShardGroup

AGAIN_SECONDS = 0.2
"""Pause before another try to follow a group that went away."""

WAIT_SECONDS = 3.0
"""How long who needs to know what is durable elsewhere waits for the copy to hold it."""

_log = structlog.get_logger("crowdroute.group")


class Following:
    """Follows one other group."""

    def __init__(self, group: ShardGroup, link: PeerLink) -> None:
        """Prepare.

        Args:
            group: whose copies are kept.
            link: to the group that is followed.
        """
        self._group = group
        self._link = link
        self._told = asyncio.Event()
        self._arriving: dict[str, ArrivingOrganisation] = {}
        """By stream: what is not here whole yet."""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="following")

    async def stop(self) -> None:
        """Follow no longer; the copies grow old."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def catch_up(self, shard: int) -> None:
        """Return when the copies hold what was durable of a shard there when this was called.

        Raises:
            RouterError: the group does not serve it, cannot be reached, or is not followed fast enough.
        """
        wanted = await self._link.position(shard)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while any(self._reached(stream) < sequence for stream, sequence in wanted.items()):
                    self._told.clear()
                    await self._told.wait()
        except TimeoutError:
            raise NotReady(
                f"what is durable at {self._link.address} has not arrived after {WAIT_SECONDS:g} seconds:"
                " call again"
            ) from None

    def _reached(self, stream: str) -> int:
        copy = self._group.copies.get(stream)
        return -1 if copy is None else copy.sequence

    async def _run(self) -> None:
        is_told = False
        while True:
            try:
                self._arriving.clear()
                async for part in self._link.follow():
                    self._take(part)
                    is_told = is_told and not part.complete
            except RouterError as error:
                if not is_told:
                    _log.warning("a group is not followed", peer=self._link.address, reason=error.message)
                is_told = True
            except Exception as error:  # what is told anew is whole: it may fit then
                if not is_told:
                    _log.error("a group is not followed", peer=self._link.address, exc_info=error)
                is_told = True
            await asyncio.sleep(AGAIN_SECONDS)

    def _take(self, part: peer_pb2.FollowPart) -> None:
        group = self._group
        for told in part.organisations:
            arriving = self._arriving.pop(told.stream, None) or ArrivingOrganisation()
            arriving.take(told)
            if told.more:
                self._arriving[told.stream] = arriving
                continue
            if told.shard not in group.engines:
                copy = group.where.copy_of(told.stream, told.shard)
                copy.local = False
                # Pieces take a while: of a shard that moved meanwhile the next owner may have told more.
                if told.sequence >= copy.sequence:
                    group.crossing.begin_copy(copy, arriving.whole(), told.sequence)
        for entry in part.entries:
            if entry.shard not in group.engines:
                copy = group.where.copy_of(entry.stream, entry.shard)
                if entry.sequence >= copy.sequence:
                    group.crossing.fold_into(copy, decode_batch(entry.entry, 1).entries[0], entry.sequence)
        if part.complete:
            for copy in group.copies.values():
                owner = group.shard_map.others.get(copy.shard)
                if owner is not None and owner.peers == self._link.address:
                    copy.heard(copy.sequence)
        self._told.set()
