"""Rules: what is wrong with a document, what it would change, and the versions there were."""

from __future__ import annotations

from crowdroute.api.v1 import rules_pb2
from crowdroute.router.model.content import RulesContent
from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.rpc.convert.times import timestamp
from crowdroute.router.rules.diff import Change
from crowdroute.router.rules.errors import Problem, RulesError


def finding_message(problem: Problem) -> rules_pb2.RulesFinding:
    """Write one thing that is wrong with a document."""
    within = f"in template {problem.template}: " if problem.template else ""
    return rules_pb2.RulesFinding(
        severity=rules_pb2.RulesFinding.SEVERITY_ERROR,
        code=RulesError.code,
        message=f"{within}{problem.what}; {problem.advice}",
        line=problem.line,
        column=problem.column,
        path=problem.path,
    )


def difference_line(change: Change) -> str:
    """Write one value that differs."""
    return f"{change.path}: {_shown(change.before)} -> {_shown(change.after)}"


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(value)}]"
    return str(value)


def version_message(rules: ProjectRules, kept: RulesContent | None) -> rules_pb2.RulesVersion:
    """Write a version without its documents; `kept` is what was stored when it was applied."""
    return rules_pb2.RulesVersion(
        version=rules.version,
        code=rules.code,
        applied_at=timestamp(kept.applied_us) if kept is not None else None,
        applied_by=kept.applied_by if kept is not None else "",
    )
