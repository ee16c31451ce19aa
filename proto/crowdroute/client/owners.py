"""Which process serves which project, as its replies told, so that the next call goes there without a detour.

Any process of an installation takes any call and forwards what it does not serve; the reply then names who
does. What is remembered of that is a shortcut and nothing else: without it, or when it fails, calls go to
the configured address as ever.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

import grpc

from crowdroute.client.connection import Connection
from crowdroute.client.errors import ClientError

OWNER = "crowdroute-owner"
"""Metadata of a reply that took a detour: host:port of who serves the project."""

MOST_WAYS = 64
"""Channels besides the configured one; projects of further processes are reached by the detour."""

MOST_PROJECTS = 10_000
"""Projects whose process is remembered; then all are forgotten and told again."""

REST_S = 30.0
"""How long a process that was lost is not followed again, so that one which cannot be used from here costs
little, whatever is told of it."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

LOST = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,  # also NOT_READY and MOVED
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNAUTHENTICATED,
    }
)
"""How calls end after which the process is not followed: it is gone, or not what it was taken for."""


class Way:
    """A channel to one process, and the calls that are ready to be made on it."""

    def __init__(self, address: str, channel: Any) -> None:
        """Wrap an open channel; what opened it says how it `stands` and how it is closed."""
        self.address = address
        self.channel = channel
        self.under_way = 0
        """Calls that use it now; it is closed after the last of them."""
        self.forgotten = False
        self._calls: dict[str, Any] = {}

    def call(self, kind: str, path: str, how: dict[str, Any]) -> Any:
        """Give the call of a path; `kind` names what of it streams, as channels do (`unary_unary`)."""
        made = self._calls.get(path)
        if made is None:
            made = self._calls[path] = getattr(self.channel, kind)(path, **how)
        return made

    def stands(self) -> bool | None:
        """Say whether there is a connection; None while that is being found out."""
        raise NotImplementedError

    def end(self) -> None:
        """Close the channel, now or soon."""
        raise NotImplementedError


AnyWay = TypeVar("AnyWay", bound=Way)


class Owners(Generic[AnyWay]):
    """The ways to the processes that serve this client's projects; for any number of threads."""

    def __init__(
        self,
        connection: Connection,
        configured: AnyWay,
        open_way: Callable[[str], AnyWay],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Follow nobody yet.

        Args:
            connection: says which processes may be followed.
            configured: the way that the user named; where everything goes that nothing is known of.
            open_way: begins to connect to an address, with the same encryption.
            now_s: a clock that does not jump, in seconds.
        """
        self._connection = connection
        self.configured = configured
        self._open_way = open_way
        self._now_s = now_s
        self._ways: dict[str, AnyWay] = {}
        self._homes: dict[str, AnyWay] = {}
        self._resting: dict[str, float] = {}
        """By address: until when it is not followed."""
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def way(self, project: str) -> Iterator[AnyWay]:
        """Lend the way to a project's process while a call lasts; the configured one when it is not known.

        A process is followed once a connection to it stands: an address that cannot be reached from here
        delays nothing.
        """
        with self._lent(self._standing(project)) as way:
            yield way

    @contextlib.contextmanager
    def told(self, project: str) -> Iterator[AnyWay]:
        """Lend the way that was told for a project, whether its connection stands or not."""
        with self._lent(self._homes.get(project, self.configured)) as way:
            yield way

    def hear(
        self,
        way: AnyWay,
        project: str,
        metadata: Iterable[tuple[str, str | bytes]] | None,
        failure: ClientError | None = None,
    ) -> None:
        """Learn from how a call ended.

        Args:
            way: where it went.
            project: what it was about; empty when it was about none.
            metadata: of the reply.
            failure: how it failed, if it did.
        """
        owner = next((str(value) for key, value in metadata or () if key == OWNER), "")
        lost = failure is not None and failure.status in LOST
        if way is not self.configured:
            if lost or owner:  # one that forwards is the owner no more; whom it names is not followed further
                self._forget(way)
        elif owner and project and not lost and may_follow(self._connection, owner):
            self._learn(project, owner)

    def close(self) -> list[AnyWay]:
        """Forget everything; gives every way but the configured one, for the caller to close at once."""
        with self._lock:
            ways = list(self._ways.values())
            self._ways.clear()
            self._homes.clear()
            for way in ways:
                way.forgotten = True
        return ways

    def _standing(self, project: str) -> AnyWay:
        known = self._homes.get(project)
        stands = None if known is None else known.stands()
        if known is not None and stands is False:
            self._forget(known)
        return known if known is not None and stands else self.configured

    @contextlib.contextmanager
    def _lent(self, way: AnyWay) -> Iterator[AnyWay]:
        with self._lock:
            if way.forgotten:
                way = self.configured
            way.under_way += 1
        try:
            yield way
        finally:
            with self._lock:
                way.under_way -= 1
                over = way.forgotten and not way.under_way
            if over:
                way.end()

    def _learn(self, project: str, address: str) -> None:
        with self._lock:
            way = self._ways.get(address)
            if way is None:
                now = self._now_s()
                self._resting = {held: until for held, until in self._resting.items() if until > now}
                if address in self._resting or len(self._ways) >= MOST_WAYS:
                    return
                way = self._ways[address] = self._open_way(address)
            if len(self._homes) >= MOST_PROJECTS:
                self._homes.clear()
            self._homes[project] = way

    def _forget(self, way: AnyWay) -> None:
        with self._lock:
            if way.forgotten:
                return
            way.forgotten = True
            del self._ways[way.address]
            self._homes = {project: home for project, home in self._homes.items() if home is not way}
            self._resting[way.address] = self._now_s() + REST_S
            over = not way.under_way
        if over:
            way.end()


def may_follow(connection: Connection, address: str) -> bool:
    """Say whether a token may be sent to an address that a reply named.

    Over TLS, anywhere: who is there proves its name, to the same authorities. Without, to the configured host
    only, so that no token goes in the clear where it did not go before. A loopback's name means this machine,
    and is followed from a loopback only.
    """
    host = _host(address)
    if not host or address == connection.address:
        return False
    configured = _host(connection.address.removeprefix("dns:///"))
    if host in LOOPBACK or configured in LOOPBACK:
        return host in LOOPBACK and configured in LOOPBACK
    return connection.encrypted or host == configured


def _host(address: str) -> str:
    """Give the host of host:port; empty when it is anything else."""
    host, _, port = address.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if bracketed:
        host = host[1:-1]
    plain = bracketed or not set(host) & set(":/,")
    return host.lower() if plain and port.isascii() and port.isdigit() else ""


def project_of(request: Any) -> str:
    """Give the id of the project that a request is about; empty when it is about none.

    A call that streams requests says so in the opening of its first.
    """
    fields = request.DESCRIPTOR.fields_by_name
    if "project_id" not in fields and "header" in fields:
        request = request.header
    return getattr(request, "project_id", "")
