"""`crowdroute demo`: see the engine at work, without a network and with nothing to set up."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Annotated

import typer

from crowdroute.client import Client
from crowdroute.router.cli.log_lines import write_log
from crowdroute.router.cli.output import console, print_json
from crowdroute.router.cli.target import AsJson
from crowdroute.router.demo.crowd import simulated_crowd
from crowdroute.router.demo.pictures import load_pictures
from crowdroute.router.demo.play import play
from crowdroute.router.demo.report import Findings, find, show
from crowdroute.router.demo.view import draw, live_view
from crowdroute.router.replay.temporary import temporary_engine


def demo(
    pictures: Annotated[int, typer.Option(help="How many digits are labelled.", min=20, max=1797)] = 300,
    seed: Annotated[int, typer.Option(help="Which simulated crowd.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Let a simulated crowd of known accuracies label real images through a real engine, and compare what it
    found out.

    Example: crowdroute demo --seed 7
    """
    write_log("warning")
    findings = asyncio.run(_play(pictures, seed))
    if as_json:
        print_json(dataclasses.asdict(findings))
    else:
        show(findings, console())


async def _play(count: int, seed: int) -> Findings:
    pictures, crowd = load_pictures(count), simulated_crowd(seed)
    async with temporary_engine() as connection:
        with live_view(console(), draw) as shown:
            played = await play(connection, pictures, crowd, seed, shown)

        def read() -> Findings:
            with Client(connection) as client:
                return find(client, played, pictures, crowd, seed)

        return await asyncio.to_thread(read)
