"""The one door: all streams of a shard, and their snapshot."""

from __future__ import annotations

import msgspec
import pytest
from tests.support.desk import Desk
from tests.support.engine import ORGANISATION

from crowdroute.router.errors import NotFound, SnapshotUnusable
from crowdroute.router.machine.shard import Shard


def test_a_shard_tells_its_streams_in_the_order_in_which_they_began() -> None:
    desk = Desk()
    assert desk.shard.streams() == (ORGANISATION, desk.stream)
    for unknown in (lambda: desk.shard.organisation("nobody"), lambda: desk.shard.project_state("x")):
        with pytest.raises(NotFound):
            unknown()


def test_a_snapshot_of_another_layout_or_of_nothing_cannot_be_used() -> None:
    packed = Desk().shard.pack()
    version, names, untold = msgspec.msgpack.decode(packed["shard"])
    packed["shard"] = msgspec.msgpack.encode((version + 1, names, untold))
    for sections in (packed, {}, {"shard": b"x"}):
        with pytest.raises(SnapshotUnusable):
            Shard().unpack(sections)
