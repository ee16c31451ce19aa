"""SIGSTOP: a process that is stopped answers nothing while its kernel keeps the connections open."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest
from tests.faults.annotators import Crowd
from tests.faults.journal import START, Journal, Line
from tests.faults.scene import prepare
from tests.faults.serving import Serving
from tests.faults.verdict import history, judge

from crowdroute.api.v1 import assignments_pb2
from crowdroute.client import AsyncClient, Connection, NotConnected

PING_INTERVAL, PING_TIMEOUT = 5.0, 1.0
NOTICED_WITHIN = 20.0
"""Seconds: the interval, the time-out, and as much again for a loaded machine; a call's deadline is later."""

DEADLINE = 55.0


async def test_clients_notice_a_frozen_engine_before_their_deadline(tmp_path: Path) -> None:
    scene = await prepare(tmp_path, 1, tasks=10)
    serving = Serving(tmp_path)
    try:
        await serving.start()
        connection = Connection(
            *(serving.address, scene.annotators[0].bearer),
            timeout_s=DEADLINE,
            attempts=1,
            ping_interval_s=PING_INTERVAL,
            ping_timeout_s=PING_TIMEOUT,
        )
        async with AsyncClient(connection) as client, client.work(scene.project) as stream:
            offer = await anext(stream)
            serving.send(signal.SIGSTOP)
            begun = time.monotonic()
            calls = (
                client.annotation.Resume(assignments_pb2.ResumeRequest(project_id=scene.project)),
                stream.submit(offer, {"label": "yes"}),
                anext(stream),
            )
            failures = await asyncio.gather(*calls, return_exceptions=True)
            waited = time.monotonic() - begun
    finally:
        await serving.close()

    assert [type(failure) for failure in failures] == [NotConnected] * 3, failures
    assert waited < NOTICED_WITHIN


async def test_a_thawed_engine_goes_on_and_nothing_is_lost(tmp_path: Path) -> None:
    scene = await prepare(tmp_path / "data", 8, tasks=3_000)
    serving = Serving(tmp_path / "data")
    journal = Journal(tmp_path / "journal")
    try:
        await serving.start()
        journal.note(Line(START))
        crowd = Crowd(
            scene, serving.address, journal, ping_interval_s=PING_INTERVAL, ping_timeout_s=PING_TIMEOUT
        )
        await crowd.answers(300)
        serving.send(signal.SIGSTOP)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(PING_INTERVAL + 2 * PING_TIMEOUT):
                await crowd.answers(300)
        serving.send(signal.SIGCONT)
        await crowd.answers(300)
        errors = await crowd.stop()
        serving.send(signal.SIGTERM)
        assert await serving.ended() == 0, serving.words
    finally:
        await serving.close()

    broken, told_otherwise = judge(history(tmp_path / "data"), scene.stream, journal.close())
    assert errors == []
    assert broken.ok, broken
    assert told_otherwise.ok, told_otherwise
