"""What may stand in a document, and what is said about what may not."""

import pickle

import pytest
from pydantic import ValidationError

from crowdroute.router.errors import Category, Refusal
from crowdroute.router.model.rules import MICROSECONDS
from crowdroute.router.policy.registry import POLICIES
from crowdroute.router.rules.compile import compile_rules
from crowdroute.router.rules.document import Document, Routing
from crowdroute.router.rules.errors import SHOWN, Problem, RulesError
from crowdroute.router.rules.reading import read_document

HEAD = "schema: crowdroute.rules/v1\nlabels: [cat, dog]\n"


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(RulesError) as caught:
        compile_rules(text, 1)
    return caught.value.problems


def only_problem(rest: str) -> Problem:
    problems = problems_of(HEAD + rest)
    assert len(problems) == 1, problems
    return problems[0]


def document_of(rest: str) -> Document:
    reading = read_document(HEAD + rest)
    assert reading.problems == ()
    return reading.document


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
    ("labels", "column", "path", "what"),
    [
        ("[a, a]", 13, "labels[1]", "'a' is named twice"),
        ("[a]", 1, "labels", "there is nothing to choose from"),
        ("[]", 1, "labels", "there is nothing to choose from"),
        ("[a, {id: b, removed: true}]", 1, "labels", "there is nothing to choose from"),
        ("[a, ' b']", 13, "labels[1]", "' b' cannot be a name"),
        ("[a, {title: B}]", 13, "labels[1]", "the key 'id' is missing"),
        ("[a, [b]]", 13, "labels[1]", "a list is not a label"),
        ("{a: b}", 1, "labels", "a group of keys is not a list"),
        ("cat", 9, "labels", "the text 'cat' is not a list"),
        (f"[{', '.join(f'l{n}' for n in range(513))}]", 1, "labels", "513 labels"),
    ],
)
def test_labels_that_nobody_could_use_are_refused(labels: str, column: int, path: str, what: str) -> None:
    (problem,) = problems_of(f"schema: crowdroute.rules/v1\nlabels: {labels}")
    assert (problem.line, problem.column, problem.path) == (2, column, path)
    assert problem.what.startswith(what)


def test_fields_are_named_once() -> None:
    text = "schema: crowdroute.rules/v1\nfields:\n  - {id: f, labels: [a, b]}\n  - {id: f, labels: [c, d]}\n"
    (problem,) = problems_of(text)
    assert (problem.line, problem.path, problem.what) == (4, "fields[1]", "'f' is named twice")


def test_a_project_has_few_enough_fields_to_answer() -> None:
    fields = "\n".join(f"  - {{id: f{n}, labels: [a, b]}}" for n in range(33))
    (problem,) = problems_of(f"schema: crowdroute.rules/v1\nfields:\n{fields}")
    assert problem.what == "33 fields"


def test_labels_and_fields_exclude_each_other() -> None:
    problem = only_problem("fields: [{id: f, labels: [a, b]}]")
    assert (problem.path, problem.what) == ("fields", "labels and fields are both given")


def test_a_document_without_labels_is_refused() -> None:
    (problem,) = problems_of("schema: crowdroute.rules/v1\n")
    assert problem.what == "there are no labels"


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


@pytest.mark.parametrize(
    ("text", "what", "advice"),
    [
        (
            "labels: [a, b]",
            "the key 'schema' is missing",
            "begin the document with: schema: crowdroute.rules/v1",
        ),
        (
            "schema: crowdroute.rules/v2\nsections: []",
            "'crowdroute.rules/v2' is not a schema of rules",
            "write",
        ),
        ("schema: 1", "'1' is not a schema of rules", "write crowdroute.rules/v1"),
        ("schema:", "there is no value", "write one"),
        ("- a", "rules are a group of keys", "begin the document with: schema"),
        ("rules", "rules are a group of keys", "begin the document with: schema"),
        ("", "the document is empty", "begin it with: schema"),
    ],
)
def test_what_is_no_rules_document_is_told_that_and_no_more(text: str, what: str, advice: str) -> None:
    (problem,) = problems_of(text)
    assert problem.what == what
    assert problem.advice.startswith(advice)


