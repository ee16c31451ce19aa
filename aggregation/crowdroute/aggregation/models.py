"""The models of single-choice labels by name, and those among which one is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.dawid_skene import DawidSkene
from crowdroute.aggregation.glad import GLAD
from crowdroute.aggregation.mace import MACE
from crowdroute.aggregation.majority_vote import MajorityVote
from crowdroute.aggregation.message_models import KOS, MMSR
from crowdroute.aggregation.one_coin import OneCoinDawidSkene
from crowdroute.aggregation.selection import Make
from crowdroute.aggregation.smoothed import SmoothedDawidSkene
from crowdroute.aggregation.subtypes import SubtypeBCC
from crowdroute.aggregation.weighted_votes import Wawa, ZeroBasedSkill

CHOICE_MODELS: Mapping[str, Make] = {
    "majority-vote": MajorityVote,
    "wawa": Wawa,
    "zero-based-skill": ZeroBasedSkill,
    "one-coin": OneCoinDawidSkene,
    "glad": GLAD,
    "mace": MACE,
    "smoothed-dawid-skene": SmoothedDawidSkene,
    "dawid-skene": DawidSkene,
    "independent-bcc": partial(SubtypeBCC, subtypes=1),
    "subtype-bcc": SubtypeBCC,
}

MODELS_BY_NAME: Mapping[str, Make] = {**CHOICE_MODELS, "kos": KOS, "m-msr": MMSR}
"""Those and the ones that crowd-kit fits, which refuse many sets of labels."""

AUTO_MODELS: Mapping[str, Make] = {
    "majority-vote": MajorityVote,
    "mace": partial(MACE, restarts=3),
    "smoothed-dawid-skene": SmoothedDawidSkene,
    "subtype-bcc": SubtypeBCC,
}
"""Those that are compared, the plainest first: what they assume grows down the list. On every recorded crowd,
MACE from three starts is right within 0.1 points as often as from ten."""

MOST_ENTRIES = 30_000_000
"""Of a table that a compared model keeps: 240 MB. A fit holds several, and a choice makes six fits."""


def candidates_for(annotations: AnnotationSet) -> Mapping[str, Make]:
    """Return those of ``AUTO_MODELS`` whose tables stay small with so many workers and labels."""
    matrices = annotations.n_workers * annotations.n_classes**2
    entries = {"smoothed-dawid-skene": matrices, "subtype-bcc": SubtypeBCC().subtypes * matrices}
    return {name: make for name, make in AUTO_MODELS.items() if entries.get(name, 0) <= MOST_ENTRIES}
