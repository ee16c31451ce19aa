"""Every kind of event is told in words, or left out on purpose."""

from __future__ import annotations

import enum
from typing import Any, get_type_hints

import pytest

from crowdroute.router.events import EVENTS
from crowdroute.router.events import project as facts
from crowdroute.router.events.base import Fact
from crowdroute.router.model.facts import WorkerFacts
from crowdroute.router.model.rules import Field, Label, ProjectRules
from crowdroute.router.rpc.operations.news import KINDS, NEWS, UNTOLD, code_of
from crowdroute.router.rpc.scopes import Scope

ID = bytes(range(16))
SAMPLES: dict[object, Any] = {
    bytes: ID,
    str: "text",
    int: 3,
    float: 0.5,
    bool: True,
    ProjectRules: ProjectRules(version=3, fields=(Field("label", (Label("a"),)),)),
    WorkerFacts: WorkerFacts(ID, ID, 1),
}


def sample(kind: type[Fact]) -> Fact:
    """Make one event of a kind."""
    given = {}
    for name, hint in get_type_hints(kind).items():
        if name.startswith("__"):
            continue
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            given[name] = next(iter(hint))
        elif hint in SAMPLES:
            given[name] = SAMPLES[hint]
        else:
            given[name] = SAMPLES.get(getattr(hint, "__origin__", None), ())
    return kind(**given)


def test_every_kind_of_event_is_told_or_left_out_on_purpose() -> None:
    assert NEWS.keys() | UNTOLD == set(EVENTS)
    assert not NEWS.keys() & UNTOLD


def test_every_code_is_told_apart() -> None:
    assert len(KINDS) == len(NEWS)
    assert code_of(facts.TaskParked) == "TASK_PARKED"
    assert KINDS["ANSWER_SUBMITTED"] is facts.AnswerSubmitted


@pytest.mark.parametrize("kind", NEWS.keys(), ids=[kind.__name__ for kind in NEWS])
def test_an_event_is_told_in_a_sentence_with_details_that_are_texts(kind: type[Fact]) -> None:
    news, event = NEWS[kind], sample(kind)

    text = news.text(event)

    assert text[0].isupper() or text.startswith(("wrk_", "tok_", "3 answers"))
    assert text.endswith(".")
    assert "None" not in text
    assert all(isinstance(value, str) for value in news.details(event).values())
    assert news.scope in Scope


@pytest.mark.parametrize("kind", [facts.AnswerSubmitted, facts.AnswerAmended, facts.TaskOpened])
def test_what_was_answered_is_not_told(kind: type[Fact]) -> None:
    assert not {"answer", "gold", "comment"} & NEWS[kind].details(sample(kind)).keys()
