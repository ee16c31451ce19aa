"""crowd-kit as an oracle: the same estimator shape over its models, for comparison and never for production.

crowd-kit 1.4.2 needs scikit-learn below 1.8 and takes one to two seconds to import, hence only inside
functions.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.base import CategoricalEstimator, refuse_log_odds
from crowdroute.aggregation.coding import Identifier
from crowdroute.aggregation.errors import InvalidParameterError, MissingExtraError

_MODELS = ("MajorityVote", "DawidSkene", "OneCoinDawidSkene", "Wawa", "ZeroBasedSkill", "GLAD")
"""Those that take labels and give a probability per label. MACE 1.4.2 is left out: its results depend on the
order of the rows. KOS and MMSR are in ``message_models``, kept from their faults."""

_WITH_GOLD = ("DawidSkene",)


class CrowdKitReference(CategoricalEstimator):
    """One of crowd-kit's categorical models, fitted by crowd-kit itself.

    ``model`` is its class name there; ``parameters`` go to its constructor. ``model_`` is the fitted
    crowd-kit object. Raises ``InvalidParameterError`` for another name, ``MissingExtraError`` from ``fit``
    when it is not installed.
    """

    model_: Any

    def __init__(self, model: str = "DawidSkene", parameters: Mapping[str, Any] | None = None) -> None:
        self.model = model
        self.parameters = parameters

    def fit(
        self,
        annotations: AnnotationSet,
        gold: Mapping[Any, Identifier] | None = None,
        prior_log_odds: NDArray[np.float64] | None = None,
    ) -> Self:
        """Fit crowd-kit's model; gold is passed on where the model takes it, and refused elsewhere."""
        if self.model not in _MODELS:
            raise InvalidParameterError(
                f"there is no reference model {self.model!r}; choose one of {', '.join(_MODELS)}"
            )
        refuse_log_odds(f"crowd-kit's {self.model}", prior_log_odds)
        aggregation, pandas = import_crowd_kit()
        frame = pandas.DataFrame(
            {"task": annotations.tasks, "worker": annotations.workers, "label": annotations.labels}
        )
        fitted = getattr(aggregation, self.model)(**(self.parameters or {}))
        codes = annotations.gold_codes(gold)
        known = np.flatnonzero(codes >= 0)
        if len(known) > 0 and self.model not in _WITH_GOLD:
            raise InvalidParameterError(f"crowd-kit's {self.model} takes no gold; leave it out")
        further = [pandas.Series(codes[known], index=known)] if len(known) > 0 else []
        with warnings.catch_warnings():
            # crowd-kit calls pandas in ways that pandas deprecates: nothing its user could change.
            warnings.simplefilter("ignore", DeprecationWarning)
            probabilities = fitted.fit_predict_proba(frame, *further)
        probabilities = probabilities.reindex(
            index=range(annotations.n_tasks), columns=range(annotations.n_classes), fill_value=0.0
        )
        self.model_ = fitted
        self.task_ids_, self.label_ids_ = annotations.task_ids, annotations.label_ids
        self.posteriors_ = probabilities.to_numpy(dtype=np.float64)
        self.loss_history_ = tuple(float(loss) for loss in getattr(fitted, "loss_history_", ()))
        self.n_iter_ = max(len(self.loss_history_), 1)
        self.converged_ = self.n_iter_ < getattr(fitted, "n_iter", self.n_iter_ + 1)
        return self


def import_crowd_kit() -> tuple[Any, Any]:
    """Return ``crowdkit.aggregation`` and pandas; raises ``MissingExtraError`` without them."""
    try:
        return importlib.import_module("crowdkit.aggregation"), importlib.import_module("pandas")
    except ImportError as error:
        raise MissingExtraError(
            f"crowd-kit cannot be imported ({error}); install it with: pip install 'crowdroute[models]'"
        ) from error
