import pickle

import pytest

from crowdroute.workers import errors
from crowdroute.workers.errors import WorkersError


def tree() -> list[type[WorkersError]]:
    return [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, WorkersError) and value is not WorkersError
    ]


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [error.code for error in tree()]
    assert len(codes) >= 10
    assert len(set(codes)) == len(codes)
    assert all(code.startswith("WORKERS_") and code != WorkersError.code for code in codes)


@pytest.mark.parametrize("error", tree())
def test_an_error_survives_being_sent_to_another_process(error: type[WorkersError]) -> None:
    raised = error("what happened", {"field": "skills"})
    copy = pickle.loads(pickle.dumps(raised))
    assert type(copy) is error
    assert (str(copy), copy.details) == ("what happened", {"field": "skills"})
