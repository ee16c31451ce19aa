"""`crowdroute top`: what running engines do, drawn anew every moment."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated

import typer
from rich.live import Live

from crowdroute.client import Client
from crowdroute.router.cli.output import console, print_json
from crowdroute.router.cli.reaching import FIRST_LOOK_S
from crowdroute.router.cli.target import DEFAULT_ADDRESS, AsJson, TokenFile, connect, connection_to
from crowdroute.router.cli.top_look import Look, Told, look, told
from crowdroute.router.cli.top_view import draw


def top(
    address: Annotated[
        list[str] | None,
        typer.Option(
            "--address",
            "-a",
            envvar="CROWDROUTE_ADDRESS",
            help="Host and port of an engine, or of each process of a cluster: name it again for each.",
        ),
    ] = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metrics",
            help="Host and port of the metrics of each, in the same order: shards, commits, lag, memory.",
        ),
    ] = None,
    token_file: TokenFile = None,
    every: Annotated[float, typer.Option(help="Seconds between two looks.", min=0.2, max=3600)] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Look for that long, print, and end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Watch running engines: projects, answers per second, workers, commits, lag, health; Ctrl-C ends it.

    The token needs the scope projects.read. With --json, or without a terminal, it ends after one look.

    Example: crowdroute top -a node1:7070 -a node2:7070 --metrics node1:9464 --metrics node2:9464
    """
    addresses, scraped = address or [DEFAULT_ADDRESS], metrics or []
    if scraped and len(scraped) != len(addresses):
        raise typer.BadParameter(
            f"{len(addresses)} addresses and {len(scraped)} of metrics: give --metrics for each --address, "
            "or for none"
        )
    with ExitStack() as stack:
        # Each look tells what does not answer; a line of its own would stand in the middle of the screen.
        ways = [replace(connection_to(each, token_file), told=None) for each in addresses]
        clients = [stack.enter_context(Client(way)) for way in ways]
        if not any(client.wait_ready(FIRST_LOOK_S) for client in clients):
            connect(addresses[0], token_file).close()  # waits a while, and says why not
        _watch(clients, scraped, every, once=once, as_json=as_json)


def _watch(clients: list[Client], metrics: list[str], every: float, *, once: bool, as_json: bool) -> None:
    screen = console()
    before = look(clients, metrics, time.monotonic())
    if once or as_json or not screen.is_terminal:
        _, seen = _next(clients, metrics, before, every)
        if as_json:
            print_json(seen._asdict())
        else:
            screen.print(draw(seen))
        return
    with Live(draw(told(before, before)), console=screen, auto_refresh=False, screen=True) as live:
        try:
            while True:
                before, seen = _next(clients, metrics, before, every)
                live.update(draw(seen), refresh=True)
        except KeyboardInterrupt:
            return


def _next(clients: list[Client], metrics: list[str], before: Look, every: float) -> tuple[Look, Told]:
    time.sleep(every)
    after = look(clients, metrics, time.monotonic())
    return after, told(before, after)
