"""One command on one stream: idempotency keys, time that never goes back, streams that are not there."""

from __future__ import annotations

from tests.support.desk import Desk, make_rules
from tests.support.engine import DAY, HOUR, ORGANISATION, TENANT

from crowdroute.router.commands.organisation import CreateOrganisation, UpsertWorker
from crowdroute.router.commands.project import CreateProject, RequestNext
from crowdroute.router.errors import InvalidCommand, KeyReused, NotFound
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model.ids import NO_ID


def test_a_keyed_request_is_answered_as_before_for_a_day() -> None:
    desk = Desk()
    desk.task()
    desk.task()
    ann = desk.worker()
    first = desk.send(RequestNext(ann), key="k1")
    length = len(desk.entries)
    assert desk.send(RequestNext(ann), key="k1") == first
    assert len(desk.entries) == length
    desk.refuses(RequestNext(ann, 2), KeyReused, key="k1")
    assert desk.send(RequestNext(ann), key="k1", principal="tok_other") != first


def test_a_key_is_forgotten_after_a_day_and_remembered_over_restarts() -> None:
    desk = Desk()
    for _ in range(3):
        desk.task()
    ann = desk.worker()
    first = desk.send(RequestNext(ann), key="k1")
    desk.shard = desk.unpacked()
    assert desk.send(RequestNext(ann), key="k1") == first
    desk.wait(DAY + HOUR)
    assert desk.send(RequestNext(ann), key="k1") != first


def test_logged_time_never_goes_back() -> None:
    desk = Desk()
    desk.task()
    desk.now_us -= HOUR
    desk.task()
    times = [entry.at_us for entry in desk.entries if entry.stream == desk.stream]
    assert times == sorted(times)


def test_streams_that_do_not_exist_are_not_found() -> None:
    desk = Desk()
    stream = project_stream(TENANT, desk.new_id())
    desk.refusal_from(stream, RequestNext(desk.worker()), NotFound)
    desk.refusal_from(organisation_stream("nobody"), UpsertWorker(desk.new_id(), NO_ID, NO_ID), NotFound)


def test_a_stream_without_sense_is_not_found_either() -> None:
    desk = Desk()
    for stream in ("nonsense", "", "acme/", "acme/project"):
        desk.refusal_from(stream, RequestNext(desk.worker()), NotFound)


def test_a_command_for_another_kind_of_stream_is_refused() -> None:
    desk = Desk()
    desk.refusal_from(ORGANISATION, RequestNext(desk.worker()), InvalidCommand)
    desk.refusal_from(desk.stream, UpsertWorker(desk.new_id(), NO_ID, NO_ID), InvalidCommand)
    desk.refusal_from(desk.stream, CreateOrganisation(TENANT), InvalidCommand)


def test_a_project_that_was_created_under_a_key_is_created_once() -> None:
    desk = Desk()
    project = desk.new_id()
    stream, command = project_stream(TENANT, project), CreateProject(project, "cats", make_rules())
    first = desk.send_to(stream, command, key="k1")
    length = len(desk.entries)
    assert desk.send_to(stream, command, key="k1") == first
    assert len(desk.entries) == length
