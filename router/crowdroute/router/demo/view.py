"""The live view in the terminal, drawn anew several times a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from crowdroute.router.demo.play import Progress
from crowdroute.router.demo.working import Work

State = TypeVar("State")


@contextmanager
def live_view(console: Console, draw: Callable[[State], RenderableType]) -> Iterator[Callable[[State], None]]:
    """Give what draws the state of play; on anything but a terminal, nothing is drawn."""
    if not console.is_terminal:
        yield lambda state: None
        return
    with Live(console=console, refresh_per_second=8, transient=True) as live:
        yield lambda state: live.update(draw(state))


def draw(progress: Progress) -> RenderableType:
    """Draw one moment of play."""
    table = Table.grid(padding=(0, 2))
    table.add_row("pictures finalised", f"{progress.finalised} of {progress.pictures}")
    table.add_row("", ProgressBar(total=progress.pictures, completed=progress.finalised, width=40))
    table.add_row("answers", str(progress.work.answers))
    table.add_row("  of them reviews by seniors", str(progress.work.reviews))
    if progress.stats is not None:
        stats = progress.stats
        table.add_row("leases held now", str(sum(stage.live for stage in stats.stages)))
        table.add_row("gold answered right", f"{stats.gold_correct} of {stats.gold_checked}")
        table.add_row("owed to workers", f"{stats.owed.amount} {stats.owed.currency}")
    return Group(
        Text("24 workers and 3 seniors label handwritten digits over gRPC"),
        table,
        latest_answers(progress.work),
    )


def latest_answers(work: Work) -> RenderableType:
    """Draw the pictures that were answered last, each with the answer: red when it is wrong."""
    return Columns(
        Panel(
            Group(
                Text(picture.text()),
                Text(f"{name}: {given}", style="bold" if given == picture.digit else "red"),
            )
        )
        for name, picture, given in work.latest[-3:]
    )
