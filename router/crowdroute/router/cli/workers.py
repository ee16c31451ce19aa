"""`crowdroute workers`: see how workers do; say what they may do; pause, resume, ban and discount them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crowdroute.api.v1 import workers_pb2
from crowdroute.client import Client
from crowdroute.router.cli.output import console, percent, print_json, print_table, to_dict
from crowdroute.router.cli.paging import pages
from crowdroute.router.cli.target import (
    DEFAULT_ADDRESS,
    Address,
    AsJson,
    TokenFile,
    connect,
    find_project,
)
from crowdroute.router.cli.worker_facts import add, find_worker, set_worker, stage_names

app = typer.Typer(
    help="See how workers do; say what they may do; pause, resume, ban and discount them.",
    no_args_is_help=True,
)

app.command("add")(add)
app.command("set")(set_worker)

Worker = Annotated[str, typer.Argument(help="Id or external id of the worker.")]


@app.command("list")
def list_workers(
    project: Annotated[str, typer.Option(help="Show how they do in this project.")] = "",
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """List workers; with --project, what each did there and how often they were right.

    Example: crowdroute workers list --project birds
    """
    with connect(address, token_file) as client:
        workers = [
            worker
            for page in pages(client.operations.ListWorkers, workers_pb2.ListWorkersRequest())
            for worker in page.workers
        ]
        records = {record.worker_id: record for record in _records(client, project)} if project else {}
    if as_json:
        print_json(
            [
                to_dict(one) | ({"record": to_dict(records[one.id])} if one.id in records else {})
                for one in workers
            ]
        )
    elif project:
        print_table(
            ("worker", "status", "answered", "checked", "accuracy (95 %)", "earned"),
            (_recorded(one, records[one.id]) for one in workers if one.id in records),
            "nobody has worked here yet",
        )
    else:
        print_table(
            ("worker", "id", "status", "stages", "pool", "last seen"),
            (
                (one.external_id, one.id, _status(one), stage_names(one), one.pool_id, _seen(one))
                for one in workers
            ),
            "no workers yet",
        )


@app.command()
def show(
    worker: Worker,
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Show one worker, and what it did in all projects.

    Example: crowdroute workers show ada
    """
    with connect(address, token_file) as client:
        found = find_worker(client, worker)
    if as_json:
        print_json(to_dict(found))
        return
    totals = found.totals
    right = percent(totals.correct / totals.checked if totals.checked else None)
    rows: list[tuple[str, object]] = [
        ("worker", found.external_id),
        ("id", found.id),
        ("status", _status(found)),
        ("stages", stage_names(found)),
        ("last seen", _seen(found)),
        ("projects", totals.projects),
        ("assignments / leases now", f"{totals.granted} / {totals.live}"),
        ("answers", totals.answered),
        ("checked answers right", f"{right} of {totals.checked}"),
    ]
    if totals.incomplete:
        rows.append(
            ("incomplete", "projects of other processes are missing: see crowdroute directory status")
        )
    print_table((), rows, "")


def _records(client: Client, project: str) -> list[workers_pb2.WorkerRecord]:
    request = workers_pb2.ListWorkerRecordsRequest(project_id=find_project(client, project).id)
    return [record for page in pages(client.operations.ListWorkerRecords, request) for record in page.records]


def _recorded(worker: workers_pb2.Worker, record: workers_pb2.WorkerRecord) -> tuple[object, ...]:
    interval = f"{percent(record.accuracy_lower)} – {percent(record.accuracy_upper)}"
    return (
        worker.external_id or worker.id,
        "discounted" if record.discounted else _status(worker),
        record.answered,
        record.checked,
        interval,
        f"{record.earned.amount} {record.earned.currency}",
    )


def _seen(worker: workers_pb2.Worker) -> str:
    return f"{worker.seen_at.ToDatetime():%H:%M:%S} UTC" if worker.HasField("seen_at") else ""


def _status(worker: workers_pb2.Worker) -> str:
    return workers_pb2.WorkerStatus.Name(worker.status).removeprefix("WORKER_STATUS_").lower()


def _change(
    address: str, token_file: Path | None, worker: str, status: workers_pb2.WorkerStatus, reason: str
) -> None:
    with connect(address, token_file) as client:
        changed = client.operations.SetWorkerStatus(
            workers_pb2.SetWorkerStatusRequest(
                worker_id=find_worker(client, worker).id, status=status, reason=reason
            )
        )
    console().print(f"{worker} is {_status(changed)}")


@app.command()
def pause(worker: Worker, address: Address = DEFAULT_ADDRESS, token_file: TokenFile = None) -> None:
    """Give a worker no more work for now.

    Example: crowdroute workers pause ann@example.org
    """
    _change(address, token_file, worker, workers_pb2.WORKER_STATUS_PAUSED, "paused_by_manager")


@app.command()
def resume(worker: Worker, address: Address = DEFAULT_ADDRESS, token_file: TokenFile = None) -> None:
    """Give a paused worker work again, trusted as much as before the pause.

    Example: crowdroute workers resume ann@example.org
    """
    _change(address, token_file, worker, workers_pb2.WORKER_STATUS_UNSPECIFIED, "pause_ended")


@app.command()
def ban(worker: Worker, address: Address = DEFAULT_ADDRESS, token_file: TokenFile = None) -> None:
    """Give a worker no more work for misconduct; only an appeal brings them back.

    Example: crowdroute workers ban mallory@example.org
    """
    _change(address, token_file, worker, workers_pb2.WORKER_STATUS_BANNED, "misconduct")


@app.command()
def discount(
    project: Annotated[str, typer.Argument(help="Name or id of the project.")],
    worker: Worker,
    reason: Annotated[str, typer.Option(help="Why; kept in the log.")],
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Let none of a worker's answers in a project count; every task touched is recomputed.

    Example: crowdroute workers discount birds ann@example.org --reason "answers at random"
    """
    with connect(address, token_file) as client:
        found = find_project(client, project)
        client.operations.DiscountWorker(
            workers_pb2.DiscountWorkerRequest(
                project_id=found.id, worker_id=find_worker(client, worker).id, reason=reason
            )
        )
    console().print(f"{worker} is discounted in {found.name}; touched tasks are being recomputed")
