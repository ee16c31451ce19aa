"""What projects say they owe."""

import pytest
from tests.unit.machine.organisation.driver import OTHER_PROJECT, PERSON, PROJECT, UNKNOWN, WORKER

from crowdroute.router.commands.organisation import ErasePerson, NoteBalance, NoteBalances
from crowdroute.router.commands.replies import Done, Noted
from crowdroute.router.errors import InvalidCommand, InvariantBroken, NotFound
from crowdroute.router.events.organisation import BalanceNoted
from crowdroute.router.machine.crossing import TOTALS_TOGETHER, heard
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


def test_several_totals_are_taken_over_as_each_would_be_alone(organisation):
    organisation.send(NoteBalance(PROJECT, WORKER, 3, 30, "USD"))
    totals = (
        NoteBalance(PROJECT, WORKER, 2, 20, "USD"),
        NoteBalance(OTHER_PROJECT, WORKER, 1, 1, "USD"),
        NoteBalance(PROJECT, WORKER, 5, 50, "USD"),
        NoteBalance(PROJECT, WORKER, 4, 40, "USD"),
    )
    before = len(organisation.log)
    assert organisation.send(NoteBalances(totals)) == Noted(())
    assert [event for event, _ in organisation.log[before:]] == [
        BalanceNoted(OTHER_PROJECT, WORKER, 1, 1, "USD"),
        BalanceNoted(PROJECT, WORKER, 5, 50, "USD"),
    ]
    assert organisation.changes_nothing(NoteBalances(totals)) == Noted(())


def test_what_is_told_of_somebody_unknown_is_left_out_and_said_so(organisation):
    known = NoteBalance(PROJECT, WORKER, 1, 5, "USD")
    totals = (
        NoteBalance(UNKNOWN, WORKER, 1, 1, "USD"),
        known,
        NoteBalance(PROJECT, UNKNOWN, 1, 1, "USD"),
    )
    reply = organisation.send(NoteBalances(totals))
    assert reply == Noted((0, 2))
    assert heard(totals, reply) == [known]
    assert amounts(organisation) == [(PROJECT, 5, "USD")]


@pytest.mark.parametrize(
    "totals",
    [
        (),
        (NoteBalance(PROJECT, WORKER, 1, 1, "USD"),) * (TOTALS_TOGETHER + 1),
        (NoteBalance(PROJECT, WORKER, 1, 1, "USD"), NoteBalance(PROJECT, WORKER, 0, 1, "USD")),
        (NoteBalance(PROJECT, WORKER, 1, 1, "USD"), NoteBalance(PROJECT, WORKER, 2, 1, "usd")),
    ],
)
def test_several_totals_of_which_one_cannot_be_right_are_refused_together(organisation, totals):
    organisation.refuses(NoteBalances(totals), InvalidCommand)


def test_as_many_totals_as_may_come_together_are_taken_over(organisation):
    totals = tuple(NoteBalance(PROJECT, WORKER, 1 + n, n, "USD") for n in range(TOTALS_TOGETHER))
    assert organisation.send(NoteBalances(totals)) == Noted(())
    assert amounts(organisation) == [(PROJECT, TOTALS_TOGETHER - 1, "USD")]


def test_totals_answered_with_something_else_are_a_defect():
    with pytest.raises(InvariantBroken, match="Done"):
        heard((NoteBalance(PROJECT, WORKER, 1, 1, "USD"),), Done())


def test_nobody_unknown_is_owed_anything(organisation):
    assert organisation.state.list_balances(UNKNOWN) == []
