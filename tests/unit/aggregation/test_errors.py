import pickle

import pytest

from crowdroute.aggregation import errors
from crowdroute.aggregation.errors import AggregationError, RepeatedAnnotationError


def tree() -> list[type[AggregationError]]:
    return [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, AggregationError) and value is not AggregationError
    ]


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [error.code for error in tree()]
    assert len(codes) >= 8
    assert len(set(codes)) == len(codes)
    assert all(code.startswith("AGGREGATION_") and code != AggregationError.code for code in codes)


@pytest.mark.parametrize("error", [error for error in tree() if error is not RepeatedAnnotationError])
def test_an_error_survives_being_sent_to_another_process(error: type[AggregationError]) -> None:
    copy = pickle.loads(pickle.dumps(error("what happened")))
    assert type(copy) is error
    assert str(copy) == "what happened"


def test_a_repeated_annotation_survives_being_sent_to_another_process() -> None:
    error = RepeatedAnnotationError("t", "w", 3, 5, "a.csv, lines")
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error)
    assert (copy.task, copy.worker, copy.earlier, copy.later) == ("t", "w", 3, 5)
