"""`crowdroute project`: create, list, pause and resume projects."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crowdroute.api.v1 import projects_pb2
from crowdroute.router.cli.output import console, print_json, print_table, to_dict
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
from crowdroute.router.cli.texts import read_text

app = typer.Typer(help="Create, list, pause and resume projects.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Name of the project, unique among yours.")],
    rules: Annotated[
        Path, typer.Option("--rules", "-r", help="YAML document with its rules.", exists=True, dir_okay=False)
    ],
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Create a project from its rules.

    Example: crowdroute project create birds --rules birds.yaml
    """
    with connect(address, token_file) as client:
        project = client.operations.CreateProject(
            projects_pb2.CreateProjectRequest(name=name, rules_yaml=read_text(rules))
        )
    if as_json:
        print_json(to_dict(project))
    else:
        console().print(f"created {project.name} ({project.id}), rules version {project.rules_version}")


@app.command("list")
def list_projects(
    address: Address = DEFAULT_ADDRESS, token_file: TokenFile = None, as_json: AsJson = False
) -> None:
    """List all projects.

    Example: crowdroute project list
    """
    with connect(address, token_file) as client:
        projects = [
            project
            for page in pages(client.operations.ListProjects, projects_pb2.ListProjectsRequest())
            for project in page.projects
        ]
    if as_json:
        print_json([to_dict(project) for project in projects])
        return
    print_table(
        ("name", "id", "state", "rules"),
        (
            (one.name, one.id, projects_pb2.ProjectState.Name(one.state)[14:].lower(), one.rules_version)
            for one in projects
        ),
        "no projects yet: create one with `crowdroute project create NAME --rules FILE`",
    )


@app.command()
def pause(
    project: ProjectName,
    reason: Annotated[str, typer.Option(help="Why; people will read it.")] = "paused by an operator",
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Hand out no more work until the project is resumed; live leases go on.

    Example: crowdroute project pause birds --reason "guideline under revision"
    """
    with connect(address, token_file) as client:
        found = find_project(client, project)
        client.operations.PauseProject(projects_pb2.PauseProjectRequest(project_id=found.id, reason=reason))
    console().print(f"{found.name} is paused")


@app.command()
def resume(project: ProjectName, address: Address = DEFAULT_ADDRESS, token_file: TokenFile = None) -> None:
    """Hand out work again.

    Example: crowdroute project resume birds
    """
    with connect(address, token_file) as client:
        found = find_project(client, project)
        client.operations.ResumeProject(projects_pb2.ResumeProjectRequest(project_id=found.id))
    console().print(f"{found.name} is active")
