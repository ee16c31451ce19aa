"""What must be over once the engine was left alone long enough."""

from __future__ import annotations

from tests.checker.layout import OPEN
from tests.checker.organisation import Organisation
from tests.checker.project import Project, short


def check_balances(project: Project, organisation: Organisation) -> None:
    """Complain when an organisation does not know what one of its projects owes a worker."""
    if project.id not in organisation.projects:
        return
    for (worker, currency), micros in project.balances.items():
        noted = organisation.balances.get((project.id, worker))
        told = (noted.micros, noted.currency) if noted is not None else (0, currency)
        if told != (micros, currency):
            project.complain(
                "balance",
                f"worker {short(worker)} is owed {micros} {currency}, the organisation knows of {told}",
            )


def check_quiescent(project: Project) -> None:
    """Complain about overdue leases, discounted workers whose answers count, and tasks nobody can move on."""
    for assignment in project.live.values():
        if assignment.deadline_us <= project.now_us:
            project.complain(
                "overdue",
                f"assignment {short(assignment.id)} is live {project.now_us - assignment.deadline_us} us"
                " past its deadline",
            )
    for task in project.tasks.values():
        free = any(planned > task.held(stage) for stage, planned in task.planned.items())
        if (
            task.state == OPEN
            and not task.exempt
            and not free
            and not any(one.live for one in task.assignments)
        ):
            project.complain(
                "stuck", f"task {short(task.id)} is open, and nobody holds it or could be given it"
            )
    for worker in sorted(project.discounted_workers):
        for assignment in project.counted_of_worker.get(worker, ()):
            if assignment.counted:
                project.complain(
                    "discount-unfinished",
                    f"assignment {short(assignment.id)} of discounted worker {short(worker)} still counts",
                )
