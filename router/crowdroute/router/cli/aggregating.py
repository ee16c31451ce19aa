"""`crowdroute aggregate`: results from a file of redundant answers, without an engine."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from crowdroute.aggregation.answer_kinds import ANSWER_KINDS
from crowdroute.aggregation.file_tables import read_table
from crowdroute.aggregation.files import gold_of
from crowdroute.aggregation.kinds import COLUMNS_OF, KINDS, PAIRWISE, kind_of
from crowdroute.aggregation.models import MODELS_BY_NAME
from crowdroute.aggregation.pair_models import PAIR_MODELS
from crowdroute.router.cli.aggregating_answers import aggregate_answers
from crowdroute.router.cli.aggregating_choice import AUTO, aggregate_choice
from crowdroute.router.cli.aggregating_outcome import check_endings, write_report, write_rows
from crowdroute.router.cli.aggregating_pairs import aggregate_pairs
from crowdroute.router.cli.output import console, print_json, progress
from crowdroute.router.cli.target import AsJson


def aggregate(
    labels: Annotated[
        Path,
        typer.Argument(
            help="CSV, CSV.GZ, JSONL or Parquet: " + " or ".join(map(",".join, COLUMNS_OF.values())) + ".",
            exists=True,
            dir_okay=False,
        ),
    ],
    gold: Annotated[
        Path | None,
        typer.Option(help="task,label: scores and chooses, never teaches.", exists=True, dir_okay=False),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            help=f"{AUTO} (chosen for these answers), or one of: {', '.join(MODELS_BY_NAME)}; "
            + f"for {PAIRWISE} also {', '.join(PAIR_MODELS)}; "
            + "; ".join(f"for {kind.name} {', '.join(kind.models)}" for kind in ANSWER_KINDS.values())
            + "."
        ),
    ] = AUTO,
    kind: Annotated[str, typer.Option(help=f"{', '.join(KINDS)}; by the columns, if it is not given.")] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Results to write: .csv, .csv.gz, .jsonl or .parquet."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Report to write: .html (one page with pictures) or .md.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Aggregate redundant answers into results with probabilities; of a repeated (task, worker) the first
    counts.

    Tells which model it chose and why, how far workers agree, how often each is right, and what to look at.

    Example: crowdroute aggregate labels.csv --gold gold.csv --out results.csv --report report.html
    """
    check_endings(out, report)
    if kind and kind not in KINDS:
        raise typer.BadParameter(f"there is no kind {kind!r}; choose one of {', '.join(KINDS)}")
    with _steps(not as_json) as (begin, advance):
        begin("reading", 0)
        table = read_table(labels)
        title = title_of(labels)
        kind = kind or kind_of(table)
        told = read_table(gold) if gold else None
        if kind == PAIRWISE:
            outcome = aggregate_pairs(table, told, model, title, begin, advance)
        elif kind in ANSWER_KINDS:
            outcome = aggregate_answers(ANSWER_KINDS[kind], table, told, model, title, begin, advance)
        else:
            outcome = aggregate_choice(table, gold_of(told) if told else {}, model, title, begin, advance)
    summary = outcome.summary
    lines = list(outcome.told)
    if out is not None:
        write_rows(outcome.columns, outcome.rows, out)
        summary["out"] = str(out)
        lines.append(f"results written to {out}")
    if report is not None:
        write_report(outcome.report(), report)
        summary["report"] = str(report)
        lines.append(f"report written to {report}")
    if as_json:
        print_json(summary)
    else:
        for line in lines:
            console().print(line, markup=False)


def title_of(path: Path) -> str:
    """Name a file with its folder: many are called labels.csv."""
    return "/".join(path.absolute().parts[-2:])


@contextlib.contextmanager
def _steps(shown: bool) -> Iterator[tuple[Callable[[str, int], None], Callable[[], None]]]:
    """Give what announces a part of the work with its number of steps, and what says that one is done."""
    if not shown:
        yield (lambda name, steps: None), (lambda: None)
        return
    with progress() as bar:
        current: list[Any] = []

        def begin(name: str, steps: int) -> None:
            for task in current:
                bar.remove_task(task)
            current[:] = [bar.add_task(name, total=steps or None)]

        yield begin, lambda: bar.advance(current[0])
