"""`crowdroute rules`: check, apply and look back at rules documents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crowdroute.api.v1 import rules_pb2
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
from crowdroute.router.model.ids import Id
from crowdroute.router.rules.compile import compile_reading
from crowdroute.router.rules.errors import RulesError
from crowdroute.router.rules.reading import read_document
from crowdroute.router.rules.references import References
from crowdroute.router.rules.schema import write_schema

app = typer.Typer(help="Check, apply and look back at rules documents.", no_args_is_help=True)

FOUND = 4
"""Exit code when a check found something."""

Document = Annotated[Path, typer.Argument(help="YAML document.", exists=True, dir_okay=False)]


@app.command()
def check(document: Document, as_json: AsJson = False) -> None:
    """Check a document without an engine; everything wrong with it is told at once, with line and column.

    Whether its pools and vendors exist, only an engine can tell: `rules apply`.

    Example: crowdroute rules check birds.yaml
    """
    try:
        _compile_alone(document.read_bytes())
    except RulesError as error:
        if as_json:
            print_json(
                [
                    {
                        "line": one.line,
                        "column": one.column,
                        "path": one.path,
                        "message": f"{one.what}; {one.advice}",
                    }
                    for one in error.problems
                ]
            )
        else:
            for problem in error.problems:
                subject = f"{problem.path}: " if problem.path else ""
                where = f"{document}:{problem.line}:{problem.column}"
                typer.echo(f"{where}: {subject}{problem.what}; {problem.advice}", err=True)
        raise typer.Exit(FOUND) from None
    if as_json:
        print_json([])
    else:
        console().print(f"{document} is sound")


def _compile_alone(text: bytes) -> None:
    """Compile a new project's rules as if every pool and vendor that they name existed.

    Raises:
        RulesError: with everything that is wrong.
    """
    reading = read_document(text)
    people = reading.document.people
    references = References(_imagined(people.pools), _imagined(people.vendors))
    compile_reading(reading, 1, references=references)


def _imagined(names: tuple[str, ...]) -> dict[str, Id]:
    return {name: place.to_bytes(16) for place, name in enumerate(names, 1)}


@app.command()
def apply(
    project: ProjectName,
    document: Document,
    expected_version: Annotated[
        int, typer.Option(help="Apply only if this version is in force; 0 for whichever is.")
    ] = 0,
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a document a project's rules from now on; live leases keep their terms.

    Example: crowdroute rules apply birds birds.yaml
    """
    with connect(address, token_file) as client:
        found = find_project(client, project)
        applied = client.operations.ApplyRules(
            rules_pb2.ApplyRulesRequest(
                project_id=found.id, rules_yaml=read_text(document), expected_version=expected_version
            )
        )
    if as_json:
        print_json(to_dict(applied))
    else:
        console().print(f"{found.name}: rules version {applied.version} is in force")


@app.command()
def history(
    project: ProjectName,
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """List every version of a project's rules.

    Example: crowdroute rules history birds
    """
    with connect(address, token_file) as client:
        found = find_project(client, project)
        versions = [
            version
            for page in pages(
                client.operations.ListRulesVersions, rules_pb2.ListRulesVersionsRequest(project_id=found.id)
            )
            for version in page.versions
        ]
    if as_json:
        print_json([to_dict(version) for version in versions])
        return
    print_table(
        ("version", "applied", "by"),
        ((one.version, one.applied_at.ToJsonString(), one.applied_by) for one in versions),
        "no rules",
    )


@app.command()
def show(
    project: ProjectName,
    version: Annotated[int, typer.Option(help="Which version; 0 for the one in force.")] = 0,
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Print a project's rules as a complete document.

    Example: crowdroute rules show birds > birds.yaml
    """
    with connect(address, token_file) as client:
        found = find_project(client, project)
        rules = client.operations.GetRules(rules_pb2.GetRulesRequest(project_id=found.id, version=version))
    typer.echo(rules.resolved_yaml, nl=False)


@app.command()
def schema() -> None:
    """Print the JSON Schema of rules documents, for editors.

    Example: crowdroute rules schema > rules.schema.json
    """
    typer.echo(write_schema(), nl=False)
