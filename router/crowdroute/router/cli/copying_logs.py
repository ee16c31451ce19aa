"""`crowdroute log copy`: from a directory to Kafka, and back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TaskID

from crowdroute.router.cli.output import console, print_json, progress
from crowdroute.router.cli.target import AsJson
from crowdroute.router.runtime.copying import Copied
from crowdroute.router.runtime.log_place import place_of
from crowdroute.router.runtime.moving import Moved, Stage, Told, move
from crowdroute.router.runtime.placement import ShardMap

PATIENCE_SECONDS = 3600.0
"""How long a copy keeps up with an engine that nobody stops: an hour, to announce it or to fetch somebody."""


def copy_log(
    source: Annotated[
        Path,
        typer.Argument(help="The engine's directory, or settings file.", exists=True, metavar="FROM"),
    ],
    target: Annotated[
        Path, typer.Argument(help="The same of the engine that goes on; a new directory.", metavar="TO")
    ],
    generation: Annotated[
        int,
        typer.Option(min=0, help="With which a log on Kafka is claimed; not below that of its last owner."),
    ] = ShardMap().generation,
    wait: Annotated[
        float,
        typer.Option(min=0, help="Seconds for which to keep up with an engine until it is stopped."),
    ] = PATIENCE_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Copy a whole log with its contents to another place, and verify it there by its hashes.

    The engine works on meanwhile: what it wrote is copied, read back and compared in rounds, until one takes
    a second at most. Then all shards are taken for the rest, so that their copies fit together.
    An engine on a directory must be stopped for that: the command says when, and keeps up until it is. One
    that runs on Kafka loses its log to the copy, and stops.

    Example: crowdroute log copy .crowdroute kafka.toml
    """
    with progress() as bar:
        shown = _Shown(bar)
        moved = asyncio.run(
            move(place_of(source, generation), place_of(target, generation), shown, patience_s=wait)
        )
    if as_json:
        print_json(_json(moved))
        return
    for shard, one in moved.copied.items():
        console().print(
            f"shard {shard}: {one.batches} batches and {one.contents} contents copied; both end with batch"
            f" {one.sequence}, chain hash {one.chain.hex()[:16]}…, and were compared whole;"
            f" the first start folds {one.sequence - moved.snapshots[shard]} batches"
        )
    console().print(
        f"the source was held for {moved.held_s:.1f} s, after {moved.rounds} rounds beside its engine"
    )


class _Shown:
    """Shows how far a copy is; says once when its engine is waited for, and when it has the source."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task: TaskID = bar.add_task("reading", total=None)
        self._said: set[Stage] = set()

    def __call__(self, told: Told) -> None:
        what = {
            Stage.ROUND: f"round {told.round} beside the engine",
            Stage.BEHIND: f"round {told.round}: the engine is as fast as the copy",
            Stage.WAITING: f"round {told.round}: stop the engine",
            Stage.HOLDING: "the source is held for the rest",
        }
        self._bar.update(self._task, description=what[told.stage], completed=told.done, total=told.head)
        says = {
            Stage.BEHIND: "the engine writes as fast as the copy takes: once it is stopped, the rest takes"
            f" about {told.round_s:.0f} s; with less work for it the copy catches up",
            Stage.WAITING: f"the copy has {told.done} batches and keeps up: stop the engine now, the rest"
            " takes seconds",
            Stage.HOLDING: "the source is held for the rest: start no engine on it any more",
        }
        if told.stage in says and told.stage not in self._said:
            self._said.add(told.stage)
            typer.echo(says[told.stage], err=True)


def _json(moved: Moved) -> dict[str, object]:
    return {
        "shards": [_shard(shard, one, moved.snapshots[shard]) for shard, one in moved.copied.items()],
        "rounds": moved.rounds,
        "held_seconds": round(moved.held_s, 3),
    }


def _shard(shard: int, copied: Copied, snapshot: int) -> dict[str, object]:
    return {
        "shard": shard,
        "copied": copied.batches,
        "contents": copied.contents,
        "batches": copied.sequence,
        "chain": copied.chain.hex(),
        "snapshot": snapshot,
    }
