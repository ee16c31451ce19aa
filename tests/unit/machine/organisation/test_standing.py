"""What a worker is trusted with, and pauses that end by themselves."""

from itertools import product

import pytest
from tests.unit.machine.organisation.driver import (
    ENTROPY,
    EXTERNAL,
    HOUR,
    MANAGER,
    PERSON,
    POOL,
    START,
    UNKNOWN,
    VENDOR,
    WORKER,
    begun,
    folded,
)

from crowdroute.router.commands.organisation import ChangeWorkerStatus, ErasePerson, UpsertWorker
from crowdroute.router.commands.replies import Done
from crowdroute.router.errors import InvalidCommand, NotFound, WrongState
from crowdroute.router.events.organisation import WorkerStatusChanged
from crowdroute.router.machine.organisation.standing import MOST_ENDED
from crowdroute.router.model.ids import NO_ID, derive
from crowdroute.router.model.states import WorkerStatus
from crowdroute.workers import status as table
from crowdroute.workers.errors import TransitionRefused
from crowdroute.workers.status import Actor, Standing, StatusReason, change_status

LED_TO = {
    WorkerStatus.NEW: (),
    WorkerStatus.QUALIFIED: (StatusReason.QUALIFICATION_PASSED,),
    WorkerStatus.TRUSTED: (StatusReason.QUALIFICATION_PASSED, StatusReason.TRUST_EARNED),
    WorkerStatus.PROBATION: (StatusReason.ACCURACY_LOW,),
    WorkerStatus.PAUSED: (StatusReason.QUALIFICATION_PASSED, StatusReason.PAUSED_BY_MANAGER),
    WorkerStatus.BANNED: (StatusReason.MISCONDUCT,),
}
"""Reasons that lead a new worker to each status."""


def standing_at(status):
    """An organisation whose worker has that status, and the same standing in the library's words."""
    organisation, standing = begun(), Standing()
    for reason in LED_TO[status]:
        standing = change_status(standing, reason, Actor.MANAGER)
        organisation.send(ChangeWorkerStatus(WORKER, WorkerStatus(standing.status), reason.value))
    assert organisation.state.workers[WORKER].facts.status is status
    return organisation, standing


def test_the_engine_and_the_library_number_statuses_alike():
    assert {each.name: each.value for each in WorkerStatus} == {
        each.name: each.value for each in table.WorkerStatus
    }


@pytest.mark.parametrize(
    ("status", "reason", "asked", "actor"),
    list(product(WorkerStatus, StatusReason, WorkerStatus, Actor)),
    ids=lambda value: value.name,
)
def test_a_status_changes_exactly_as_the_library_says(status, reason, asked, actor):
    organisation, standing = standing_at(status)
    until = START + HOUR if reason is StatusReason.PREVENTIVE_STOP else 0
    command = ChangeWorkerStatus(WORKER, asked, reason.value, until)
    principal = MANAGER if actor is Actor.MANAGER else ""
    version = organisation.state.workers[WORKER].facts.version
    try:
        after = change_status(standing, reason, actor, until_us=until or None)
    except TransitionRefused:
        assert organisation.refuses(command, WrongState, principal).details["state"] == status.name
        return
    if after.status != asked:
        assert organisation.refuses(command, InvalidCommand, principal).details["field"] == "status"
        return
    assert organisation.send(command, principal) == Done()
    assert organisation.last == WorkerStatusChanged(WORKER, asked, version + 1, reason.value, until)
    row = organisation.state.workers[WORKER]
    assert (row.facts.status, row.facts.version, row.rank) == (asked, version + 1, after.rank)


def test_a_pause_ends_by_itself_in_the_status_before_it():
    organisation, _ = standing_at(WorkerStatus.TRUSTED)
    organisation.send(
        ChangeWorkerStatus(WORKER, WorkerStatus.PAUSED, "preventive_stop", START + HOUR), principal=""
    )
    assert organisation.machine.next_due_us() == START + HOUR
    assert organisation.wait(HOUR - 1) == []
    version = organisation.state.workers[WORKER].facts.version
    assert organisation.wait(1) == [
        WorkerStatusChanged(WORKER, WorkerStatus.TRUSTED, version + 1, "pause_ended")
    ]
    assert organisation.state.workers[WORKER].facts.status is WorkerStatus.TRUSTED
    assert organisation.machine.next_due_us() is None


def test_a_prolonged_pause_ends_at_the_new_moment_in_the_first_status(organisation):
    organisation.send(ChangeWorkerStatus(WORKER, WorkerStatus.PAUSED, "paused_by_manager", START + HOUR))
    organisation.send(ChangeWorkerStatus(WORKER, WorkerStatus.PAUSED, "paused_by_manager", START + 2 * HOUR))
    assert organisation.wait(HOUR) == []
    assert [event.status for event in organisation.wait(HOUR)] == [WorkerStatus.NEW]


