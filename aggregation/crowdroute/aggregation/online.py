"""Dawid-Skene kept up to date label by label: incremental EM with Dirichlet-smoothed confusion matrices."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.errors import InvalidParameterError, OutOfRangeError, SnapshotError
from crowdroute.aggregation.prior import ConfusionPrior

_Scalar = TypeVar("_Scalar", bound=np.generic)

_PACK_FORMAT = 1

_FIRST_POOLING = 32
"""Annotations: below that, the pool says less about workers than the prior does."""

_PACKED_ARRAYS = {
    "posteriors": ("<f8", "n_tasks", "n_classes"),
    "touched": ("|u1", "n_tasks"),
    "confusion": ("<f8", "n_matrices", "n_classes", "n_classes"),
    "row_sums": ("<f8", "n_matrices", "n_classes"),
    "class_counts": ("<f8", "n_classes"),
    "prior_counts": ("<f8", "n_classes", "n_classes"),
    "versions": ("<i4", "n_matrices"),
}
"""Every array of a packed model: its type, little-endian, and the header fields that give its shape."""


class OnlineDawidSkene:
    """One field's model: a posterior per task and a K x K pseudo-count matrix per (worker, capability).

    The caller keeps each task's list of annotations and says how it changed; the model keeps what the lists
    imply. Every task's posterior is estimated from all other tasks (leave-one-out) and its soft counts are
    replaced exactly, so that fixed points are those of batch EM and nothing depends on a step size (Neal and
    Hinton, 1998, "A view of the EM algorithm that justifies incremental, sparse, and other variants"; Dawid
    and Skene, 1979).

    The prior of every matrix is one and the same, ``prior_counts`` (K, K). It follows the pool of all labels:
    each time their number has doubled, it is drawn anew and every matrix changes by the difference, at a cost
    of O(matrices K^2) that doubling spreads thin. What a worker's labels said is ``confusion[m] -
    prior_counts``, always.

    ``posteriors`` (tasks, K) sum to 1 per row, uniform for a task without labels; ``confusion`` (matrices, K,
    K), axes (matrix, truth, label), in pseudo-labels with the prior included; ``row_sums`` (matrices, K) its
    sums over labels; ``class_counts`` (K,) in pseudo-tasks; ``versions`` (matrices,) grows whenever that
    matrix changed. The arrays have spare rows beyond ``n_tasks`` and ``n_matrices``, and are replaced when
    they grow: read them anew after an ``add``.
    """

    def __init__(self, n_classes: int, prior: ConfusionPrior | None = None) -> None:
        if n_classes < 1:
            raise InvalidParameterError(f"a model needs at least one class, not {n_classes}")
        # Not imported with the package: whoever only reads files or counts votes need not wait for numba.
        from crowdroute.aggregation import kernels

        self._kernels = kernels
        self.prior = ConfusionPrior() if prior is None else prior
        self.n_classes = n_classes
        self.n_tasks = 0
        self.n_matrices = 0
        self.prior_counts: NDArray[np.float64] = self.prior.matrix(n_classes)
        self.posteriors: NDArray[np.float64] = np.full((1, n_classes), 1.0 / n_classes)
        self.confusion: NDArray[np.float64] = np.zeros((1, n_classes, n_classes))
        self.row_sums: NDArray[np.float64] = np.zeros((1, n_classes))
        self.class_counts: NDArray[np.float64] = np.full(n_classes, self.prior.class_count)
        self.versions: NDArray[np.int32] = np.zeros(1, dtype=np.int32)
        # 1 where a task has labels or a pinned truth: the other rows stay uniform when classes are added.
        self._touched: NDArray[np.uint8] = np.zeros(1, dtype=np.uint8)
        self._n_annotations = 0
        self._pool_next_at = _FIRST_POOLING
        self._hold()

    def _hold(self) -> None:
        """Note where the arrays lie that compiled code works on; after each change of one for another."""
        self._held = self._kernels.held(
            self.posteriors, self.confusion, self.row_sums, self.class_counts, self.versions
        )

    def add_tasks(self, count: int) -> None:
        """Append ``count`` tasks without labels, numbered from the old ``n_tasks``; amortised O(count K)."""
        if count < 0:
            raise InvalidParameterError(f"cannot add {count} tasks")
        needed = self.n_tasks + count
        if needed > len(self.posteriors):
            capacity = max(needed, 2 * len(self.posteriors))
            self.posteriors = _grown(self.posteriors, capacity, 1.0 / self.n_classes)
            self._touched = _grown(self._touched, capacity, 0)
            self._hold()
        self.n_tasks = needed

    def add_matrix(self) -> int:
        """Append one matrix that holds the prior and return its row; amortised O(K^2)."""
        row = self.n_matrices
        if row == len(self.confusion):
            self.confusion = _grown(self.confusion, 2 * row, 0.0)
            self.row_sums = _grown(self.row_sums, 2 * row, 0.0)
            self.versions = _grown(self.versions, 2 * row, 0)
            self._hold()
        self.confusion[row] = self.prior_counts
        self.row_sums[row] = self.prior_counts.sum(axis=1)
        self.n_matrices = row + 1
        return row

    def add_classes(self, count: int) -> None:
        """Append ``count`` classes that no label has named yet; existing numbers keep their meaning.

        Labelled tasks give the new classes no probability until they are re-estimated. O(tasks K + matrices
        K^2).
        """
        if count < 0:
            raise InvalidParameterError(f"cannot add {count} classes")
        if count == 0:
            return
        old, new = self.n_classes, self.n_classes + count
        posteriors = np.full((len(self.posteriors), new), 1.0 / new)
        touched = self._touched == 1
        posteriors[touched, :old] = self.posteriors[touched]
        posteriors[touched, old:] = 0.0
        pool = np.zeros((new, new))
        pool[:old, :old] = self._pool()
        prior_counts = self.prior.pooled_matrix(pool)
        confusion = np.zeros((len(self.confusion), new, new))
        used = confusion[: self.n_matrices]
        used += prior_counts
        # What the labels said stays; what the prior said becomes what it says for the new number of classes.
        used[:, :old, :old] += self.confusion[: self.n_matrices] - self.prior_counts
        np.maximum(used, self._kernels.SMALLEST_COUNT, out=used)
        self.prior_counts = prior_counts
        self.posteriors = posteriors
        self.confusion = confusion
        self.row_sums = confusion.sum(axis=2)
        self.class_counts = np.append(self.class_counts, np.full(count, self.prior.class_count))
        self.versions[: self.n_matrices] += 1
        self.n_classes = new
        self._hold()

    def reestimate(
        self,
        task: int,
        old_matrices: NDArray[np.int32],
        old_labels: NDArray[np.int32],
        n_old: int,
        new_matrices: NDArray[np.int32],
        new_labels: NDArray[np.int32],
        n_new: int,
        truth: int = -1,
    ) -> None:
        """Replace one task's annotations, from the old list to the new, and re-estimate its posterior.

        Annotation r is label ``labels[r]`` by matrix row ``matrices[r]``. The first ``n_old`` (``n_new``)
        places of caller-owned C-contiguous int32 arrays are read; ``old`` must be the list this task was last
        given. It serves to append, amend, withdraw and discount alike. ``truth >= 0`` pins the posterior to
        that class (gold, an expert); an empty list without a truth makes it uniform. O((n_old + n_new) K).
        Raises ``OutOfRangeError``, with nothing changed, for a number the model does not have or a list
        shorter than its count.
        """
        if not 0 <= task < self.n_tasks:
            raise OutOfRangeError(
                f"task {task} is not among the {self.n_tasks} tasks; add it with add_tasks first"
            )
        if truth >= self.n_classes:
            raise OutOfRangeError(
                f"truth {truth} is not among the {self.n_classes} classes; add_classes first"
            )
        outcome = self._kernels.reestimate(
            self._held,
            self.n_matrices,
            task,
            old_matrices,
            old_labels,
            n_old,
            new_matrices,
            new_labels,
            n_new,
            truth,
        )
        self._replaced(outcome, task, n_old, n_new, truth)

    def _replaced(self, outcome: int, task: int, n_old: int, n_new: int, truth: int) -> None:
        """Note what a re-estimate has done to the task and to the number of annotations, or refuse it."""
        if outcome != self._kernels.REESTIMATED:
            raise OutOfRangeError(self._refusal(outcome, task))
        self._touched[task] = n_new > 0 or truth >= 0
        self._n_annotations += n_new - n_old
        if self._n_annotations >= self._pool_next_at:
            self._pool_next_at = 2 * self._n_annotations
            self._follow_pool()

    def sweep(
        self,
        starts: NDArray[np.int64],
        matrices: NDArray[np.int32],
        labels: NDArray[np.int32],
        truths: NDArray[np.int32],
    ) -> None:
        """Re-estimate every task once from all others, in their order; the annotations must be those that
        each was last given, as ``refitting.check_evidence`` has them. O(annotations K)."""
        self._kernels.sweep(self._held, self.n_matrices, starts, matrices, labels, truths)

    def begin_anew(
        self,
        posteriors: NDArray[np.float64],
        said: NDArray[np.float64],
        n_annotations: NDArray[np.int64],
        truths: NDArray[np.int32],
    ) -> None:
        """Let everything rest on these posteriors (tasks, K), and on what the workers said by them (matrices,
        truth, label), without the prior; each task has so many annotations and this truth, or -1."""
        self.posteriors[: self.n_tasks] = posteriors
        self.confusion[: self.n_matrices] = self.prior_counts + said
        self.row_sums[: self.n_matrices] = self.confusion[: self.n_matrices].sum(axis=2)
        labelled = n_annotations > 0
        self.class_counts[:] = self.prior.class_count + posteriors[labelled].sum(axis=0)
        self.versions[: self.n_matrices] += 1
        self._touched[: self.n_tasks] = labelled | (truths >= 0)
        self._n_annotations = int(n_annotations.sum())

    def observe(self, matrix: int, label: int, truth: int, weight: float = 1.0) -> None:
        """Count one label for a task outside the model whose class is known; weight -1 takes it back.

        Raises ``OutOfRangeError``, with nothing changed, for a number the model does not have.
        """
        if not 0 <= matrix < self.n_matrices:
            raise OutOfRangeError(
                f"matrix row {matrix} is not among the {self.n_matrices} matrices; add_matrix first"
            )
        if not (0 <= label < self.n_classes and 0 <= truth < self.n_classes):
            raise OutOfRangeError(
                f"label {label} or truth {truth} is not among the {self.n_classes} classes; add_classes first"
            )
        self.confusion[matrix, truth, label] += weight
        self.row_sums[matrix, truth] += weight
        self.versions[matrix] += 1

    def _pool(self) -> NDArray[np.float64]:
        """Return the soft counts of all matrices together, without their priors: (truth, label)."""
        total = self.confusion[: self.n_matrices].sum(axis=0) - self.n_matrices * self.prior_counts
        return np.asarray(np.maximum(total, 0.0))

    def _follow_pool(self) -> None:
        prior_counts = self.prior.pooled_matrix(self._pool())
        used = self.confusion[: self.n_matrices]
        used += prior_counts - self.prior_counts
        np.maximum(used, self._kernels.SMALLEST_COUNT, out=used)
        self.row_sums[: self.n_matrices] = used.sum(axis=2)
        self.versions[: self.n_matrices] += 1
        self.prior_counts = prior_counts

    def _refusal(self, outcome: int, task: int) -> str:
        if outcome == self._kernels.UNKNOWN_MATRIX:
            return f"task {task}: a matrix row is not among the {self.n_matrices} matrices; add_matrix first"
        if outcome == self._kernels.UNKNOWN_LABEL:
            return f"task {task}: a label is not among the {self.n_classes} classes; add_classes first"
        return (
            f"task {task}: a count is negative or greater than the length of its arrays; pass longer arrays"
        )

    def pack(self) -> dict[str, bytes]:
        """Return the whole model as named bytes: a JSON header and each array's raw little-endian bytes."""
        header = {
            "format": _PACK_FORMAT,
            "n_classes": self.n_classes,
            "n_tasks": self.n_tasks,
            "n_matrices": self.n_matrices,
            "n_annotations": self._n_annotations,
            "pool_next_at": self._pool_next_at,
            "prior": [
                self.prior.strength,
                self.prior.accuracy,
                self.prior.pool_share,
                self.prior.class_count,
            ],
        }
        arrays: dict[str, NDArray[Any]] = {
            "posteriors": self.posteriors[: self.n_tasks],
            "touched": self._touched[: self.n_tasks],
            "confusion": self.confusion[: self.n_matrices],
            "row_sums": self.row_sums[: self.n_matrices],
            "class_counts": self.class_counts,
            "prior_counts": self.prior_counts,
            "versions": self.versions[: self.n_matrices],
        }
        packed = {"header": json.dumps(header, sort_keys=True).encode()}
        for name, array in arrays.items():
            packed[name] = array.astype(_PACKED_ARRAYS[name][0], copy=False).tobytes()
        return packed

    @classmethod
    def unpack(cls, packed: Mapping[str, bytes]) -> Self:
        """Restore a packed model to the last bit; raises ``SnapshotError`` when the parts do not fit
        together."""
        try:
            header = json.loads(packed["header"])
            if header["format"] != _PACK_FORMAT:
                raise SnapshotError(
                    f"the packed model has format {header['format']}, this version reads {_PACK_FORMAT};"
                    " rebuild it from the log"
                )
            model = cls(header["n_classes"], ConfusionPrior(*header["prior"]))
            for field in ("n_annotations", "pool_next_at"):
                header[field] = int(header[field])
            arrays: dict[str, NDArray[Any]] = {
                name: np.frombuffer(packed[name], dtype=dtype).reshape([header[axis] for axis in axes])
                for name, (dtype, *axes) in _PACKED_ARRAYS.items()
            }
        except (KeyError, TypeError, ValueError, InvalidParameterError) as error:
            raise SnapshotError(
                f"the packed model is damaged ({error!r}); rebuild it from the log"
            ) from error
        model._restore(header, arrays)
        return model

    def _restore(self, header: Mapping[str, int], arrays: Mapping[str, NDArray[Any]]) -> None:
        self.n_tasks = n_tasks = header["n_tasks"]
        self.n_matrices = n_matrices = header["n_matrices"]
        self._n_annotations = header["n_annotations"]
        self._pool_next_at = header["pool_next_at"]
        # Never without a row: doubling would not grow that.
        self.posteriors = _grown(
            arrays["posteriors"].astype(np.float64), max(n_tasks, 1), 1.0 / self.n_classes
        )
        self._touched = _grown(arrays["touched"].astype(np.uint8), max(n_tasks, 1), 0)
        self.confusion = _grown(arrays["confusion"].astype(np.float64), max(n_matrices, 1), 0.0)
        self.row_sums = _grown(arrays["row_sums"].astype(np.float64), max(n_matrices, 1), 0.0)
        self.versions = _grown(arrays["versions"].astype(np.int32), max(n_matrices, 1), 0)
        self.class_counts = arrays["class_counts"].astype(np.float64)
        self.prior_counts = arrays["prior_counts"].astype(np.float64)
        self._hold()


def _grown(array: NDArray[_Scalar], capacity: int, fill: float) -> NDArray[_Scalar]:
    """Return a copy with ``capacity`` rows, the new ones holding ``fill``."""
    larger = np.full((capacity, *array.shape[1:]), fill, dtype=array.dtype)
    larger[: len(array)] = array
    return larger
