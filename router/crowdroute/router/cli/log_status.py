"""`crowdroute log status`: how far a log on Kafka, its archive and its shared snapshots are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crowdroute.router.adapters.kafka_status import LogStatus, log_status
from crowdroute.router.cli.output import print_json, print_table
from crowdroute.router.cli.target import AsJson
from crowdroute.router.cli.verifying_logs import FOUND
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.runtime.clustered import place_on_kafka
from crowdroute.router.runtime.settings import load_settings

COLUMNS = (
    "shard", "topic from", "topic to", "archived to", "not archived", "segments", "batches archived",
    "newest shared snapshot",
)  # fmt: skip


def show_log_status(
    config: Annotated[
        Path, typer.Option("--config", "-c", help="The engine's settings file.", exists=True, dir_okay=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Tell what of a log on Kafka is in the topic, what is archived, and which snapshot nodes share.

    Read from the brokers and the stores, beside engines that serve. Offsets are those of the topic's records;
    "to" is the first one that is not there. Exit code 4 when something is missing or does not answer.

    Example: crowdroute log status --config crowdroute.toml
    """
    settings = load_settings(config)
    kafka = settings.kafka
    if kafka is None:
        raise ConfigurationError(f"{config} names no log on Kafka: the log in a directory is not archived")
    stands = {
        shard: log_status(place_on_kafka(kafka, settings.directory, shard, settings.shards), kafka.snapshots)
        for shard in range(settings.shards)
    }
    if as_json:
        print_json({"shards": [_json(shard, one) for shard, one in stands.items()]})
    else:
        print_table(COLUMNS, [_row(shard, one) for shard, one in stands.items()], "no shards")
        for shard, one in stands.items():
            for line in one.wrong:
                typer.secho(f"shard {shard}: {line}", err=True, fg=typer.colors.RED)
    if any(one.wrong for one in stands.values()):
        raise typer.Exit(FOUND)


def _row(shard: int, one: LogStatus) -> tuple[object, ...]:
    archive = one.archive
    archived = (
        ("-",) * 4 if archive is None else (archive.archived, one.lag, archive.segments, archive.batches)
    )
    return (shard, one.first, one.end, *archived, "-" if one.snapshot is None else one.snapshot)


def _json(shard: int, one: LogStatus) -> dict[str, object]:
    archive = one.archive
    return {
        "shard": shard,
        "first_offset": one.first,
        "end_offset": one.end,
        "archive": None
        if archive is None
        else {
            "url": archive.place,
            "segments": archive.segments,
            "next_offset": archive.archived,
            "batches": archive.batches,
            "lag_records": one.lag,
        },
        "snapshot": one.snapshot,
        "wrong": list(one.wrong),
    }
