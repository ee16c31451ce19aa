"""`crowdroute refit`: fit a project's models anew to every answer that counts."""

from __future__ import annotations

from crowdroute.api.v1 import projects_pb2
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

LONGEST_S = 3590.0
"""Seconds to wait for a refit: the hour that the engine allows, less the ten by which gRPC rounds a wait this
long up on its way."""


def refit(
    project: ProjectName,
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Fit a project's models anew to every answer that counts, and look at its open tasks again.

    The work is done in a process beside the engine, which goes on meanwhile.

    Example: crowdroute refit birds
    """
    with connect(address, token_file) as client:
        found = find_project(client, project)
        request = projects_pb2.RefitProjectRequest(project_id=found.id)
        refitted = client.operations.RefitProject(request, timeout=LONGEST_S)
    if as_json:
        print_json(to_dict(refitted))
    else:
        console().print(
            f"{found.name}: refit {refitted.version} is in force, fitted to {refitted.labels} labels through"
            f" batch {refitted.fitted_through} of the log"
        )
