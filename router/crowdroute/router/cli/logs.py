"""`crowdroute log`: verify a log that no engine has open, or copy it to another place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crowdroute.router.adapters.snapshot_files import SnapshotFiles
from crowdroute.router.adapters.sqlite_verify import verify
from crowdroute.router.cli.copying_logs import copy_log
from crowdroute.router.cli.output import console, print_json
from crowdroute.router.cli.target import AsJson

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
    newest = SnapshotFiles(directory / "snapshots").newest()
    report = verify(directory, None if newest is None else newest[:2])
    if as_json:
        print_json(
            {
                "batches": report.batches,
                "intact_through": report.intact_through,
                "damage": list(report.damage),
            }
        )
    elif report.ok:
        console().print(f"{report.batches} batches, all intact")
    else:
        for line in report.damage:
            typer.secho(line, err=True, fg=typer.colors.RED)
        console().print(f"intact through batch {report.intact_through}")
    if not report.ok:
        raise typer.Exit(FOUND)


app.command("copy")(copy_log)
