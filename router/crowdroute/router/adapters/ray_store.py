"""What a cluster keeps with Ray: the placements that were decided, the settings of its processes, and signs
of life of those who may lead it.

All are keys of the store of Ray's head, which outlives the head when that keeps it in a Redis. Each
generation of the placement is a key of its own, put only where there is none: of two supervisors that decide
on the same generation, one is told that it came too late.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import msgspec

from crowdroute.router.adapters.ray_library import load_ray
from crowdroute.router.errors import FleetUnavailable, PlacementSuperseded
from crowdroute.router.model.placement import Placement

SPACE = "crowdroute"
KEPT = 64
"""Generations that are kept: enough to see what happened; a supervisor that is further behind is told
below."""

HEAD_S = 3.0
"""Longest wait for Ray's head; it answers in milliseconds or not at all."""

_PREFIX = "placement/"
_BEATS = "beat/"
_SETTINGS = "settings"
Answer = TypeVar("Answer")


class Head:
    """Asks Ray's head in a thread, because its client blocks, for as long as it is away if need be."""

    def __init__(self) -> None:
        """Ask nothing yet."""
        self._asked: asyncio.Future[Any] | None = None

    async def ask(self, question: Callable[[], Answer]) -> Answer:
        """Give the answer to a question, one at a time.

        Raises:
            FleetUnavailable: there is none within `HEAD_S`.
        """
        ray = load_ray()
        deadline = asyncio.get_running_loop().time() + HEAD_S
        try:
            while self._asked is not None and not self._asked.done():
                async with asyncio.timeout_at(deadline):
                    await asyncio.wait((self._asked,))  # what comes of it is for who asked it
            self._asked = _in_thread(question)
            answer: Answer = await _within(deadline, self._asked)
        except TimeoutError:
            raise FleetUnavailable(
                f"Ray's head has not answered for {HEAD_S:.0f} s: see that it runs; actors serve on"
                " without it"
            ) from None
        except (ray.exceptions.RayError, OSError, RuntimeError) as error:
            raise FleetUnavailable(f"Ray's head does not answer: {error}") from error
        return answer


async def _within(deadline: float, asked: asyncio.Future[Answer]) -> Answer:
    async with asyncio.timeout_at(deadline):
        return await asyncio.shield(asked)


def _in_thread(question: Callable[[], Answer]) -> asyncio.Future[Answer]:
    """Have a question answered in a thread that no program waits for when it ends: it may take minutes."""
    loop = asyncio.get_running_loop()
    asked: asyncio.Future[Answer] = loop.create_future()
    asked.add_done_callback(_looked_at)

    def ask() -> None:
        try:
            answer = question()
        except Exception as error:
            told = partial(_tell, asked.set_exception, asked, error)
        else:
            told = partial(_tell, asked.set_result, asked, answer)
        with contextlib.suppress(RuntimeError):  # nobody is there any more
            loop.call_soon_threadsafe(told)

    threading.Thread(target=ask, name="ray-head", daemon=True).start()
    return asked


def _tell(how: Callable[[Any], None], asked: asyncio.Future[Any], what: object) -> None:
    if not asked.done():
        how(what)


def _looked_at(asked: asyncio.Future[Any]) -> None:
    if not asked.cancelled():
        asked.exception()


class RayRecord:
    """`PlacementRecord` in the store of Ray's head; for processes that are connected to Ray."""

    def __init__(self, head: Head) -> None:
        """Ask that head."""
        self._head = head

    async def read(self) -> Placement:
        """Give the newest generation; generation 0 when none was written."""
        return await self._head.ask(_read)

    async def write(self, placement: Placement) -> None:
        """Return once the generation is with the head; see `PlacementRecord`."""
        await self._head.ask(lambda: _write(placement))


class RayBeats:
    """`Beats` in the store of Ray's head, one key for each rank."""

    def __init__(self, head: Head) -> None:
        """Ask that head."""
        self._head = head

    async def beat(self, rank: int, sign: str) -> None:
        """Leave a sign in place of the one before; see `Beats`."""
        key = f"{_BEATS}{rank}"
        await self._head.ask(lambda: _store()._internal_kv_put(key, sign, namespace=SPACE))

    async def heard(self) -> Mapping[int, str]:
        """Give the newest signs; see `Beats`."""
        return await self._head.ask(_heard)


async def keep_settings(head: Head, settings: bytes) -> None:
    """Keep the settings that processes read when they begin.

    Raises:
        FleetUnavailable: the head does not answer.
    """
    await head.ask(lambda: _store()._internal_kv_put(_SETTINGS, settings, namespace=SPACE))


async def kept_settings(head: Head) -> bytes:
    """Give the settings that were kept last; empty for none.

    Raises:
        FleetUnavailable: the head does not answer.
    """
    kept: bytes | None = await head.ask(lambda: _store()._internal_kv_get(_SETTINGS, namespace=SPACE))
    return kept or b""


def _store() -> Any:
    load_ray()
    return importlib.import_module("ray.experimental.internal_kv")


def _key(generation: int) -> str:
    return f"{_PREFIX}{generation:020d}"


def _generations() -> list[int]:
    keys = _store()._internal_kv_list(_PREFIX, namespace=SPACE)
    return sorted(int(key.decode().removeprefix(_PREFIX)) for key in keys)


def _heard() -> dict[int, str]:
    store, found = _store(), {}
    for key in store._internal_kv_list(_BEATS, namespace=SPACE):
        sign = store._internal_kv_get(key, namespace=SPACE)
        if sign is not None:
            found[int(key.decode().removeprefix(_BEATS))] = sign.decode()
    return found


def _read() -> Placement:
    for generation in reversed(_generations()):
        told = _store()._internal_kv_get(_key(generation), namespace=SPACE)
        if told is not None:
            return msgspec.json.decode(told, type=Placement)
    return Placement()


def _write(placement: Placement) -> None:
    generation, store = placement.generation, _store()
    newest = max(_generations(), default=0)
    if newest >= generation or store._internal_kv_put(
        _key(generation), msgspec.json.encode(placement), overwrite=False, namespace=SPACE
    ):
        raise _superseded(generation)
    generations = _generations()
    if generations[-1] != generation:  # it stood in the way of nobody only because its key had been removed
        store._internal_kv_del(_key(generation), namespace=SPACE)
        raise _superseded(generation)
    for old in generations[:-KEPT]:
        store._internal_kv_del(_key(old), namespace=SPACE)


def _superseded(generation: int) -> PlacementSuperseded:
    return PlacementSuperseded(
        f"another supervisor has decided on generation {generation} of the placement",
        {"generation": str(generation)},
    )