def test_what_cannot_be_read_is_not_reported_a_second_time_by_validation() -> None:
    problem = only_problem("quality: &q {overlap: {minimum: 2}}\nrouting: {lease: {duration: 1m}}")
    assert (problem.path, problem.what) == ("quality", "the anchor &q is not read")


def test_a_key_left_out_for_its_own_problem_does_not_make_another_look_wrong() -> None:
    problem = only_problem("quality: {overlap: {minimum: 9, maximum: many}}")
    assert problem.path == "quality.overlap.maximum"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("45s", 45.0),
        ("10m", 600.0),
        ("1h30m", 5400.0),
        ("7d", 604_800.0),
        ("1.5h", 5400.0),
        ("1m0.25s", 60.25),
    ],
)
def test_durations_are_exact_microseconds(written: str, seconds: float) -> None:
    lease = document_of(f"routing: {{lease: {{duration: {written}}}}}").routing.lease
    assert lease.duration == seconds * MICROSECONDS


@pytest.mark.parametrize(
    ("written", "share"),
    [("0", 0.0), ("-0.0", 0.0), ("1", 1.0), ("0.05", 0.05), ("5%", 0.05), ("0.1%", 0.001), ("100%", 1.0)],
)
def test_a_percentage_is_the_same_number_as_the_share_it_stands_for(written: str, share: float) -> None:
    found = document_of(f"routing: {{exploration: {written}}}").routing.exploration
    assert repr(found) == repr(share)  # tells 0.0 from -0.0 and from 0


def test_the_smallest_part_of_a_duration_is_a_microsecond() -> None:
    lease = document_of("routing: {lease: {duration: 1.000001s}}").routing.lease
    assert lease.duration == 1_000_001


def test_amounts_are_exact_micro_units() -> None:
    money = document_of('money: {crowd: "0.1", senior: "1234567890.123456", expert: "7"}').money
    assert (money.crowd, money.senior, money.expert) == (100_000, 1_234_567_890_123_456, 7_000_000)


def test_a_label_may_be_written_as_its_id_alone() -> None:
    labels = document_of("").labels
    assert labels is not None
    assert [(label.id, label.title, label.removed) for label in labels] == [
        ("cat", "", False),
        ("dog", "", False),
    ]


def test_titles_may_be_in_any_script() -> None:
    assert document_of("guideline: نمی‌خواهم 猫 🐈").guideline == "نمی‌خواهم 猫 🐈"


def test_documents_do_not_change() -> None:
    document = document_of("")
    with pytest.raises(ValidationError, match="frozen"):
        document.guideline = "another"


def test_every_policy_may_be_named_and_no_other() -> None:
    for name in POLICIES:
        assert document_of(f"routing: {{policy: {name}}}").routing.policy == name
    annotation = Routing.model_fields["policy"].annotation
    assert set(getattr(annotation, "__args__", ())) == set(POLICIES)


def test_the_error_is_a_refusal_with_a_stable_code_and_lists_the_problems() -> None:
    with pytest.raises(Refusal) as caught:
        compile_rules(HEAD + "xyz: 1\n", 1)
    error = caught.value
    assert (error.code, error.category) == ("RULES_INVALID", Category.INVALID)
    assert error.message.startswith(
        "the rules have 1 problem:\n  line 3, column 1: xyz: there is no key 'xyz' here;"
    )


def test_a_message_shows_the_first_problems_and_the_error_holds_them_all() -> None:
    with pytest.raises(RulesError) as caught:
        compile_rules(HEAD + "".join(f"key{n}: 1\n" for n in range(50)), 1)
    assert len(caught.value.problems) == 50
    assert caught.value.message.splitlines()[-1] == f"  and {50 - SHOWN} more"
    assert len(caught.value.message.splitlines()) == SHOWN + 2


def test_an_error_crosses_process_boundaries_with_its_problems() -> None:
    error = RulesError([Problem(1, 2, "a", "wrong", "mend it")], {"project": "prj"})
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.problems, copy.details, copy.message) == (error.problems, error.details, error.message)
