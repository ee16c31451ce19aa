"""Whoever runs the scene's project while the nemesis is at work: brings items in, erases some, counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.faults.annotators import ATTEMPTS
from tests.faults.scene import Scene

from crowdroute.api.v1 import projects_pb2, tasks_pb2, types_pb2
from crowdroute.client import AsyncClient, Connection


class Operator:
    """Calls in the name of the scene's operator, each repeated until it is answered."""

    def __init__(self, scene: Scene, address: str) -> None:
        """Ask whoever serves at this address."""
        self._client = AsyncClient(Connection(address, scene.operator, attempts=ATTEMPTS))
        self._project = scene.project
        self.expected = scene.results
        """Tasks that must end, with a result or because their item was erased: those that were brought in."""

    async def unfinished(self) -> int:
        """Give how many of the expected tasks have not ended."""
        stats = await self._client.operations.GetStats(projects_pb2.GetStatsRequest(project_id=self._project))
        ended: int = stats.tasks_finalised + stats.tasks_cancelled
        return self.expected - ended

    async def add(self, prefix: str, numbers: Iterable[int]) -> Sequence[tasks_pb2.AddedItem]:
        """Add an item with a task for each number."""
        items = [_item(prefix, number) for number in numbers]
        request = tasks_pb2.AddItemsRequest(
            project_id=self._project,
            items=items,
            idempotency_key=f"{self._project} from {items[0].external_id}",
        )
        response: tasks_pb2.AddItemsResponse = await self._client.operations.AddItems(request)
        return response.items

    async def erase(self, item: str) -> None:
        """Erase an item; nobody may read its content again once this returns."""
        request = tasks_pb2.EraseItemRequest(
            project_id=self._project, item_id=item, reason="asked for", idempotency_key=f"erase {item}"
        )
        await self._client.operations.EraseItem(request)

    async def can_read(self, task: str) -> bool:
        """Say whether the content of a task's item is there."""
        request = tasks_pb2.GetTaskRequest(project_id=self._project, task_id=task, with_content=True)
        return bool((await self._client.operations.GetTask(request)).content)

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()


def _item(prefix: str, number: int) -> tasks_pb2.NewItem:
    text = types_pb2.ContentPart(id="text", mime_type="text/plain", text=f"{number}: is it?")
    return tasks_pb2.NewItem(external_id=f"{prefix}-{number}", content=[text])
