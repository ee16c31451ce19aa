"""Workers, and the persons behind them."""

import pytest
from tests.unit.machine.organisation.driver import (
    ENTROPY,
    EXTERNAL,
    MODEL,
    OTHER_EXTERNAL,
    OTHER_PERSON,
    OTHER_POOL,
    OTHER_VENDOR,
    OTHER_WORKER,
    OWN_POOL,
    PERSON,
    POOL,
    UNKNOWN,
    VENDOR,
    WORKER,
)

from crowdroute.router.commands.organisation import ErasePerson, UpsertWorker
from crowdroute.router.commands.replies import Created, Done
from crowdroute.router.errors import AlreadyExists, InvalidCommand, NotFound, WrongState
from crowdroute.router.events.organisation import PersonErased, WorkerUpserted
from crowdroute.router.model.facts import SkillFact, WorkerFacts
from crowdroute.router.model.ids import NO_ID, derive
from crowdroute.router.model.states import Stage, WorkerKind


def another(**fields: object) -> UpsertWorker:
    """A second worker, with the fields given put in."""
    given = {"worker": OTHER_WORKER, "person": OTHER_PERSON, "external": OTHER_EXTERNAL, **fields}
    return UpsertWorker(**given)


def test_a_new_worker_is_known_by_id_and_by_external_id(organisation):
    command = another(vendor=OTHER_VENDOR, pool=OTHER_POOL, languages=("pt-br", "de"), capacity=3)
    assert organisation.send(command) == Created(OTHER_WORKER, 1)
    facts = WorkerFacts(
        OTHER_WORKER,
        OTHER_PERSON,
        1,
        vendor=OTHER_VENDOR,
        pool=OTHER_POOL,
        languages=("de", "pt-br"),
        capacity=3,
    )
    assert organisation.last == WorkerUpserted(facts, OTHER_EXTERNAL)
    assert organisation.state.workers[OTHER_WORKER].facts == facts
    assert organisation.state.find_worker(OTHER_EXTERNAL) is organisation.state.workers[OTHER_WORKER]
    assert organisation.state.find_worker(UNKNOWN) is None


def test_the_same_external_id_leads_to_the_same_worker_whatever_id_is_proposed(organisation):
    reply = organisation.send(UpsertWorker(UNKNOWN, NO_ID, EXTERNAL, vendor=VENDOR, pool=POOL, capacity=7))
    assert reply == Created(WORKER, 2)
    facts = organisation.state.workers[WORKER].facts
    assert (facts.worker, facts.person, facts.version, facts.capacity) == (WORKER, PERSON, 2, 7)
    assert UNKNOWN not in organisation.state.workers


def test_a_repetition_changes_nothing_and_tells_the_version(organisation):
    command = another(skills=(SkillFact("b", 1), SkillFact("a", 0.5, 4)), stages=(Stage.SENIOR, Stage.CROWD))
    organisation.send(command)
    reordered = another(
        skills=(SkillFact("a", 0.5, 4), SkillFact("b", 1.0)), stages=(Stage.CROWD, Stage.SENIOR)
    )
    assert organisation.changes_nothing(command) == Created(OTHER_WORKER, 1)
    assert organisation.changes_nothing(reordered) == Created(OTHER_WORKER, 1)


def test_a_worker_without_external_id_is_found_by_id(organisation):
    assert organisation.send(another(external=NO_ID)) == Created(OTHER_WORKER, 1)
    assert organisation.send(another(external=NO_ID, capacity=2)) == Created(OTHER_WORKER, 2)


def test_an_external_id_may_be_added_later_and_is_not_lost_when_left_out(organisation):
    organisation.send(another(external=NO_ID))
    assert organisation.send(another()) == Created(OTHER_WORKER, 2)
    assert organisation.changes_nothing(another(external=NO_ID)) == Created(OTHER_WORKER, 2)
    assert organisation.state.find_worker(OTHER_EXTERNAL) is organisation.state.workers[OTHER_WORKER]


def test_a_worker_keeps_one_external_id(organisation):
    organisation.refuses(UpsertWorker(WORKER, PERSON, OTHER_EXTERNAL), AlreadyExists)


def test_an_external_id_of_one_worker_is_refused_for_another(organisation):
    organisation.send(another())
    organisation.refuses(another(external=EXTERNAL), AlreadyExists)


@pytest.mark.parametrize("kind", WorkerKind)
def test_a_new_worker_without_a_person_becomes_a_new_person(organisation, kind):
    organisation.send(another(person=NO_ID, kind=kind))
    person = organisation.state.workers[OTHER_WORKER].facts.person
    assert person == derive(ENTROPY, 1)
    assert organisation.state.persons[person] == (OTHER_WORKER,)


def test_a_new_person_needs_entropy(organisation):
    with pytest.raises(InvalidCommand):
        organisation.send(another(person=NO_ID), entropy=NO_ID)


def test_one_person_may_work_for_two_vendors(organisation):
    organisation.send(another(person=PERSON, vendor=OTHER_VENDOR))
    assert organisation.state.persons[PERSON] == (WORKER, OTHER_WORKER)


