"""An engine's archive grows beside it, and does it no harm when it cannot."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from crowdroute.router.errors import StorageError
from crowdroute.router.runtime.archiving import ARCHIVED_SECONDS, keep_archive


async def test_the_first_look_is_at_the_start() -> None:
    loop, looked = asyncio.get_running_loop(), asyncio.Event()

    def step() -> bool:
        loop.call_soon_threadsafe(looked.set)
        return False

    keeping = asyncio.create_task(keep_archive(step))
    async with asyncio.timeout(ARCHIVED_SECONDS / 2):
        await looked.wait()
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping


async def test_it_goes_on_after_an_error_and_as_long_as_there_is_something(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    ends: list[bool | Exception] = [
        StorageError("s3://gone cannot be listed"),
        KeyError("nobody thought of it"),
        *(True, True, False, True),
    ]

    def step() -> bool:
        end = ends.pop(0)
        if not ends:
            loop.call_soon_threadsafe(done.set)
            return False
        if isinstance(end, Exception):
            raise end
        return end

    keeping = asyncio.create_task(keep_archive(step, every_s=0))
    async with asyncio.timeout(10):
        await done.wait()
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping
    assert "the archive does not grow: s3://gone cannot be listed" in caplog.text
    assert "the archive does not grow, by a defect" in caplog.text


async def test_a_store_that_hangs_takes_no_thread_that_others_need() -> None:
    loop, goes_on, asked = asyncio.get_running_loop(), threading.Event(), asyncio.Event()
    loop.set_default_executor(ThreadPoolExecutor(1))

    def hang() -> bool:
        loop.call_soon_threadsafe(asked.set)
        goes_on.wait()
        return False

    keeping = asyncio.create_task(keep_archive(hang))
    async with asyncio.timeout(10):
        await asked.wait()
        await asyncio.to_thread(int)
    goes_on.set()
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping
