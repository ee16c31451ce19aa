"""crowd-kit's single-choice classes by its own names, over this library's models.

    from crowdroute.aggregation.crowdkit import DawidSkene    # instead of crowdkit.aggregation

They take and give pandas objects: ``fit(data)`` with columns task, worker and label, then ``labels_``,
``probas_``, ``skills_``, ``errors_``, ``priors_`` as crowd-kit names and shapes them. What they leave out,
and where results differ, stands in docs/aggregation.md. A worker who labelled a task twice is refused with
``RepeatedAnnotationError``, where crowd-kit counts both.
"""

from crowdroute.aggregation.crowdkit.confusion import DawidSkene, OneCoinDawidSkene
from crowdroute.aggregation.crowdkit.models import GLAD, MACE
from crowdroute.aggregation.crowdkit.votes import GoldMajorityVote, MajorityVote, Wawa, ZeroBasedSkill

__all__ = [
    "GLAD",
    "MACE",
    "DawidSkene",
    "GoldMajorityVote",
    "MajorityVote",
    "OneCoinDawidSkene",
    "Wawa",
    "ZeroBasedSkill",
]
