"""`crowdroute export`: the results of a project as CSV, JSON lines or Parquet."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from crowdroute.api.v1 import results_pb2
from crowdroute.router.cli.output import console
from crowdroute.router.cli.target import (
    DEFAULT_ADDRESS,
    Address,
    ProjectName,
    TokenFile,
    connect,
    find_project,
)
from crowdroute.router.errors import ConfigurationError

EXPORT_TIMEOUT_S = 3600.0

ROWS_AT_ONCE = 10_000
"""Rows of one row group of a Parquet file."""

WHOLE = ("revision", "counted", "rules_version")
OTHERS = (
    "external_id",
    "confidence",
    "item_id",
    "task_id",
    "superseded",
    "reason",
    "guideline_digest",
    "published_at",
    *WHOLE,
)
"""Columns that are about the result and not about one of its fields."""

Rows = Iterable[dict[str, Any]]
Writer = Callable[[Rows, list[str]], int]
FileWriter = Callable[[Rows, Path, list[str]], int]


def export(
    project: ProjectName,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help=".csv, .jsonl or .parquet; else CSV to stdout.")
    ] = None,
    batch: Annotated[str, typer.Option(help="Only this batch.")] = "",
    all_revisions: Annotated[bool, typer.Option(help="Superseded revisions too.")] = False,
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Export results: label, probability of every label, confidence, annotations, rules version, revision.

    Example: crowdroute export birds --out birds.parquet
    """
    write = _writer_for(out)
    with connect(address, token_file) as client:
        found = find_project(client, project)
        request = results_pb2.ExportResultsRequest(
            project_id=found.id, batch=batch, all_revisions=all_revisions, with_annotations=True
        )
        fields = [field.id for field in found.fields]
        results = client.operations.ExportResults(request, timeout=EXPORT_TIMEOUT_S)
        count = write((_flat(one, fields) for one in results), columns_of(fields))
    if out is not None:
        console().print(f"{count} results in {out}")


def _flat(exported: results_pb2.ExportedResult, fields: list[str]) -> dict[str, Any]:
    """Give one result as a flat row; what is a map or a list is JSON in CSV."""
    result = exported.result
    row: dict[str, Any] = {
        "external_id": result.external_id,
        "confidence": result.confidence,
        "item_id": result.item_id,
        "task_id": result.task_id,
        "revision": result.revision,
        "superseded": result.superseded,
        "reason": results_pb2.ResultReason.Name(result.reason).removeprefix("RESULT_REASON_").lower(),
        "counted": result.counted,
        "rules_version": result.rules_version,
        "guideline_digest": exported.guideline_digest,
        "published_at": result.published_at.ToJsonString(),
    }
    for field in fields:
        conclusion = result.fields[field]
        row[column_of(field)] = conclusion.label
        row[f"{column_of(field)}_probabilities"] = dict(sorted(conclusion.probabilities.items()))
    row["annotations"] = [
        {
            "worker_id": one.worker_id,
            "answers": {field: value.label for field, value in one.answers.items()},
            "answered_at": one.answered_at.ToJsonString(),
        }
        for one in exported.annotations
    ]
    return row


def column_of(field: str) -> str:
    """Give the column of a field: its id, unless another column is called that."""
    return f"field_{field}" if field in OTHERS else field


def columns_of(fields: list[str]) -> list[str]:
    """Give all columns, the labels first, where people look."""
    named = [column_of(field) for field in fields]
    return ["external_id", *named, *OTHERS[1:], *(f"{name}_probabilities" for name in named), "annotations"]


def _writer_for(out: Path | None) -> Writer:
    """Give what writes rows under these columns and counts them.

    Raises:
        BadParameter: no format is known by the file's suffix.
    """
    if out is None:
        return lambda rows, columns: _write_csv(rows, sys.stdout, columns)
    if out.suffix not in WRITERS:
        raise typer.BadParameter(f"{out}: write to a .csv, .jsonl or .parquet file")
    if out.is_dir():
        raise typer.BadParameter(f"{out} is a folder: name a file")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"{out}: there is no folder {out.parent}")
    return partial(_write_whole, WRITERS[out.suffix], out)


def _write_whole(write: FileWriter, out: Path, rows: Rows, columns: list[str]) -> int:
    """Write beside the file and put it there when it is complete, so that half an export is none."""
    beside = out.with_name(f".{out.name}.partial")
    try:
        count = write(rows, beside, columns)
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
    return count


def _write_csv_file(rows: Rows, out: Path, columns: list[str]) -> int:
    with out.open("w", encoding="utf-8", newline="") as file:
        return _write_csv(rows, file, columns)


def _write_csv(rows: Rows, file: TextIO, columns: list[str]) -> int:
    writer = csv.DictWriter(file, columns)
    writer.writeheader()
    count = 0
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
        count += 1
    return count


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _write_json_lines(rows: Rows, out: Path, columns: list[str]) -> int:
    count = 0
    with out.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps({name: row[name] for name in columns}, ensure_ascii=False) + "\n")
            count += 1
    return count


def _write_parquet(rows: Rows, out: Path, columns: list[str]) -> int:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise ConfigurationError(
            "Parquet needs pyarrow: install it with `pip install 'crowdroute[models]'`, "
            "or write .csv or .jsonl"
        ) from None
    kinds = {"confidence": pa.float64(), "superseded": pa.bool_()} | dict.fromkeys(WHOLE, pa.int64())
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in columns])
    count = 0
    with pq.ParquetWriter(out, schema) as writer:
        for some in _batches(rows):
            flat = [{name: _cell(value) for name, value in row.items()} for row in some]
            writer.write_table(pa.Table.from_pylist(flat, schema))
            count += len(some)
    return count


def _batches(rows: Rows) -> Iterator[list[dict[str, Any]]]:
    found = iter(rows)
    while some := list(islice(found, ROWS_AT_ONCE)):
        yield some


WRITERS: dict[str, FileWriter] = {
    ".csv": _write_csv_file,
    ".jsonl": _write_json_lines,
    ".parquet": _write_parquet,
}
