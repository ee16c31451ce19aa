"""`crowdroute log`: verify a log, see how far it is archived, or copy it to another place."""

from __future__ import annotations

import typer

from crowdroute.router.cli.copying_logs import copy_log
from crowdroute.router.cli.log_status import show_log_status
from crowdroute.router.cli.verifying_logs import verify_log

app = typer.Typer(help="Look after the log.", no_args_is_help=True)


@app.callback()
def log() -> None:
    """Look after the log."""


app.command("verify")(verify_log)
app.command("status")(show_log_status)
app.command("copy")(copy_log)
