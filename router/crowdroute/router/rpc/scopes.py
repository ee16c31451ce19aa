"""Which scope each call needs. A call that is not in this table makes the server refuse to start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from google.protobuf.descriptor import ServiceDescriptor

from crowdroute.router.errors import ConfigurationError

PACKAGE = "crowdroute.api.v1"


class Scope(StrEnum):
    """What a credential may do; the values stand in logs and never change."""

    ANNOTATE = "annotate"
    """Be given work and answer it, as the worker whose session it is."""
    PROJECTS_READ = "projects.read"
    PROJECTS_WRITE = "projects.write"
    RULES_WRITE = "rules.write"
    ITEMS_WRITE = "items.write"
    TASKS_READ = "tasks.read"
    TASKS_WRITE = "tasks.write"
    RESULTS_READ = "results.read"
    RESULTS_WRITE = "results.write"
    WORKERS_READ = "workers.read"
    WORKERS_WRITE = "workers.write"
    PERSONS_ERASE = "persons.erase"
    SESSIONS_CREATE = "sessions.create"
    """Mint worker sessions: what a front-end's back end needs."""
    LEDGER_READ = "ledger.read"
    TOKENS_MANAGE = "tokens.manage"
    LOG_MANAGE = "log.manage"
    VENDOR = "vendor"
    """Act for one vendor; the token must be bound to it."""


EVERY_SCOPE: tuple[str, ...] = tuple(
    scope.value for scope in Scope if scope not in (Scope.ANNOTATE, Scope.VENDOR)
)
"""What an administrator's token carries: all but what belongs to one worker or one vendor."""

SESSION_SCOPES: tuple[str, ...] = (Scope.ANNOTATE.value,)
"""What a worker session carries."""

_CALLS: dict[str, dict[Scope, str]] = {
    "AnnotationService": {
        Scope.ANNOTATE: "Next Resume Submit Amend Withdraw SaveDraft Skip ReportProblem Extend Release"
        " GetGuideline Work",
    },
    "OperationsService": {
        Scope.PROJECTS_READ: "GetProject ListProjects GetStats CheckRules GetRules ListRulesVersions Watch",
        Scope.PROJECTS_WRITE: "CreateProject PauseProject ResumeProject RefitProject",
        Scope.RULES_WRITE: "ApplyRules",
        Scope.ITEMS_WRITE: "AddItems ImportItems EraseItem",
        Scope.TASKS_READ: "GetTask ListTasks ListAnnotations ExplainTask ExplainAssignment",
        Scope.TASKS_WRITE: "CancelTask ReopenTask EscalateTask RequestReview RevokeLease",
        Scope.RESULTS_READ: "GetResult ListResults ExportResults",
        Scope.RESULTS_WRITE: "CorrectResult",
        Scope.WORKERS_READ: "GetWorker ListWorkers ListWorkerRecords ListVendors ListPools",
        Scope.WORKERS_WRITE: "UpsertWorker SetWorkerStatus DiscountWorker AddVendor AddPool",
        Scope.PERSONS_ERASE: "ErasePerson",
        Scope.SESSIONS_CREATE: "CreateWorkerSession",
        Scope.LEDGER_READ: "ListBalances ListEntries",
        Scope.TOKENS_MANAGE: "IssueToken ListTokens RevokeToken",
        Scope.LOG_MANAGE: "VerifyLog BackupLog",
    },
    "VendorService": {
        Scope.VENDOR: "ListOpenProjects UpsertWorkers ListVendorWorkers GetStatement",
    },
}

SCOPES: Mapping[str, Scope] = MappingProxyType(
    {
        f"/{PACKAGE}.{service}/{call}": scope
        for service, by_scope in _CALLS.items()
        for scope, calls in by_scope.items()
        for call in calls.split()
    }
)
"""Scope by the full name of the call, as it stands in the request's path."""


def check_scopes(services: Iterable[ServiceDescriptor], scopes: Mapping[str, Scope] = SCOPES) -> None:
    """See that every call of these services has a scope, and that no scope is for a call that does not exist.

    Raises:
        ConfigurationError: with the calls concerned.
    """
    services = list(services)
    there = {f"/{service.full_name}/{method.name}" for service in services for method in service.methods}
    open_calls = sorted(there - scopes.keys())
    if open_calls:
        raise ConfigurationError(
            f"these calls have no scope, so anybody could make them: {', '.join(open_calls)};"
            " enter them in rpc/scopes.py"
        )
    prefixes = tuple(f"/{service.full_name}/" for service in services)
    gone = sorted(name for name in scopes if name.startswith(prefixes) and name not in there)
    if gone:
        raise ConfigurationError(
            f"these calls have a scope but do not exist: {', '.join(gone)}; remove them from rpc/scopes.py"
        )
