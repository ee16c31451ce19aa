"""What one stream decided reaches others of the shard, in the same batch."""

from __future__ import annotations

import pytest
from tests.support.desk import Desk, make_rules
from tests.support.engine import HOUR, MINUTE, ORGANISATION, TENANT

from crowdroute.router.commands.organisation import ChangeWorkerStatus, ErasePerson, UpsertWorker
from crowdroute.router.commands.project import ApplyWorkerFact, CreateProject, RequestNext
from crowdroute.router.errors import InvalidCommand, NotEligible, NotFound, Refusal, WrongState
from crowdroute.router.events.organisation import BalanceNoted, PersonErased, ProjectRegistered
from crowdroute.router.events.project import ItemAdded, PersonSevered, ProjectCreated, WorkerFactApplied
from crowdroute.router.machine.stream import project_stream
from crowdroute.router.model.facts import SkillFact, WorkerFacts
from crowdroute.router.model.ids import NO_ID
from crowdroute.router.model.rules import Overlap
from crowdroute.router.model.states import WorkerStatus
from crowdroute.workers.status import StatusReason


def test_a_project_is_registered_and_created_in_one_go_or_not_at_all() -> None:
    desk = Desk()
    other = desk.new_id()
    desk.send_to(project_stream(TENANT, other), CreateProject(other, "cats", make_rules()))
    assert [type(event) for entry in desk.entries[-2:] for event in entry.events][:2] == [
        ProjectRegistered,
        ProjectCreated,
    ]
    third = desk.new_id()
    stream = project_stream(TENANT, third)
    desk.refusal_from(stream, CreateProject(third, "cats", make_rules()), Refusal)
    desk.refusal_from(stream, CreateProject(third, "dogs", make_rules(overlap=Overlap(3, 1))), InvalidCommand)
    assert stream not in desk.shard.streams()


def test_a_workers_facts_come_before_the_first_grant_and_no_second_time() -> None:
    desk = Desk()
    desk.task()
    desk.task()
    ann = desk.worker()
    assert not desk.events(WorkerFactApplied)
    desk.take(ann)
    desk.take(ann)
    assert len(desk.events(WorkerFactApplied)) == 1


def test_a_change_of_a_worker_reaches_the_projects_that_know_them_in_the_same_batch() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    desk.take(ann)
    batches = len(desk.batches)
    desk.send_to(ORGANISATION, UpsertWorker(ann, NO_ID, NO_ID, skills=(SkillFact("german", 0.5),)))
    assert len(desk.batches) == batches + 1
    assert desk.events(WorkerFactApplied)[-1].facts.skills == (SkillFact("german", 0.5),)


def test_a_paused_worker_is_refused_until_the_pause_ends_by_itself() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    reason = StatusReason.PAUSED_BY_MANAGER.value
    desk.send_to(ORGANISATION, ChangeWorkerStatus(ann, WorkerStatus.PAUSED, reason, desk.now_us + HOUR))
    with pytest.raises(NotEligible):
        desk.send(RequestNext(ann))
    desk.wait(2 * HOUR)
    desk.take(ann)


def test_an_erased_person_is_severed_everywhere_and_given_nothing_more() -> None:
    desk = Desk()
    desk.task()
    desk.task()
    ann = desk.worker()
    desk.take(ann)
    person = desk.shard.organisation(TENANT).state.workers[ann].facts.person
    desk.send_to(ORGANISATION, ErasePerson(person, "asked for"))
    assert desk.events(PersonErased)
    assert desk.events(PersonSevered)
    desk.refuses(RequestNext(ann), NotEligible)


def test_whoever_was_only_named_in_a_list_and_erased_has_nobody_else_severed() -> None:
    desk = Desk()
    ann, ben = desk.workers(2)
    desk.task(deny=(ben,))
    desk.task()
    desk.take(ann)
    person = desk.shard.organisation(TENANT).state.workers[ben].facts.person
    desk.send_to(ORGANISATION, ErasePerson(person, "asked for"))
    desk.refuses(RequestNext(ben), NotFound)
    assert not desk.events(PersonSevered)
    desk.take(ann)


def test_the_organisation_learns_what_a_project_owes_within_a_minute_or_so() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    desk.answer(ann)
    assert not desk.events(BalanceNoted)
    desk.wait(2 * MINUTE)
    (noted,) = desk.events(BalanceNoted)
    assert (noted.worker, noted.micros, noted.version) == (ann, 20_000, 1)


def test_a_balance_that_was_not_told_before_a_restart_is_told_after_it() -> None:
    desk = Desk()
    desk.task()
    desk.answer(desk.worker())
    for shard in (desk.folded(), desk.unpacked()):
        entries = shard.due(desk.now_us + 2 * MINUTE)
        assert [type(event) for entry in entries for event in entry.events] == [BalanceNoted]


def test_a_project_begins_only_in_the_stream_that_bears_its_id() -> None:
    desk = Desk()
    project = desk.new_id()
    for stream in (project_stream(TENANT, desk.new_id()), ORGANISATION, "elsewhere"):
        desk.refusal_from(stream, CreateProject(project, "cats", make_rules()), InvalidCommand)
    assert project not in desk.shard.organisation(TENANT).state.projects


def test_a_project_needs_its_organisation() -> None:
    desk = Desk()
    project = desk.new_id()
    stream = project_stream("nobody", project)
    desk.refusal_from(stream, CreateProject(project, "cats", make_rules()), NotFound)
    assert stream not in desk.shard.streams()


def test_what_the_organisation_logged_stands_when_a_project_knows_better() -> None:
    desk = Desk()
    worker = desk.new_id()
    desk.send(ApplyWorkerFact(WorkerFacts(worker, desk.new_id(), 1)))
    desk.send_to(ORGANISATION, UpsertWorker(worker, desk.new_id(), NO_ID))
    desk.send_to(ORGANISATION, UpsertWorker(worker, NO_ID, NO_ID, languages=("de",)))
    assert worker in desk.shard.organisation(TENANT).state.workers
    assert len(desk.events(WorkerFactApplied)) == 1
    desk.refuses(RequestNext(worker), WrongState)
    assert desk.folded().digest() == desk.shard.digest()


def test_facts_brought_for_a_request_that_is_refused_lead_the_next_entries() -> None:
    desk = Desk()
    ann = desk.worker()
    desk.ban(ann)
    with pytest.raises(NotEligible):
        desk.send(RequestNext(ann))
    assert not desk.events(WorkerFactApplied)
    assert desk.shard.next_due_us() == 0
    desk.task()
    assert [type(entry.events[0]) for entry in desk.entries[-2:]] == [WorkerFactApplied, ItemAdded]
    assert desk.folded().digest() == desk.shard.digest()


def test_a_worker_who_earns_more_is_told_of_again_and_the_total_is_the_newest() -> None:
    desk = Desk()
    desk.task()
    desk.task()
    ann = desk.worker()
    desk.answer(ann)
    desk.wait(2 * MINUTE)
    desk.answer(ann)
    desk.wait(MINUTE - 1)
    assert len(desk.events(BalanceNoted)) == 1
    desk.wait(1)
    assert [(noted.micros, noted.version) for noted in desk.events(BalanceNoted)] == [
        (20_000, 1),
        (40_000, 2),
    ]
