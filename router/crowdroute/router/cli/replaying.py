"""`crowdroute replay`: what would this recorded crowd have cost, and how right would it have been?"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import Progress

from crowdroute.router.cli.log_lines import write_log
from crowdroute.router.cli.output import console, percent, print_json, print_table, progress
from crowdroute.router.cli.target import AsJson, TokenFile, connect
from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.policy.registry import POLICIES
from crowdroute.router.replay.in_process import InProcessReplay
from crowdroute.router.replay.outcome import Outcome
from crowdroute.router.replay.over_grpc import play_over_grpc
from crowdroute.router.replay.recorded import RecordedCrowd, default_rules, read_crowd
from crowdroute.router.replay.report import summarise
from crowdroute.router.replay.temporary import temporary_engine
from crowdroute.router.rules.compile import compile_rules


def replay(
    labels: Annotated[
        Path,
        typer.Argument(
            help="CSV or CSV.GZ: task,worker,label[,timestamp][,seconds].", exists=True, dir_okay=False
        ),
    ],
    gold: Annotated[
        Path | None, typer.Option(help="CSV: task,label; only to score.", exists=True, dir_okay=False)
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(help="Rules to play under, instead of the defaults.", exists=True, dir_okay=False),
    ] = None,
    policy: Annotated[
        str, typer.Option(help="information_gain, fifo or random, instead of what the rules say.")
    ] = "",
    seed: Annotated[int, typer.Option(help="Order in which tasks and workers come.")] = 0,
    concurrency: Annotated[int, typer.Option(help="Workers at work at once.", min=1)] = 16,
    server: Annotated[str, typer.Option(help="Address of a running engine, instead of one of our own.")] = "",
    in_process: Annotated[
        bool, typer.Option("--in-process", help="The core alone: no gRPC, no disk.")
    ] = False,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Play a recorded crowd through the engine: each worker may only get tasks they really labelled, and
    answers as recorded.

    Gold never routes; it is compared with the result at the end.

    Example: crowdroute replay labels.csv.gz --gold gold.csv.gz --seed 1
    """
    write_log("warning")
    crowd = read_crowd(labels, gold)
    chosen = _rules(crowd, rules, policy)
    with _bar(len(crowd.answers), not as_json) as advance:
        if in_process:
            outcome = InProcessReplay(crowd, chosen, seed, concurrency).play(advance)
        else:
            outcome = asyncio.run(_over_grpc(crowd, chosen, seed, concurrency, server, token_file, advance))
    summary = summarise(crowd, outcome, seed)
    if as_json:
        print_json(summary)
    else:
        _show(summary)


def _rules(crowd: RecordedCrowd, document: Path | None, policy: str) -> ProjectRules:
    rules = default_rules(crowd) if document is None else compile_rules(document.read_bytes(), 1)
    if policy:
        if policy not in POLICIES:
            raise typer.BadParameter(f"there is no policy {policy!r}; choose one of {', '.join(POLICIES)}")
        rules = msgspec.structs.replace(rules, routing=msgspec.structs.replace(rules.routing, policy=policy))
    crowd.check_labels(rules)
    return rules


async def _over_grpc(
    crowd: RecordedCrowd,
    rules: ProjectRules,
    seed: int,
    concurrency: int,
    server: str,
    token_file: Path | None,
    advance: Any,
) -> Outcome:
    if server:
        with connect(server, token_file) as client:
            connection = client.connection
        return await play_over_grpc(crowd, rules, seed, concurrency, connection, advance)
    async with temporary_engine() as connection:
        return await play_over_grpc(crowd, rules, seed, concurrency, connection, advance)


@contextlib.contextmanager
def _bar(total: int, shown: bool) -> Iterator[Any]:
    if not shown:
        yield lambda done: None
        return
    with progress() as bar:
        task = bar.add_task("labels bought, of those recorded", total=total)
        yield lambda done: _advance(bar, task, done)


def _advance(bar: Progress, task: Any, done: int) -> None:
    bar.update(task, completed=done)


def _show(summary: dict[str, Any]) -> None:
    out = console()
    share = summary["labels_used"] / summary["labels_recorded"]
    out.print(
        f"{summary['labels_used']} of {summary['labels_recorded']} recorded labels ({percent(share)}) "
        f"for {summary['tasks']} tasks by {summary['workers']} workers"
    )
    out.print(
        f"{summary['finalised']} finalised, {summary['escalated']} waiting for an expert, "
        f"{summary['exhausted']} ran out of recorded labels; {summary['reviews_decided']} reviews decided"
    )
    if summary["set_aside"]:
        out.print(f"{summary['set_aside']} parked or cancelled meanwhile: see crowdroute tasks list")
    if summary["accuracy"] is not None:
        low, high = summary["accuracy_interval"]
        out.print(
            f"accuracy {percent(summary['accuracy'])} (95 % interval {percent(low)} – {percent(high)}) "
            f"on {summary['gold_tasks']} gold tasks"
        )
    if summary["cycles_per_second"] is not None:
        out.print(f"{summary['cycles_per_second']:.0f} cycles/s, {summary['seconds']:.1f} s")
    out.print("the same crowd with a fixed number of labels per task:")
    print_table(
        ("overlap", "labels", "majority vote", "Dawid-Skene"),
        (
            (one["overlap"], one["labels"], percent(one["majority_vote"]), percent(one["dawid_skene"]))
            for one in summary["fixed_overlap"]
        ),
        "",
    )
