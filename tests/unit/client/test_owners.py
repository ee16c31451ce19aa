"""What the client remembers of who serves which project, and what makes it forget."""

from __future__ import annotations

import grpc
import pytest

from crowdroute.api.v1 import assignments_pb2, tasks_pb2, work_pb2
from crowdroute.client import Connection, NotConnected, Refused
from crowdroute.client.owners import MOST_WAYS, OWNER, REST_S, Owners, Way, may_follow, project_of

CONFIGURED, ELSEWHERE = "here:7070", "here:7071"


class FakeWay(Way):
    """Stands when a test says so."""

    def __init__(self, address: str) -> None:
        super().__init__(address, None)
        self.standing: bool | None = True
        self.ended = False

    def stands(self) -> bool | None:
        return self.standing

    def end(self) -> None:
        self.ended = True


class World:
    """Owners with fake ways and a clock that is turned by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.opened: list[FakeWay] = []
        configured = FakeWay(CONFIGURED)
        connection = Connection(CONFIGURED, "token")
        self.owners = Owners(connection, configured, self.open_way, lambda: self.now_s)

    def open_way(self, address: str) -> FakeWay:
        self.opened.append(FakeWay(address))
        return self.opened[-1]

    def goes_to(self, project: str) -> str:
        with self.owners.way(project) as way:
            return way.address

    def tell(self, project: str, owner: str = ELSEWHERE) -> None:
        self.owners.hear(self.owners.configured, project, ((OWNER, owner),))


@pytest.fixture
def world() -> World:
    return World()


def failed(status: grpc.StatusCode) -> NotConnected:
    return NotConnected(status.name, "no", status=status)


def test_calls_of_a_project_go_where_its_reply_told_and_no_others_do(world: World) -> None:
    world.tell("one")
    assert world.goes_to("one") == ELSEWHERE
    assert world.goes_to("two") == CONFIGURED
    assert world.goes_to("") == CONFIGURED


def test_projects_of_one_process_share_its_channel(world: World) -> None:
    world.tell("one")
    world.tell("two")
    assert len(world.opened) == 1


def test_a_call_about_no_project_teaches_nothing(world: World) -> None:
    world.tell("")
    assert not world.opened


@pytest.mark.parametrize("standing", [None, False])
def test_nobody_is_followed_before_a_connection_stands(world: World, standing: bool | None) -> None:
    world.tell("one")
    world.opened[0].standing = standing
    assert world.goes_to("one") == CONFIGURED
    world.opened[0].standing = True
    assert world.goes_to("one") == (CONFIGURED if standing is False else ELSEWHERE)


@pytest.mark.parametrize("status", ["UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED", "UNAUTHENTICATED"])
def test_a_process_that_is_lost_is_forgotten_and_rests(world: World, status: str) -> None:
    world.tell("one")
    world.tell("two")
    with world.owners.way("one") as way:
        world.owners.hear(way, "one", (), failed(grpc.StatusCode[status]))
    assert world.goes_to("one") == world.goes_to("two") == CONFIGURED
    world.tell("one")
    assert world.goes_to("one") == CONFIGURED
    world.now_s = REST_S
    world.tell("one")
    assert world.goes_to("one") == ELSEWHERE


def test_a_refusal_of_the_owner_is_no_reason_to_leave_it(world: World) -> None:
    world.tell("one")
    with world.owners.way("one") as way:
        world.owners.hear(way, "one", (), Refused("NOT_FOUND", "no", status=grpc.StatusCode.NOT_FOUND))
    assert world.goes_to("one") == ELSEWHERE


def test_a_refusal_that_took_the_detour_teaches_the_way(world: World) -> None:
    refused = Refused("NOT_FOUND", "no", status=grpc.StatusCode.NOT_FOUND)
    world.owners.hear(world.owners.configured, "one", ((OWNER, ELSEWHERE),), refused)
    assert world.goes_to("one") == ELSEWHERE


def test_a_detour_that_failed_teaches_nothing(world: World) -> None:
    failure = failed(grpc.StatusCode.UNAVAILABLE)
    world.owners.hear(world.owners.configured, "one", ((OWNER, ELSEWHERE),), failure)
    assert not world.opened


def test_whom_a_followed_process_names_is_not_followed_further(world: World) -> None:
    world.tell("one")
    with world.owners.way("one") as way:
        world.owners.hear(way, "one", ((OWNER, "here:7072"),))
    assert world.goes_to("one") == CONFIGURED
    assert [way.address for way in world.opened] == [ELSEWHERE]


def test_a_channel_is_closed_after_the_last_call_on_it(world: World) -> None:
    world.tell("one")
    with world.owners.way("one") as first:
        with world.owners.way("one") as second:
            world.owners.hear(second, "one", (), failed(grpc.StatusCode.UNAVAILABLE))
        assert not first.ended
    assert first.ended


def test_the_number_of_channels_is_bounded(world: World) -> None:
    for number in range(MOST_WAYS + 5):
        world.tell(f"project {number}", f"here:{8000 + number}")
    assert len(world.opened) == MOST_WAYS
    assert world.goes_to(f"project {MOST_WAYS + 4}") == CONFIGURED


def test_closing_gives_every_way_that_was_opened(world: World) -> None:
    world.tell("one")
    assert world.owners.close() == world.opened
    assert world.goes_to("one") == CONFIGURED


@pytest.mark.parametrize(
    ("configured", "named", "plain", "encrypted"),
    [
        ("engine:7070", "engine:7071", True, True),
        ("Engine:7070", "engine:7071", True, True),
        ("dns:///engine:7070", "engine:7071", True, True),
        ("engine:7070", "other:7070", False, True),
        ("engine:7070", "engine:7070", False, False),
        ("localhost:7070", "127.0.0.1:7071", True, True),
        ("[::1]:7070", "localhost:7071", True, True),
        ("engine:7070", "127.0.0.1:7071", False, False),
        ("localhost:7070", "engine:7071", False, False),
        ("engine:7070", "engine", False, False),
        ("engine:7070", "unix:/tmp/engine:1", False, False),
        ("engine:7070", "dns:engine:7071", False, False),
        ("engine:7070", "", False, False),
    ],
)
def test_a_token_goes_only_where_it_may(configured: str, named: str, plain: bool, encrypted: bool) -> None:
    assert may_follow(Connection(configured, "token"), named) is plain
    assert may_follow(Connection(configured, "token", tls=True), named) is encrypted


def test_a_request_says_which_project_it_is_about() -> None:
    assert project_of(assignments_pb2.NextRequest(project_id="one")) == "one"
    header = tasks_pb2.ImportHeader(project_id="two")
    assert project_of(tasks_pb2.ImportItemsRequest(header=header)) == "two"
    assert project_of(work_pb2.WorkRequest()) == ""
