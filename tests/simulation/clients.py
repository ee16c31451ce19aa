"""Who calls the engine: how they put their calls, and what they learn from the answers."""

from __future__ import annotations

from tests.simulation.journal import Journal
from tests.simulation.knowledge import TENANT, Knowledge, KnownProject
from tests.simulation.process import Call, Outcome

from crowdroute.router.commands import Command, Request
from crowdroute.router.commands import project as wishes
from crowdroute.router.errors import LeaseEnded, NotEligible, Refusal
from crowdroute.router.machine.shard import Shard


class Clients:
    """Front-ends and operators, with a journal of all that they were told."""

    def __init__(self, known: Knowledge) -> None:
        """Begin with what is known outside."""
        self.known = known
        self.journal = Journal()

    def call(self, stream: str, command: Command, number: int) -> Call:
        """Put a command into a request, mostly under an idempotency key."""
        keyed = isinstance(command, wishes.ApplyRules) or self.known.chance(0.6)
        return Call(
            Request(
                stream=stream,
                command=command,
                principal=self.known.random.choice(("tok_front_end", "tok_vendor")),
                request=f"call-{number}",
                key=self.known.identity().hex() if keyed else "",
            )
        )

    def told(self, call: Call, outcome: Outcome, decided_us: int, core: Shard) -> str:
        """Tell a client what became of its call; gives a complaint when it was told otherwise before.

        Args:
            call: what was asked.
            outcome: what the client is told.
            decided_us: when that was decided.
            core: the shard that decided it.
        """
        first = call.told is None
        complaint = self.journal.told(call, outcome, decided_us)
        if first and not complaint:
            self._learn(call, outcome, core)
        return complaint

    def _learn(self, call: Call, outcome: Outcome, core: Shard) -> None:
        command, refused = call.request.command, isinstance(outcome, Refusal)
        if isinstance(command, wishes.CreateProject) and not refused:
            self.known.projects.append(KnownProject(command.project, command.rules))
        project = next((one for one in self.known.projects if one.stream == call.request.stream), None)
        if project is not None:
            self.journal.teach(project, outcome)
        if project is not None and isinstance(command, wishes.ApplyRules):
            project.rules = core.project(TENANT, project.id).state.rules
        worker, held = call.worker, call.held
        if worker is None:
            return
        if isinstance(outcome, NotEligible) and len(self.known.workers) > 2 and self.known.chance(0.2):
            self.known.workers = [one for one in self.known.workers if one is not worker]
        worker.held += self.journal.leases(call)
        if held is None or held not in worker.held:
            return
        ended = isinstance(outcome, LeaseEnded) and self.known.chance(0.5)
        given_back = isinstance(command, wishes.ReleaseLease | wishes.SkipAssignment) and not refused
        submitted = isinstance(command, wishes.SubmitAnswer) and not refused
        if ended or given_back or submitted:
            worker.held.remove(held)
        if submitted:
            worker.answered.append(held)
