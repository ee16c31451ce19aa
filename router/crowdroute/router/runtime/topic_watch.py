"""Looking again and again, while an engine serves, at what would have kept it from starting."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from crowdroute.router.errors import ConfigurationError, RouterError, StorageError

LOOKED_AT_SECONDS = 60.0
"""Between two looks at the settings of a log's topics: a mistake is found within a minute, and a look costs a
connection."""

TOLD_SECONDS = 10.0
"""Between two records that tell that a shard is served: after a crash of everything, whoever begins anew
waits for three that do not come. Each costs a broker one flush."""

_log = logging.getLogger(__name__)


async def watch_topics(
    check: Callable[[], None], stop: Callable[[RouterError], None], every_s: float = LOOKED_AT_SECONDS
) -> None:
    """Stop an engine whose topics could lose what they acknowledge; runs until it is cancelled or did so.

    Args:
        check: looks once, blocking; raises `ConfigurationError` when they could, `StorageError` when nobody
            answers.
        stop: is told why the engine may not go on.
        every_s: seconds between two looks.
    """
    while True:
        await asyncio.sleep(every_s)
        try:
            await asyncio.to_thread(check)
        except ConfigurationError as error:
            stop(error)
            return
        except StorageError as error:
            # Whether the log can be written is for the next append to say.
            _log.warning("the topics could not be looked at: %s", error.message)
        except Exception:  # a watch that ended by a defect would let every later mistake pass
            _log.exception("the topics could not be looked at, by a defect")


async def watch_clock(
    check: Callable[[], None], every_s: float = TOLD_SECONDS, warned_s: float = LOOKED_AT_SECONDS
) -> None:
    """Tell when this machine's clock and the brokers' part; runs until it is cancelled.

    Nobody is wronged while the engine serves, because logged time does not follow the clock. But whoever
    starts here next goes by it, and is refused.

    Args:
        check: looks once, blocking; raises `ConfigurationError` when they are apart, `StorageError` when
            nobody answers.
        every_s: seconds between two looks.
        warned_s: seconds between two warnings, however many looks there are.
    """
    warned_at: float | None = None
    while True:
        try:
            await asyncio.to_thread(check)
        except ConfigurationError as error:
            if warned_at is None or time.monotonic() - warned_at >= warned_s:
                warned_at = time.monotonic()
                _log.warning("%s; this engine goes on, the next start here will be refused", error.message)
        except StorageError:
            pass  # as above: the next append says it
        except Exception:
            _log.exception("the brokers' clock could not be looked at, by a defect")
        await asyncio.sleep(every_s)
