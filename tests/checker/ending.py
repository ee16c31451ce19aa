"""What must be over once the engine was left alone long enough."""

from __future__ import annotations

from tests.checker.project import Project, short


def check_quiescent(project: Project) -> None:
    """Complain about leases past their deadline and about discounted workers whose answers still count."""
    for assignment in project.live.values():
        if assignment.deadline_us <= project.now_us:
            project.complain(
                "overdue",
                f"assignment {short(assignment.id)} is live {project.now_us - assignment.deadline_us} us"
                " past its deadline",
            )
    for worker in sorted(project.discounted_workers):
        for assignment in project.counted_of_worker.get(worker, ()):
            if assignment.counted:
                project.complain(
                    "discount-unfinished",
                    f"assignment {short(assignment.id)} of discounted worker {short(worker)} still counts",
                )
