"""Rules: look at a document, apply it, read the versions there were."""

from __future__ import annotations

import asyncio

from crowdroute.api.v1 import rules_pb2 as wire
from crowdroute.router.commands.project import ApplyRules
from crowdroute.router.commands.replies import Created
from crowdroute.router.errors import InvalidCommand, NotFound, WrongState
from crowdroute.router.model import content
from crowdroute.router.model.content import RulesContent
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.rpc.actions import expect
from crowdroute.router.rpc.calls import Call
from crowdroute.router.rpc.convert.rules import difference_line, finding_message, version_message
from crowdroute.router.rpc.operations.office import Office, Place
from crowdroute.router.rpc.operations.rulebook import (
    compiled,
    described,
    kept_document,
    read_document,
    references_of,
)
from crowdroute.router.rpc.pages import page_of
from crowdroute.router.rules.diff import differences
from crowdroute.router.rules.errors import RulesError


class Rules(Office):
    """The calls that concern rules."""

    async def check_rules(self, call: Call, message: wire.CheckRulesRequest) -> wire.CheckRulesResponse:
        """Look at a document without applying it."""
        organisation = self.tenant(call)
        before: ProjectRules | None = None
        if message.project_id:
            before = self.place(call, message.project_id).state.rules
        number = 1 if before is None else before.version + 1
        response = wire.CheckRulesResponse()
        try:
            rules = await compiled(message.rules_yaml, number, before, organisation)
        except RulesError as error:
            response.findings.extend([finding_message(problem) for problem in error.problems])
        else:
            response.resolved_yaml = await described(rules, organisation)
            if before is not None:
                known = references_of(organisation)
                changes = await asyncio.to_thread(differences, before, rules, known)
                response.differences.extend([difference_line(change) for change in changes])
        await self.observe()
        return response

    async def apply_rules(self, call: Call, message: wire.ApplyRulesRequest) -> wire.RulesVersion:
        """Make a document the rules in force."""
        place = self.place(call, message.project_id)
        state = place.state
        rules = await self._compiled(call, place, message)
        document = kept_document(
            state.project, rules.version, message.rules_yaml, place.engine.now_us(), call.principal.name
        )
        reply = await self.act(call, place.stream, ApplyRules(rules), message, [document])
        return await self._version(call, place, expect(Created, reply).version)

    async def _compiled(self, call: Call, place: Place, message: wire.ApplyRulesRequest) -> ProjectRules:
        """Compile a document as the version after the one that it was written for.

        A retry compiles to the same although its own rules are in force by then; the core refuses a version
        that is not the next. A document for whatever is in force is compiled again when that changed.
        """
        state, organisation = place.state, self.tenant(call)
        while True:
            written_for = message.expected_version or state.rules.version
            if not 1 <= written_for <= len(state.history):
                raise WrongState(
                    f"there is no version {written_for} of the rules, version {state.rules.version} is in"
                    " force: read it and try again",
                    {"version": str(state.rules.version)},
                )
            previous = state.rules_at(written_for)
            rules = await compiled(message.rules_yaml, written_for + 1, previous, organisation)
            if message.expected_version or written_for == state.rules.version:
                return rules

    async def get_rules(self, call: Call, message: wire.GetRulesRequest) -> wire.RulesVersion:
        """Give one version."""
        place = self.place(call, message.project_id)
        if message.version < 0:
            raise InvalidCommand("version is negative; 0 is the one in force", {"field": "version"})
        number = message.version or place.state.rules.version
        if number > len(place.state.history):
            project = to_text(Kind.PROJECT, place.state.project)
            raise NotFound(f"{project} has no version {number} of its rules", {"version": str(number)})
        return await self._version(call, place, number)

    async def list_rules_versions(
        self, call: Call, message: wire.ListRulesVersionsRequest
    ) -> wire.ListRulesVersionsResponse:
        """Give a page of the versions, newest first."""
        place = self.place(call, message.project_id)
        page = page_of(message, int)
        newest = len(place.state.history)
        first = newest if page.after is None else min(page.after - 1, newest)
        last = max(first - page.rows, 0)
        numbers = range(first, last, -1)
        await self.observe()
        kept = await self._kept(place, numbers)
        return wire.ListRulesVersionsResponse(
            versions=[version_message(place.state.rules_at(number), kept.get(number)) for number in numbers],
            next_page_token=page.token(last + 1) if last > 0 else "",
        )

    async def _version(self, call: Call, place: Place, number: int) -> wire.RulesVersion:
        rules = place.state.rules_at(number)
        await self.observe()
        kept = (await self._kept(place, (number,))).get(number)
        version = version_message(rules, kept)
        version.resolved_yaml = await described(rules, self.tenant(call))
        if kept is not None:
            version.rules_yaml = kept.text
        return version

    async def _kept(self, place: Place, numbers: range | tuple[int, ...]) -> dict[int, RulesContent]:
        keys = {number: content.rules(place.state.project, number) for number in numbers}
        bodies = await place.engine.fetch(keys.values())
        return {number: read_document(bodies[key]) for number, key in keys.items() if key in bodies}
