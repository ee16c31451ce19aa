"""What is said of an import that does not come to its end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from crowdroute.api.v1 import projects_pb2, tasks_pb2
from crowdroute.client import NotConnected
from crowdroute.router.cli import FAILED, INTERRUPTED, importing, run


@pytest.mark.parametrize(
    ("why", "code"), [(KeyboardInterrupt(), INTERRUPTED), (NotConnected("UNAVAILABLE", "gone"), FAILED)]
)
def test_an_import_that_breaks_off_says_how_far_it_came(
    why: BaseException,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    calls = 0

    def add_items(request: tasks_pb2.AddItemsRequest, timeout: float) -> tasks_pb2.AddItemsResponse:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise why
        added = tasks_pb2.AddItemsResponse()
        for _ in request.items:
            added.items.add()
        return added

    operations = SimpleNamespace(GetProject=lambda request: projects_pb2.Project(), AddItems=add_items)

    @contextlib.contextmanager
    def connect(address: str, token_file: Path | None) -> Iterator[Any]:
        yield SimpleNamespace(operations=operations)

    monkeypatch.setattr(importing, "connect", connect)
    items = tmp_path / "items.csv"
    items.write_text("external_id,text\n" + "".join(f"i{n},t\n" for n in range(importing.ROWS + 1)))

    assert run(["import", "birds", str(items)]) == code

    told = capsys.readouterr()
    assert told.out == ""
    assert f"{importing.ROWS} of {importing.ROWS + 1} rows are in; import the file again" in told.err
