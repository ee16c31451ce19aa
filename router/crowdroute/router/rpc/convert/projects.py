"""Projects."""

from __future__ import annotations

from crowdroute.api.v1 import projects_pb2
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.rpc.convert.schema import field_message
from crowdroute.router.rpc.convert.states import number_of
from crowdroute.router.state.project import Project


def project_message(state: Project) -> projects_pb2.Project:
    """Write a project as it stands."""
    return projects_pb2.Project(
        id=to_text(Kind.PROJECT, state.project),
        name=state.name,
        state=number_of(state.state),
        rules_version=state.rules.version,
        fields=[field_message(field) for field in state.rules.fields],
        currency=state.rules.prices.currency,
    )
