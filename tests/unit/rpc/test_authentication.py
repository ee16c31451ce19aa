"""Bearer tokens: who they are, and every way in which they are not good."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.engine import Engine

from crowdroute.router.commands.organisation import (
    CreateOrganisation,
    ErasePerson,
    IssueToken,
    RevokeToken,
    UpsertWorker,
)
from crowdroute.router.errors import PermissionRefused
from crowdroute.router.machine.organisation.machine import OrganisationMachine
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream, tenant_of
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.rpc.authentication import Authenticator, new_secret, require_worker
from crowdroute.router.rpc.scopes import Scope
from crowdroute.router.rpc.status import NotAuthenticated
from crowdroute.router.state.organisation import OrganisationState

SCOPES = (Scope.PROJECTS_READ.value, Scope.ANNOTATE.value)


class Tenants:
    """The organisations of a shard, as a group shows them."""

    def __init__(self, shard: Shard) -> None:
        self._shard = shard

    def organisations(self) -> Iterator[tuple[str, OrganisationMachine]]:
        for stream in self._shard.streams():
            if stream.endswith("/organisation"):
                yield tenant_of(stream), self._shard.organisation(tenant_of(stream))

    def organisation(self, tenant: str) -> OrganisationState:
        return self._shard.organisation(tenant).state

    def require_fresh(self, tenant: str) -> None:
        """It is the organisation itself."""


class Hall:
    """An engine with tokens, and what stands at its door."""

    def __init__(self) -> None:
        self.engine = Engine("authentication")
        self.door = Authenticator(Tenants(self.engine.shard))

    def token(self, tenant: str = "acme", **about: object) -> tuple[Id, str]:
        token = self.engine.new_id()
        secret = new_secret(token, self.engine.new_id() * 2)
        command = IssueToken(token, secret.digest, "test", SCOPES, **about)  # type: ignore[arg-type]
        self.engine.send_to(organisation_stream(tenant), command)
        return token, f"Bearer {secret.bearer}"

    def worker(self) -> Id:
        worker = self.engine.new_id()
        self.engine.send_to(organisation_stream("acme"), UpsertWorker(worker, NO_ID, NO_ID))
        return worker

    def revoke(self, token: Id) -> None:
        self.engine.send_to(organisation_stream("acme"), RevokeToken(token, "a test"))

    def refused(self, header: str | None) -> str:
        with pytest.raises(NotAuthenticated) as refusal:
            self.door.authenticate(header, self.engine.now_us)
        return refusal.value.message


@pytest.fixture
def hall() -> Hall:
    return Hall()


def test_a_token_proves_tenant_and_scopes(hall: Hall) -> None:
    token, header = hall.token()

    principal = hall.door.authenticate(header, hall.engine.now_us)

    assert principal.tenant == "acme"
    assert principal.token == token
    assert principal.name == f"tok_{token.hex()}"
    assert principal.scopes == set(SCOPES)
    assert principal.worker == NO_ID


def test_a_token_leads_to_its_own_tenant(hall: Hall) -> None:
    hall.engine.send_to(organisation_stream("other"), CreateOrganisation("other"))
    _, ours = hall.token()
    _, theirs = hall.token("other")

    tenants = [hall.door.authenticate(header, hall.engine.now_us).tenant for header in (ours, theirs, ours)]

    assert tenants == ["acme", "other", "acme"]


def test_whatever_is_wrong_the_answer_is_the_same(hall: Hall) -> None:
    token, header = hall.token()
    revoked, revoked_header = hall.token()
    hall.revoke(revoked)
    unknown = header.replace(token.hex(), "0" * 32)
    other_secret = header[:-4] + ("AAAA" if not header.endswith("AAAA") else "BBBB")

    answers = {
        hall.refused(wrong)
        for wrong in (unknown, other_secret, revoked_header, "Bearer x", "Basic abc", "", header + "A")
    }

    assert len(answers) == 1
    assert hall.refused(None) not in answers


def test_a_token_is_bad_from_the_moment_it_expires(hall: Hall) -> None:
    _, header = hall.token(expires_us=hall.engine.now_us + 1_000_000)
    assert hall.door.authenticate(header, hall.engine.now_us)

    hall.engine.now_us += 1_000_000

    assert hall.refused(header)


def test_a_token_that_was_used_before_is_bad_once_revoked(hall: Hall) -> None:
    token, header = hall.token()
    principal = hall.door.authenticate(header, hall.engine.now_us)
    assert hall.door.still_good(principal, hall.engine.now_us)

    hall.revoke(token)

    assert hall.refused(header)
    assert not hall.door.still_good(principal, hall.engine.now_us)


def test_a_session_ends_with_the_token_that_minted_it(hall: Hall) -> None:
    parent, _ = hall.token()
    _, session = hall.token(worker=hall.worker(), parent=parent, expires_us=hall.engine.now_us + 10**9)
    assert hall.door.authenticate(session, hall.engine.now_us)

    hall.revoke(parent)

    assert hall.refused(session)


def test_a_session_ends_when_its_person_is_erased(hall: Hall) -> None:
    worker = hall.worker()
    _, session = hall.token(worker=worker)
    assert hall.door.authenticate(session, hall.engine.now_us)
    state = hall.engine.shard.organisation("acme").state

    hall.engine.send_to(
        organisation_stream("acme"), ErasePerson(state.workers[worker].facts.person, "asked to")
    )

    assert hall.refused(session)


def test_a_session_is_its_workers(hall: Hall) -> None:
    worker = hall.worker()
    _, session = hall.token(worker=worker)
    _, service = hall.token()

    assert require_worker(hall.door.authenticate(session, hall.engine.now_us)) == worker
    with pytest.raises(PermissionRefused):
        require_worker(hall.door.authenticate(service, hall.engine.now_us))


def test_a_scope_that_a_token_lacks_is_named(hall: Hall) -> None:
    _, header = hall.token()
    principal = hall.door.authenticate(header, hall.engine.now_us)

    principal.require(Scope.PROJECTS_READ)
    with pytest.raises(PermissionRefused) as refused:
        principal.require(Scope.LOG_MANAGE)
    assert refused.value.details == {"scope": "log.manage"}


def test_forgetting_what_was_verified_changes_nothing(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crowdroute.router.rpc.authentication.MOST_REMEMBERED", 1)
    headers = [hall.token()[1] for _ in range(3)]

    for header in headers * 2:
        assert hall.door.authenticate(header, hall.engine.now_us)


@given(st.text(max_size=120))
def test_no_text_opens_the_door(text: str) -> None:
    door = Authenticator(Tenants(Engine("texts").shard))
    with pytest.raises(NotAuthenticated):
        door.authenticate(text, 0)


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32))
def test_a_secret_is_kept_as_its_hash_alone(token: bytes, secret: bytes) -> None:
    made = new_secret(token, secret)

    assert made.bearer.startswith(f"crd_{token.hex()}_")
    assert made.digest != secret
    assert made == new_secret(token, secret)
    assert new_secret(token).bearer != new_secret(token).bearer
