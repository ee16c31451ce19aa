"""Truth inference: who is probably right, how sure we are, and what one more label would tell.

Compiled code is loaded when a model first needs it, so that importing the package costs no more than numpy.
"""

from __future__ import annotations

from crowdroute.aggregation.agreement import AgreementCounts
from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.answers import AnswerSet
from crowdroute.aggregation.base import CategoricalEstimator, Estimator
from crowdroute.aggregation.bradley_terry import BradleyTerry, WorkerBradleyTerry
from crowdroute.aggregation.calibration import (
    IsotonicCalibration,
    ReliabilityBin,
    TemperatureScaling,
    brier_score,
    expected_calibration_error,
    log_loss,
    reliability_diagram,
)
from crowdroute.aggregation.comparison_set import ComparisonSet
from crowdroute.aggregation.dawid_skene import DawidSkene
from crowdroute.aggregation.embedded_texts import HRRASA, RASA
from crowdroute.aggregation.encoders import HashingEncoder
from crowdroute.aggregation.errors import AggregationError
from crowdroute.aggregation.files import read_annotations, read_gold
from crowdroute.aggregation.glad import GLAD
from crowdroute.aggregation.information import (
    fill_information,
    information_table,
    posterior_confidence,
    posterior_entropy,
    posterior_margin,
)
from crowdroute.aggregation.intervals import Estimate
from crowdroute.aggregation.mace import MACE
from crowdroute.aggregation.majority_vote import MajorityVote
from crowdroute.aggregation.masks import MaskEM, MaskRASA, MaskVote
from crowdroute.aggregation.multi_label import BinaryRelevance, MultiLabelVote
from crowdroute.aggregation.nearest import AnswerEstimator, MergedAnswer, NearestAnswer
from crowdroute.aggregation.numeric import BiasAndScatter, WeightedMedian
from crowdroute.aggregation.one_coin import OneCoinDawidSkene
from crowdroute.aggregation.online import OnlineDawidSkene
from crowdroute.aggregation.online_bradley_terry import OnlineBradleyTerry
from crowdroute.aggregation.pair_agreement import PairAgreement, WorkerPair, cohens_kappa
from crowdroute.aggregation.pair_consensus import PairConsensus
from crowdroute.aggregation.peers import PeerAgreement, peer_agreement
from crowdroute.aggregation.prior import ConfusionPrior
from crowdroute.aggregation.smoothed import SmoothedDawidSkene
from crowdroute.aggregation.streaming import StreamingDawidSkene
from crowdroute.aggregation.texts import NearestText, WordVote
from crowdroute.aggregation.weighted_votes import Wawa, ZeroBasedSkill

__all__ = [
    "GLAD",
    "HRRASA",
    "MACE",
    "RASA",
    "AggregationError",
    "AgreementCounts",
    "AnnotationSet",
    "AnswerEstimator",
    "AnswerSet",
    "BiasAndScatter",
    "BinaryRelevance",
    "BradleyTerry",
    "CategoricalEstimator",
    "ComparisonSet",
    "ConfusionPrior",
    "DawidSkene",
    "Estimate",
    "Estimator",
    "HashingEncoder",
    "IsotonicCalibration",
    "MajorityVote",
    "MaskEM",
    "MaskRASA",
    "MaskVote",
    "MergedAnswer",
    "MultiLabelVote",
    "NearestAnswer",
    "NearestText",
    "OneCoinDawidSkene",
    "OnlineBradleyTerry",
    "OnlineDawidSkene",
    "PairAgreement",
    "PairConsensus",
    "PeerAgreement",
    "ReliabilityBin",
    "SmoothedDawidSkene",
    "StreamingDawidSkene",
    "TemperatureScaling",
    "Wawa",
    "WeightedMedian",
    "WordVote",
    "WorkerBradleyTerry",
    "WorkerPair",
    "ZeroBasedSkill",
    "brier_score",
    "cohens_kappa",
    "expected_calibration_error",
    "fill_information",
    "information_table",
    "log_loss",
    "peer_agreement",
    "posterior_confidence",
    "posterior_entropy",
    "posterior_margin",
    "read_annotations",
    "read_gold",
    "reliability_diagram",
]
