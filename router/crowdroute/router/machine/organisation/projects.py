"""Decisions on the organisation itself and on which projects it has."""

from __future__ import annotations

from crowdroute.router.commands import Request
from crowdroute.router.commands.organisation import CreateOrganisation, RegisterProject
from crowdroute.router.commands.replies import Created, Done
from crowdroute.router.errors import AlreadyExists, InvalidCommand
from crowdroute.router.events.organisation import OrganisationCreated, ProjectRegistered
from crowdroute.router.machine.organisation.fields import (
    require_count,
    require_id,
    require_name,
    require_tenant,
)
from crowdroute.router.machine.stream import Decision, organisation_stream
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.state.organisation import OrganisationState


def create_organisation(state: OrganisationState, command: CreateOrganisation, request: Request) -> Decision:
    """Begin the stream, once."""
    require_tenant(command.tenant)
    if request.stream != organisation_stream(command.tenant):
        raise InvalidCommand(
            f"tenant {command.tenant} cannot begin in the stream {request.stream!r}: "
            f"send the command to {organisation_stream(command.tenant)!r}",
            {"field": "tenant"},
        )
    if state.tenant:
        raise AlreadyExists(f"the organisation {state.tenant} exists already: go on with it")
    yield OrganisationCreated(command.tenant)
    return Done()


def register_project(state: OrganisationState, command: RegisterProject) -> Decision:
    """Reserve a name and place a stream for good."""
    require_id("project", command.project)
    require_name("name", command.name)
    require_count("shard", command.shard, 0)
    require_count("lane", command.lane, 0)
    if command.project in state.projects:
        raise AlreadyExists(
            f"{to_text(Kind.PROJECT, command.project)} is registered already: use a new id",
            {"field": "project"},
        )
    if command.name in state.project_names:
        raise AlreadyExists(
            f"a project is named {command.name!r} already: choose another name", {"field": "name"}
        )
    yield ProjectRegistered(command.project, command.name, command.shard, command.lane)
    return Created(command.project)
