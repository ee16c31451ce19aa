"""Each promise has a defect that breaks it, and the simulation sees every one of them.

What a defect must be caught by stands beside it: a rule of the history checker in brackets, or the sentence
of the comparison that fails.
"""

import pytest
from tests.simulation import bugs
from tests.simulation.looped import LoopedWorld
from tests.simulation.served import SimulationFailure
from tests.simulation.world import World

from crowdroute.router.errors import LogCorrupt

SEEDS = range(1, 7)
"""Worlds that are tried until one shows the defect."""
OPERATIONS = 4_000

CAUGHT_BY = [
    (bugs.lets_anybody_append, "a process that lost the log made a batch durable"),
    (bugs.frees_a_slot_twice, r"\[slots\]"),
    (bugs.forgets_who_is_behind_a_worker, r"\[never-twice\]"),
    (bugs.expires_leases_early, r"\[expired-early\]"),
    (bugs.works_on_while_paused, r"\[paused\]"),
    (bugs.overlooks_bans_and_pauses, r"\[eligibility\]"),
    (bugs.plans_fewer_slots, r"\[planned-falls\]"),
    (bugs.counts_every_late_answer, r"\[(slots|counted-when-closed)\]"),
    (bugs.leaves_discounted_answers_counted, r"\[discount-unfinished\]"),
    (bugs.uses_a_revision_again, r"\[revision\]"),
    (bugs.answers_a_retry_otherwise, "and when asked again"),
    (bugs.ignores_idempotency_keys, r"\[key-twice\]"),
    (bugs.posts_no_pay, r"\[pay\]"),
    (bugs.keeps_the_pay_of_a_withdrawn_answer, r"\[pay\]"),
    (bugs.tells_the_organisation_no_balances, r"\[balance\]"),
    (bugs.loses_the_replies_on_a_restart, "is not what its entries fold to|two folds of one log differ"),
    (bugs.loses_the_severed_on_a_restart, "is not what its entries fold to|two folds of one log differ"),
    (bugs.changes_state_without_an_event, "the live state is not what"),
    (bugs.miscounts_answers, "InvariantBroken: wrk_"),
    (bugs.folds_by_chance, "the live state is not what|two folds of one log differ"),
]


def live_through_worlds() -> None:
    for seed in SEEDS:
        World(seed).run(OPERATIONS)


async def live_through_looped_worlds() -> set[str]:
    return {rule for seed in SEEDS for rule in (await LoopedWorld(seed).run()).rules()}


@pytest.mark.parametrize(("plant", "caught_by"), CAUGHT_BY, ids=lambda value: getattr(value, "__name__", ""))
def test_the_simulation_catches_an_engine_that(
    plant: bugs.Plant, caught_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(SimulationFailure, match=caught_by):
        live_through_worlds()


async def test_the_journals_catch_a_loop_that_replies_before_the_commit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bugs.replies_before_the_commit(monkeypatch)
    assert await live_through_looped_worlds() & {"answer-lost", "grant-lost", "command-lost"}


async def test_a_restart_catches_a_loop_that_links_no_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    bugs.links_no_chain(monkeypatch)
    with pytest.raises(LogCorrupt, match="chain"):
        await live_through_looped_worlds()
