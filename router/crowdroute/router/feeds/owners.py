"""Finds who owns a project at the moment: shards come and go while a partition is read."""

from __future__ import annotations

from crowdroute.router.errors import NotReady
from crowdroute.router.feeds.elsewhere import Elsewhere, OwnerElsewhere
from crowdroute.router.feeds.owner import Owner, ShardOwner
from crowdroute.router.feeds.room import Room
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.group import ShardGroup


class Owners:
    """The owners of one tenant's projects, for one topic."""

    def __init__(
        self, group: ShardGroup, tenant: str, topic: str, room: Room, elsewhere: Elsewhere | None = None
    ) -> None:
        """Know the shards.

        Args:
            group: the shards of this process.
            tenant: whose projects the records name.
            topic: where the records stand.
            room: knows which projects of this process are full.
            elsewhere: the way to those of other processes; None: there are none.
        """
        self.group = group
        self.tenant = tenant
        self.topic = topic
        self._room = room
        self._elsewhere = elsewhere
        self._here: dict[int, tuple[Engine, ShardOwner]] = {}
        self._others: dict[int, OwnerElsewhere] = {}

    def of(self, shard: int) -> Owner:
        """Give the owner of the projects in a shard.

        Raises:
            NotReady: nobody serves it.
        """
        if shard in self.group.engines:
            return self.here(shard)
        if self._elsewhere is None:
            raise NotReady(f"nobody serves shard {shard} at the moment: ask again", {"shard": str(shard)})
        if shard not in self._others:
            self._others[shard] = OwnerElsewhere(self._elsewhere, shard, self.topic)
        return self._others[shard]

    def here(self, shard: int) -> ShardOwner:
        """Give the owner that a shard of this process is."""
        engine = self.group.engines[shard]
        known = self._here.get(shard)
        if known is None or known[0] is not engine:
            owner = ShardOwner(self.group, engine, self.tenant, self.topic, self._room)
            known = self._here[shard] = engine, owner
        return known[1]

    def forget(self, shard: int) -> None:
        """Let go of a shard that this process serves no longer, and of all that its engine holds."""
        self._here.pop(shard, None)
