"""The commands by name."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from crowdroute.router.cli.aggregating import aggregate
from crowdroute.router.cli.cluster import app as cluster
from crowdroute.router.cli.cluster_demo import cluster_demo
from crowdroute.router.cli.demonstrating import demo
from crowdroute.router.cli.directory import app as directory
from crowdroute.router.cli.explaining import explain
from crowdroute.router.cli.exporting import export
from crowdroute.router.cli.importing import import_items
from crowdroute.router.cli.logs import app as logs
from crowdroute.router.cli.projects import app as projects
from crowdroute.router.cli.reaching import Tls
from crowdroute.router.cli.refitting import refit
from crowdroute.router.cli.replaying import replay
from crowdroute.router.cli.rulebook import app as rulebook
from crowdroute.router.cli.serving import serve
from crowdroute.router.cli.stats import stats
from crowdroute.router.cli.target import use_tls
from crowdroute.router.cli.tasks import app as tasks
from crowdroute.router.cli.tokens import app as tokens
from crowdroute.router.cli.top import top
from crowdroute.router.cli.workers import app as workers

app = typer.Typer(
    name="crowdroute",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _show_version(wanted: bool) -> None:
    if not wanted:
        return
    try:
        typer.echo(version("crowdroute"))
    except PackageNotFoundError:
        typer.echo("unknown: run from sources, not installed")
    raise typer.Exit


@app.callback()
def crowdroute(
    show_version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and end.", callback=_show_version, is_eager=True),
    ] = False,
    authority: Annotated[
        Path | None,
        typer.Option(envvar="CROWDROUTE_CA", help="PEM file to verify an engine with that speaks TLS."),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            envvar="CROWDROUTE_CERTIFICATE", help="PEM file with your certificate, if the engine wants one."
        ),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(envvar="CROWDROUTE_KEY", help="PEM file with the key of your certificate.")
    ] = None,
) -> None:
    """Route labelling tasks to people by skill and measured reliability, and know when to stop asking.

    The files for TLS are named before the command, for any that talks to an engine.

    Example: crowdroute --authority engine.pem --certificate me.pem --key me.key stats birds
    """
    use_tls(Tls(authority, certificate, key))


app.command("serve")(serve)
app.command("demo")(demo)
app.add_typer(projects, name="project")
app.add_typer(tokens, name="token")
app.add_typer(rulebook, name="rules")
app.add_typer(workers, name="workers")
app.add_typer(tasks, name="tasks")
app.add_typer(logs, name="log")
app.add_typer(directory, name="directory")
cluster.command("demo")(cluster_demo)
app.add_typer(cluster, name="cluster")
app.command("stats")(stats)
app.command("top")(top)
app.command("import")(import_items)
app.command("export")(export)
app.command("explain")(explain)
app.command("refit")(refit)
app.command("replay")(replay)
app.command("aggregate")(aggregate)
