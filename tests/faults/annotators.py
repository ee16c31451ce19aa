"""Annotators at work through the Python client, whose every receipt is journaled."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from tests.faults.journal import ANSWER, GRANT, Journal, Line
from tests.faults.scene import LABELS, Annotator, Scene

from crowdroute.api.v1 import assignments_pb2
from crowdroute.client import AsyncClient, Connection

T = TypeVar("T")

ATTEMPTS = 60
"""Tries of a call: the engine is dead for seconds, again and again."""

ON_STREAMS = 4
"""Every so manieth annotator works over a work stream, the others with calls."""

IDLE_S = 0.2
"""Pause of somebody who was told that there is no task."""


class Crowd:
    """Everybody who works in a scene, until told to stop."""

    def __init__(self, scene: Scene, address: str, journal: Journal, **connection: float) -> None:
        """Connect everybody: a channel for the calls, and one for the streams.

        Args:
            scene: where they work, and who they are.
            address: of the engine.
            journal: of what they are told.
            connection: settings of `Connection` other than the usual ones.
        """
        self._scene = scene
        self._journal = journal
        self._clients = [
            AsyncClient(Connection(address, "", **{"attempts": ATTEMPTS, **connection}))  # type: ignore[arg-type]
            for _ in range(2)
        ]
        self._stopping = asyncio.Event()
        self.under_way = 0
        """Answers that were sent and have no receipt yet."""
        self.errors: list[BaseException] = []
        self._tasks = [
            asyncio.create_task(self._guard(self._stream if number % ON_STREAMS == 0 else self._calls, one))
            for number, one in enumerate(scene.annotators)
        ]

    async def answers(self, more: int) -> None:
        """Wait for so many more receipts."""
        wanted = self._journal.answers + more
        while self._journal.answers < wanted and not self.errors:
            await asyncio.sleep(0.002)

    async def stop(self) -> list[BaseException]:
        """Let everybody finish what is under way; give the errors that got as far as them."""
        self._stopping.set()
        await asyncio.gather(*self._tasks)
        for client in self._clients:
            await client.close()
        return self.errors

    async def _guard(self, work: Callable[[AsyncClient, Annotator], Awaitable[None]], one: Annotator) -> None:
        client = self._clients[work == self._stream].as_bearer(one.bearer)
        try:
            await work(client, one)
        except Exception as error:
            self.errors.append(error)

    async def _calls(self, client: AsyncClient, one: Annotator) -> None:
        while not self._stopping.is_set():
            request = assignments_pb2.NextRequest(
                project_id=self._scene.project, count=1, idempotency_key=uuid.uuid4().hex
            )
            offers = (await client.annotation.Next(request)).offers
            for offer in offers:
                self._granted(one, offer)
                await self._answer(offer, client.submit)
            if not offers:
                await asyncio.sleep(IDLE_S)

    async def _stream(self, client: AsyncClient, one: Annotator) -> None:
        async with client.work(self._scene.project, credits=2) as stream:
            # An offer is there already, mostly, so that waiting for one alone would never end.
            while not self._stopping.is_set():
                offer = await self._unless_stopping(anext(stream))
                if offer is not None:
                    self._granted(one, offer)
                    await self._answer(offer, stream.submit)

    async def _unless_stopping(self, coming: Coroutine[Any, Any, T]) -> T | None:
        """Wait for what may never come; None once everybody was told to stop."""
        waiting = asyncio.create_task(coming)
        stopped = asyncio.create_task(self._stopping.wait())
        await asyncio.wait((waiting, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if waiting.done():
            return waiting.result()
        waiting.cancel()
        await asyncio.wait((waiting,))
        return None

    def _granted(self, one: Annotator, offer: assignments_pb2.Offer) -> None:
        self._journal.note(Line(GRANT, offer.assignment_id, one.worker.hex(), offer.lease_token))

    async def _answer(
        self,
        offer: assignments_pb2.Offer,
        submit: Callable[[assignments_pb2.Offer, dict[str, str]], Awaitable[assignments_pb2.SubmitResponse]],
    ) -> None:
        # Nothing is left to look at when the item was erased since it was given out.
        number = int(offer.content[0].text.partition(":")[0]) if offer.content else 0
        label = LABELS[number % len(LABELS)] if random.random() < 0.85 else random.choice(LABELS)
        self.under_way += 1
        receipt = (await submit(offer, {"label": label})).receipt
        self.under_way -= 1
        self._journal.note(Line(ANSWER, offer.assignment_id, receipt=receipt, label=label))
