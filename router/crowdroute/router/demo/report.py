"""What the demonstration found out, beside what was true all along."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.dawid_skene import DawidSkene
from crowdroute.aggregation.majority_vote import MajorityVote
from crowdroute.api.v1 import answers_pb2, ledger_pb2, results_pb2, workers_pb2
from crowdroute.client import Client
from crowdroute.router.demo.crowd import SimulatedWorker
from crowdroute.router.demo.pictures import Picture
from crowdroute.router.demo.play import Played
from crowdroute.router.demo.working import LABELS

LARGEST_OVERLAP = 9


@dataclass(frozen=True)
class WorkerFinding:
    """One worker: measured beside true."""

    name: str
    answered: int
    checked: int
    lower: float
    mean: float
    upper: float
    true: float
    reviewed: int
    earned: str
    bonus: str


@dataclass(frozen=True)
class Bought:
    """What the labels cost, and what they are worth."""

    pictures: int
    finalised: int
    accuracy: float
    labels: int
    """Answers bought for these pictures, checks and surplus included; gold apart."""
    gold_labels: int
    fixed: list[tuple[int, int, float, float]]
    """Overlap, labels, accuracy of majority vote, accuracy of Dawid-Skene; the same crowd, drawn anew."""
    seconds: float


@dataclass(frozen=True)
class Findings(Bought):
    """The whole report."""

    workers: list[WorkerFinding]


def find(
    client: Client, played: Played, pictures: list[Picture], crowd: list[SimulatedWorker], seed: int
) -> Findings:
    """Read everything back from the engine and compare it with the truth."""
    results = {
        exported.result.external_id: exported.result.fields["label"].label
        for exported in client.operations.ExportResults(
            results_pb2.ExportResultsRequest(project_id=played.project.id), timeout=60.0
        )
    }
    done = played.progress
    told = bought(results, pictures, crowd, seed, done.work.answers, _gold_answers(played), played.seconds)
    return Findings(**vars(told), workers=_workers(client, played, crowd))


def bought(
    results: Mapping[str, str],
    pictures: Sequence[Picture],
    crowd: Sequence[SimulatedWorker],
    seed: int,
    answers: int,
    gold_answers: int,
    seconds: float,
) -> Bought:
    """Compare results with the truth, and with what a fixed overlap would have cost.

    Args:
        results: label by external id.
        pictures: all that were labelled, gold among them.
        crowd: who answered.
        seed: of the answers to fixed overlaps.
        answers: that were bought, those to gold among them.
        gold_answers: of them.
        seconds: that it took.
    """
    work = [picture for picture in pictures if not picture.gold]
    right = sum(results.get(picture.external_id) == str(picture.digit) for picture in work)
    return Bought(
        pictures=len(work),
        finalised=len(results),
        accuracy=right / max(len(results), 1),
        labels=answers - gold_answers,
        gold_labels=gold_answers,
        fixed=[_fixed(work, crowd, overlap, seed) for overlap in range(1, LARGEST_OVERLAP + 1)],
        seconds=seconds,
    )


def _gold_answers(played: Played) -> int:
    stats = played.progress.stats
    return 0 if stats is None else stats.gold_checked


def _fixed(
    work: Sequence[Picture], crowd: Sequence[SimulatedWorker], overlap: int, seed: int
) -> tuple[int, int, float, float]:
    """Let every picture get so many labels from workers drawn by chance, and aggregate them."""
    draw = random.Random(f"{seed}/{overlap}")
    people = [worker for worker in crowd if not worker.senior]
    tasks, workers, labels = [], [], []
    for picture in work:
        for worker in draw.sample(people, overlap):
            tasks.append(str(picture.number))
            workers.append(worker.name)
            labels.append(str(worker.answer(picture.digit, LABELS, draw)))
    chosen = AnnotationSet.from_sequences(tasks, workers, labels)
    truth = {str(picture.number): str(picture.digit) for picture in work}
    scores = [
        sum(truth[str(task)] == label for task, label in model.fit(chosen).predict().items()) / len(work)
        for model in (MajorityVote(), DawidSkene())
    ]
    return overlap, len(labels), scores[0], scores[1]


def _workers(client: Client, played: Played, crowd: list[SimulatedWorker]) -> list[WorkerFinding]:
    project = played.project.id
    records = {
        record.worker_id: record
        for record in client.operations.ListWorkerRecords(
            workers_pb2.ListWorkerRecordsRequest(project_id=project, page_size=1000)
        ).records
    }
    found = []
    for worker in crowd:
        identity = played.worker_ids[worker.name]
        record = records.get(identity)
        if record is None or worker.senior:
            continue
        found.append(
            WorkerFinding(
                name=worker.name,
                answered=record.answered,
                checked=record.checked,
                lower=record.accuracy_lower,
                mean=record.accuracy,
                upper=record.accuracy_upper,
                true=worker.accuracy,
                reviewed=_reviewed(client, project, identity),
                earned=record.earned.amount,
                bonus=_bonus(client, project, identity),
            )
        )
    return found


def _reviewed(client: Client, project: str, worker: str) -> int:
    annotations = client.operations.ListAnnotations(
        answers_pb2.ListAnnotationsRequest(project_id=project, worker_id=worker, page_size=1000)
    ).annotations
    return sum(one.review != answers_pb2.REVIEW_STATE_UNSPECIFIED for one in annotations)


def _bonus(client: Client, project: str, worker: str) -> str:
    entries = client.operations.ListEntries(
        ledger_pb2.ListEntriesRequest(project_id=project, worker_id=worker, page_size=1000)
    ).entries
    cents = sum(
        round(float(one.amount.amount) * 100) for one in entries if one.kind == ledger_pb2.ENTRY_KIND_BONUS
    )
    return f"{cents / 100:.2f}"


def show_bought(findings: Bought, console: Console) -> None:
    """Print what the labels cost, and what they are worth."""
    console.print(
        f"[bold]{findings.finalised} of {findings.pictures} pictures finalised[/] "
        f"in {findings.seconds:.0f} s, "
        f"{findings.accuracy:.1%} of them right, with {findings.labels} answers "
        f"({findings.labels / findings.pictures:.2f} per picture; {findings.gold_labels} more on gold)"
    )
    better = [point for point in findings.fixed if max(point[2], point[3]) >= findings.accuracy]
    if better:
        overlap, labels, votes, fitted = better[0]
        console.print(
            f"A fixed overlap reaches that with {overlap} answers per picture, {labels} in all "
            f"(majority vote {votes:.1%}, Dawid-Skene {fitted:.1%}): "
            f"[bold]{1 - findings.labels / labels:.0%} fewer answers[/] here"
        )
    else:
        overlap, labels, votes, fitted = findings.fixed[-1]
        console.print(
            f"A fixed overlap does not reach that with {overlap} answers per picture, {labels} in all "
            f"(majority vote {votes:.1%}, Dawid-Skene {fitted:.1%})"
        )


def show(findings: Findings, console: Console) -> None:
    """Print the report."""
    show_bought(findings, console)
    table = Table(header_style="bold", box=None, pad_edge=False)
    for column in (
        "worker",
        "answered",
        "checked",
        "measured accuracy (95 %)",
        "true",
        "reviewed",
        "earned",
        "bonus",
    ):
        table.add_column(column, justify="left" if column == "worker" else "right")
    for one in findings.workers:
        inside = one.lower <= one.true <= one.upper
        table.add_row(
            one.name,
            str(one.answered),
            str(one.checked),
            f"{one.mean:.0%} ({one.lower:.0%} – {one.upper:.0%})",
            f"{one.true:.0%}" + ("" if inside else " *"),
            str(one.reviewed),
            f"{float(one.earned):.2f}",
            one.bonus,
        )
    console.print(table)
    covered = sum(one.lower <= one.true <= one.upper for one in findings.workers)
    console.print(
        f"{covered} of {len(findings.workers)} intervals hold the true accuracy (* marks the others)"
    )
