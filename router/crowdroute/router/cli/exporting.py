"""`crowdroute export`: the results of a project as CSV, JSON lines or Parquet."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
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
    with connect(address, token_file) as client:
        found = find_project(client, project)
        request = results_pb2.ExportResultsRequest(
            project_id=found.id, batch=batch, all_revisions=all_revisions, with_annotations=True
        )
        rows = map(_flat, client.operations.ExportResults(request, timeout=EXPORT_TIMEOUT_S))
        count = _write(rows, out, [field.id for field in found.fields])
    if out is not None:
        console().print(f"{count} results in {out}")


def _flat(exported: results_pb2.ExportedResult) -> dict[str, Any]:
    """Give one result as a flat row; what is a map or a list is JSON."""
    result = exported.result
    row: dict[str, Any] = {
        "external_id": result.external_id,
        "item_id": result.item_id,
        "task_id": result.task_id,
        "revision": result.revision,
        "superseded": result.superseded,
        "confidence": result.confidence,
        "reason": results_pb2.ResultReason.Name(result.reason).removeprefix("RESULT_REASON_").lower(),
        "counted": result.counted,
        "rules_version": result.rules_version,
        "guideline_digest": exported.guideline_digest,
        "published_at": result.published_at.ToJsonString(),
    }
    for field, conclusion in result.fields.items():
        row[field] = conclusion.label
        row[f"{field}_probabilities"] = dict(sorted(conclusion.probabilities.items()))
    row["annotations"] = [
        {
            "worker_id": one.worker_id,
            "answers": {field: value.label for field, value in one.answers.items()},
            "answered_at": one.answered_at.ToJsonString(),
        }
        for one in exported.annotations
    ]
    return row


def _write(rows: Iterator[dict[str, Any]], out: Path | None, fields: list[str]) -> int:
    if out is None:
        return _write_csv(rows, sys.stdout, fields)
    if out.suffix == ".parquet":
        return _write_parquet(rows, out)
    if out.suffix not in (".csv", ".jsonl"):
        raise typer.BadParameter(f"{out}: write to a .csv, .jsonl or .parquet file")
    with out.open("w", encoding="utf-8", newline="") as file:
        return _write_csv(rows, file, fields) if out.suffix == ".csv" else _write_json(rows, file)


def _write_csv(rows: Iterable[dict[str, Any]], file: TextIO, fields: list[str]) -> int:
    writer: csv.DictWriter[str] | None = None
    count = 0
    for row in rows:
        flat = {
            name: json.dumps(value) if isinstance(value, dict | list) else value
            for name, value in row.items()
        }
        if writer is None:
            writer = csv.DictWriter(file, _columns(list(flat), fields))
            writer.writeheader()
        writer.writerow(flat)
        count += 1
    return count


def _columns(names: list[str], fields: list[str]) -> list[str]:
    """Put the labels first, where people look."""
    first = ["external_id", *fields, "confidence"]
    return [*first, *(name for name in names if name not in first)]


def _write_json(rows: Iterable[dict[str, Any]], file: TextIO) -> int:
    count = 0
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
        count += 1
    return count


def _write_parquet(rows: Iterable[dict[str, Any]], out: Path) -> int:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise ConfigurationError(
            "Parquet needs pyarrow: install it with `pip install 'crowdroute[models]'`, "
            "or write .csv or .jsonl"
        ) from None
    found = [
        {name: json.dumps(value) if isinstance(value, dict) else value for name, value in row.items()}
        for row in rows
    ]
    pq.write_table(pa.Table.from_pylist(found), out)
    return len(found)
