"""`crowdroute stats`: how a project stands."""

from __future__ import annotations

from crowdroute.api.v1 import projects_pb2, types_pb2
from crowdroute.router.cli.output import percent, print_json, print_table, to_dict
from crowdroute.router.cli.target import (
    DEFAULT_ADDRESS,
    Address,
    AsJson,
    ProjectName,
    TokenFile,
    connect,
    find_project,
)


def stats(
    project: ProjectName,
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Tell how a project stands: tasks, answers, workers, cost.

    Example: crowdroute stats birds
    """
    with connect(address, token_file) as client:
        found = client.operations.GetStats(
            projects_pb2.GetStatsRequest(project_id=find_project(client, project).id)
        )
    if as_json:
        print_json(to_dict(found))
        return
    gold = found.gold_correct / found.gold_checked if found.gold_checked else None
    rows: list[tuple[str, object]] = [
        ("tasks open", found.tasks_open),
        ("  of them with an expert", found.tasks_escalated),
        ("tasks finalised", found.tasks_finalised),
        ("tasks parked", found.tasks_parked),
        ("tasks cancelled", found.tasks_cancelled),
        ("answers accepted", found.answers_accepted),
        ("answers refused", found.answers_refused),
        ("answers in review", found.in_review),
        ("answers per result", f"{found.answers_per_result:.2f}"),
        ("mean confidence of results", percent(found.mean_confidence if found.tasks_finalised else None)),
        ("gold answered right", f"{percent(gold)} of {found.gold_checked}"),
        ("workers known / busy", f"{found.workers_known} / {found.workers_busy}"),
        ("workers of all projects present", found.workers_present),
        ("owed to workers", f"{found.owed.amount} {found.owed.currency}"),
    ]
    for one in found.stages:
        name = types_pb2.Stage.Name(one.stage).removeprefix("STAGE_").lower()
        rows.append((f"{name}: free / live / counted", f"{one.free} / {one.live} / {one.counted}"))
    print_table((), rows, "")
