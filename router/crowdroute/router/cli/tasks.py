"""`crowdroute tasks`: list tasks, and cancel or re-open single ones."""

from __future__ import annotations

from typing import Annotated

import typer

from crowdroute.api.v1 import tasks_pb2
from crowdroute.router.cli.output import console, percent, print_json, print_table, to_dict
from crowdroute.router.cli.paging import pages
from crowdroute.router.cli.target import (
    DEFAULT_ADDRESS,
    Address,
    AsJson,
    ProjectName,
    TokenFile,
    connect,
    find_project,
)

app = typer.Typer(help="List tasks, and cancel or re-open single ones.", no_args_is_help=True)

Task = Annotated[str, typer.Argument(help="Id of the task (tsk_…).")]
Reason = Annotated[str, typer.Option(help="Why; kept in the log.")]

STATES = {
    "": tasks_pb2.TASK_STATE_UNSPECIFIED,
    "open": tasks_pb2.TASK_STATE_OPEN,
    "parked": tasks_pb2.TASK_STATE_PARKED,
    "finalised": tasks_pb2.TASK_STATE_FINALISED,
    "cancelled": tasks_pb2.TASK_STATE_CANCELLED,
}


@app.command("list")
def list_tasks(
    project: ProjectName,
    state: Annotated[str, typer.Option(help="open, parked, finalised or cancelled; empty for all.")] = "",
    limit: Annotated[int, typer.Option(help="Most tasks to show.", min=1)] = 100,
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """List a project's tasks.

    Example: crowdroute tasks list birds --state parked
    """
    if state not in STATES:
        raise typer.BadParameter(f"{state!r} is no state; choose one of {', '.join(filter(None, STATES))}")
    with connect(address, token_file) as client:
        request = tasks_pb2.ListTasksRequest(
            project_id=find_project(client, project).id, state=STATES[state], page_size=min(limit, 1000)
        )
        found: list[tasks_pb2.Task] = []
        for page in pages(client.operations.ListTasks, request):
            found.extend(page.tasks)
            if len(found) >= limit:
                break
    found = found[:limit]
    if as_json:
        print_json([to_dict(task) for task in found])
        return
    print_table(
        ("task", "state", "confidence", "unanswered leases", "parked because"),
        (
            (
                one.id,
                tasks_pb2.TaskState.Name(one.state)[11:].lower(),
                percent(one.confidence),
                one.attempts,
                one.parked_reason,
            )
            for one in found
        ),
        "no such tasks",
    )


@app.command()
def cancel(
    project: ProjectName,
    task: Task,
    reason: Reason,
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Stop work on a task for good.

    Example: crowdroute tasks cancel birds tsk_… --reason "image is broken"
    """
    with connect(address, token_file) as client:
        found = find_project(client, project)
        client.operations.CancelTask(
            tasks_pb2.CancelTaskRequest(project_id=found.id, task_id=task, reason=reason)
        )
    console().print(f"{task} is cancelled")


@app.command()
def reopen(
    project: ProjectName,
    task: Task,
    reason: Reason,
    added: Annotated[int, typer.Option(help="Crowd answers wanted in addition.", min=0)] = 1,
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Take answers again on a parked or finalised task.

    Example: crowdroute tasks reopen birds tsk_… --reason "client disagrees" --added 3
    """
    with connect(address, token_file) as client:
        found = find_project(client, project)
        client.operations.ReopenTask(
            tasks_pb2.ReopenTaskRequest(project_id=found.id, task_id=task, reason=reason, added=added)
        )
    console().print(f"{task} is open")
