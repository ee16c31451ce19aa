"""The models of single-choice labels by name, and those among which one is chosen."""

from __future__ import annotations

from collections.abc import Mapping

from crowdroute.aggregation.dawid_skene import DawidSkene
from crowdroute.aggregation.majority_vote import MajorityVote
from crowdroute.aggregation.selection import Make
from crowdroute.aggregation.smoothed import SmoothedDawidSkene
from crowdroute.aggregation.subtypes import SubtypeBCC

CHOICE_MODELS: Mapping[str, Make] = {
    "majority-vote": MajorityVote,
    "smoothed-dawid-skene": SmoothedDawidSkene,
    "dawid-skene": DawidSkene,
    "subtype-bcc": SubtypeBCC,
}

AUTO_MODELS: Mapping[str, Make] = {
    name: CHOICE_MODELS[name]
    for name in ("majority-vote", "smoothed-dawid-skene", "dawid-skene", "subtype-bcc")
}
"""Those that are compared, the plainest first: what they assume grows down the list."""
