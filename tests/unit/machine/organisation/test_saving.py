"""Saving, folding what does not belong, and what `check` finds."""

import msgspec
import pytest
from msgspec.structs import replace
from tests.unit.machine.organisation.driver import (
    EXTERNAL,
    HOUR,
    OTHER_PERSON,
    OTHER_WORKER,
    PERSON,
    POOL,
    PROJECT,
    SESSION,
    START,
    TOKEN,
    UNKNOWN,
    VENDOR,
    WORKER,
    a_session,
    a_token,
    begun,
)

from crowdroute.router.commands.organisation import (
    ChangeWorkerStatus,
    ErasePerson,
    NoteBalance,
    UpsertWorker,
)
from crowdroute.router.errors import InvariantBroken, LogCorrupt, SnapshotUnusable
from crowdroute.router.events.organisation import (
    PersonErased,
    TokenRevoked,
    WorkerStatusChanged,
)
from crowdroute.router.events.project import ProjectPaused
from crowdroute.router.machine.organisation import OrganisationMachine
from crowdroute.router.model.ids import NO_ID
from crowdroute.router.model.states import WorkerStatus

GONE_WORKER, GONE_PERSON = b"g" * 16, b"h" * 16


@pytest.fixture
def full():
    """An organisation with a row of every kind."""
    organisation = begun()
    organisation.send(a_token())
    organisation.send(a_session())
    organisation.send(NoteBalance(PROJECT, WORKER, 1, 5, "USD"))
    organisation.send(UpsertWorker(GONE_WORKER, GONE_PERSON, NO_ID))
    organisation.send(ErasePerson(GONE_PERSON, "asked for it"))
    return organisation


def test_a_saved_state_is_taken_over_whole(full):
    restored = OrganisationMachine()
    restored.unpack({name: memoryview(section) for name, section in full.machine.pack().items()})
    restored.check()
    assert restored.digest() == full.machine.digest()
    assert restored.pack() == full.machine.pack()
    assert restored.state.erased == {GONE_PERSON}
    assert restored.state.find_token(SESSION, START).worker == WORKER


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"organisation": b""},
        {"organisation": b"\xc1"},
        {"organisation": msgspec.msgpack.encode((2, []))},
        {"organisation": msgspec.msgpack.encode((1, ["acme"]))},
        {"organisation": msgspec.msgpack.encode(("one", []))},
    ],
)
def test_a_section_that_cannot_be_read_is_refused_and_changes_nothing(full, sections):
    before = full.machine.digest()
    with pytest.raises(SnapshotUnusable):
        full.machine.unpack(sections)
    assert full.machine.digest() == before


def test_every_cut_of_a_section_is_refused(full):
    section = full.machine.pack()["organisation"]
    for length in range(len(section)):
        with pytest.raises(SnapshotUnusable):
            OrganisationMachine().unpack({"organisation": section[:length]})


def test_a_projects_event_does_not_belong_here(full):
    with pytest.raises(LogCorrupt):
        full.machine.apply(ProjectPaused("lunch"), START)


@pytest.mark.parametrize(
    "event",
    [
        WorkerStatusChanged(UNKNOWN, WorkerStatus.PAUSED, 2, "paused_by_manager"),
        PersonErased(PERSON, (UNKNOWN,), "asked for it"),
        TokenRevoked(UNKNOWN, "leaked"),
    ],
)
def test_an_event_about_nothing_known_is_a_defect(full, event):
    with pytest.raises(InvariantBroken):
        full.machine.apply(event, START)


def change(table, identity, **fields):
    """Give a damage: the row's own fields replaced behind the indexes' back."""

    def damage(state):
        rows = getattr(state, table)
        rows[identity] = replace(rows[identity], **fields)

    return damage


def change_facts(table, identity, **fields):
    """Give a damage: fields of the row's facts replaced behind the indexes' back."""

    def damage(state):
        rows = getattr(state, table)
        rows[identity] = replace(rows[identity], facts=replace(rows[identity].facts, **fields))

    return damage


DAMAGES = {
    "rows without a tenant": lambda state: setattr(state, "tenant", ""),
    "a name that leads nowhere": lambda state: state.project_names.update(wasps=PROJECT),
    "two vendors of one name": lambda state: state.vendors.update(
        {UNKNOWN: replace(state.vendors[VENDOR], vendor=UNKNOWN)}
    ),
    "a lost external id": lambda state: state.externals.pop(EXTERNAL),
    "a person's worker too many": lambda state: state.persons.update({PERSON: (WORKER, UNKNOWN)}),
    "a listed worker too many": lambda state: state.worker_order.append(UNKNOWN),
    "a lost end of a pause": lambda state: state.pauses.rebuild([]),
    "a lost end of a session": lambda state: state.sessions.rebuild([]),
    "a person erased and known": lambda state: state.erased.add(PERSON),
    "a pool of an unknown vendor": change("pools", POOL, vendor=UNKNOWN),
    "a worker of an unknown vendor": change_facts("workers", WORKER, vendor=UNKNOWN, pool=NO_ID),
    "a worker in a foreign pool": change_facts("workers", WORKER, vendor=NO_ID),
    "a worker under another id": change_facts("workers", WORKER, worker=UNKNOWN),
    "a worker of no version": change_facts("workers", WORKER, version=0),
    "a worker of two statuses": change("workers", WORKER, rank=WorkerStatus.TRUSTED),
    "a pause that gives back a ban": change("workers", WORKER, rank=WorkerStatus.BANNED),
    "an erased worker of a person": change("workers", WORKER, erased=True),
    "a worker of no person": lambda state: state.put_worker(
        replace(state.workers[WORKER], facts=replace(state.workers[WORKER].facts, person=NO_ID))
    ),
    "a balance of an unknown worker": lambda state: state.balances.update(
        {UNKNOWN: state.balances.pop(WORKER)}
    ),
    "a balance by an unknown project": lambda state: state.put_balance(
        replace(state.list_balances(WORKER)[0], project=UNKNOWN)
    ),
    "a token that grants nothing": change_facts("tokens", TOKEN, scopes=()),
    "a token under another id": change_facts("tokens", TOKEN, token=UNKNOWN),
    "a session of an unknown worker": change_facts("tokens", SESSION, worker=UNKNOWN),
    "a session of no parent": lambda state: state.tokens.pop(TOKEN),
    "a session beyond its parent's end": change_facts("tokens", TOKEN, expires_us=START + 1),
    "a session beyond its parent's vendor": change_facts("tokens", TOKEN, vendor=VENDOR),
    "a session beyond its parent's pool": change_facts("tokens", TOKEN, pool=POOL),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_check_finds_what_is_broken(full, damage):
    full.send(UpsertWorker(OTHER_WORKER, OTHER_PERSON, NO_ID))
    full.send(ChangeWorkerStatus(OTHER_WORKER, WorkerStatus.PAUSED, "preventive_stop", START + HOUR))
    damage(full.state)
    with pytest.raises(InvariantBroken):
        full.machine.check()
