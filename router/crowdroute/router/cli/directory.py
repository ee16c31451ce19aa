"""`crowdroute directory`: look at what processes tell each other through Redis, and ask none of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from crowdroute.router.adapters.redis_directory import RedisDirectory
from crowdroute.router.cli.output import console, print_json, print_table
from crowdroute.router.cli.target import AsJson
from crowdroute.router.errors import ConfigurationError, NotFound
from crowdroute.router.runtime.directory.opening import connection_to
from crowdroute.router.runtime.settings import load_settings

app = typer.Typer(
    help="Look at what processes tell each other through Redis, without asking any of them.",
    no_args_is_help=True,
)

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="TOML file with the settings of `serve`; its [redis] counts."),
]
T = TypeVar("T")


@app.command()
def status(config: Config = None, as_json: AsJson = False) -> None:
    """List keyspaces: whether their rows are read, how many there are, and when their owner wrote last.

    Example: crowdroute directory status --config crowdroute.toml
    """
    found = _ask(config, lambda directory: directory.keyspaces())
    if as_json:
        print_json([keyspace._asdict() for keyspace in found])
        return
    print_table(
        ("keyspace", "state", "rows", "epoch", "owner wrote"),
        ((one.name, one.state, one.rows, one.epoch, f"{max(one.age_seconds, 0):.1f} s ago") for one in found),
        "nothing is kept in this namespace",
    )


@app.command()
def show(
    keyspace: Annotated[str, typer.Argument(help="As `status` names it, for example profiles/default.")],
    keys: Annotated[list[str], typer.Argument(help="Ids of workers or projects, or `address`.")],
    config: Config = None,
) -> None:
    """Print rows as one JSON object.

    Example: crowdroute directory show profiles/default wrk_9f86d081884c7d659a2feaa0c55ad015
    """
    rows = _ask(config, lambda directory: directory.get(keyspace, keys))
    if not rows:
        raise NotFound(
            f"{keyspace} has no such row, or its rows are not read now: see `crowdroute directory status`"
        )
    print_json({key: json.loads(row) for key, row in rows.items()})


@app.command()
def watch(config: Config = None) -> None:
    """Print each change as it is told, as one JSON object a line, until interrupted.

    A line without keys says that any row of the keyspace may have changed; without a keyspace, any of all.

    Example: crowdroute directory watch --config crowdroute.toml
    """

    async def follow(directory: RedisDirectory) -> None:
        async for notice in directory.notices():
            console().print(json.dumps(notice._asdict()), soft_wrap=True, highlight=False)

    _ask(config, follow)


def _ask(config: Path | None, question: Callable[[RedisDirectory], Awaitable[T]]) -> T:
    async def ask() -> T:
        async with _opened(config) as directory:
            return await question(directory)

    return asyncio.run(ask())


@asynccontextmanager
async def _opened(config: Path | None) -> AsyncIterator[RedisDirectory]:
    """Connect to the Redis of the settings.

    Raises:
        ConfigurationError: there is none in them, or it does not answer.
    """
    redis = load_settings(config).redis
    if redis is None:
        raise ConfigurationError(
            "no Redis is set: give --config with a [redis] section, or set CROWDROUTE_REDIS__SERVER"
        )
    unreachable = await connection_to(redis).check()
    if unreachable:
        raise ConfigurationError(
            f"Redis at {redis.server} does not answer ({unreachable}): start it, or look at redis.server"
        )
    directory = RedisDirectory(connection_to(redis), redis.namespace)
    try:
        yield directory
    finally:
        await directory.close()
