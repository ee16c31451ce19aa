"""Projects: create, find, pause, resume."""

from __future__ import annotations

from crowdroute.api.v1 import projects_pb2 as wire
from crowdroute.router.commands.project import CreateProject, PauseProject, ResumeProject
from crowdroute.router.errors import InvalidCommand, NotFound
from crowdroute.router.machine.stream import project_stream
from crowdroute.router.model.ids import Id, Kind, to_text
from crowdroute.router.rpc.calls import Call, checked_key
from crowdroute.router.rpc.convert.projects import project_message
from crowdroute.router.rpc.operations.office import LONGEST_REASON, Office, Place, checked_text
from crowdroute.router.rpc.operations.rulebook import compiled, kept_document
from crowdroute.router.rpc.pages import fill, page_of, spaced
from crowdroute.router.rpc.scopes import PACKAGE

GET_PROJECT = f"/{PACKAGE}.OperationsService/GetProject"


class Projects(Office):
    """The calls that concern whole projects."""

    async def create_project(self, call: Call, message: wire.CreateProjectRequest) -> wire.Project:
        """Create a project with its first rules."""
        organisation = self.tenant(call)
        project = self._new_project(call, message.idempotency_key)
        rules = await compiled(message.rules_yaml, 1, None, organisation)
        stream = project_stream(call.principal.tenant, project)
        document = kept_document(project, 1, message.rules_yaml, self._group.now_us(), call.principal.name)
        await self.act(call, stream, CreateProject(project, message.name, rules), message, [document])
        created = await self._project_message(call, project)
        await self.observe()
        return created

    async def _project_message(self, call: Call, project: Id) -> wire.Project:
        """Write a project, wherever it lives."""
        elsewhere, shard = (
            self._gate.elsewhere,
            self._group.where.shard_of(project_stream(call.principal.tenant, project)),
        )
        if elsewhere is None or shard is None or shard in self._group.engines:
            return project_message(self._group.where.project(call.principal.tenant, project))
        request = wire.GetProjectRequest(project_id=to_text(Kind.PROJECT, project))
        answer = await elsewhere.forward(call, shard, GET_PROJECT, request.SerializeToString())
        return wire.Project.FromString(answer)

    def _new_project(self, call: Call, key: str) -> Id:
        """Give the project's id: under a key always the same, so that a retry reaches the same stream."""
        if not key:
            return self._group.new_id()
        return self.home(call).external(
            call.principal.tenant, Kind.PROJECT, f"{call.principal.name}\0{checked_key(key)}"
        )

    async def get_project(self, call: Call, message: wire.GetProjectRequest) -> wire.Project:
        """Give one project."""
        organisation = self.tenant(call)
        match message.WhichOneof("key"):
            case "project_id":
                state = self.place(call, message.project_id).state
            case "name":
                row = organisation.find_project(message.name)
                if row is None:
                    raise NotFound(
                        f"there is no project named {message.name[:200]!r}: list the projects, or create it",
                        {"field": "name"},
                    )
                state = self._group.where.project(call.principal.tenant, row.project)
            case _:
                raise InvalidCommand("give project_id or name", {"field": "key"})
        found = project_message(state)
        await self.observe()
        return found

    async def list_projects(self, call: Call, message: wire.ListProjectsRequest) -> wire.ListProjectsResponse:
        """Give a page of the projects, in the order of their names."""
        organisation = self.tenant(call)
        page = page_of(message, str)
        tenant, group = call.principal.tenant, self._group
        names = sorted(
            name
            for name, project in organisation.project_names.items()
            if (page.after is None or name > page.after) and group.where.has(project_stream(tenant, project))
        )[: page.rows + 1]
        rows = [
            project_message(group.where.project(tenant, organisation.project_names[name]))
            async for name in spaced(names)
        ]
        await self.observe()
        rows += [
            project
            for answer in await self.others(call, message)
            for project in wire.ListProjectsResponse.FromString(answer).projects
        ]
        rows.sort(key=lambda project: project.name)
        projects, token = await fill(page, rows[: page.rows + 1], _as_it_is, _name_of)
        if call.part:
            projects, token = rows, ""
        return wire.ListProjectsResponse(projects=projects, next_page_token=token)

    async def pause_project(self, call: Call, message: wire.PauseProjectRequest) -> wire.Project:
        """Stop handing out work."""
        place = self.place(call, message.project_id)
        reason = checked_text(message.reason, "reason", LONGEST_REASON)
        await self.act(call, place.stream, PauseProject(reason), message)
        return await self._as_it_is(place)

    async def resume_project(self, call: Call, message: wire.ResumeProjectRequest) -> wire.Project:
        """Hand out work again."""
        place = self.place(call, message.project_id)
        await self.act(call, place.stream, ResumeProject(), message)
        return await self._as_it_is(place)

    async def _as_it_is(self, place: Place) -> wire.Project:
        found = project_message(place.state)
        await self.observe()
        return found


def _as_it_is(project: wire.Project) -> wire.Project:
    return project


def _name_of(project: wire.Project) -> str:
    return project.name
