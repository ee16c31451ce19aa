"""Truth inference: who is probably right, how sure we are, and what one more label would tell.

Compiled code is loaded when a model first needs it, so that importing the package costs no more than numpy.
"""

from __future__ import annotations

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.answers import AnswerSet
from crowdroute.aggregation.base import CategoricalEstimator, Estimator
from crowdroute.aggregation.dawid_skene import DawidSkene
from crowdroute.aggregation.errors import AggregationError
from crowdroute.aggregation.files import read_annotations, read_gold
from crowdroute.aggregation.information import (
    fill_information,
    information_table,
    posterior_confidence,
    posterior_entropy,
    posterior_margin,
)
from crowdroute.aggregation.majority_vote import MajorityVote
from crowdroute.aggregation.online import OnlineDawidSkene
from crowdroute.aggregation.prior import ConfusionPrior
from crowdroute.aggregation.smoothed import SmoothedDawidSkene

__all__ = [
    "AggregationError",
    "AnnotationSet",
    "AnswerSet",
    "CategoricalEstimator",
    "ConfusionPrior",
    "DawidSkene",
    "Estimator",
    "MajorityVote",
    "OnlineDawidSkene",
    "SmoothedDawidSkene",
    "fill_information",
    "information_table",
    "posterior_confidence",
    "posterior_entropy",
    "posterior_margin",
    "read_annotations",
    "read_gold",
]
