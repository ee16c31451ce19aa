"""How `crowdroute cluster` shows a cluster to people."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console

from crowdroute.router.cli.output import print_table, progress
from crowdroute.router.runtime.cluster.orders import Stage
from crowdroute.router.runtime.cluster.overview import Overview

SHOWN_OF_ID = 12
"""Characters of Ray's id of a node: `drain` takes them."""


@contextlib.contextmanager
def watching(doing: str) -> Iterator[Callable[[Overview], None]]:
    """Show on a terminal how many shards are served where they are to be, while the block runs."""
    with progress() as bars:
        bar = bars.add_task(doing, total=None)

        def show(seen: Overview) -> None:
            there = sum(shard.stage == Stage.SERVING and shard.actor == shard.home for shard in seen.shards)
            bars.update(bar, total=len(seen.shards), completed=there, description=doing)

        yield show


def print_overview(seen: Overview, console: Console) -> None:
    """Print nodes, actors and shards as tables, and in one line what is not as it should be."""
    addresses = {node.id: node.address for node in seen.nodes}
    print_table(
        ("node", "address", "actors", ""),
        (
            (
                node.id[:SHOWN_OF_ID],
                node.address,
                " ".join(node.actors) or "–",
                "drained" if node.drained else "",
            )
            for node in seen.nodes
        ),
        "Ray has no living node that offers processors",
    )
    console.print()
    print_table(
        ("actor", "state", "node", "address", "pid", "shards", ""),
        (
            (
                actor.name,
                actor.state,
                addresses.get(actor.node, actor.node[:SHOWN_OF_ID] or "–"),
                actor.address or "–",
                actor.pid or "–",
                " ".join(map(str, actor.shards)) or "–",
                actor.why,
            )
            for actor in seen.actors
        ),
        "no actors run",
    )
    console.print()
    print_table(
        ("shard", "stage", "actor", "served at", "generation", "", ""),
        (
            (
                shard.shard,
                shard.stage,
                shard.actor or "–",
                shard.address or "–",
                shard.generation or "–",
                _going(shard.actor, shard.home) + (" pinned" if shard.pinned else ""),
                shard.why,
            )
            for shard in seen.shards
        ),
        "there are no shards",
    )
    console.print()
    console.print(_summary(seen))


def _going(actor: str, home: str) -> str:
    return f"to {home}" if home and actor != home else ""


def _summary(seen: Overview) -> str:
    if not seen.fleet_answers:
        return "Ray's head does not answer: actors serve on, nothing is started or moved until it is back"
    if seen.retiring:
        return f"generation {seen.generation}: restarting, still to go: {' '.join(seen.retiring)}"
    if seen.wanted.actors == 0:
        return (
            f"generation {seen.generation}: down"
            if seen.resting
            else f"generation {seen.generation}: going down"
        )
    return f"generation {seen.generation}: {'as wanted' if seen.resting else 'on the way to what is wanted'}"
