"""Policies by the name that rules call them."""

from __future__ import annotations

from collections.abc import Callable

from crowdroute.router.errors import InvalidCommand
from crowdroute.router.policy.base import Policy
from crowdroute.router.policy.fifo import Fifo
from crowdroute.router.policy.information_gain import InformationGain
from crowdroute.router.policy.random_choice import RandomChoice
from crowdroute.router.state.project import Project

POLICIES: dict[str, Callable[[Project], Policy]] = {
    policy.name: policy for policy in (InformationGain, Fifo, RandomChoice)
}


def make_policy(name: str, state: Project) -> Policy:
    """Make the policy of this name over a state; call its `rebuild` before the first pick.

    Raises:
        InvalidCommand: no policy has the name.
    """
    make = POLICIES.get(name)
    if make is None:
        raise InvalidCommand(
            f"there is no policy {name!r}; choose one of {', '.join(sorted(POLICIES))}",
            {"field": "rules.routing.policy"},
        )
    return make(state)
