"""How far the demonstration is: what the live view shows, and what says that it is over."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from crowdroute.api.v1 import projects_pb2
from crowdroute.router.demo.cluster.stage import Outage
from crowdroute.router.demo.cluster.topics import Read
from crowdroute.router.demo.pictures import Picture
from crowdroute.router.demo.working import Work
from crowdroute.router.runtime.cluster.overview import Overview


@dataclass
class ProjectFlow:
    """One project: from the topic of tasks to the topic of results."""

    name: str
    id: str
    shard: int
    """That it lives in."""
    pictures: list[Picture]
    """Gold among them."""
    produced: int = 0
    """Records in the topic of tasks, those of gold among them."""
    stats: projects_pb2.ProjectStats = field(default_factory=projects_pb2.ProjectStats)

    @property
    def wanted(self) -> int:
        """Results that are to come."""
        return sum(not picture.gold for picture in self.pictures)

    @property
    def taken(self) -> int:
        """Tasks that the cluster has taken in, those of gold among them."""
        stats = self.stats
        return stats.tasks_open + stats.tasks_finalised + stats.tasks_parked + stats.tasks_cancelled


@dataclass
class Flow:
    """All of it."""

    projects: list[ProjectFlow]
    work: Work = field(default_factory=Work)
    read: Read = field(default_factory=Read)
    overview: Overview | None = None
    outage: Outage | None = None
    told: str = ""
    """What befell the cluster last."""
    revisions: dict[str, int] = field(default_factory=dict)
    """By task, the newest revision of its result as the engine has it; filled in at the end."""
    answers: Counter[str] = field(default_factory=Counter)
    """By assignment, how many answers the engine has; filled in at the end."""

    def results(self, project: ProjectFlow) -> int:
        """Give how many tasks of a project have a result in Kafka."""
        return sum(revisions[0].project_id == project.id for revisions in self.read.results.values())

    @property
    def wanted(self) -> int:
        """Results that are to come."""
        return sum(project.wanted for project in self.projects)

    @property
    def finalised(self) -> int:
        """Tasks that are finalised, whether or not Kafka has their result yet."""
        return sum(project.stats.tasks_finalised for project in self.projects)

    @property
    def complete(self) -> bool:
        """Whether every task has a result in Kafka."""
        return len(self.read.results) >= self.wanted
