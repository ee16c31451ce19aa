"""Warming up plays every policy and leaves nothing behind."""

from __future__ import annotations

from crowdroute.router.policy.registry import POLICIES
from crowdroute.router.runtime import warming


def test_every_policy_is_played_to_the_last_kernel() -> None:
    played: list[str] = []

    class Spy(warming.Shard):
        def settle(self) -> None:
            for name in self.streams():
                if not name.endswith("/organisation"):
                    state = self.project_state(name)
                    assert state.assignments.count
                    played.append(state.rules.routing.policy)
            super().settle()

    original, warming.Shard = warming.Shard, Spy  # type: ignore[misc]
    try:
        warming.warm_up()
    finally:
        warming.Shard = original  # type: ignore[misc]
    assert set(played) == set(POLICIES)
