"""One look at running engines, and what changed since the look before; what `crowdroute top` shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.request import urlopen

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from crowdroute.api.v1 import projects_pb2
from crowdroute.client import Client, ClientError
from crowdroute.router.cli.paging import pages

SCRAPE_SECONDS = 2.0
"""How long a process may take to tell its metrics; then they are missing in this look."""

HEALTH_SECONDS = 1.0

APPEND = "crowdroute_batch_append_duration_seconds"
CALLS = "crowdroute_call_duration_seconds"


class Process(NamedTuple):
    """One address, and the metrics of the process there, if it was said where they are."""

    address: str
    health: str
    metrics: Mapping[str, Metric] | None = None
    """By name; None: not asked for, or not told in time."""

    def total(self, name: str, sample: str = "") -> float | None:
        """Add up what a metric tells over all its labels; None when it tells nothing."""
        metric = None if self.metrics is None else self.metrics.get(name)
        if metric is None:
            return None
        return sum(one.value for one in metric.samples if one.name == name + sample)

    def cumulative(self, name: str) -> dict[float, float]:
        """Give a histogram's counts by their upper bound, over all labels."""
        counts: dict[float, float] = {}
        metric = None if self.metrics is None else self.metrics.get(name)
        for one in () if metric is None else metric.samples:
            if one.name == f"{name}_bucket":
                bound = float(one.labels["le"])
                counts[bound] = counts.get(bound, 0) + one.value
        return counts


class ProjectLook(NamedTuple):
    """How one project stands."""

    name: str
    paused: bool
    stats: projects_pb2.ProjectStats


class Look(NamedTuple):
    """What was seen at one moment."""

    seconds: float
    """On a clock that only goes on."""
    processes: Sequence[Process]
    projects: Sequence[ProjectLook]
    trouble: str = ""
    """Why projects are not told; empty when they are."""


def look(clients: Sequence[Client], metrics: Sequence[str], seconds: float) -> Look:
    """Ask every process how it is, and the first that serves how the projects stand.

    Args:
        clients: one per address.
        metrics: where the process of each tells its metrics, in the same order; none: nothing is scraped.
        seconds: of the moment.

    Raises:
        ClientError: an engine refused to tell; a lost connection is told in the look.
    """
    healths = [client.health(HEALTH_SECONDS) for client in clients]
    processes = [
        Process(client.connection.address, health, scrape(metrics[place]) if metrics else None)
        for place, (client, health) in enumerate(zip(clients, healths, strict=True))
    ]
    for client, health in zip(clients, healths, strict=True):
        if health == "SERVING":
            return Look(seconds, processes, _projects(client))
    return Look(seconds, processes, (), "no process serves: waiting for one")


def _projects(client: Client) -> list[ProjectLook]:
    found = []
    for page in pages(client.operations.ListProjects, projects_pb2.ListProjectsRequest()):
        for project in page.projects:
            try:
                stats = client.operations.GetStats(projects_pb2.GetStatsRequest(project_id=project.id))
            except ClientError as error:
                if error.retry_after_s == 0:
                    raise
                continue  # its shard is on the way to another process: it is there at the next look
            paused = project.state == projects_pb2.PROJECT_STATE_PAUSED
            found.append(ProjectLook(project.name, paused, stats))
    return found


def scrape(address: str) -> dict[str, Metric] | None:
    """Read the metrics of a process, by name as they are exposed; None when it does not tell them."""
    try:
        with urlopen(f"http://{address}/metrics", timeout=SCRAPE_SECONDS) as answer:
            text = answer.read().decode()
        return {metric.name: metric for metric in text_string_to_metric_families(text)}
    except (OSError, ValueError, HTTPException):  # what answers there may be no HTTP at all
        return None


def quantile(before: Mapping[float, float], after: Mapping[float, float], share: float) -> float | None:
    """Give the bound below which a share of what came between two looks at a histogram lies.

    The bound is that of the bucket, so at most as wrong as the bucket is wide. None: nothing came.
    """
    came = {bound: count - before.get(bound, 0) for bound, count in sorted(after.items())}
    total = max(came.values(), default=0)
    if total <= 0:
        return None
    return next(bound for bound, count in came.items() if count >= share * total)


class Told(NamedTuple):
    """What is shown of two looks."""

    processes: list[dict[str, Any]]
    projects: list[dict[str, Any]]
    total: dict[str, Any]
    trouble: str


def told(before: Look, after: Look) -> Told:
    """Put two looks together: how it stands, and how fast it goes."""
    passed = max(after.seconds - before.seconds, 1e-9)
    earlier = {process.address: process for process in before.processes}
    answered = {project.name: project.stats.answers_accepted for project in before.projects}
    projects = [_project(each, answered.get(each.name), passed) for each in after.projects]
    sums = ("open", "leased", "finalised", "parked", "answers", "workers_busy", "requests_waiting")
    total: dict[str, Any] = {name: sum(each[name] for each in projects) for name in sums}
    total["answers_per_second"] = round(sum(each["answers_per_second"] for each in projects), 2)
    return Told(
        [_process(earlier.get(each.address), each, passed) for each in after.processes],
        projects,
        total,
        after.trouble,
    )


def _project(seen: ProjectLook, answers: int | None, passed: float) -> dict[str, Any]:
    stats = seen.stats
    came = 0 if answers is None else stats.answers_accepted - answers
    return {
        "project": seen.name,
        "state": "paused" if seen.paused else "active",
        "open": stats.tasks_open,
        "leased": sum(stage.live for stage in stats.stages),
        "finalised": stats.tasks_finalised,
        "parked": stats.tasks_parked,
        "answers": stats.answers_accepted,
        "answers_per_second": round(max(came, 0) / passed, 2),
        "workers_busy": stats.workers_busy,
        "requests_waiting": stats.requests_waiting,
    }


def _process(before: Process | None, after: Process, passed: float) -> dict[str, Any]:
    row: dict[str, Any] = {"address": after.address, "health": after.health}
    if after.metrics is None:
        return row
    since = before or Process(after.address, "")
    calls, called = after.total(CALLS, "_count"), since.total(CALLS, "_count")
    rate = None if calls is None or called is None else round(max(calls - called, 0) / passed, 1)
    commits = [quantile(since.cumulative(APPEND), after.cumulative(APPEND), share) for share in (0.5, 0.99)]
    state = after.metrics.get("crowdroute_engine_state")
    return {
        **row,
        "state": next((one.labels["state"] for one in _samples(state) if one.value == 1), None),
        "shards": {one.labels["shard"]: int(one.value) for one in _samples(_log(after))},
        "calls_per_second": rate,
        "commit_seconds": {"p50": commits[0], "p99": commits[1]},
        "work_streams": after.total("crowdroute_work_streams"),
        "feed_lag_records": after.total("crowdroute_feed_lag_records"),
        "outbox_lag_batches": after.total("crowdroute_outbox_lag_batches"),
        "memory_bytes": after.total("process_resident_memory_bytes"),
    }


def _log(process: Process) -> Metric | None:
    return None if process.metrics is None else process.metrics.get("crowdroute_log_sequence")


def _samples(metric: Metric | None) -> Iterable[Any]:
    return () if metric is None else metric.samples
