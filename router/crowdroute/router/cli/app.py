"""The commands by name."""

from __future__ import annotations

from importlib.metadata import version

import typer

from crowdroute.router.cli import (
    aggregating,
    demonstrating,
    explaining,
    exporting,
    importing,
    logs,
    projects,
    replaying,
    rulebook,
    serving,
    stats,
    tasks,
    tokens,
    workers,
)

app = typer.Typer(
    name="crowdroute",
    help="Route labelling tasks to people by skill and measured reliability, and know when to stop asking.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("crowdroute"))
        raise typer.Exit


@app.callback()
def crowdroute(
    show_version: bool = typer.Option(
        False, "--version", help="Print the version and end.", callback=_show_version, is_eager=True
    ),
) -> None:
    """Route labelling tasks to people by skill and measured reliability, and know when to stop asking."""


app.command("serve")(serving.serve)
app.command("demo")(demonstrating.demo)
app.add_typer(projects.app, name="project")
app.add_typer(tokens.app, name="token")
app.add_typer(rulebook.app, name="rules")
app.add_typer(workers.app, name="workers")
app.add_typer(tasks.app, name="tasks")
app.add_typer(logs.app, name="log")
app.command("stats")(stats.stats)
app.command("import")(importing.import_items)
app.command("export")(exporting.export)
app.command("explain")(explaining.explain)
app.command("replay")(replaying.replay)
app.command("aggregate")(aggregating.aggregate)
