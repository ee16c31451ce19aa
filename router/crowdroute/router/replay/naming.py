"""Recorded labels as rules can write them: files hold what no document would."""

from __future__ import annotations

from collections.abc import Sequence

from crowdroute.workers.errors import WorkersError
from crowdroute.workers.skill import check_name


def usable_names(labels: Sequence[str]) -> tuple[str, ...]:
    """Give each label's name in rules: itself, or `label-<place>` when it cannot be one, all different."""
    taken = set(labels)
    names = []
    for place, label in enumerate(labels, 1):
        name = label if _can_be_a_name(label) else f"label-{place}"
        while name != label and name in taken:
            name += "-"
        taken.add(name)
        names.append(name)
    return tuple(names)


def _can_be_a_name(label: str) -> bool:
    try:
        check_name(label)
    except WorkersError:
        return False
    return True
