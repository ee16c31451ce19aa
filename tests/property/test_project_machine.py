"""Whatever is asked of a project, in whatever order, the core keeps its promises and the log tells it all."""

import os
import secrets

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import get_state_machine_test, initialize, invariant
from tests.property.core.base import SEEN
from tests.property.core.drawing import RULES
from tests.property.core.governing import Governing
from tests.property.core.operating import Operating
from tests.property.core.passing import Passing
from tests.property.core.working import Working

from crowdroute.router.model.rules import ProjectRules

CI = bool(os.environ.get("CI"))
HISTORIES, STEPS = (200, 50) if CI else (30, 50)
CI_SEED = 11
"""CI plays the same histories each time, so that a failure belongs to the change; laptops try new ones."""
ROUNDS = 3
PHASES = tuple(Phase) if not os.environ.get("NOSHRINK") else (Phase.generate,)


class ProjectHistory(Working, Operating, Governing, Passing):
    """Workers, operators, time and restarts, beside two folds, a book of promises and the history checker."""

    @initialize(rules=RULES)
    def begin_the_project(self, rules: ProjectRules) -> None:
        self.begin(rules)

    @invariant()
    def every_promise_is_kept(self) -> None:
        if hasattr(self, "world"):
            self.world.verify_all()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.verify_restart()


def test_whatever_is_asked_of_a_project_its_promises_hold() -> None:
    """Run the histories, and in CI see that they went everywhere, with more of them if chance left a corner
    out."""
    chosen = int(os.environ.get("CROWDROUTE_SEED") or (CI_SEED if CI else secrets.randbits(32)))
    for number in range(chosen, chosen + ROUNDS):
        run_histories(number)
        if not CI or not SEEN.missing():
            return
    assert not SEEN.missing()


def run_histories(chosen: int) -> None:
    print(f"CROWDROUTE_SEED={chosen} repeats these histories")
    run = get_state_machine_test(
        ProjectHistory,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS,
            derandomize=False,
            print_blob=True,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=PHASES,
        ),
    )
    seed(chosen)(run)()
