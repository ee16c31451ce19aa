"""The models of single-choice labels by name, and those among which one is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

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
"""Those that are compared, the plainest first: what they assume grows down the list. MACE's ends from three
starts were those from ten on every recorded crowd."""
