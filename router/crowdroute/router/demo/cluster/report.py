"""What came of the demonstration on a cluster: nothing lost, nothing twice, and at which price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console

from crowdroute.router.demo.cluster.flow import Flow
from crowdroute.router.demo.cluster.stage import Outage
from crowdroute.router.demo.crowd import SimulatedWorker
from crowdroute.router.demo.report import Bought, bought, show_bought


@dataclass(frozen=True)
class ProjectFinding:
    """One project, from topic to topic."""

    name: str
    shard: int
    produced: int
    """Records in the topic of tasks, those of gold among them."""
    taken: int
    """Tasks that the cluster took in, those of gold among them."""
    finalised: int
    results: int
    """Tasks with a result in Kafka."""


@dataclass(frozen=True)
class Kept:
    """What was promised to annotators and told to Kafka, and what is there of it."""

    acknowledged: int
    """Answers that the engine accepted."""
    answers: int
    """Of them in the log."""
    doubled: int
    """Answers and revisions of results that are there twice."""
    revisions: int
    """Revisions of results in Kafka."""
    missing: int
    """Revisions that the engine has and Kafka has not."""
    came_again: int
    """Records that came more than once under their id, as they may after a crash."""

    @property
    def whole(self) -> bool:
        """Whether nothing is lost and nothing is there twice."""
        return self.answers == self.acknowledged and not self.missing and not self.doubled


@dataclass(frozen=True)
class ClusterFindings(Bought):
    """The whole report."""

    projects: list[ProjectFinding]
    outage: Outage | None
    kept: Kept
    whole: bool
    """Whether every task has its result, and nothing is lost or twice."""


def find(flow: Flow, crowd: Sequence[SimulatedWorker], seed: int, seconds: float) -> ClusterFindings:
    """Compare what was read from Kafka with what the engine has, and with the truth."""
    results = {
        revisions[-1].external_id: revisions[-1].fields["label"].label
        for revisions in flow.read.results.values()
    }
    told = bought(
        results,
        [picture for project in flow.projects for picture in project.pictures],
        crowd,
        seed,
        flow.work.answers,
        sum(project.stats.gold_checked for project in flow.projects),
        seconds,
    )
    kept = _kept(flow)
    return ClusterFindings(
        **vars(told),
        projects=[
            ProjectFinding(
                project.name,
                project.shard,
                project.produced,
                project.taken,
                project.stats.tasks_finalised,
                flow.results(project),
            )
            for project in flow.projects
        ],
        outage=flow.outage,
        kept=kept,
        whole=kept.whole and told.finalised == told.pictures,
    )


def _kept(flow: Flow) -> Kept:
    read = flow.read
    numbers = {task: [one.revision for one in revisions] for task, revisions in read.results.items()}
    return Kept(
        acknowledged=len(flow.work.acknowledged),
        answers=len(flow.work.acknowledged & flow.answers.keys()),
        doubled=sum(count - 1 for count in flow.answers.values())
        + sum(len(each) - len(set(each)) for each in numbers.values()),
        revisions=sum(len(set(each)) for each in numbers.values()),
        missing=sum(
            len(set(range(1, newest + 1)) - set(numbers.get(task, ())))
            for task, newest in flow.revisions.items()
        ),
        came_again=read.again,
    )


def show(findings: ClusterFindings, console: Console) -> None:
    """Print the report."""
    show_bought(findings, console)
    for project in findings.projects:
        console.print(
            f"{project.name}: {project.produced} tasks from Kafka, {project.taken} taken in (gold among "
            f"them), {project.results} results in Kafka, from shard {project.shard}"
        )
    kept, outage = findings.kept, findings.outage
    console.print(
        f"answers accepted: {kept.acknowledged}, in the log: {kept.answers}; revisions of results in Kafka: "
        f"{kept.revisions}, missing: {kept.missing}; there twice: {kept.doubled} "
        f"({kept.came_again} records came again under their id, and are counted once)"
    )
    if outage is not None:
        console.print(
            f"{outage.actor} was killed with SIGKILL: its shards ({' '.join(map(str, outage.shards))}) were "
            f"served again after {outage.away_s:.1f} s, and it serves again after {outage.back_s:.1f} s"
        )
    console.print(
        "[bold green]nothing was lost, nothing came twice[/]"
        if findings.whole
        else "[bold red]something is missing or came twice: see the figures above[/]"
    )
