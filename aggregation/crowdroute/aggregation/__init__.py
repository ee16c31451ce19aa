"""Truth inference: who is probably right, how sure we are, and what one more label would tell. No I/O beyond
reading files of labels; compiled code is loaded when a model first needs it."""

from __future__ import annotations

from crowdroute.aggregation.errors import AggregationError
from crowdroute.aggregation.information import (
    fill_information,
    information_table,
    posterior_confidence,
    posterior_entropy,
    posterior_margin,
)
from crowdroute.aggregation.online import OnlineDawidSkene
from crowdroute.aggregation.prior import ConfusionPrior

__all__ = [
    "AggregationError",
    "ConfusionPrior",
    "OnlineDawidSkene",
    "fill_information",
    "information_table",
    "posterior_confidence",
    "posterior_entropy",
    "posterior_margin",
]
