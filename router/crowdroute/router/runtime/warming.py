"""Have every compiled kernel ready before the first call comes.

Kernels are compiled when they are first used and cached beside the sources. On a machine that never ran them
that takes many seconds, in which nothing else is answered, so one tiny project is played through a shard of
its own first.
"""

from __future__ import annotations

from crowdroute.router.commands import Command, Request
from crowdroute.router.commands.organisation import CreateOrganisation, UpsertWorker
from crowdroute.router.commands.project import AddTasks, CreateProject, NewTask, RequestNext, SubmitAnswer
from crowdroute.router.commands.replies import Offered
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.ids import NO_ID, Id, derive
from crowdroute.router.model.rules import Field, Label, Overlap, ProjectRules, Routing
from crowdroute.router.policy.registry import POLICIES

TENANT = "warming"
SEED: Id = bytes(range(16))


def warm_up() -> None:
    """Play a project with every policy through a shard that is thrown away."""
    for number, policy in enumerate(POLICIES):
        _play(policy, derive(SEED, number + 1))


def _play(policy: str, seed: Id) -> None:
    shard, moment = Shard(), 0
    ids = (derive(seed, number) for number in range(1, 1000))

    def run(stream: str, command: Command) -> object:
        nonlocal moment
        moment += 1_000_000
        return shard.handle(Request(stream, command, next(ids)), moment)[1]

    organisation, project = organisation_stream(TENANT), next(ids)
    stream = project_stream(TENANT, project)
    fields = (Field("label", (Label("a"), Label("b"))), Field("more", tuple(map(Label, "abcde"))))
    # Both chances: what the policy finds, and what exploration draws.
    for exploration in (0.0, 1.0):
        rules = ProjectRules(1, fields, overlap=Overlap(2, 3), routing=Routing(policy, exploration))
        shard = Shard()
        run(organisation, CreateOrganisation(TENANT))
        run(stream, CreateProject(project, policy, rules))
        workers = [next(ids) for _ in range(3)]
        for worker in workers:
            run(organisation, UpsertWorker(worker, NO_ID, NO_ID))
        rows = [NewTask(next(ids), next(ids), next(ids), SEED) for _ in range(3)]
        rows.append(NewTask(next(ids), next(ids), next(ids), SEED, allow=(workers[0],), deny=(workers[1],)))
        run(stream, AddTasks(tuple(rows)))
        for worker in workers:
            offered = run(stream, RequestNext(worker, 4))
            assert isinstance(offered, Offered)
            for lease in offered.leases:
                answer = (Choice(0, 0), Choice(1, 3))
                run(stream, SubmitAnswer(worker, lease.assignment, lease.fence, answer))
        restored = Shard()
        restored.unpack(shard.pack())
        restored.settle()


if __name__ == "__main__":
    warm_up()
