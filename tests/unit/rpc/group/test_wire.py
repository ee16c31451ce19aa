"""What a peer of a newer release says is refused so that it is said again, not given up."""

from __future__ import annotations

import msgspec
import pytest

from crowdroute.peer.v1 import peer_pb2
from crowdroute.router.commands import Request
from crowdroute.router.commands.organisation import NoteBalance
from crowdroute.router.commands.project import PauseProject
from crowdroute.router.commands.replies import Done
from crowdroute.router.errors import InvalidCommand, NotReady
from crowdroute.router.model.ids import NO_ID
from crowdroute.router.rpc.group.wire import carried, carry_message, decode_reply, encode_reply

BALANCE = Request("t/organisation", NoteBalance(NO_ID, NO_ID, 1, 5, "EUR"))


def test_a_command_crosses_as_it_is() -> None:
    assert carried(carry_message(1, 2, BALANCE, ())) == (BALANCE, [])


def test_a_command_with_a_field_too_many_is_to_be_sent_again() -> None:
    raw = msgspec.msgpack.decode(msgspec.msgpack.encode(BALANCE))
    raw["command"].append("of a newer release")
    with pytest.raises(NotReady, match="start the peer's release here, too"):
        carried(peer_pb2.CarryRequest(request=msgspec.msgpack.encode(raw)))


def test_a_command_that_does_not_cross_is_refused_for_good() -> None:
    with pytest.raises(InvalidCommand, match="PauseProject does not cross"):
        carried(carry_message(1, 2, Request("t/project/1", PauseProject("lunch")), ()))


def test_a_reply_that_is_not_known_leaves_it_open_what_happened() -> None:
    assert decode_reply(encode_reply(Done())) == Done()
    with pytest.raises(NotReady, match="start the peer's release here, too"):
        decode_reply(msgspec.msgpack.encode([99, "of a newer release"]))
