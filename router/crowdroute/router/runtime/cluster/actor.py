"""An actor as it follows its orders: shards opened and given back, one task for each, as the newest order
says.

It never serves on its own account: a new life begins without shards and waits for a grant of its own. By one
grant it opens a shard once; what it released or failed to open it opens only by a later one.
"""

from __future__ import annotations

import asyncio

import structlog

from crowdroute.router.errors import Fenced, RouterError
from crowdroute.router.runtime.cluster.hosting import Hosting
from crowdroute.router.runtime.cluster.orders import Charge, Held, Order, Stage, Standing

_log = structlog.get_logger("crowdroute.actor")


def reason_of(error: Exception) -> str:
    """Say in one line why something failed."""
    if isinstance(error, RouterError):
        return error.message
    if isinstance(error, OSError):
        return str(error)
    return f"a defect ({type(error).__name__}): the log of the process has the rest"


class ShardActor:
    """Follows the orders that are addressed to this life of the process."""

    def __init__(self, hosting: Hosting, *, incarnation: str, node: str, pid: int) -> None:
        """Begin without shards.

        Args:
            hosting: what opens and serves them.
            incarnation: names this life; never used before.
            node: id of the node that this runs on.
            pid: of this process, for people.
        """
        self._hosting = hosting
        self._own = Standing(incarnation, node, hosting.at, pid)
        self._obeyed = 0
        self._least = 0
        self._held: dict[int, Held] = {}
        self._charges: dict[int, Charge] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def standing(self) -> Standing:
        """Say how this actor stands."""
        own = self._own
        return Standing(
            own.incarnation, own.node, own.at, own.pid, self._obeyed, dict(self._held), self._least
        )

    def obey(self, order: Order) -> Standing:
        """Begin to do what an order says, unless it is for another life or older than what is followed."""
        if order.incarnation == self._own.incarnation and order.generation >= self._obeyed:
            self._obeyed = order.generation
            self._hosting.know(order.generation, order.owners)
            self._charges = order.charges
            for shard in order.charges.keys() | self._held.keys():
                if shard not in self._tasks:
                    self._tasks[shard] = asyncio.create_task(self._follow(shard))
        return self.standing()

    async def settle(self) -> None:
        """Return when everything that was ordered is done."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values())

    async def _follow(self, shard: int) -> None:
        """Go step by step towards what is ordered for a shard, whatever is ordered meanwhile."""
        try:
            while await self._step(shard):
                pass
        finally:
            del self._tasks[shard]

    async def _step(self, shard: int) -> bool:
        """Take one step; False when there is none to take."""
        charge, held = self._charges.get(shard), self._held.get(shard)
        if held is not None and held.stage is Stage.SERVING:
            if charge is not None and charge.serve and charge.generation == held.generation:
                return False
            await self._release(shard, held.generation)
            return True
        if charge is None or (held is not None and held.generation >= charge.generation):
            return False
        if charge.serve:
            await self._open(shard, charge.generation)
        else:
            self._held[shard] = Held(charge.generation, Stage.RELEASED)
        return True

    async def _open(self, shard: int, generation: int) -> None:
        self._held[shard] = Held(generation, Stage.OPENING)
        try:
            await self._hosting.open(shard, generation)
        except RouterError as error:
            if isinstance(error, Fenced):
                self._least = max(self._least, int(error.details.get("generation", 0)))
            self._held[shard] = Held(generation, Stage.FAILED, error.message)
            _log.error("shard failed to open", shard=shard, code=error.code, reason=error.message)
        except Exception as error:  # told as any other, or everybody would wait for it for ever
            self._held[shard] = Held(generation, Stage.FAILED, reason_of(error))
            _log.error("shard failed to open", shard=shard, exc_info=error)
        else:
            self._held[shard] = Held(generation, Stage.SERVING)
            _log.info("shard serves", shard=shard, generation=generation)

    async def _release(self, shard: int, generation: int) -> None:
        self._held[shard] = Held(generation, Stage.RELEASING)
        try:
            await self._hosting.release(shard)
        except RouterError as error:
            _log.error("shard closed in disorder", shard=shard, code=error.code, reason=error.message)
        except Exception as error:
            _log.error("shard closed in disorder", shard=shard, exc_info=error)
        self._held[shard] = Held(generation, Stage.RELEASED)
        _log.info("shard released", shard=shard, generation=generation)
