"""The live view in the terminal, drawn anew several times a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from crowdroute.router.demo.play import Progress


@contextmanager
def live_view(console: Console) -> Iterator[Callable[[Progress], None]]:
    """Give what draws the state of play; on anything but a terminal, nothing is drawn."""
    if not console.is_terminal:
        yield lambda progress: None
        return
    with Live(console=console, refresh_per_second=8, transient=True) as live:
        yield lambda progress: live.update(draw(progress))


def draw(progress: Progress) -> RenderableType:
    """Draw one moment of play."""
    table = Table.grid(padding=(0, 2))
    table.add_row("pictures finalised", f"{progress.finalised} of {progress.pictures}")
    table.add_row("", ProgressBar(total=progress.pictures, completed=progress.finalised, width=40))
    table.add_row("answers", str(progress.answers))
    table.add_row("  of them reviews by seniors", str(progress.reviews))
    if progress.stats is not None:
        stats = progress.stats
        table.add_row("leases held now", str(sum(stage.live for stage in stats.stages)))
        table.add_row("gold answered right", f"{stats.gold_correct} of {stats.gold_checked}")
        table.add_row("owed to workers", f"{stats.owed.amount} {stats.owed.currency}")
    shown = [
        Panel(
            Group(
                Text(picture.text()),
                Text(f"{name}: {label}", style="bold" if label == picture.digit else "red"),
            )
        )
        for name, picture, label in progress.latest[-3:]
    ]
    return Group(Text("24 workers and 3 seniors label handwritten digits over gRPC"), table, Columns(shown))
