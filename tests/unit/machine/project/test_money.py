"""Ledger entries: once per cause, in the batch of the cause; bonuses once per worker, rule and period."""

from __future__ import annotations

from tests.support.desk import YES, Desk
from tests.support.engine import DAY, HOUR

from crowdroute.router.events.project import BonusDecided, EntryPosted
from crowdroute.router.machine.project.money import entry_id
from crowdroute.router.model.rules import BonusBand, BonusPlan, GoldPlan, Prices
from crowdroute.router.model.states import Account, EntryKind, Mode

DAILY = BonusPlan("daily", (BonusBand(0.3, 500_000), BonusBand(0.9, 900_000)), 3, DAY, Mode.ENFORCE)


def gold_desk(plan: BonusPlan = DAILY, answers: int = 4) -> Desk:
    """A day in which one worker answered gold."""
    desk = Desk(gold=GoldPlan(1.0, 99), bonuses=(plan,))
    ann = desk.worker()
    for _ in range(answers):
        desk.gold(YES)
        desk.answer(ann, YES)
    return desk


def bonuses(desk: Desk) -> list[EntryPosted]:
    return [entry for entry in desk.events(EntryPosted) if entry.kind is EntryKind.BONUS]


def test_what_an_entry_is_for_gives_its_id() -> None:
    assert entry_id(b"piece", b"a") == entry_id(b"piece", b"a")
    assert entry_id(b"piece", b"a") != entry_id(b"piece", b"b")
    assert entry_id(b"a", b"bc") != entry_id(b"ab", b"c")


def test_an_unpaid_project_posts_nothing() -> None:
    desk = Desk(prices=Prices())
    desk.task()
    desk.answer(desk.worker())
    assert not desk.events(EntryPosted)


def test_a_lease_keeps_the_price_it_was_granted_at() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    desk.change_rules(prices=Prices(90_000, 0, 0))
    desk.submit(ann, lease)
    assert [entry.micros for entry in desk.events(EntryPosted)] == [20_000]


def test_a_bonus_is_posted_once_when_its_period_has_ended() -> None:
    desk = gold_desk()
    assert not desk.events(BonusDecided)
    desk.wait(DAY + HOUR)
    (decided,) = desk.events(BonusDecided)
    assert (decided.correct, decided.checked, decided.micros) == (4, 4, 500_000)
    (entry,) = bonuses(desk)
    assert (entry.debit, entry.credit, entry.micros) == (
        Account.BONUS_COST,
        Account.WORKER_PAYABLE,
        500_000,
    )
    desk.wait(3 * DAY)
    assert len(desk.events(BonusDecided)) == 1


def test_a_bonus_survives_a_restart_exactly_once() -> None:
    desk = gold_desk()
    for shard in (desk.folded(), desk.unpacked()):
        entries = []
        now_us = desk.now_us + DAY + HOUR
        while (due_us := shard.next_due_us()) is not None and due_us <= now_us:
            entries += shard.due(now_us)
        decided = [event for entry in entries for event in entry.events if isinstance(event, BonusDecided)]
        assert len(decided) == 1


def test_too_few_checked_answers_give_no_bonus_and_say_so() -> None:
    desk = gold_desk(answers=2)
    desk.wait(DAY + HOUR)
    (decided,) = desk.events(BonusDecided)
    assert (decided.checked, decided.least_checked, decided.micros) == (2, 3, 0)
    assert not bonuses(desk)


def test_a_recommended_bonus_is_decided_and_not_posted() -> None:
    desk = gold_desk(BonusPlan("daily", DAILY.bands, 3, DAY, Mode.RECOMMEND))
    desk.wait(DAY + HOUR)
    assert desk.events(BonusDecided)[0].micros == 500_000
    assert not bonuses(desk)
