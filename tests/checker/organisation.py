"""The organisation's stream: workers, vendors, projects and tokens, each known once and changed in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.checker.layout import NO_ID, Facts
from tests.checker.project import Complain, KnownFacts, short


@dataclass
class Organisation:
    """One organisation's stream as far as it was read."""

    complain: Complain
    facts: KnownFacts = field(default_factory=dict)
    """Each version of each worker's facts."""
    versions: dict[bytes, int] = field(default_factory=dict)
    """Version of each worker's facts."""
    workers_by_external: dict[bytes, bytes] = field(default_factory=dict)
    projects: dict[bytes, str] = field(default_factory=dict)
    awaited: dict[bytes, Any] = field(default_factory=dict)
    """Projects that another shard is to begin, as they were announced."""
    vendors: set[bytes] = field(default_factory=set)
    pools: set[bytes] = field(default_factory=set)
    tokens: dict[bytes, bool] = field(default_factory=dict)
    """Every token, and whether it was revoked."""
    balances: dict[tuple[bytes, bytes], Any] = field(default_factory=dict)
    """The balance noted last per project and worker."""


def organisation_created(organisation: Organisation, event: Any) -> None:
    """The stream's first event; that it is the first is checked where streams are told apart."""


def project_registered(organisation: Organisation, event: Any) -> None:
    """A project's id and name are taken once."""
    awaited = organisation.awaited.pop(event.project, None)
    if awaited is not None and awaited[1:4] != event[1:4]:
        organisation.complain("placement", f"project {short(event.project)} is not where it was awaited")
    _taken_once(organisation, event)
    organisation.projects[event.project] = event.name


def project_awaited(organisation: Organisation, event: Any) -> None:
    """An id and a name are taken from the moment a project is awaited."""
    _taken_once(organisation, event)
    organisation.awaited[event.project] = event


def _taken_once(organisation: Organisation, event: Any) -> None:
    awaited = organisation.awaited.values()
    names = {*organisation.projects.values(), *(other.name for other in awaited)}
    if event.project in {*organisation.projects, *organisation.awaited} or event.name in names:
        organisation.complain(
            "exists-twice", f"project {short(event.project)} or its name was registered before"
        )


def vendor_added(organisation: Organisation, event: Any) -> None:
    """A vendor exists once."""
    if event.vendor in organisation.vendors:
        organisation.complain("exists-twice", f"vendor {short(event.vendor)} was added before")
    organisation.vendors.add(event.vendor)


def pool_added(organisation: Organisation, event: Any) -> None:
    """A pool exists once, with a vendor that is known or none."""
    if event.pool in organisation.pools:
        organisation.complain("exists-twice", f"pool {short(event.pool)} was added before")
    if event.vendor != NO_ID and event.vendor not in organisation.vendors:
        organisation.complain("unknown-thing", f"vendor {short(event.vendor)} was never added")
    organisation.pools.add(event.pool)


def worker_upserted(organisation: Organisation, event: Any) -> None:
    """A worker's facts come at the next version, under an external id that is theirs alone."""
    facts = Facts(*event.facts[: len(Facts._fields)])
    _next_version(organisation, facts.worker, facts.version)
    organisation.facts.setdefault(facts.worker, {})[facts.version] = facts
    if event.external != NO_ID:
        owner = organisation.workers_by_external.setdefault(event.external, facts.worker)
        if owner != facts.worker:
            organisation.complain(
                "exists-twice", f"worker {short(facts.worker)} takes another one's external id"
            )


def worker_status_changed(organisation: Organisation, event: Any) -> None:
    """A known worker's standing changes, at the next version."""
    if event.worker not in organisation.versions:
        organisation.complain("unknown-thing", f"worker {short(event.worker)} was never made known")
    before = organisation.versions.get(event.worker, 0)
    _next_version(organisation, event.worker, event.version)
    known = organisation.facts.setdefault(event.worker, {})
    if before in known:
        known[event.version] = known[before]._replace(status=event.status, version=event.version)


def person_erased(organisation: Organisation, event: Any) -> None:
    """Only workers that exist are severed."""
    for worker in event.workers:
        if worker not in organisation.versions:
            organisation.complain("unknown-thing", f"worker {short(worker)} was never made known")


def token_issued(organisation: Organisation, event: Any) -> None:
    """A token exists once, and its parent was not revoked."""
    if event.token in organisation.tokens:
        organisation.complain("exists-twice", f"token {short(event.token)} was issued before")
    if event.parent != NO_ID and organisation.tokens.get(event.parent, True):
        organisation.complain(
            "token", f"token {short(event.token)} is minted by one that is unknown or revoked"
        )
    organisation.tokens[event.token] = False


def token_revoked(organisation: Organisation, event: Any) -> None:
    """A known token ends."""
    if event.token not in organisation.tokens:
        organisation.complain("unknown-thing", f"token {short(event.token)} was never issued")
    organisation.tokens[event.token] = True


def balance_noted(organisation: Organisation, event: Any) -> None:
    """A project's running total arrives, each time at a higher version."""
    about = (event.project, event.worker)
    before = organisation.balances.get(about)
    if before is not None and event.version <= before.version:
        organisation.complain(
            "fact-version", f"the balance of worker {short(event.worker)} goes back in version"
        )
    organisation.balances[about] = event


def _next_version(organisation: Organisation, worker: bytes, version: int) -> None:
    before = organisation.versions.get(worker, 0)
    if version <= before:
        organisation.complain(
            "fact-version", f"worker {short(worker)} goes from version {before} to {version}"
        )
    organisation.versions[worker] = version
