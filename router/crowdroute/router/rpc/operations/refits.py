"""Refits: a project's models fitted anew, and how far that is."""

from __future__ import annotations

from collections.abc import AsyncIterator

from crowdroute.aggregation.refitting import MOST_SWEEPS, REST
from crowdroute.api.v1 import projects_pb2 as wire
from crowdroute.router.commands.project import InstallModel
from crowdroute.router.commands.replies import Refitted
from crowdroute.router.jobs.fitting import FieldSwept
from crowdroute.router.jobs.running import Begun, JobProgress
from crowdroute.router.rpc.actions import expect
from crowdroute.router.rpc.calls import Call
from crowdroute.router.rpc.operations.office import Office, Place
from crowdroute.router.runtime.refitting import begin_refit


class Refits(Office):
    """The call that refits."""

    async def refit_project(
        self, call: Call, message: wire.RefitProjectRequest
    ) -> AsyncIterator[wire.RefitProjectProgress]:
        """Fit the project's models anew, outside, and take over what was found; whoever hangs up ends it.

        Raises:
            WrongState: there is nothing to learn from, or what was found is stale.
            JobFailed: the fit came to nothing.
        """
        place = self.place(call, message.project_id)
        async with self.alone(call, place, message):
            reply = self.replied(call, place, InstallModel, message)
            if reply is None:
                refitting = await begin_refit(place.engine, place.stream, self._jobs)
                try:
                    yield wire.RefitProjectProgress(stage=wire.REFIT_STAGE_WAITING)
                    async for told in refitting.progress():
                        yield _progress(place, told)
                    command = await refitting.found()
                finally:
                    refitting.cancel()
                yield wire.RefitProjectProgress(stage=wire.REFIT_STAGE_INSTALLING)
                reply = await self.act(call, place.stream, command, message)
        refit = expect(Refitted, reply)
        await self.observe()
        yield wire.RefitProjectProgress(
            stage=wire.REFIT_STAGE_DONE,
            refit=wire.Refit(
                version=refit.version,
                fitted_through=refit.fitted_through,
                labels=refit.annotations,
                digest=refit.digest.hex(),
            ),
        )


def _progress(place: Place, told: JobProgress) -> wire.RefitProjectProgress:
    match told:
        case Begun():
            return wire.RefitProjectProgress(stage=wire.REFIT_STAGE_READING)
        case FieldSwept():
            return wire.RefitProjectProgress(
                stage=wire.REFIT_STAGE_FITTING,
                field_id=place.state.rules.fields[told.field].id,
                sweep=told.sweep,
                most_sweeps=MOST_SWEEPS,
                moved=told.moved,
                rest=REST,
            )
