"""`crowdroute explain`: why a task or an assignment is as it is."""

from __future__ import annotations

from typing import Annotated

import typer

from crowdroute.api.v1 import explanations_pb2
from crowdroute.router.cli.output import console, print_json, to_dict
from crowdroute.router.cli.target import (
    DEFAULT_ADDRESS,
    Address,
    AsJson,
    ProjectName,
    TokenFile,
    connect,
    find_project,
)


def explain(
    project: ProjectName,
    subject: Annotated[str, typer.Argument(help="Id of a task (tsk_…) or an assignment (asg_…).")],
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Tell why a task stands as it does, or why a worker got it, with the numbers.

    Example: crowdroute explain birds tsk_0123456789abcdef0123456789abcdef
    """
    with connect(address, token_file) as client:
        found = find_project(client, project)
        if subject.startswith("asg_"):
            told = client.operations.ExplainAssignment(
                explanations_pb2.ExplainAssignmentRequest(project_id=found.id, assignment_id=subject)
            )
        else:
            told = client.operations.ExplainTask(
                explanations_pb2.ExplainTaskRequest(project_id=found.id, task_id=subject)
            )
    if as_json:
        print_json(to_dict(told))
        return
    out = console()
    out.print(told.summary, style="bold")
    for reason in told.reasons:
        numbers = ", ".join(f"{name} {value:g}" for name, value in sorted(reason.numbers.items()))
        out.print(f"  {reason.text}" + (f" ({numbers})" if numbers else ""))
