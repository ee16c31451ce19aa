"""Tasks in and results out through topics, with `kcat`, which shares no code with us."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from tests.faults.nemesis.erasures import PREFIX as ERASED

from crowdroute.router.runtime.settings import FeedSettings

TRIES = 20
PAUSE_S = 1.0


class Feeding:
    """The topics of a cluster's feeds."""

    def __init__(self, feeds: FeedSettings) -> None:
        """Name them."""
        self._topics = feeds
        self._cat = ("kcat", "-q", "-b", ",".join(feeds.servers))

    async def bring(self, project: str, prefix: str, numbers: range) -> None:
        """Write a record for each number, all of them again when that failed: known items add nothing."""
        records = "".join(_record(project, prefix, number) + "\n" for number in numbers)
        for _ in range(TRIES):
            words = ("-P", "-t", self._topics.topic("tasks"), "-X", "enable.idempotence=true")
            status, _ = await self._run(words, records)
            if status == 0:
                return
            await asyncio.sleep(PAUSE_S)
        raise AssertionError(f"{TRIES} times the brokers took no records")

    async def untold(self, results: int, patience_s: float) -> int:
        """Wait until so many tasks have a result in the topic; give how many have none.

        Raises:
            AssertionError: a revision of a result was put out twice, and differently.
        """
        deadline = asyncio.get_running_loop().time() + patience_s
        while True:
            missing = results - len(await self._tasks_with_results())
            if not missing or asyncio.get_running_loop().time() > deadline:
                return missing
            await asyncio.sleep(PAUSE_S)

    async def _tasks_with_results(self) -> set[str]:
        _, text = await self._run(("-C", "-e", "-t", self._topics.topic("results")))
        told: dict[tuple[str, int], str] = {}
        for line in text.splitlines():
            record = json.loads(line)
            if not record["external_id"].startswith(ERASED):
                revision = record["task_id"], record["revision"]
                assert told.setdefault(revision, line) == line, f"two of {revision}: {told[revision]}, {line}"
        return {task for task, _ in told}

    async def _run(self, words: Sequence[str], given: str = "") -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *self._cat, *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        told, _ = await process.communicate(given.encode())
        assert process.returncode is not None
        return process.returncode, told.decode()


def _record(project: str, prefix: str, number: int) -> str:
    content = {"text": f"{number}: is it?"}
    return json.dumps({"project": project, "external_id": f"{prefix}-{number}", "content": content})
