"""What projects say they owe."""

import pytest
from tests.unit.machine.organisation.driver import OTHER_PROJECT, PERSON, PROJECT, UNKNOWN, WORKER

from crowdroute.router.commands.organisation import ErasePerson, NoteBalance
from crowdroute.router.commands.replies import Done
from crowdroute.router.errors import InvalidCommand, NotFound
from crowdroute.router.events.organisation import BalanceNoted
from crowdroute.router.model.ids import NO_ID


def amounts(organisation):
    return [(row.project, row.micros, row.currency) for row in organisation.state.list_balances(WORKER)]


def test_the_highest_version_counts_whatever_the_order(organisation):
    assert organisation.send(NoteBalance(PROJECT, WORKER, 2, 70, "USD")) == Done()
    assert organisation.last == BalanceNoted(PROJECT, WORKER, 2, 70, "USD")
    organisation.changes_nothing(NoteBalance(PROJECT, WORKER, 2, 70, "USD"))
    organisation.changes_nothing(NoteBalance(PROJECT, WORKER, 1, 50, "USD"))
    organisation.send(NoteBalance(PROJECT, WORKER, 5, -10, "USD"))
    assert amounts(organisation) == [(PROJECT, -10, "USD")]


def test_each_project_and_currency_keeps_its_own_total(organisation):
    organisation.send(NoteBalance(OTHER_PROJECT, WORKER, 1, 1, "USD"))
    organisation.send(NoteBalance(PROJECT, WORKER, 1, 2, "USD"))
    organisation.send(NoteBalance(PROJECT, WORKER, 2, 3, "EUR"))
    organisation.changes_nothing(NoteBalance(PROJECT, WORKER, 1, 4, "GBP"))
    assert amounts(organisation) == [(PROJECT, 3, "EUR"), (PROJECT, 2, "USD"), (OTHER_PROJECT, 1, "USD")]


def test_an_erased_worker_is_still_owed(organisation):
    organisation.send(ErasePerson(PERSON, "asked for it"))
    organisation.send(NoteBalance(PROJECT, WORKER, 1, 5, "USD"))
    assert amounts(organisation) == [(PROJECT, 5, "USD")]


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (NoteBalance(UNKNOWN, WORKER, 1, 1, "USD"), NotFound),
        (NoteBalance(PROJECT, UNKNOWN, 1, 1, "USD"), NotFound),
        (NoteBalance(NO_ID, WORKER, 1, 1, "USD"), InvalidCommand),
        (NoteBalance(PROJECT, NO_ID, 1, 1, "USD"), InvalidCommand),
        (NoteBalance(PROJECT, WORKER, 0, 1, "USD"), InvalidCommand),
        (NoteBalance(PROJECT, WORKER, 1, 1 << 63, "USD"), InvalidCommand),
        (NoteBalance(PROJECT, WORKER, 1, 1, "usd"), InvalidCommand),
    ],
)
def test_what_cannot_be_right_is_refused(organisation, command, error):
    organisation.refuses(command, error)


def test_nobody_unknown_is_owed_anything(organisation):
    assert organisation.state.list_balances(UNKNOWN) == []
