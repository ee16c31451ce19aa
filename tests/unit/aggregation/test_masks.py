"""Masks: votes, workers' rates, and crowd-kit's results."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.aggregation import AggregationError, AnswerSet
from crowdroute.aggregation.answer_json import read_mask, write_mask
from crowdroute.aggregation.masks import Mask, MaskEM, MaskRASA, MaskVote, mask_distance
from crowdroute.aggregation.nearest import alike

masks = st.integers(0, 2**12 - 1).map(
    lambda bits: np.array([bits >> place & 1 for place in range(12)], dtype=bool).reshape(3, 4)
)


def crowd(seed: int = 0, n_tasks: int = 12) -> tuple[AnswerSet[Mask], dict[str, Mask]]:
    """Give boxes as three who look see them, and two who miss most of them and mark elsewhere."""
    rng = np.random.default_rng(seed)
    tasks, workers, given, truth = [], [], [], {}
    for number in range(n_tasks):
        mask = np.zeros((20, 20), dtype=bool)
        top, left = rng.integers(2, 8, 2)
        mask[top : top + 8, left : left + 9] = True
        truth[f"t{number}"] = mask
        for worker in range(5):
            flipped = rng.random(mask.shape) < np.where(
                mask, 0.1 if worker < 3 else 0.6, 0.02 if worker < 3 else 0.3
            )
            tasks.append(f"t{number}")
            workers.append(f"w{worker}")
            given.append(mask ^ flipped)
    return AnswerSet[Mask].from_sequences(tasks, workers, given), truth


def error(found: dict[str, Mask], truth: dict[str, Mask]) -> float:
    return float(np.mean([mask_distance(found[task], mask) for task, mask in truth.items()]))


@given(masks, masks, masks)
def test_the_distance_is_one(one: Mask, other: Mask, third: Mask) -> None:
    assert mask_distance(one, one) == 0.0
    assert 0.0 <= mask_distance(one, other) == mask_distance(other, one) <= 1.0
    assert mask_distance(one, third) <= mask_distance(one, other) + mask_distance(other, third) + 1e-12


@given(masks)
def test_what_is_written_is_read_back(mask: Mask) -> None:
    np.testing.assert_array_equal(read_mask(write_mask(mask)), mask)


def test_runs_go_column_by_column() -> None:
    expected = np.array([[False, True], [True, False]])
    np.testing.assert_array_equal(read_mask({"size": [2, 2], "counts": [1, 2, 1]}), expected)


@pytest.mark.parametrize(
    "code",
    [
        None,
        "x",
        [],
        {"size": [2, 2]},
        {"size": [2, 2], "counts": [1, 2]},
        {"size": [2, 2], "counts": [5, -1]},
        {"size": [2.5, 2], "counts": [5]},
        {"size": [0, 2], "counts": []},
        {"size": [10**9, 10**9], "counts": [10**18]},
        {"size": [2, 2], "counts": ["a"]},
    ],
)
def test_what_is_no_mask_is_refused(code: object) -> None:
    with pytest.raises(ValueError, match=r"is empty|is not JSON|is no|add up"):
        read_mask(code)


def test_those_who_look_are_believed() -> None:
    answers, truth = crowd()
    plain = error(MaskVote(alike).fit(answers).predict(), truth)  # type: ignore[arg-type]
    weighted = error(MaskVote().fit(answers).predict(), truth)  # type: ignore[arg-type]
    model = MaskEM().fit(answers)
    assert error(model.predict(), truth) <= weighted < plain  # type: ignore[arg-type]
    assert model.sensitivity_[:3].min() > model.sensitivity_[3:].max() + 0.2
    assert model.converged_
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(model.loss_history_))
    assert all(((chance >= 0.0) & (chance <= 1.0)).all() for chance in model.probabilities_of_pixels_)


def test_neither_order_of_rows_nor_a_turned_image_changes_anything() -> None:
    answers, _ = crowd(1, 4)
    order = np.random.default_rng(3).permutation(len(answers))
    moved = AnswerSet[Mask].from_sequences(
        [answers.task_ids[answers.tasks[place]] for place in order],
        [answers.worker_ids[answers.workers[place]] for place in order],
        [answers.answers[place].T for place in order],
    )
    for model in (MaskVote(), MaskEM(), MaskRASA()):
        found = model.fit(answers).predict()
        again = model.fit(moved).predict()
        assert all((found[task] == again[task].T).all() for task in found)


def test_gold_of_some_images_teaches_who_looks() -> None:
    answers, truth = crowd(7)
    # Turned inside out, so that the many who look say the opposite of what gold knows.
    gold = {task: ~mask for task, mask in list(truth.items())[:8]}
    model = MaskEM().fit(answers, gold)
    assert all((model.predict()[task] == mask).all() for task, mask in gold.items())
    assert model.sensitivity_[:3].max() < MaskEM().fit(answers).sensitivity_[:3].min()


def test_more_masks_than_a_byte_has_bits_are_told_apart() -> None:
    first = np.array([[True, False, True]])
    answers = AnswerSet[Mask].from_sequences(["t"] * 11, list("abcdefghijk"), [first] * 10 + [~first])
    assert (MaskEM().fit(answers).answers_[0] == first).all()


def test_empty_masks_one_mask_and_gold_stand_and_two_sizes_are_refused() -> None:
    none, some = np.zeros((2, 2), dtype=bool), np.eye(2, dtype=bool)
    answers = AnswerSet[Mask].from_sequences(
        ["e", "e", "s", "g"], ["u", "v", "u", "u"], [none, none, some, some]
    )
    for model in (MaskVote(), MaskEM(), MaskRASA()):
        found = model.fit(answers, {"g": ~some}).predict()
        assert not found["e"].any()
        assert (found["s"] == some).all()
        assert (found["g"] == ~some).all()
    sizes = AnswerSet[Mask].from_sequences(["t", "t"], ["u", "v"], [none, np.zeros((3, 2), dtype=bool)])
    for model in (MaskVote(), MaskEM()):
        with pytest.raises(AggregationError, match="scale them to one image"):
            model.fit(sizes)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(
    ("name", "ours"), [("SegmentationMajorityVote", MaskVote(alike)), ("SegmentationRASA", MaskRASA())]
)
def test_crowd_kit_finds_the_same(name: str, ours: MaskVote | MaskRASA) -> None:
    aggregation = pytest.importorskip("crowdkit.aggregation")
    pandas = pytest.importorskip("pandas")
    answers, _ = crowd(5)
    frame = pandas.DataFrame(
        {
            "task": answers.tasks.copy(),
            "worker": answers.workers.copy(),
            "segmentation": pandas.Series(list(answers.answers), dtype=object),
        }
    )
    theirs = getattr(aggregation, name)().fit_predict(frame)
    for task, mask in enumerate(ours.fit(answers).answers_):
        np.testing.assert_array_equal(mask, theirs[task])


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_rates_over_all_images_do_better_than_crowd_kits_within_each() -> None:
    aggregation = pytest.importorskip("crowdkit.aggregation")
    pandas = pytest.importorskip("pandas")
    answers, truth = crowd(6)
    frame = pandas.DataFrame(
        {
            "task": [answers.task_ids[code] for code in answers.tasks],
            "worker": answers.workers.copy(),
            "segmentation": pandas.Series(list(answers.answers), dtype=object),
        }
    )
    theirs = aggregation.SegmentationEM().fit_predict(frame).to_dict()
    assert error(MaskEM().fit(answers).predict(), truth) <= error(theirs, truth)  # type: ignore[arg-type]