def test_a_pause_confirmed_without_an_end_does_not_end(organisation):
    organisation.send(ChangeWorkerStatus(WORKER, WorkerStatus.PAUSED, "preventive_stop", START + HOUR))
    organisation.send(ChangeWorkerStatus(WORKER, WorkerStatus.PAUSED, "paused_by_manager"))
    assert organisation.machine.next_due_us() is None
    assert organisation.wait(2 * HOUR) == []


def test_a_ban_during_a_pause_is_not_lifted_by_its_end(organisation):
    organisation.send(ChangeWorkerStatus(WORKER, WorkerStatus.PAUSED, "preventive_stop", START + HOUR))
    organisation.send(ChangeWorkerStatus(WORKER, WorkerStatus.BANNED, "misconduct"))
    assert organisation.wait(2 * HOUR) == []
    assert organisation.state.workers[WORKER].facts.status is WorkerStatus.BANNED


def test_facts_that_change_during_a_pause_leave_it_as_it_is(organisation):
    organisation.send(ChangeWorkerStatus(WORKER, WorkerStatus.PAUSED, "preventive_stop", START + HOUR))
    organisation.send(UpsertWorker(WORKER, PERSON, EXTERNAL, vendor=VENDOR, pool=POOL, capacity=1))
    facts = organisation.state.workers[WORKER].facts
    assert (facts.status, facts.capacity, facts.version) == (WorkerStatus.PAUSED, 1, 3)
    assert [event.status for event in organisation.wait(HOUR)] == [WorkerStatus.NEW]


def test_a_pause_survives_saving(organisation):
    organisation.send(ChangeWorkerStatus(WORKER, WorkerStatus.PAUSED, "preventive_stop", START + HOUR))
    organisation.machine.unpack(organisation.machine.pack())
    assert [event.status for event in organisation.wait(HOUR)] == [WorkerStatus.NEW]


def test_an_erased_person_waits_for_no_pause_to_end(organisation):
    organisation.send(ChangeWorkerStatus(WORKER, WorkerStatus.PAUSED, "preventive_stop", START + HOUR))
    organisation.send(ErasePerson(PERSON, "asked for it"))
    assert organisation.machine.next_due_us() is None
    assert organisation.wait(2 * HOUR) == []
    command = ChangeWorkerStatus(WORKER, WorkerStatus.NEW, "pause_ended")
    assert organisation.refuses(command, WrongState).details["state"] == "erased"


def test_many_pauses_end_in_bounded_steps_earliest_first(organisation):
    workers = [derive(ENTROPY, 100 + number) for number in range(MOST_ENDED + 5)]
    for number, worker in enumerate(workers):
        organisation.send(UpsertWorker(worker, derive(ENTROPY, 10_000 + number), NO_ID))
        command = ChangeWorkerStatus(worker, WorkerStatus.PAUSED, "preventive_stop", START + HOUR + number)
        organisation.send(command)
    first = organisation.wait(2 * HOUR)
    assert [event.worker for event in first] == workers[:MOST_ENDED]
    assert [event.worker for event in organisation.wait(0)] == workers[MOST_ENDED:]
    assert organisation.machine.next_due_us() is None


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (ChangeWorkerStatus(UNKNOWN, WorkerStatus.PAUSED, "paused_by_manager"), NotFound),
        (ChangeWorkerStatus(NO_ID, WorkerStatus.PAUSED, "paused_by_manager"), InvalidCommand),
        (ChangeWorkerStatus(WORKER, WorkerStatus.PAUSED, "just because"), InvalidCommand),
        (ChangeWorkerStatus(WORKER, WorkerStatus.PAUSED, "paused_by_manager", START), InvalidCommand),
        (ChangeWorkerStatus(WORKER, WorkerStatus.PAUSED, "preventive_stop"), WrongState),
        (ChangeWorkerStatus(WORKER, WorkerStatus.BANNED, "misconduct", START + HOUR), WrongState),
    ],
)
def test_a_change_that_cannot_be_right_is_refused(organisation, command, error):
    organisation.refuses(command, error)


def test_a_replay_ends_no_pause_by_itself(organisation):
    organisation.send(ChangeWorkerStatus(WORKER, WorkerStatus.PAUSED, "preventive_stop", START + HOUR))
    organisation.wait(HOUR)
    replayed = folded(organisation.log)
    assert replayed.digest() == organisation.machine.digest()
    assert replayed.next_due_us() is None
