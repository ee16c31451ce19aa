"""The live view of the demonstration on a cluster."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from crowdroute.router.demo.cluster.flow import Flow
from crowdroute.router.demo.view import latest_answers
from crowdroute.router.runtime.cluster.orders import Stage
from crowdroute.router.runtime.cluster.overview import Overview

BAR = 40


def draw(flow: Flow) -> RenderableType:
    """Draw one moment: what flows, who serves it, and what was answered last."""
    bars = Table.grid(padding=(0, 2))
    read = len(flow.read.results)
    bars.add_row("results in Kafka", f"{read} of {flow.wanted}")
    bars.add_row("", ProgressBar(total=flow.wanted, completed=read, width=BAR))
    return Group(
        Text("tasks come from Kafka, a crowd labels them at two actors, results go to Kafka"),
        bars,
        _projects(flow),
        Text(""),
        _actors(flow.overview),
        Text(flow.told, style="bold yellow"),
        latest_answers(flow.work),
    )


def _projects(flow: Flow) -> Table:
    table = Table(header_style="bold", box=None, pad_edge=False)
    for column in (
        "project",
        "shard",
        "served by",
        "produced",
        "taken in",
        "answered",
        "finalised",
        "read back",
    ):
        table.add_column(column, justify="left" if column in ("project", "served by") else "right")
    for project in flow.projects:
        stats = project.stats
        table.add_row(
            project.name,
            str(project.shard),
            _owner(flow.overview, project.shard),
            str(project.produced),
            str(project.taken),
            str(stats.answers_accepted),
            str(stats.tasks_finalised),
            str(flow.results(project)),
        )
    return table


def _owner(overview: Overview | None, shard: int) -> str:
    if overview is None:
        return "–"
    one = overview.shards[shard]
    return one.actor if one.stage == Stage.SERVING else one.stage


def _actors(overview: Overview | None) -> Table:
    table = Table(header_style="bold", box=None, pad_edge=False)
    for column in ("actor", "state", "pid", "address", "shards"):
        table.add_column(column)
    for actor in overview.actors if overview else ():
        table.add_row(
            actor.name,
            Text(actor.state, style="" if actor.state == "serving" else "bold yellow"),
            str(actor.pid or "–"),
            actor.address or "–",
            " ".join(map(str, actor.shards)) or "–",
        )
    return table
