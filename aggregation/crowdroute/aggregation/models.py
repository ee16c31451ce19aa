"""The models of single-choice labels by name, the plainest first: what it assumes grows down the list."""

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
