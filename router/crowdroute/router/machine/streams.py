"""The streams of one shard by name, each with the replies it remembers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from crowdroute.router.errors import NotFound
from crowdroute.router.machine.idempotency import Replies
from crowdroute.router.machine.organisation.machine import OrganisationMachine
from crowdroute.router.machine.project.machine import ProjectMachine
from crowdroute.router.machine.stream import StreamMachine, organisation_stream, project_stream, tenant_of
from crowdroute.router.model.ids import Id


class Stream:
    """One stream: its machine, the replies it remembers, the moment of its newest entry."""

    def __init__(self, machine: StreamMachine) -> None:
        """Begin a stream that has no entry yet."""
        self.machine = machine
        self.is_organisation = isinstance(machine, OrganisationMachine)
        self.replies = Replies()
        self.last_us = 0
        self.organisation: OrganisationMachine | None = None
        """The organisation that a project's worker facts come from, once it was needed."""
        self.apart = False
        """Whether this is a project whose organisation lives in another shard."""


def new_stream(name: str) -> Stream:
    """Give a stream without entries, of the kind that its name tells."""
    return Stream(OrganisationMachine() if name.endswith("/organisation") else ProjectMachine())


class Streams(dict[str, Stream]):
    """Streams by name, in the order in which they began."""

    elsewhere: Mapping[str, OrganisationMachine] = MappingProxyType({})
    """By stream: the organisations that live in other shards, as far as they are known."""

    def begin(self, name: str, stream: Stream) -> None:
        """Add a stream. An organisation comes before its projects wherever both live in one shard."""
        stream.apart = not stream.is_organisation and organisation_stream(tenant_of(name)) not in self
        self[name] = stream

    def organisation(self, tenant: str) -> OrganisationMachine:
        """Give a tenant's organisation.

        Raises:
            NotFound: there is no such tenant.
        """
        stream = self.get(organisation_stream(tenant))
        if stream is None or not isinstance(stream.machine, OrganisationMachine):
            raise NotFound("the organisation does not exist")
        return stream.machine

    def project(self, tenant: str, project: Id) -> ProjectMachine:
        """Give one project of a tenant.

        Raises:
            NotFound: the tenant has no such project.
        """
        stream = self.get(project_stream(tenant, project))
        if stream is None or not isinstance(stream.machine, ProjectMachine):
            raise NotFound("the project does not exist", {"project": project.hex()})
        return stream.machine

    def project_at(self, name: str) -> ProjectMachine:
        """Give the project whose stream has this name.

        Raises:
            NotFound: there is no such stream, or it is not a project's.
        """
        stream = self.get(name)
        if stream is None or not isinstance(stream.machine, ProjectMachine):
            raise NotFound("the project does not exist")
        return stream.machine

    def organisation_of(self, project: str) -> OrganisationMachine | None:
        """Give the organisation of the project whose stream has this name, wherever it lives; None while
        nothing is known of it."""
        name = organisation_stream(tenant_of(project))
        found = self.get(name)
        if found is None:
            return self.elsewhere.get(name)
        return found.machine if isinstance(found.machine, OrganisationMachine) else None
