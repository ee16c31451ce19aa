"""What is raised for a document that cannot be used."""

import pickle

import pytest
from tests.unit.rules.documents import HEAD

from crowdroute.router.errors import Category, Refusal
from crowdroute.router.rules.compile import compile_rules
from crowdroute.router.rules.errors import SHOWN, Problem, RulesError


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
