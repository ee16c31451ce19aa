"""crowd-kit's ROVER as an oracle: for comparison, never for production."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Self

from crowdroute.aggregation.answers import AnswerSet
from crowdroute.aggregation.errors import InvalidParameterError, MissingExtraError
from crowdroute.aggregation.nearest import AnswerEstimator
from crowdroute.aggregation.texts import words_of


class CrowdKitRover(AnswerEstimator[str]):
    """ROVER by crowd-kit itself, over words without case and punctuation; its results follow the order of
    rows."""

    def fit(self, annotations: AnswerSet[str], gold: Mapping[Any, str] | None = None) -> Self:
        """Fit crowd-kit's model, which has no place for gold.

        Raises ``MissingExtraError`` when it is not installed, ``InvalidParameterError`` for gold.
        """
        if gold:
            raise InvalidParameterError("crowd-kit's ROVER takes no gold; leave it out")
        try:
            aggregation = importlib.import_module("crowdkit.aggregation")
            pandas = importlib.import_module("pandas")
        except ImportError as error:
            raise MissingExtraError(
                f"crowd-kit cannot be imported ({error}); install it with: pip install 'crowdroute[models]'"
            ) from error
        frame = pandas.DataFrame(
            {
                "task": annotations.tasks.copy(),
                "worker": annotations.workers.copy(),
                "text": [" ".join(words_of(text)) for text in annotations.answers],
            }
        )
        found = aggregation.ROVER(str.split, " ".join).fit_predict(frame)
        self.task_ids_ = annotations.task_ids
        self.answers_ = tuple(str(found[task]) for task in range(annotations.n_tasks))
        self.converged_, self.n_iter_, self.loss_history_ = True, 1, ()
        return self
