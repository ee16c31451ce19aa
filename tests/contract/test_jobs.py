"""Whatever runs jobs gives the same results, and says of each how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.support.desk import YES, Desk
from tests.support.local_ray import LEFT_OPEN, local_ray
from tests.support.refits import InlineJobs, done, job_of

from crowdroute.router.adapters import ray_jobs
from crowdroute.router.adapters.job_process import NICENESS
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
LEAST_PRIORITY = 19
"""Nobody is nicer."""

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


async def test_a_job_tells_how_far_it_is_in_order_to_the_last(jobs: Jobs) -> None:
    expected, _ = done(a_job())
    running = jobs.submit(a_job())

    told = [one async for one in running.progress()]

    left = iter(expected)
    assert all(one in left for one in told), "not in the order in which it came about"
    assert told[-1] == expected[-1]
    assert [one async for one in running.progress()] == []


async def test_a_job_that_fails_or_is_cancelled_ends_what_it_tells(outside: Jobs) -> None:
    failing, cancelled = outside.submit(a_job_that_fails()), outside.submit(a_job())
    cancelled.cancel()

    for running in (failing, cancelled):
        async for _ in running.progress():
            pass
        with pytest.raises(JobFailed):
            await running.result()


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


async def test_a_job_in_a_process_gives_way() -> None:
    running, ours = ProcessJobs().submit(a_job()), os.nice(0)
    while not running.pid:
        await asyncio.sleep(0)

    seen = set()
    with contextlib.suppress(ProcessLookupError):
        while True:
            seen.add(os.getpriority(os.PRIO_PROCESS, running.pid))
            await asyncio.sleep(0)
    await running.result()

    assert seen == {ours, ours + NICENESS}


async def test_a_job_whose_process_is_killed_fails() -> None:
    running = ProcessJobs().submit(a_job())
    while not running.pid:
        await asyncio.sleep(0)
    os.kill(running.pid, 9)

    with pytest.raises(JobFailed, match="ended with -9"):
        await running.result()


@pytest.mark.cluster
@LEFT_OPEN
async def test_a_job_whose_process_dies_halfway_is_done_again_by_ray_and_goes_on(
    ray: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    died = tmp_path / "died"

    def die_at_first(job: bytes) -> Iterator[bytes]:
        for told in run(job):
            yield told
            if not died.exists():
                died.touch()
                os._exit(1)

    monkeypatch.setattr(ray_jobs, "do_job", die_at_first)

    running = RayJobs().submit(a_job())
    told = [one async for one in running.progress()]

    assert died.exists()
    expected, result = done(a_job())
    assert told[-1] == expected[-1]
    assert await running.result() == result


@pytest.mark.cluster
@LEFT_OPEN
async def test_a_job_of_ray_gives_way_in_a_process_that_ends_with_it(
    ray: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_jobs, "do_job", noting(tmp_path, ray_jobs.do_job))

    for _ in range(2):
        await RayJobs().submit(a_job()).result()

    noted = [note.read_text().split() for note in tmp_path.iterdir()]
    assert len(noted) == 2, "one process did both jobs, and is left slow to whoever gets it next"
    for before, meanwhile in noted:
        assert int(meanwhile) == min(int(before) + NICENESS, LEAST_PRIORITY)


def noting(folder: Path, do_job: Callable[[bytes], Iterator[bytes]]) -> Callable[[bytes], Iterator[bytes]]:
    """Have a job note its niceness, before and meanwhile, in a file that is called as its process."""

    def noted(job: bytes) -> Iterator[bytes]:
        before = os.nice(0)
        for told in do_job(job):
            (folder / str(os.getpid())).write_text(f"{before} {os.nice(0)}")
            yield told

    return noted


@pytest.mark.cluster
@LEFT_OPEN
async def test_a_job_fails_when_every_process_of_ray_that_does_it_dies(
    ray: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_job: bytes) -> Iterator[bytes]:
        os._exit(1)
        yield b""

    monkeypatch.setattr(ray_jobs, "do_job", die)

    with pytest.raises(JobFailed, match="Ray lost the job"):
        await RayJobs().submit(a_job()).result()


@pytest.mark.cluster
@LEFT_OPEN
async def test_a_cancelled_job_gives_its_processor_back_to_ray(
    ray: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = tmp_path / "begun"

    def never_end(_job: bytes) -> Iterator[bytes]:
        begun.touch()
        while True:
            signal.pause()
        yield b""

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
