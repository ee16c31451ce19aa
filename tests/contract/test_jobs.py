"""Whatever runs jobs gives the same results, and says of each how it ended."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.support.desk import YES, Desk
from tests.support.local_ray import LEFT_OPEN, local_ray
from tests.support.refits import InlineJobs, job_of

from crowdroute.router.adapters import ray_jobs
from crowdroute.router.adapters.process_jobs import ProcessJobs
from crowdroute.router.adapters.ray_jobs import RayJobs
from crowdroute.router.errors import JobFailed
from crowdroute.router.jobs.running import Job, run
from crowdroute.router.ports import Jobs


def a_job() -> Job:
    desk = Desk()
    for worker in desk.workers(2):
        desk.task()
        desk.answer(worker, YES)
    return job_of(desk.state)


def a_job_that_fails() -> Job:
    job = a_job()
    return replace(job, fields=(replace(job.fields[0], model={}),))


PATIENCE_S = 30.0
RAY = (pytest.mark.cluster, LEFT_OPEN)


@pytest.fixture(scope="module")
def ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with local_ray(tmp_path_factory.mktemp("home")):
        yield


@pytest.fixture(params=[InlineJobs, ProcessJobs, pytest.param(RayJobs, marks=RAY)])
def jobs(request: pytest.FixtureRequest) -> Jobs:
    """Each that can run jobs, one at a time."""
    if request.param is RayJobs:
        request.getfixturevalue("ray")
    made: Jobs = request.param()
    return made


@pytest.fixture(params=[ProcessJobs, pytest.param(RayJobs, marks=RAY)])
def outside(request: pytest.FixtureRequest) -> Jobs:
    """Each that runs jobs outside this process, one at a time."""
    if request.param is RayJobs:
        request.getfixturevalue("ray")
    made: Jobs = request.param(at_once=1)
    return made


async def test_a_job_gives_its_result_as_often_as_it_is_asked_for(jobs: Jobs) -> None:
    running = jobs.submit(a_job())

    first, again = await running.result(), await running.result()

    assert first == again == await InlineJobs().submit(a_job()).result()


async def test_a_job_that_fails_says_why(outside: Jobs) -> None:
    running = outside.submit(a_job_that_fails())

    with pytest.raises(JobFailed, match="SnapshotError"):
        await running.result()


async def test_a_cancelled_job_fails_whether_it_waited_or_ran_and_the_others_go_on(outside: Jobs) -> None:
    first, second, third, fourth = (outside.submit(a_job()) for _ in range(4))

    second.cancel()
    with pytest.raises(JobFailed, match="cancelled"):
        await second.result()
    await first.result()
    third.cancel()
    with pytest.raises(JobFailed, match="cancelled"):
        await third.result()
    await fourth.result()


async def test_a_job_that_is_over_leaves_no_process_and_one_that_was_cancelled_in_time_had_none() -> None:
    jobs = ProcessJobs(at_once=1)
    first, second = jobs.submit(a_job()), jobs.submit(a_job())

    second.cancel()
    await first.result()
    with pytest.raises(JobFailed):
        await second.result()

    assert second.pid == 0
    with pytest.raises(ProcessLookupError):
        os.kill(first.pid, 0)


async def test_a_job_whose_process_is_killed_fails() -> None:
    running = ProcessJobs().submit(a_job())
    while not running.pid:
        await asyncio.sleep(0)
    os.kill(running.pid, 9)

    with pytest.raises(JobFailed, match="ended with -9"):
        await running.result()


@pytest.mark.cluster
@LEFT_OPEN
async def test_a_job_whose_process_dies_is_begun_again_by_ray(
    ray: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    died = tmp_path / "died"

    def die_at_first(job: bytes) -> bytes:
        if not died.exists():
            died.touch()
            os._exit(1)
        return run(job)

    monkeypatch.setattr(ray_jobs, "do_job", die_at_first)

    found = await RayJobs().submit(a_job()).result()

    assert died.exists()
    assert found == await InlineJobs().submit(a_job()).result()


@pytest.mark.cluster
@LEFT_OPEN
async def test_a_job_fails_when_every_process_of_ray_that_does_it_dies(
    ray: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_job: bytes) -> bytes:
        os._exit(1)

    monkeypatch.setattr(ray_jobs, "do_job", die)

    with pytest.raises(JobFailed, match="Ray lost the job"):
        await RayJobs().submit(a_job()).result()


@pytest.mark.cluster
@LEFT_OPEN
async def test_a_cancelled_job_gives_its_processor_back_to_ray(
    ray: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = tmp_path / "begun"

    def never_end(_job: bytes) -> bytes:
        begun.touch()
        while True:
            signal.pause()

    with monkeypatch.context() as patch:
        patch.setattr(ray_jobs, "do_job", never_end)
        stuck = RayJobs().submit(a_job())
        async with asyncio.timeout(PATIENCE_S):
            while not begun.exists():
                await asyncio.sleep(0)
        stuck.cancel()
        with pytest.raises(JobFailed, match="cancelled"):
            await stuck.result()

    # Ray has one processor here.
    async with asyncio.timeout(PATIENCE_S):
        await RayJobs().submit(a_job()).result()
