"""Documents as the tests write them, and what is said about them."""

import pytest

from crowdroute.router.rules.compile import compile_rules
from crowdroute.router.rules.document import Document
from crowdroute.router.rules.errors import Problem, RulesError
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
