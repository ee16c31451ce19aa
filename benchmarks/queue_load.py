"""Annotators who take tasks from a queue and answer them, many at once: with asyncio, and bare on sockets."""

from __future__ import annotations

import asyncio
import random
import select
import time
from collections.abc import Generator
from typing import Protocol, TypeVar

from bench_rpc_cycle import ACCURACY, ECHO_BYTES
from labelling import LABELS

Key = TypeVar("Key")
Result = TypeVar("Result")
Wait = Generator[None, None, Result]
"""Yields whenever its connection has to become readable before it can go on."""


class Worker(Protocol[Key]):
    """One annotator with the client that Python programs use."""

    async def take(self) -> tuple[Key, str]: ...

    async def answer(self, key: Key, label: str) -> None: ...

    async def close(self) -> None: ...


class BareWorker(Protocol[Key]):
    """One annotator with as little client as possible, so that the load costs less than what it measures."""

    def fileno(self) -> int: ...

    def take(self) -> Wait[tuple[Key, str]]: ...

    def answer(self, key: Key, label: str) -> Wait[None]: ...

    def close(self) -> None: ...


def task_text(number: int) -> str:
    return f"{number}: a picture of an animal that somebody took on the way to work".ljust(ECHO_BYTES)


def label_of(text: str) -> str:
    """Answer as a worker does who is right most of the time."""
    right = int(text.partition(":")[0]) % len(LABELS)
    return LABELS[right if random.random() < ACCURACY else random.randrange(len(LABELS))]


async def work_all(workers: list[Worker[Key]], cycles: int, takes: list[float]) -> None:
    """Let each of them do so many cycles; keep how long each take was, in seconds."""
    async with asyncio.TaskGroup() as group:
        for worker in workers:
            group.create_task(_work(worker, cycles, takes))


def bare_work_all(workers: list[BareWorker[Key]], cycles: int, takes: list[float]) -> None:
    """Do the same without asyncio."""
    loads = {worker.fileno(): _bare_work(worker, cycles, takes) for worker in workers}
    with select.epoll() as readable:
        for file, load in loads.items():
            readable.register(file, select.EPOLLIN)
            next(load)
        while loads:
            for file, _ in readable.poll():
                try:
                    next(loads[file])
                except StopIteration:
                    readable.unregister(file)
                    del loads[file]


async def close_all(workers: list[Worker[Key]]) -> None:
    for worker in workers:
        await worker.close()


async def _work(worker: Worker[Key], cycles: int, takes: list[float]) -> None:
    for _ in range(cycles):
        begun = time.perf_counter()
        key, text = await worker.take()
        takes.append(time.perf_counter() - begun)
        await worker.answer(key, label_of(text))


def _bare_work(worker: BareWorker[Key], cycles: int, takes: list[float]) -> Wait[None]:
    for _ in range(cycles):
        begun = time.perf_counter()
        key, text = yield from worker.take()
        takes.append(time.perf_counter() - begun)
        yield from worker.answer(key, label_of(text))
