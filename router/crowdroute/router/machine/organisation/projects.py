"""Decisions on the organisation itself and on which projects it has."""

from __future__ import annotations

from crowdroute.router.commands import Request
from crowdroute.router.commands.organisation import (
    AwaitProject,
    ConfirmProject,
    CreateOrganisation,
    RegisterProject,
)
from crowdroute.router.commands.replies import Created, Done
from crowdroute.router.errors import AlreadyExists, InvalidCommand, KeyReused, NotFound
from crowdroute.router.events.organisation import OrganisationCreated, ProjectAwaited, ProjectRegistered
from crowdroute.router.machine.organisation.fields import (
    require_count,
    require_id,
    require_name,
    require_tenant,
)
from crowdroute.router.machine.project.sound_rules import require_sound
from crowdroute.router.machine.stream import Decision, organisation_stream
from crowdroute.router.model.ids import Id, Kind, to_text
from crowdroute.router.state.organisation import OrganisationState
from crowdroute.router.state.project import Project


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
    _require_free(state, command.project, command.name, command.shard, command.lane)
    yield ProjectRegistered(command.project, command.name, command.shard, command.lane)
    return Created(command.project)


def await_project(state: OrganisationState, command: AwaitProject, request: Request) -> Decision:
    """Reserve a name and place a stream in another shard, which will then be asked to begin it.

    Everything that the other shard could object to is looked at here, since it cannot refuse any more.
    """
    if command.project in state.projects:
        return Created(command.project)
    awaited = state.awaited.get(command.project)
    if awaited is not None:
        if (awaited.key, awaited.digest) != (command.key, command.digest):
            raise KeyReused(
                f"idempotency key {command.key[:64]!r} was used before with another request; take a new key",
                {"key": command.key[:64]},
            )
        return Created(command.project)
    _require_free(state, command.project, command.name, command.shard, command.lane)
    require_sound(Project(), command.rules)
    yield ProjectAwaited(
        command.project,
        command.name,
        command.shard,
        command.lane,
        command.rules,
        request.principal,
        command.key,
        command.digest,
    )
    return Created(command.project)


def confirm_project(state: OrganisationState, command: ConfirmProject) -> Decision:
    """Register a project whose stream has begun; once it is registered this changes nothing."""
    if command.project not in state.projects:
        awaited = state.awaited.get(command.project)
        if awaited is None:
            raise NotFound(
                f"nobody awaits {to_text(Kind.PROJECT, command.project)}: create it", {"field": "project"}
            )
        yield ProjectRegistered(awaited.project, awaited.name, awaited.shard, awaited.lane)
    return Created(command.project)


def _require_free(state: OrganisationState, project: Id, name: str, shard: int, lane: int) -> None:
    require_id("project", project)
    require_name("name", name)
    require_count("shard", shard, 0)
    require_count("lane", lane, 0)
    if project in state.projects or project in state.awaited:
        raise AlreadyExists(
            f"{to_text(Kind.PROJECT, project)} is registered already: use a new id", {"field": "project"}
        )
    if name in state.project_names or any(name == row.name for row in state.awaited.values()):
        raise AlreadyExists(f"a project is named {name!r} already: choose another name", {"field": "name"})
