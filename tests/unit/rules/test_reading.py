"""What is no rules document at all, and what is not said a second time."""

import pytest
from tests.unit.rules.documents import only_problem, problems_of


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
