"""What the checker says of an organisation's stream."""

from typing import Any

import pytest
from tests.unit.checker.story import (
    ITEM,
    ORGANISATION,
    PRICE,
    Story,
    broken,
    facts,
    last,
    opened,
    person,
    piece,
    rules,
    submitted,
    worker,
)

EXTERNAL = b"e" * 16
VENDOR, POOL, PROJECT, TOKEN = (letter * 16 for letter in (b"v", b"p", b"j", b"t"))


def upserted(number: int, version: int = 1, external: bytes | None = None) -> list[Any]:
    return [104, facts(number, version=version)[1], external or bytes([number]) * 16]


def issued(token: bytes, parent: bytes = bytes(16)) -> list[Any]:
    return [107, token, b"s" * 32, "front-end", ["work"], 0, bytes(16), bytes(16), bytes(16), parent]


def balance(version: int) -> list[Any]:
    return [109, PROJECT, worker(1), version, 50_000, "USD"]


def story(*events: list[Any]) -> Story:
    """Tell of an organisation with a vendor, a pool, a project, two workers, a token and a balance."""
    begun = Story().tell(
        [100, "default"],
        [102, VENDOR, "vendor"],
        [103, POOL, VENDOR, "pool"],
        [101, PROJECT, "faces", 0, 0],
        upserted(1),
        upserted(2),
        [105, worker(1), 2, 2, "did well", 0],
        issued(TOKEN),
        issued(b"u" * 16, TOKEN),
        balance(1),
        [106, person(2), [worker(2)], "asked"],
        stream=ORGANISATION,
    )
    return begun.tell(*events, stream=ORGANISATION) if events else begun


def test_an_organisation_that_changes_in_order_is_clean() -> None:
    assert (
        broken(
            story(
                upserted(1, version=3), [108, TOKEN, "leaked"], balance(2), [103, b"q" * 16, bytes(16), "own"]
            )
        )
        == []
    )


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        ([101, PROJECT, "other", 0, 0], "exists-twice"),
        ([101, b"k" * 16, "faces", 0, 0], "exists-twice"),
        ([102, VENDOR, "again"], "exists-twice"),
        ([103, POOL, VENDOR, "again"], "exists-twice"),
        ([103, b"q" * 16, b"?" * 16, "of nobody"], "unknown-thing"),
        (upserted(1, version=2), "fact-version"),
        (upserted(3, external=bytes([1]) * 16), "exists-twice"),
        ([105, worker(1), 4, 2, "late", 0], "fact-version"),
        ([106, person(1), [worker(9)], "asked"], "unknown-thing"),
        (issued(TOKEN), "exists-twice"),
        (issued(b"w" * 16, b"?" * 16), "token"),
        ([108, b"?" * 16, "leaked"], "unknown-thing"),
        (balance(1), "fact-version"),
    ],
)
def test_what_does_not_follow_in_an_organisation_is_reported(event: list[Any], rule: str) -> None:
    assert [(one[0], one[1]) for one in broken(story(event))] == [(rule, 2)]


def told(*events: list[Any]) -> Story:
    """Tell of an organisation and of one of its projects, in which worker 1 is known."""
    begun = story([105, worker(1), 4, 3, "tired", 0]).tell([1, PROJECT, "faces"], [2, rules()])
    return begun.tell(*events)


def test_a_project_takes_over_what_its_organisation_says_of_a_worker() -> None:
    assert broken(told(facts(1, version=2, status=2), facts(1, version=3, status=4))) == []


@pytest.mark.parametrize(
    "invented",
    [
        facts(1, version=4, status=4),
        facts(1, version=3, status=2),
        facts(1, version=3, status=4, capacity=9),
        facts(1, of=2, version=3, status=4),
    ],
)
def test_facts_that_an_organisation_never_held_are_reported(invented: list[Any]) -> None:
    assert broken(told(invented)) == [("facts-invented", 4, "WorkerFactApplied")]


def earned() -> Story:
    begun = told(facts(2), [6, ITEM, bytes(16), b"digest"], opened()).grant(1, 2, after=1)
    return begun.tell(submitted(1), piece(1, 2))


def noted(micros: int = PRICE, currency: str = "USD", project: bytes = PROJECT) -> list[Any]:
    return [109, project, worker(2), 1, micros, currency]


def test_an_organisation_that_knows_what_its_projects_owe_is_clean() -> None:
    assert broken(earned().tell(noted(), stream=ORGANISATION), quiescent=True) == []


@pytest.mark.parametrize(
    "wrong", [[], [noted(PRICE - 1)], [noted(currency="EUR")], [noted(project=b"k" * 16)]]
)
def test_a_balance_that_the_organisation_knows_otherwise_is_reported_in_the_end(wrong: list[Any]) -> None:
    ending = earned()
    if wrong:
        ending.tell(*wrong, stream=ORGANISATION)
    assert broken(ending) == []
    assert broken(ending, quiescent=True) == [("balance", last(ending), "")]


def test_a_change_of_a_workers_standing_before_the_worker_is_known_is_reported() -> None:
    assert [one[0] for one in broken(story([105, worker(9), 4, 1, "who?", 0]))] == ["unknown-thing"]


def test_a_session_minted_by_a_revoked_token_is_reported() -> None:
    assert [one[0] for one in broken(story([108, TOKEN, "leaked"], issued(b"w" * 16, TOKEN)))] == ["token"]
