"""What crowd-kit's classes take and give, as pandas objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet

if TYPE_CHECKING:
    import pandas as pd

    Series = pd.Series[Any]


@dataclass
class Results:
    """What every class has once it is fitted."""

    probas_: pd.DataFrame = field(init=False, repr=False)
    """(tasks, labels), indexed by task."""
    labels_: Series = field(init=False, repr=False)
    """The likeliest label of each task; of equals, the first in sorted order."""

    def _keep(self, annotations: AnnotationSet, posteriors: NDArray[np.float64]) -> None:
        import pandas as pd

        tasks = pd.Index(annotations.task_ids, name="task")
        labels = pd.Index(annotations.label_ids, name="label")
        self.probas_ = pd.DataFrame(posteriors, index=tasks, columns=labels)
        self.labels_ = pd.Series(labels.to_numpy()[posteriors.argmax(axis=1)], index=tasks, name="agg_label")

    def _keep_nothing(self) -> None:
        """Keep what is found in no labels at all."""
        import pandas as pd

        self.probas_, self.labels_ = pd.DataFrame(), pd.Series(dtype=float, name="agg_label")


@dataclass
class Unsupervised(Results):
    """Those that need nothing but the labels."""

    def fit(self, data: pd.DataFrame) -> Self:
        """Fit to the columns task, worker and label; raises ``KeyError`` where one is missing."""
        raise NotImplementedError

    def fit_predict(self, data: pd.DataFrame) -> Series:
        """Fit, and return ``labels_``."""
        return self.fit(data).labels_

    def fit_predict_proba(self, data: pd.DataFrame) -> pd.DataFrame:
        """Fit, and return ``probas_``."""
        return self.fit(data).probas_


def annotations_of(data: pd.DataFrame) -> AnnotationSet:
    return AnnotationSet.from_table(data[["task", "worker", "label"]])


def no_gold(annotations: AnnotationSet) -> NDArray[np.int32]:
    return annotations.gold_codes(None)


def gold_of(annotations: AnnotationSet, true_labels: Series | None) -> Mapping[Any, Any]:
    if true_labels is None:
        return {}
    return {task: true_labels[task] for task in annotations.task_ids if task in true_labels.index}


def by_worker(annotations: AnnotationSet, values: NDArray[np.float64], name: str) -> Series:
    import pandas as pd

    return pd.Series(values, index=pd.Index(annotations.worker_ids, name="worker"), name=name).sort_index()


def of_workers(annotations: AnnotationSet, skills: Series) -> NDArray[np.float64]:
    """Return each worker's skill, NaN where there is none."""
    return np.asarray(skills.reindex(list(annotations.worker_ids)).to_numpy(dtype=np.float64))
