"""What may stand in a document, and what is said about what may not."""

import pytest
from pydantic import ValidationError
from tests.unit.rules.documents import document_of, only_problem, problems_of

from crowdroute.router.policy.registry import POLICIES
from crowdroute.router.rules.document import Routing


def test_all_that_is_wrong_is_said_at_once_in_the_order_of_lines() -> None:
    text = """\
schema: crowdroute.rules/v1
labels: [1, dog, true, {id: cat, titel: Cat}]
overlap: {minimum: 3}
routing:
  polcy: fifo
  lease:
    duration: 10
    attempts: 1_000
    extensions:
quality:
  gold: {share: 5, first: 3.0}
  gold: {share: 6}
  review: {mode: enfroce, share: 12:30:45}
people:
  humans_only: yes
  languages: [de_AT]
money:
  crowd: 0.05
  bonuses: [{id: weekly, bands: []}]
"""
    found = [(problem.line, problem.column, problem.path) for problem in problems_of(text)]
    assert found == [
        (2, 10, "labels[0]"),
        (2, 18, "labels[2]"),
        (2, 34, "labels[3].titel"),
        (3, 1, "overlap"),
        (5, 3, "routing.polcy"),
        (7, 15, "routing.lease.duration"),
        (8, 15, "routing.lease.attempts"),
        (9, 5, "routing.lease.extensions"),
        (11, 17, "quality.gold.share"),
        (11, 27, "quality.gold.first"),
        (12, 3, "quality.gold"),
        (13, 18, "quality.review.mode"),
        (13, 34, "quality.review.share"),
        (15, 16, "people.humans_only"),
        (16, 15, "people.languages[0]"),
        (18, 10, "money.crowd"),
        (19, 13, "money.bonuses[0]"),
        (19, 26, "money.bonuses[0].bands"),
    ]


@pytest.mark.parametrize(
    ("rest", "path", "what", "advice"),
    [
        ("qualty: {}", "qualty", "there is no key 'qualty' here", "did you mean 'quality'?"),
        ("overlap: {}", "overlap", "there is no key 'overlap' here", "it belongs under quality"),
        ("xyz: 1", "xyz", "there is no key 'xyz' here", "the keys here are schema, extends, labels, fields,"),
        (
            "routing: {policy: fifoo}",
            "routing.policy",
            "the text 'fifoo' is not one of",
            "did you mean 'fifo'?",
        ),
        ("routing: {policy: 3}", "routing.policy", "the number 3 is not one of", "write one of them"),
        (
            "routing: {lease: {duration: 10}}",
            "routing.lease.duration",
            "the number 10 is not a duration",
            "write",
        ),
        (
            "routing: {lease: {duration: 10 m}}",
            "routing.lease.duration",
            "the text '10 m' is not a dur",
            "write",
        ),
        (
            "routing: {lease: {duration: 30m1h}}",
            "routing.lease.duration",
            "the text '30m1h' is not a",
            "write",
        ),
        (
            "routing: {lease: {duration: 1h1h}}",
            "routing.lease.duration",
            "the text '1h1h' is not a dur",
            "write",
        ),
        (
            'routing: {lease: {duration: ""}}',
            "routing.lease.duration",
            "the text '' is not a duration",
            "write",
        ),
        (
            "routing: {lease: {duration: 0.5s}}",
            "routing.lease.duration",
            "0.5s is not between 1s and",
            "check",
        ),
        (
            "routing: {lease: {duration: 367d}}",
            "routing.lease.duration",
            "367d is not between 1s and",
            "check",
        ),
        ("routing: {lease: {attempts: 0}}", "routing.lease.attempts", "0 is below 1", "write at least 1"),
        (
            "routing: {lease: {attempts: 10001}}",
            "routing.lease.attempts",
            "10001 is above 10000",
            "write at most",
        ),
        (
            "routing: {lease: {attempts: 1_000}}",
            "routing.lease.attempts",
            "the text '1_000' is",
            "write 1000",
        ),
        (
            "routing: {lease: {attempts: 2.0}}",
            "routing.lease.attempts",
            "the number 2.0 is not a whole",
            "write",
        ),
        (
            "routing: {lease: 5}",
            "routing.lease",
            "the number 5 is not a group of keys",
            "write its keys below",
        ),
        ("routing: {lease: []}", "routing.lease", "a list is not a group of keys", "write its keys below"),
        (
            "routing: {window: 0}",
            "routing.window",
            "0 is not between 1 and 1000000",
            "write a number of tasks",
        ),
        (
            "routing: {window: auto}",
            "routing.window",
            "the text 'auto' is not a window",
            "write a whole number",
        ),
        (
            "routing: {exploration: 2}",
            "routing.exploration",
            "the share 2 is not between 0 and 1",
            "write 2% or",
        ),
        (
            "routing: {exploration: 200}",
            "routing.exploration",
            "the share 200 is not between",
            "write a number",
        ),
        (
            "routing: {exploration: -0.1}",
            "routing.exploration",
            "the share -0.1 is not between",
            "write a number",
        ),
        (
            "routing: {exploration: true}",
            "routing.exploration",
            "true is not a share",
            "write a number from 0",
        ),
        ("routing: {exploration: 101%}", "routing.exploration", "the text '101%' is not a share", "write"),
        (
            "quality: {overlap: {minimum: 6}}",
            "quality.overlap",
            "the minimum 6 is above the maximum 5",
            "raise",
        ),
        (
            "quality: {stopping: {target: 0}}",
            "quality.stopping.target",
            "a target of 0 is reached by",
            "write one",
        ),
        (
            "people: {humans_only: yes}",
            "people.humans_only",
            "the text 'yes' is not true or false",
            "write true",
        ),
        ("people: {languages: de}", "people.languages", "the text 'de' is not a list", "write a dash"),
        ("people: {languages: [DE]}", "people.languages[0]", "'DE' is not a language tag", "write 'de'"),
        (
            "people: {languages: [german language]}",
            "people.languages[0]",
            "'german language' is not",
            "write one",
        ),
        ("people: {languages: [de, fr, de]}", "people.languages[2]", "'de' is named twice", "keep one"),
        ("people: {skills: [a]}", "people.skills", "a list is not a group of keys", "write its keys below"),
        (
            "people: {skills: {a: 7}}",
            "people.skills.a",
            "the share 7 is not between 0 and 1",
            "write 7% or 0.07",
        ),
        ("people: {skills: {' a': 1}}", "people.skills[' a']", "' a' cannot be a name", "write 1 to 128"),
        (
            "money: {crowd: 0.05}",
            "money.crowd",
            "the number 0.05 is not an amount of",
            "write it in quotes, so",
        ),
        (
            'money: {crowd: "0,05"}',
            "money.crowd",
            "the text '0,05' is not an amount of money",
            "write digits",
        ),
        (
            'money: {crowd: "0.0000001"}',
            "money.crowd",
            "the text '0.0000001' is not an amount",
            "write digits",
        ),
        ('money: {crowd: "-0.000001"}', "money.crowd", "-0.000001 is negative", "write what is paid"),
        ('money: {crowd: "1e2"}', "money.crowd", "the text '1e2' is not an amount", "write digits"),
        ("money: {crowd: []}", "money.crowd", "a list is not an amount of money", "write decimal digits"),
        ("money: {currency: usd}", "money.currency", "the text 'usd' is not a currency", "write its three"),
        ("guideline: 1.10", "guideline", "the number 1.10 is not text", 'put it in quotes: "1.10"'),
        ("guideline: [a]", "guideline", "a list is not text", "see docs/rules.md"),
        (
            'guideline: "a\\nb"',
            "guideline",
            "'a\\nb' is not one line of text",
            "write at most 500 characters",
        ),
        (
            "extends: standard",
            "extends",
            "the text 'standard' is not a template",
            "write its name and version",
        ),
    ],
)
def test_each_mistake_is_told_where_it_stands_with_what_to_do(
    rest: str, path: str, what: str, advice: str
) -> None:
    problem = only_problem(rest)
    assert (problem.line, problem.path) == (3, path)
    assert problem.what.startswith(what)
    assert problem.advice.startswith(advice)


