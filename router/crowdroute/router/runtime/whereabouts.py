"""Which shard a stream lives in, which engine has it, and who serves the shards that are not here.

A stream of this group's shards is asked of its engine. Of organisations that live elsewhere there is a copy,
which says where their projects are; whose shard is served by another group is told where that is.
"""

from __future__ import annotations

from collections.abc import Iterator

from crowdroute.router.errors import Moved, NotFound, NotReady
from crowdroute.router.machine.organisation.machine import OrganisationMachine
from crowdroute.router.machine.stream import organisation_stream, project_stream, tenant_of
from crowdroute.router.model.ids import Id
from crowdroute.router.runtime.copies import OrganisationCopy, copied
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.placement import ShardMap, place_of, require_in_place
from crowdroute.router.state.organisation import OrganisationState
from crowdroute.router.state.project import Project


class Whereabouts:
    """What lives in the shards of one group, and what is known of the rest."""

    def __init__(self, shard_map: ShardMap) -> None:
        """Know of no shard yet.

        Args:
            shard_map: how many shards there are, and who serves those that the group does not.
        """
        self.shard_map = shard_map
        self.engines: dict[int, Engine] = {}
        """Those that serve, by number."""
        self.copies: dict[str, OrganisationCopy] = {}
        """By stream: the organisations that shards here need to know and that do not live in all of them."""
        self._homes: dict[str, Engine] = {}
        self._machines: dict[str, OrganisationMachine] = {}
        """The copies' machines, as the shards look at them."""

    @property
    def is_many(self) -> bool:
        """Whether there is more than one shard in the installation."""
        return self.shard_map.shards > 1

    def place(self, shard_map: ShardMap) -> None:
        """Learn who serves what from now on.

        Raises:
            NotReady: a newer placement is known.
        """
        if shard_map.generation < self.shard_map.generation:
            raise NotReady(
                f"placement {shard_map.generation} is older than {self.shard_map.generation}, which is known",
                {"generation": str(self.shard_map.generation)},
            )
        self.shard_map = shard_map

    async def learn(self, shard: int, engine: Engine) -> None:
        """Read from a recovered shard, which does not serve yet, what lives in it.

        Raises:
            ConfigurationError: its log is not that of this shard.
        """
        streams = frozenset(engine.shard.streams())
        organisations = [machine for _, machine in engine.organisations()]
        states = [await copied(machine.state) for machine in organisations] if self.is_many else []
        # From here to where it serves nobody else has a turn, for shards are taken at the same time: each is
        # compared with those that serve, and a copy that began is folded on from here alone, and not also by
        # what its last owner still tells.
        for machine in (*organisations, *(copy.machine for copy in self.copies.values())):
            require_in_place(machine.state, shard, streams)
        for machine in organisations:
            for other, another in self.engines.items():
                require_in_place(machine.state, other, frozenset(another.shard.streams()))
        for state in states:
            copy = self.copy_of(organisation_stream(state.tenant), shard)
            copy.begin(state, engine.loop.commits.sequence)
            copy.local = True
        if self.is_many:
            engine.shard.look_elsewhere(self._machines)

    def leave(self, shard: int) -> None:
        """Learn that a shard is served here no longer."""
        engine = self.engines.pop(shard)
        self._homes = {name: home for name, home in self._homes.items() if home is not engine}
        for copy in self.copies.values():
            if copy.shard == shard:
                copy.local = False

    def engine(self, stream: str) -> Engine:
        """Give the engine that has a stream.

        Raises:
            Moved: another group serves the shard that it lives in.
            NotReady: nobody was heard of who does.
            NotFound: there is no such stream.
        """
        engine = self._homes.get(stream)
        if engine is None:
            engine = self._homes[stream] = self._find(stream)
        return engine

    def _find(self, stream: str) -> Engine:
        if not self.is_many:
            for engine in self.engines.values():
                return engine
        for engine in self.engines.values():
            if engine.shard.has(stream):
                return engine
        shard = self.shard_of(stream)
        if shard is None or shard in self.engines:
            kind = "organisation" if stream.endswith("/organisation") else "project"
            details = {"project": stream.rpartition("/")[2]} if kind == "project" else {}
            raise NotFound(f"the {kind} does not exist", details)
        owner = self.shard_map.others.get(shard)
        if owner is None:
            raise NotReady(f"nobody serves shard {shard} at the moment: call again", {"shard": str(shard)})
        raise Moved(
            f"shard {shard} is served elsewhere: call again, there",
            {"shard": str(shard), "owner": owner.public},
        )

    def has(self, stream: str) -> bool:
        """Say whether a stream lives in a shard of this group."""
        return any(engine.shard.has(stream) for engine in self.engines.values())

    def shard_of(self, stream: str) -> int | None:
        """Give the number of the shard that a stream lives in, or None when there is no such stream."""
        for number, engine in self.engines.items():
            if engine.shard.has(stream):
                return number
        copy = self.copies.get(stream)
        if copy is not None:
            return copy.shard
        tenant, _, project = stream.partition("/project/")
        machine = self._machine(tenant)
        place = None if machine is None or not project else place_of(machine.state, bytes.fromhex(project))
        return None if place is None else place.shard

    def engine_of(self, tenant: str) -> Engine:
        """Give the engine that has a tenant's organisation; raises as `engine`."""
        return self.engine(organisation_stream(tenant))

    def organisations(self) -> Iterator[tuple[str, OrganisationMachine]]:
        """Yield tenant and machine of every organisation that is known here; look, do not touch."""
        for engine in self.engines.values():
            yield from engine.organisations()
        for copy in self.copies.values():
            if not copy.local:
                yield tenant_of(copy.stream), copy.machine

    def organisation(self, tenant: str) -> OrganisationState:
        """Give a tenant's workers, suppliers, tokens, projects and balances.

        Raises:
            NotFound: there is no such tenant.
        """
        machine = self._machine(tenant)
        if machine is None:
            raise NotFound("the organisation does not exist")
        return machine.state

    def require_fresh(self, tenant: str) -> None:
        """Refuse to go by what is known of an organisation elsewhere when that is too old.

        Raises:
            NotReady: it is.
        """
        if self.copies:
            copy = self.copies.get(organisation_stream(tenant))
            if copy is not None:
                copy.require_fresh()

    def project(self, tenant: str, project: Id) -> Project:
        """Give a project's state.

        Raises:
            NotFound, Moved, NotReady: it is not here.
        """
        stream = project_stream(tenant, project)
        return self.engine(stream).shard.project_state(stream)

    def projects(self) -> Iterator[tuple[str, Project]]:
        """Yield stream name and state of every project here, of every tenant."""
        for engine in self.engines.values():
            yield from engine.projects()

    def copy_of(self, stream: str, shard: int) -> OrganisationCopy:
        """Give the copy of an organisation that lives in a shard, making it when there is none."""
        copy = self.copies.get(stream)
        if copy is None:
            copy = self.copies[stream] = OrganisationCopy(stream, shard)
            self._machines[stream] = copy.machine
        return copy

    def _machine(self, tenant: str) -> OrganisationMachine | None:
        stream = organisation_stream(tenant)
        for engine in self.engines.values():
            if engine.shard.has(stream):
                return engine.shard.organisation(tenant)
        return self._machines.get(stream)
