"""What a history means, whatever columns a release keeps it in."""

from __future__ import annotations

import json
from typing import Any

from crowdroute.router.machine.shard import Shard
from crowdroute.router.model.states import AssignmentState, TaskState
from crowdroute.router.state.project import Project
from crowdroute.router.state.tables import NONE


def facts_of(shard: Shard) -> str:
    """Give results, answers, standings and balances as one line of JSON."""
    told: dict[str, Any] = {}
    for name in shard.streams():
        if name.endswith("/organisation"):
            state = shard.organisation(name.partition("/")[0]).state
            told[name] = {
                "workers": {
                    worker.hex(): [row.facts.status.name, row.facts.version, row.erased]
                    for worker, row in sorted(state.workers.items())
                },
                "projects": sorted(row.name for row in state.list_projects()),
                "tokens": len(state.list_tokens()),
            }
        else:
            told[name] = _project(shard.project_state(name))
    return json.dumps(told, sort_keys=True)


def _project(state: Project) -> dict[str, Any]:
    tasks, workers, assignments = state.tasks, state.workers, state.assignments
    return {
        "rules": state.rules.version,
        "tasks": {tasks.id_of(task).hex(): _task(state, task) for task in range(tasks.count)},
        "workers": {
            workers.id_of(row).hex(): [
                workers.earned_micros[row],
                workers.answered[row],
                workers.gold_checked[row],
                workers.review_checked[row],
                workers.discounted[row],
            ]
            for row in range(workers.count)
        },
        "assignments": {
            assignments.id_of(row).hex(): [
                AssignmentState(assignments.state[row]).name,
                assignments.receipt[row],
                assignments.revisions[row],
                state.answer_codes(row),
            ]
            for row in range(assignments.count)
        },
        "erased": [
            state.items.id_of(row).hex() for row in range(state.items.count) if state.items.erased[row]
        ],
        "bonuses": sorted([key[1], key[2], micros] for key, micros in state.bonuses.items()),
    }


def _task(state: Project, task: int) -> list[Any]:
    result = state.tasks.result[task]
    labels = [] if result == NONE else [one.label for one in state.result_fields(result)]
    return [TaskState(state.tasks.state[task]).name, state.tasks.revision[task], labels]