def test_a_workers_person_never_changes(organisation):
    refusal = organisation.refuses(UpsertWorker(WORKER, OTHER_PERSON, EXTERNAL), WrongState)
    assert refusal.details["field"] == "person"


def test_a_human_does_not_become_a_model(organisation):
    command = UpsertWorker(WORKER, NO_ID, EXTERNAL, kind=WorkerKind.MODEL)
    assert organisation.refuses(command, WrongState).details["field"] == "kind"


@pytest.mark.parametrize(
    ("vendor", "pool", "error"),
    [
        (UNKNOWN, NO_ID, NotFound),
        (VENDOR, UNKNOWN, NotFound),
        (VENDOR, OTHER_POOL, WrongState),
        (NO_ID, POOL, WrongState),
        (VENDOR, OWN_POOL, WrongState),
    ],
)
def test_a_pool_must_exist_and_belong_to_the_workers_vendor(organisation, vendor, pool, error):
    organisation.refuses(another(vendor=vendor, pool=pool), error)


def test_a_pool_of_the_tenant_itself_goes_without_a_vendor(organisation):
    organisation.send(another(pool=OWN_POOL))


@pytest.mark.parametrize("field", ["worker", "person", "external"])
def test_an_id_that_is_none_is_named(organisation, field):
    assert organisation.refuses(another(**{field: b"short"}), InvalidCommand).details["field"] == field


@pytest.mark.parametrize(
    "fields",
    [
        {"worker": NO_ID},
        {"capacity": -1},
        {"stages": ()},
        {"skills": (SkillFact("a", 1.5),)},
        {"skills": (SkillFact("a", float("nan")),)},
        {"skills": (SkillFact("a", 0.5, -1),)},
        {"skills": (SkillFact("", 0.5),)},
        {"skills": (SkillFact("a", 0.5), SkillFact("a", 0.7))},
        {"languages": ("German",)},
    ],
)
def test_facts_that_cannot_be_right_are_refused(organisation, fields):
    organisation.refuses(another(**fields), InvalidCommand)


def test_stages_and_languages_given_twice_count_once(organisation):
    organisation.send(another(stages=(Stage.CROWD, Stage.CROWD), languages=("de", "de")))
    facts = organisation.state.workers[OTHER_WORKER].facts
    assert (facts.stages, facts.languages) == ((Stage.CROWD,), ("de",))


def test_workers_are_listed_in_pages_by_id(organisation):
    organisation.send(another(vendor=OTHER_VENDOR, pool=OTHER_POOL))
    organisation.send(UpsertWorker(MODEL, NO_ID, NO_ID, kind=WorkerKind.MODEL))
    listed = organisation.state.list_workers
    first = listed(limit=2)
    assert [row.facts.worker for row in first] == [WORKER, OTHER_WORKER]
    assert [row.facts.worker for row in listed(after=OTHER_WORKER, limit=2)] == [MODEL]
    assert [row.facts.worker for row in listed(vendor=OTHER_VENDOR)] == [OTHER_WORKER]
    assert [row.facts.worker for row in listed(pool=POOL)] == [WORKER]
    assert listed(after=MODEL) == []


def test_an_erased_person_is_severed_from_every_worker(organisation):
    organisation.send(another(person=PERSON))
    assert organisation.send(ErasePerson(PERSON, "asked for it")) == Done()
    assert organisation.last == PersonErased(PERSON, (WORKER, OTHER_WORKER), "asked for it")
    for worker in (WORKER, OTHER_WORKER):
        row = organisation.state.workers[worker]
        assert row.erased
        assert (row.facts.person, row.external, row.facts.version) == (NO_ID, NO_ID, 2)
    assert organisation.state.find_worker(EXTERNAL) is None
    assert organisation.state.erased == {PERSON}


def test_an_erased_worker_never_changes_again(organisation):
    organisation.send(ErasePerson(PERSON, "asked for it"))
    command = UpsertWorker(WORKER, OTHER_PERSON, EXTERNAL)
    assert organisation.refuses(command, WrongState).details["state"] == "erased"


def test_the_same_external_id_may_register_anew_as_another_person(organisation):
    organisation.send(ErasePerson(PERSON, "asked for it"))
    assert organisation.send(UpsertWorker(OTHER_WORKER, NO_ID, EXTERNAL)) == Created(OTHER_WORKER, 1)
    assert organisation.state.find_worker(EXTERNAL) is organisation.state.workers[OTHER_WORKER]
    assert organisation.state.workers[OTHER_WORKER].facts.person not in (NO_ID, PERSON)


def test_an_erased_persons_id_is_never_used_again(organisation):
    organisation.send(ErasePerson(PERSON, "asked for it"))
    refusal = organisation.refuses(another(person=PERSON), WrongState)
    assert refusal.details == {"field": "person", "state": "erased"}


def test_an_erasure_may_be_repeated(organisation):
    organisation.send(ErasePerson(PERSON, "asked for it"))
    assert organisation.changes_nothing(ErasePerson(PERSON, "asked for it")) == Done()


def test_nobody_unknown_is_erased(organisation):
    organisation.refuses(ErasePerson(UNKNOWN, "asked for it"), NotFound)
    organisation.refuses(ErasePerson(PERSON, ""), InvalidCommand)
