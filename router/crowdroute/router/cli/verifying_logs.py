"""`crowdroute log verify`: every batch of a log in a directory or on Kafka, and what is damaged."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TaskID

from crowdroute.router.adapters.kafka_shards import shards_beyond
from crowdroute.router.adapters.kafka_verify import KafkaReport, verify_partition
from crowdroute.router.adapters.snapshot_files import SnapshotFiles
from crowdroute.router.adapters.sqlite_files import shards_in, snapshots_path
from crowdroute.router.adapters.sqlite_verify import VerifyReport, verify
from crowdroute.router.cli.output import console, print_json, progress
from crowdroute.router.cli.target import AsJson
from crowdroute.router.runtime.clustered import connection_to, place_on_kafka
from crowdroute.router.runtime.placement import FIRST_SHARD
from crowdroute.router.runtime.settings import KafkaLogSettings, Settings, load_settings, own_shards

FOUND = 4
"""Exit code when something is missing or damaged."""

Report = VerifyReport | KafkaReport


def verify_log(
    directory: Annotated[
        Path | None,
        typer.Option("--dir", "-d", help="The engine's directory (default .crowdroute).", exists=True),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            help="The engine's settings file: for a log on Kafka, or which shards there are.",
            exists=True,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read the whole log and say what is intact and what is missing.

    On a directory the engine must not be running. A log on Kafka is read from the brokers, beside an engine
    that serves, and compared with the newest snapshot of this node. With a settings file it is also told when
    there are other shards than it says.

    Example: crowdroute log verify --dir .crowdroute
    """
    settings = load_settings(config, directory=directory)
    reports: dict[int, Report] = {}
    shards: list[str] = []
    if config is None or settings.kafka is None:
        found = shards_in(settings.directory)
        for shard in found or (FIRST_SHARD,):
            newest = _newest_snapshot(settings.directory, shard)
            reports[shard] = verify(settings.directory, newest, shard=shard)
        if config is not None:
            shards = _other_than_said(settings, found)
    else:
        reports |= _on_kafka(settings.kafka, settings)
        shards = _more_on_kafka(settings.kafka, settings.shards)
    if as_json:
        print_json(_as_json(reports, shards))
    else:
        for shard, report in reports.items():
            _tell(report, f"shard {shard}: " if len(reports) > 1 else "")
        for line in shards:
            typer.secho(line, err=True, fg=typer.colors.RED)
    if shards or not all(report.ok for report in reports.values()):
        raise typer.Exit(FOUND)


def _other_than_said(settings: Settings, found: Sequence[int]) -> list[str]:
    """Say where a directory has other shards than the settings give this process."""
    own, directory = own_shards(settings), settings.directory
    more = [
        f"{directory} holds the log of shard {shard}, which the settings do not have here: correct `shards`,"
        " or `peers.others`"
        for shard in found
        if shard not in own
    ]
    return more + [
        f"{directory} has no log of shard {shard}, which the settings have here: restore it, unless no engine"
        " was started with so many shards yet"
        for shard in own
        if shard not in found
    ]


def _more_on_kafka(kafka: KafkaLogSettings, shards: int) -> list[str]:
    """Say which shards a log has beyond those of the settings; with fewer it could not be looked at."""
    beyond = shards_beyond(connection_to(kafka), kafka.name, shards)
    return [
        f"the log {kafka.name} has records of shard {shard}, which was not read: the settings say that there"
        f" are {shards} shards"
        for shard in beyond
    ]


def _on_kafka(kafka: KafkaLogSettings, settings: Settings) -> dict[int, Report]:
    reports: dict[int, Report] = {}
    for shard in range(settings.shards):
        # Before the log's end is asked for: what a snapshot holds was in the log then.
        newest = _newest_snapshot(settings.directory, shard)
        place = place_on_kafka(kafka, settings.directory, shard, settings.shards)
        with progress() as bar:
            task = bar.add_task(f"shard {shard}: reading records", total=None)
            reports[shard] = verify_partition(place, newest, partial(_move, bar, task))
    return reports


def _move(bar: Progress, task: TaskID, done: int, end: int) -> None:
    bar.update(task, completed=done, total=end)


def _newest_snapshot(directory: Path, shard: int) -> tuple[int, bytes] | None:
    newest = SnapshotFiles(snapshots_path(directory, shard)).newest()
    return None if newest is None else newest[:2]


def _as_json(reports: dict[int, Report], shards: Sequence[str]) -> dict[str, object]:
    return {
        "batches": sum(report.batches for report in reports.values()),
        "intact_through": reports[min(reports)].intact_through,
        "damage": [line for report in reports.values() for line in report.damage] + list(shards),
        "shards": [
            {
                "shard": shard,
                "batches": report.batches,
                "intact_through": report.intact_through,
                "damage": list(report.damage),
                **(_of_partition(report) if isinstance(report, KafkaReport) else {}),
            }
            for shard, report in reports.items()
        ],
    }


def _of_partition(report: KafkaReport) -> dict[str, object]:
    return {
        "records": report.records,
        "claims": report.claims,
        "void": report.void,
        "chain": report.chain.hex(),
    }


def _tell(report: Report, what: str) -> None:
    for line in report.damage:
        typer.secho(f"{what}{line}", err=True, fg=typer.colors.RED)
    if isinstance(report, KafkaReport):
        console().print(
            f"{what}{report.records} records: {report.batches} batches, {report.claims} claims, {report.void}"
            f" void; chain hash {report.chain.hex()[:16]}… at batch {report.intact_through}",
            soft_wrap=True,
        )
    if report.ok:
        console().print(f"{what}{report.batches} batches, all intact")
    else:
        console().print(f"{what}intact through batch {report.intact_through}")
