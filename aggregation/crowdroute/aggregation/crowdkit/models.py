"""GLAD and MACE by crowd-kit's names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation import glad, mace
from crowdroute.aggregation.crowdkit.frames import Unsupervised, annotations_of, by_worker

if TYPE_CHECKING:
    import pandas as pd

    Series = pd.Series[Any]


@dataclass
class GLAD(Unsupervised):
    """Abilities and difficulties, by EM; another optimiser than crowd-kit's, so close and not equal."""

    n_iter: int = 100
    tol: float = 1e-5
    alphas_: Series = field(init=False, repr=False)
    betas_: Series = field(init=False, repr=False)
    loss_history_: list[float] = field(init=False, repr=False)

    def fit(self, data: pd.DataFrame) -> Self:
        """Run EM."""
        import pandas as pd

        annotations = annotations_of(data)
        model = _GLAD(self.n_iter, self.tol).fit(annotations)
        self._keep(annotations, model.predict_proba())
        self.alphas_ = by_worker(annotations, model.abilities_, "alpha")
        self.betas_ = pd.Series(
            model.log_ease_, index=pd.Index(annotations.task_ids, name="task"), name="beta"
        )
        self.loss_history_ = list(model.loss_history_)
        return self


class _GLAD(glad.GLAD):
    _least_iterations = 0


@dataclass
class MACE(Unsupervised):
    """Who knows and who guesses, by variational Bayes; without crowd-kit's faults, so not equal to it."""

    n_restarts: int = 10
    n_iter: int = 50
    method: Literal["vb"] = "vb"
    random_state: int = 0
    spamming_: NDArray[np.float64] = field(init=False, repr=False)
    """P(guesses), P(knows) per worker, in order of first appearance: (workers, 2)."""
    thetas_: NDArray[np.float64] = field(init=False, repr=False)
    """What each worker says who guesses, labels sorted: (workers, labels)."""

    def fit(self, data: pd.DataFrame) -> Self:
        """Iterate from every start and keep the best end; raises ``ValueError`` for a method but "vb"."""
        if self.method != "vb":
            raise ValueError(f'method is {self.method!r}; only "vb", variational Bayes, is offered')
        annotations = annotations_of(data)
        model = mace.MACE(self.n_restarts, self.n_iter, rng=self.random_state).fit(annotations)
        self._keep(annotations, model.predict_proba())
        self.spamming_ = np.stack([1.0 - model.competences_, model.competences_], axis=1)
        self.thetas_ = model.strategies_
        return self
