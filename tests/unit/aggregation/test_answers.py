from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from crowdroute.aggregation import AnswerSet
from crowdroute.aggregation.errors import InvalidAnnotationsError, RepeatedAnnotationError


def test_answers_of_any_type_stand_by_task_and_worker() -> None:
    mask = np.eye(2, dtype=bool)
    answers = AnswerSet.from_sequences(["b", "a", "b"], [1, 1, 2], [mask, None, mask])
    assert (answers.task_ids, answers.worker_ids, len(answers)) == (("b", "a"), (1, 2), 3)
    assert (answers.n_tasks, answers.n_workers) == (2, 2)
    assert answers.answers[0] is mask
    assert [places.tolist() for places in answers.places_by_task()] == [[0, 2], [1]]
    with pytest.raises(ValueError, match="read-only"):
        answers.tasks[0] = 1


@pytest.mark.parametrize("make", [pd.DataFrame, pa.table, dict])
def test_a_table_gives_them_too(make: Callable[[dict[str, Any]], Any]) -> None:
    table = make({"task": ["a", "b"], "worker": ["v", "w"], "text": ["one", "two"]})
    answers = AnswerSet.from_table(table, answer="text")
    assert answers.answers == ("one", "two")
    with pytest.raises(InvalidAnnotationsError, match="no column 'answer'"):
        AnswerSet.from_table(table)


def test_repeats_are_refused_or_resolved_as_asked() -> None:
    columns = (["a", "b", "a"], ["v", "v", "v"], ["old", "x", "new"])
    with pytest.raises(RepeatedAnnotationError, match="annotations 0 and 2"):
        AnswerSet.from_sequences(*columns)
    assert AnswerSet.from_sequences(*columns, repeats="first").answers == ("old", "x")
    last = AnswerSet.from_sequences(*columns, repeats="last")
    assert (last.answers, last.task_ids) == (("x", "new"), ("b", "a"))


def test_what_makes_no_set_is_refused() -> None:
    with pytest.raises(InvalidAnnotationsError, match="no annotations"):
        AnswerSet.from_sequences([], [], [])
    with pytest.raises(InvalidAnnotationsError, match="one of each"):
        AnswerSet.from_sequences(["a"], ["v"], [])
    codes = np.zeros(1, dtype=np.int32)
    with pytest.raises(InvalidAnnotationsError, match="2 answers"):
        AnswerSet(codes, codes, ("x", "y"), ("a",), ("v",))
