"""How a project stands: quality, cost and backlog."""

from __future__ import annotations

from crowdroute.api.v1 import projects_pb2 as wire
from crowdroute.router.model.states import Stage, TaskState
from crowdroute.router.rpc.calls import Call
from crowdroute.router.rpc.convert.money import money_message
from crowdroute.router.rpc.convert.states import number_of
from crowdroute.router.rpc.convert.times import timestamp
from crowdroute.router.rpc.operations.counting import count
from crowdroute.router.rpc.operations.office import Office


class Stats(Office):
    """The call that tells how a project stands."""

    async def get_stats(self, call: Call, message: wire.GetStatsRequest) -> wire.ProjectStats:
        """Tell how a project stands."""
        place = self.place(call, message.project_id)
        state = place.state
        counts = await count(state)
        workers = state.workers.rows[: state.workers.count]
        stats = wire.ProjectStats(
            at=timestamp(place.engine.now_us()),
            tasks_open=int(counts.states[TaskState.OPEN]),
            tasks_parked=int(counts.states[TaskState.PARKED]),
            tasks_finalised=int(counts.states[TaskState.FINALISED]),
            tasks_cancelled=int(counts.states[TaskState.CANCELLED]),
            tasks_escalated=counts.escalated,
            stages=[
                wire.StageStats(
                    stage=number_of(stage),
                    free=counts.free[stage],
                    live=counts.live[stage],
                    counted=counts.counted[stage],
                )
                for stage in Stage
            ],
            answers_accepted=counts.accepted,
            answers_refused=counts.refused,
            in_review=counts.in_review,
            workers_busy=int((workers["live"] > 0).sum()),
            workers_known=int((workers["version"] > 0).sum()),
            answers_per_result=counts.behind_results / counts.results if counts.results else 0.0,
            mean_confidence=counts.confidence / counts.results if counts.results else 0.0,
            gold_correct=int(workers["gold_correct"].sum()),
            gold_checked=int(workers["gold_checked"].sum()),
            owed=money_message(int(workers["earned_micros"].sum()), state.rules.prices.currency),
            requests_waiting=place.engine.waiting.count(place.stream),
            workers_present=self._gate.presence.count(call.principal.tenant),
            reviews_decided=int(workers["reviews"].sum()),
        )
        await self.observe()
        return stats
