"""The tasks that annotators under fire have before them: never so few that they wait for work."""

from __future__ import annotations

from collections.abc import Iterable

from tests.faults.annotators import ATTEMPTS
from tests.faults.scene import Scene

from crowdroute.api.v1 import projects_pb2, tasks_pb2, types_pb2
from crowdroute.client import AsyncClient, Connection

LEAST = 1_200
"""Tasks without a result below which more come; a crowd can do half of them while one fault strikes."""


class Stock:
    """Tasks of a scene's project, added as they are used up, however fast the crowd is."""

    def __init__(self, scene: Scene, address: str) -> None:
        """Ask the engine at this address, as the scene's operator."""
        self._client = AsyncClient(Connection(address, scene.operator, attempts=ATTEMPTS))
        self._project = scene.project
        self._results = scene.results
        self._added = 0

    async def unfinished(self) -> int:
        """Give how many tasks will have a result and have none yet."""
        ask = projects_pb2.GetStatsRequest(project_id=self._project)
        finalised: int = (await self._client.operations.GetStats(ask)).tasks_finalised
        return self._results + self._added - finalised

    async def fill(self) -> None:
        """Add tasks when there are few."""
        if await self.unfinished() >= LEAST:
            return
        first = self._added
        request = tasks_pb2.AddItemsRequest(
            project_id=self._project,
            items=_items(range(first, first + LEAST)),
            idempotency_key=f"stock from {first}",
        )
        await self._client.operations.AddItems(request)
        self._added += LEAST

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()


def _items(numbers: Iterable[int]) -> Iterable[tasks_pb2.NewItem]:
    for number in numbers:
        text = types_pb2.ContentPart(id="text", mime_type="text/plain", text=f"{number}: is it?")
        yield tasks_pb2.NewItem(external_id=f"more-{number}", content=[text])
