"""`crowdroute log copy`: from a directory to Kafka, and back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from crowdroute.router.cli.output import console, print_json, progress
from crowdroute.router.cli.target import AsJson
from crowdroute.router.runtime.copying import Copied
from crowdroute.router.runtime.moving import move, place_of
from crowdroute.router.runtime.placement import ShardMap


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
    as_json: AsJson = False,
) -> None:
    """Copy a whole log with its contents to another place, and verify it there by its hashes.

    All its shards are taken before the first is copied, so that their copies fit together.
    What TO has of it already is kept, so a second copy, once the engine was stopped, takes the tail alone. An
    engine must not run on a directory; one that runs on Kafka loses its log to the copy, and stops.

    Example: crowdroute log copy .crowdroute kafka.toml
    """
    with progress() as bar:
        task = bar.add_task("copying batches", total=None)
        copied = asyncio.run(
            move(
                place_of(source, generation),
                place_of(target, generation),
                lambda done, head: bar.update(task, completed=done, total=head),
            )
        )
    if as_json:
        print_json({"shards": [_json(shard, one) for shard, one in copied.items()]})
        return
    for shard, one in copied.items():
        console().print(
            f"shard {shard}: {one.batches} batches and {one.contents} contents copied; both end with batch"
            f" {one.sequence}, chain hash {one.chain.hex()[:16]}…, and were compared whole"
        )


def _json(shard: int, copied: Copied) -> dict[str, object]:
    return {
        "shard": shard,
        "copied": copied.batches,
        "contents": copied.contents,
        "batches": copied.sequence,
        "chain": copied.chain.hex(),
    }
