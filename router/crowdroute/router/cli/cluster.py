"""`crowdroute cluster`: many shards on Ray, as one looks after them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Set
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from crowdroute.router.adapters.objects import Objects
from crowdroute.router.adapters.ray_store import Head, RayRecord, keep_settings
from crowdroute.router.cli.cluster_view import print_overview, watching
from crowdroute.router.cli.output import console, live_line, print_json
from crowdroute.router.cli.patience import bounded
from crowdroute.router.cli.target import AsJson
from crowdroute.router.errors import ConfigurationError, FleetUnavailable
from crowdroute.router.feeds.feeding import ensure_topics
from crowdroute.router.rpc.group.peers import proofs_of
from crowdroute.router.rpc.server import credentials_of
from crowdroute.router.runtime.cluster.control import Drain, Move, Question, Restart, Show, Want
from crowdroute.router.runtime.cluster.overview import Overview, require_growth
from crowdroute.router.runtime.cluster.ray_client import (
    carry_out,
    connected,
    end,
    running_supervisor,
    supervisor,
)
from crowdroute.router.runtime.clustered import require_brokers, require_unserved
from crowdroute.router.runtime.directory.opening import connection_to
from crowdroute.router.runtime.settings import ClusterSettings, Settings, load_settings, settings_told

HOSTING = "crowdroute.router.cli.cluster_process:host"
"""What actors serve shards with."""

LOOK_S = 0.5
"""Between two looks at a cluster that is waited for."""

NO_SUPERVISOR = "the supervisor has not answered yet: Ray may be starting it, or its head does not answer"

app = typer.Typer(
    help="Run many shards on Ray: start, look, move, drain, restart, stop.", no_args_is_help=True
)

RayAddress = Annotated[
    str,
    typer.Option(
        "--ray",
        envvar="CROWDROUTE_CLUSTER__RAY",
        help="host:port of Ray's head; without it the one that a node on this machine belongs to.",
    ),
]
Patience = Annotated[
    float, typer.Option("--wait", help="Longest wait, in seconds, until it is done; 0: do not wait.", min=0)
]
WAIT_S = 120.0


@app.command()
def up(
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="TOML file with settings; see [cluster] in it.")
    ] = None,
    shards: Annotated[
        int | None, typer.Option(help="Logs that the projects are shared out among.", min=1)
    ] = None,
    actors: Annotated[int | None, typer.Option(help="Processes that share the shards.", min=1)] = None,
    ray: Annotated[str | None, typer.Option("--ray", help="host:port of Ray's head.")] = None,
    wait: Patience = WAIT_S,
    as_json: AsJson = False,
) -> None:
    """Start the cluster, or bring a running one to another size; returns when every shard is served.

    Run it on a node of the Ray cluster. What it changes of the settings, running actors take with `restart`.

    Example: crowdroute cluster up --config cluster.toml --shards 8 --actors 4
    """
    settings = load_settings(config, shards=shards)
    given = {"actors": actors, "ray": ray}
    cluster = (settings.cluster or ClusterSettings()).model_copy(
        update={name: value for name, value in given.items() if value is not None}
    )
    whole = settings.model_copy(update={"cluster": cluster, "directory": settings.directory.resolve()})
    settings = settings_told(whole.model_dump_json().encode())  # as an actor will read them
    if settings.shards > 1 and settings.peers is None:
        raise ConfigurationError(
            f"{settings.shards} shards live in several processes, which must reach each other: give peers in"
            " the settings (address, secret_file, tls)"
        )
    _require_sound(settings)
    with _on_ray(cluster.ray):
        with bounded(NO_SUPERVISOR):
            led = supervisor(HOSTING)
        require_growth(_carry_out(led, Show()), settings.shards)
        if settings.kafka is not None and asyncio.run(RayRecord(Head()).read()).generation == 0:
            with live_line() as tell:
                require_unserved(settings.kafka, tell)
        # Before anything is started by them, and not if they are refused.
        asyncio.run(keep_settings(Head(), settings.model_dump_json().encode()))
        seen = _finish(led, Want(settings.shards, cluster.actors), wait, "starting")
    _print(seen, as_json)


@app.command()
def status(ray: RayAddress = "auto", as_json: AsJson = False) -> None:
    """Show nodes, actors, and who serves which shard at which generation.

    Example: crowdroute cluster status --json
    """
    with _on_ray(ray):
        seen = _carry_out(_running(), Show())
    _print(seen, as_json)


@app.command()
def move(
    shard: Annotated[int, typer.Argument(help="Number of the shard.", metavar="SHARD")],
    actor: Annotated[
        str,
        typer.Argument(help="Where it is to stay; without it, it may live anywhere again.", metavar="ACTOR"),
    ] = "",
    ray: RayAddress = "auto",
    wait: Patience = WAIT_S,
    as_json: AsJson = False,
) -> None:
    """Hand a shard over: its owner finishes what it took, then the actor serves it.

    Example: crowdroute cluster move 3 actor-1
    """
    with _on_ray(ray):
        seen = _finish(_running(), Move(shard, actor), wait, f"moving shard {shard}")
    _print(seen, as_json)


@app.command()
def drain(
    name: Annotated[
        str, typer.Argument(help="Address or id of a node, or name of an actor.", metavar="NAME")
    ],
    undo: Annotated[bool, typer.Option("--undo", help="Take it back into service.")] = False,
    ray: RayAddress = "auto",
    wait: Patience = WAIT_S,
    as_json: AsJson = False,
) -> None:
    """Take a node or an actor out of service: its shards are handed over to the others.

    Example: crowdroute cluster drain 10.0.0.7
    """
    with _on_ray(ray):
        doing = f"taking {name} back" if undo else f"draining {name}"
        seen = _finish(_running(), Drain(name, undo), wait, doing)
    _print(seen, as_json)


@app.command()
def restart(ray: RayAddress = "auto", wait: Patience = 600.0, as_json: AsJson = False) -> None:
    """Replace the process of every actor, one after the other, its shards handed over meanwhile.

    Example: crowdroute cluster restart
    """
    with _on_ray(ray):
        seen = _finish(_running(), Restart(), wait, "restarting")
    _print(seen, as_json)


@app.command()
def down(ray: RayAddress = "auto", wait: Patience = WAIT_S, as_json: AsJson = False) -> None:
    """Hand every shard back in order and end all actors; Ray itself, logs and placements stay.

    Example: crowdroute cluster down
    """
    with _on_ray(ray):
        led = _running()
        shards = _carry_out(led, Show()).wanted.shards
        seen = _finish(led, Want(shards, 0), wait or WAIT_S, "stopping")
        end(led)
    _print(seen, as_json)


def _require_sound(settings: Settings) -> None:
    """Refuse what actors would refuse, each for itself, maybe only when they are started again some day.

    Raises:
        ConfigurationError: a file or a topic will not do.
        StorageError: no broker answers.
    """
    if settings.tls is not None:
        credentials_of(settings.tls)
    if settings.peers is not None:
        proofs_of(settings.peers)
    if settings.redis is not None and (away := asyncio.run(connection_to(settings.redis).check())):
        told = (
            f"no Redis answers at {settings.redis.server} ({away}): engines serve without it until one does"
        )
        typer.echo(f"warning: {told}", err=True)
    if settings.kafka is not None:
        for url in (settings.kafka.snapshots, settings.kafka.archive):
            if url is not None:
                Objects(url)
        require_brokers(settings.kafka, settings.shards)
    if settings.feeds is not None:
        ensure_topics(settings.feeds, settings.shards)


@contextlib.contextmanager
def _on_ray(address: str) -> Iterator[None]:
    """Be a client of Ray while the block runs; see `connected`."""
    where = "on this machine" if address == "auto" else f"at {address}"
    late = f"Ray {where} has not let this in yet: see that its head runs and answers"
    with contextlib.ExitStack() as stack:
        with bounded(late):
            stack.enter_context(connected(address))
        try:
            yield
        finally:
            with bounded(f"Ray {where} has not let this go yet: see that its head answers"):
                stack.close()


def _running() -> Any:
    with bounded(NO_SUPERVISOR):
        return running_supervisor()


def _carry_out(led: Any, question: Question) -> Overview:
    with bounded(NO_SUPERVISOR):
        return carry_out(led, question)


def _finish(led: Any, question: Question, wait: float, doing: str) -> Overview:
    """Ask for something and show how far it is, until it is done; gives how the cluster does then."""
    seen = _carry_out(led, question)
    return _wait(lambda: _carry_out(led, Show()), seen, wait, doing) if wait else seen


def _wait(look: Callable[[], Overview], seen: Overview, wait: float, doing: str) -> Overview:
    until = time.monotonic() + wait
    before = {actor.incarnation for actor in seen.actors}
    with watching(doing) as show:
        while not seen.resting:
            if time.monotonic() > until:
                why = next((shard.why for shard in seen.shards if shard.why), "")
                raise FleetUnavailable(
                    f"{doing} is not done after {wait:.0f} s, and goes on"
                    + (f" ({why})" if why else "")
                    + ": see `crowdroute cluster status`"
                )
            time.sleep(LOOK_S)
            seen = look()
            show(seen)
            _refuse_hindered(seen, before)
    return seen


def _refuse_hindered(seen: Overview, before: Set[str]) -> None:
    """Wait no longer for an actor that cannot begin; lives from before are of other settings, maybe.

    Raises:
        ConfigurationError: there is one.
    """
    for actor in seen.actors:
        if actor.why and actor.incarnation not in before and seen.wanted.actors:
            raise ConfigurationError(
                f"{actor.name} cannot begin: {actor.why}. It is tried again with the settings of the last"
                " `crowdroute cluster up`"
            )


def _print(seen: Overview, as_json: bool) -> None:
    if as_json:
        print_json(msgspec.to_builtins(seen))
    else:
        print_overview(seen, console())
