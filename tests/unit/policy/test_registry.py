"""Policies are found by name."""

import pytest

from crowdroute.router.errors import InvalidCommand
from crowdroute.router.model.rules import Routing
from crowdroute.router.policy.registry import POLICIES, make_policy
from crowdroute.router.state.project import Project


def test_every_policy_is_made_by_its_own_name() -> None:
    assert {name: make_policy(name, Project()).name for name in POLICIES} == {name: name for name in POLICIES}


def test_the_policy_of_the_default_rules_exists() -> None:
    assert Routing().policy in POLICIES


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidCommand, match=r"'best'.*fifo, information_gain, random"):
        make_policy("best", Project())
