"""Archiving a log beside the engine that serves it, in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from crowdroute.router.errors import RouterError

ARCHIVED_SECONDS = 30.0
"""Between two looks at whether there is something to archive: the topic keeps what is not archived yet."""

_log = logging.getLogger(__name__)


async def keep_archive(step: Callable[[], bool], every_s: float = ARCHIVED_SECONDS) -> None:
    """Archive at once, and again and again until it is cancelled; an engine serves on whatever becomes of it.

    The first look is at the start, when somebody reads the log: it tells a wrong bucket or secret.

    Args:
        step: does one bounded piece, blocking; says whether there may be another.
        every_s: seconds between two looks.
    """
    # Not one of those that the loop lends: a store that hangs would keep them from the engines beside it.
    thread = ThreadPoolExecutor(1, "archive")
    try:
        while True:
            try:
                while await asyncio.get_running_loop().run_in_executor(thread, step):
                    pass
            except RouterError as error:
                _log.warning("the archive does not grow: %s", error.message)
            except Exception:
                _log.exception("the archive does not grow, by a defect")
            await asyncio.sleep(every_s)
    finally:
        thread.shutdown(wait=False)
