"""`crowdroute refit`: fit a project's models anew to every answer that counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from crowdroute.api.v1 import projects_pb2
from crowdroute.router.cli.output import console, live_line, print_json, to_dict
from crowdroute.router.cli.target import (
    DEFAULT_ADDRESS,
    Address,
    AsJson,
    ProjectName,
    TokenFile,
    connect,
    find_project,
)

STAGES = {
    projects_pb2.REFIT_STAGE_WAITING: "waiting for its turn",
    projects_pb2.REFIT_STAGE_READING: "reading the answers that count",
    projects_pb2.REFIT_STAGE_INSTALLING: "taking over what was found",
}


def refit(
    project: ProjectName,
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Fit a project's models anew to every answer that counts, and look at its open tasks again.

    The work is done in a process beside the engine, which goes on meanwhile. How far it is stands on standard
    error, except with --json; interrupting the command ends it.

    Example: crowdroute refit birds
    """
    with connect(address, token_file) as client:
        found = find_project(client, project)
        request = projects_pb2.RefitProjectRequest(project_id=found.id)
        told = client.operations.RefitProject(request)
        if as_json:
            refitted = _outcome(told, lambda _: None)
        else:
            with live_line() as show:
                refitted = _outcome(told, lambda text: show(f"{found.name}: {text}"))
    if as_json:
        print_json(to_dict(refitted))
    else:
        console().print(
            f"{found.name}: refit {refitted.version} is in force, fitted to {refitted.labels} labels through"
            f" batch {refitted.fitted_through} of the log"
        )


def _outcome(
    told: Iterator[projects_pb2.RefitProjectProgress], show: Callable[[str], None]
) -> projects_pb2.Refit:
    """Show how far a refit is until it is over, and give what came of it."""
    last = projects_pb2.RefitProjectProgress()
    for last in told:
        if last.stage == projects_pb2.REFIT_STAGE_FITTING:
            show(
                f"fitting {last.field_id}: sweep {last.sweep} of {last.most_sweeps} at most moved"
                f" {last.moved:.2g} (at rest below {last.rest:.2g})"
            )
        elif last.stage in STAGES:
            show(STAGES[last.stage])
    return last.refit
