"""`crowdroute log`: verify a log that no engine has open, or copy it to another place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crowdroute.router.adapters.snapshot_files import SnapshotFiles
from crowdroute.router.adapters.sqlite_files import shards_in, snapshots_path
from crowdroute.router.adapters.sqlite_verify import VerifyReport, verify
from crowdroute.router.cli.copying_logs import copy_log
from crowdroute.router.cli.output import console, print_json
from crowdroute.router.cli.target import AsJson
from crowdroute.router.runtime.placement import FIRST_SHARD

app = typer.Typer(help="Look after the log.", no_args_is_help=True)

FOUND = 4
"""Exit code when something is missing or damaged."""


@app.callback()
def log() -> None:
    """Look after the log."""


@app.command("verify")
def verify_log(
    directory: Annotated[
        Path, typer.Option("--dir", "-d", help="The engine's directory.", exists=True)
    ] = Path(".crowdroute"),
    as_json: AsJson = False,
) -> None:
    """Read the whole log and say what is intact and what is missing; the engine must not be running.

    Example: crowdroute log verify --dir .crowdroute
    """
    reports = {shard: _verified(directory, shard) for shard in shards_in(directory) or (FIRST_SHARD,)}
    if as_json:
        print_json(
            {
                "batches": sum(report.batches for report in reports.values()),
                "intact_through": reports[min(reports)].intact_through,
                "damage": [line for report in reports.values() for line in report.damage],
                "shards": [
                    {
                        "shard": shard,
                        "batches": report.batches,
                        "intact_through": report.intact_through,
                        "damage": list(report.damage),
                    }
                    for shard, report in reports.items()
                ],
            }
        )
    else:
        for shard, report in reports.items():
            _tell(report, f"shard {shard}: " if len(reports) > 1 else "")
    if not all(report.ok for report in reports.values()):
        raise typer.Exit(FOUND)


def _verified(directory: Path, shard: int) -> VerifyReport:
    newest = SnapshotFiles(snapshots_path(directory, shard)).newest()
    return verify(directory, None if newest is None else newest[:2], shard=shard)


def _tell(report: VerifyReport, what: str) -> None:
    if report.ok:
        console().print(f"{what}{report.batches} batches, all intact")
        return
    for line in report.damage:
        typer.secho(f"{what}{line}", err=True, fg=typer.colors.RED)
    console().print(f"{what}intact through batch {report.intact_through}")


app.command("copy")(copy_log)