@pytest.mark.parametrize(
    ("bands", "place", "what"),
    [
        ("[]", "", "a bonus without bands pays nothing"),
        ('[{from: 0, amount: "1"}]', "[0].from", "a band from 0 would reward anybody"),
        ('[{from: 0.8, amount: "0"}]', "[0]", "this band pays nothing"),
        ('[{from: 0.9, amount: "1"}, {from: 0.9, amount: "2"}]', "[1]", "this band does not begin above"),
        ('[{from: 0.8, amount: "2"}, {from: 0.9, amount: "1"}]', "[1]", "this band pays less than"),
        ("[{from: 0.8}]", "[0]", "the key 'amount' is missing"),
    ],
)
def test_bands_that_nobody_could_explain_are_refused(bands: str, place: str, what: str) -> None:
    problem = only_problem(f"money: {{bonuses: [{{id: b, least_checked: 1, bands: {bands}}}]}}")
    assert problem.path == f"money.bonuses[0].bands{place}"
    assert problem.what.startswith(what)


def test_bonuses_are_named_once() -> None:
    bonus = '{id: b, least_checked: 1, bands: [{from: 0.9, amount: "1"}]}'
    problem = only_problem(f"money: {{bonuses: [{bonus}, {bonus}]}}")
    assert (problem.path, problem.what) == ("money.bonuses[1]", "'b' is named twice")


def test_documents_do_not_change() -> None:
    document = document_of("")
    with pytest.raises(ValidationError, match="frozen"):
        document.guideline = "another"


def test_every_policy_may_be_named_and_no_other() -> None:
    for name in POLICIES:
        assert document_of(f"routing: {{policy: {name}}}").routing.policy == name
    annotation = Routing.model_fields["policy"].annotation
    assert set(getattr(annotation, "__args__", ())) == set(POLICIES)
