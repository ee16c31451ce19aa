"""What who follows a group is told comes in messages that neither end spends long on."""

from __future__ import annotations

import pytest

from crowdroute.peer.v1 import peer_pb2
from crowdroute.router.errors import SnapshotUnusable
from crowdroute.router.rpc.group import telling
from crowdroute.router.rpc.group.telling import ArrivingOrganisation, HeldOrganisation, Untold, entry_parts
from crowdroute.router.runtime.copies import OrganisationCopy

STREAM = "acme/organisation"


def entry(number: int, size: int = 10) -> peer_pb2.DurableEntry:
    return peer_pb2.DurableEntry(stream=STREAM, sequence=number, entry=bytes(size))


def test_entries_are_told_in_parts_and_only_the_last_says_that_this_is_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling, "PART_BYTES", 25)
    parts = list(entry_parts([entry(number) for number in range(5)]))
    assert [[each.sequence for each in part.entries] for part in parts] == [[0, 1], [2, 3], [4]]
    assert [part.complete for part in parts] == [False, False, True]


def test_an_entry_that_is_larger_than_a_part_is_one_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "PART_BYTES", 25)
    parts = list(entry_parts([entry(0, 100), entry(1), entry(2, 100)]))
    assert [[each.sequence for each in part.entries] for part in parts] == [[0], [1], [2]]


def test_that_nothing_happened_is_told_too() -> None:
    assert list(entry_parts([])) == [peer_pb2.FollowPart(complete=True)]


def test_an_organisation_is_told_as_of_the_batch_at_which_it_was_held() -> None:
    copy = OrganisationCopy(STREAM, 3)
    copy.machine.state.tenant = "acme"
    copy.heard(7)
    held = HeldOrganisation(copy)
    copy.machine.state.tenant = "other"
    copy.heard(9)
    told = [organisation for part in held.parts() for organisation in part.organisations]
    assert {(each.stream, each.shard, each.sequence) for each in told} == {(STREAM, 3, 7)}
    assert [each.more for each in told] == [True] * (len(told) - 1) + [False]
    arriving = ArrivingOrganisation()
    for each in told:
        arriving.take(each)
    assert arriving.whole().tenant == "acme"


def test_an_organisation_of_an_older_release_that_is_damaged_is_refused() -> None:
    arriving = ArrivingOrganisation()
    arriving.take(peer_pb2.Organisation(sections=[peer_pb2.Section(name="organisation", body=b"\xc1")]))
    with pytest.raises(SnapshotUnusable):
        arriving.whole()


async def test_what_a_follower_does_not_take_is_given_up_where_it_is_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling, "MOST_UNTOLD_BYTES", 25)
    untold = Untold()
    for number in range(2):
        untold.note(entry(number))
    assert untold.size == 20
    untold.note(entry(2))
    assert untold.size == 0
    untold.note(entry(3))
    assert (untold.size, untold.take()) == (0, None)


async def test_what_is_taken_is_told_once_and_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "MOST_UNTOLD_BYTES", 25)
    untold = Untold()
    for number in range(4):
        untold.note(entry(number))
        assert untold.take() == [entry(number)]
    assert untold.take() == []


async def test_what_an_organisation_that_is_told_whole_has_is_not_told_again() -> None:
    untold = Untold()
    other = peer_pb2.DurableEntry(stream="other/organisation", sequence=2, entry=bytes(7))
    for each in (entry(1), other):
        untold.note(each)
    untold.leave_out({STREAM})
    assert (untold.size, untold.take()) == (7, [other])
