"""What one run of `crowdroute aggregate` ends with, whatever the kind of answers, and how it is written."""

from __future__ import annotations

import csv
import gzip
import importlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import typer

from crowdroute.aggregation.errors import MissingExtraError
from crowdroute.aggregation.report import Report, to_html, to_markdown

OUT_ENDINGS = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".parquet")
REPORT_ENDINGS = (".html", ".htm", ".md", ".markdown")


@dataclass(frozen=True)
class Outcome:
    """Results and what they rest on."""

    summary: dict[str, Any]
    """What `--json` prints, results and workers included."""
    told: Sequence[str]
    """Lines for people."""
    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]
    """The results, for `--out`."""
    report: Callable[[], Report]


def check_endings(out: Path | None, report: Path | None) -> None:
    """Refuse names that say no format, and folders that are not there, before any work is done."""
    for path, endings in ((out, OUT_ENDINGS), (report, REPORT_ENDINGS)):
        if path is not None and not path.name.lower().endswith(endings):
            raise typer.BadParameter(f"{path}: end its name in one of {', '.join(endings)}")
        if path is not None and not path.parent.is_dir():
            raise FileNotFoundError(2, f"there is no folder {path.parent}; make it first", str(path))


def write_report(report: Report, path: Path) -> None:
    """Write a page or Markdown, as the ending says."""
    page = path.name.lower().endswith((".html", ".htm"))
    path.write_text(to_html(report) if page else to_markdown(report), encoding="utf-8")


def write_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], path: Path) -> None:
    """Write a table in the format that the ending says."""
    name = path.name.lower()
    if name.endswith(".parquet"):
        _write_parquet(columns, rows, path)
        return
    with _opened(path) as file:
        if ".jsonl" in name:
            for row in rows:
                file.write(json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) + "\n")
        else:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(rows)


def _opened(path: Path) -> TextIO:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "wt", encoding="utf-8", newline="")
    return path.open("w", encoding="utf-8", newline="")


def _write_parquet(columns: Sequence[str], rows: Iterable[Sequence[Any]], path: Path) -> None:
    try:
        pyarrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingExtraError(
            f"{path} is Parquet, which needs pyarrow: pip install 'crowdroute[models]', or name a .csv"
        ) from error
    table = list(zip(*rows, strict=True)) or [() for _ in columns]
    parquet.write_table(
        pyarrow.table({name: list(column) for name, column in zip(columns, table, strict=True)}), path
    )
