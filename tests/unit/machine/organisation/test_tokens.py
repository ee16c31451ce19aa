"""Credentials: service tokens, and the sessions that they mint."""

import pytest
from tests.unit.machine.organisation.driver import (
    DAY,
    HOUR,
    OTHER_PERSON,
    OTHER_POOL,
    OTHER_TOKEN,
    OTHER_VENDOR,
    OTHER_WORKER,
    PERSON,
    POOL,
    SECRET,
    SESSION,
    START,
    TOKEN,
    UNKNOWN,
    VENDOR,
    WORKER,
    a_session,
    a_token,
)

from crowdroute.router.commands.organisation import (
    ChangeWorkerStatus,
    ErasePerson,
    RevokeToken,
    UpsertWorker,
)
from crowdroute.router.commands.replies import Created, Done
from crowdroute.router.errors import AlreadyExists, InvalidCommand, NotFound, WrongState
from crowdroute.router.events.organisation import TokenIssued, TokenRevoked
from crowdroute.router.machine.organisation.fold import KEEP_ENDED_SESSIONS_US
from crowdroute.router.model.ids import NO_ID
from crowdroute.router.model.states import WorkerStatus


def test_an_issued_token_is_found_with_all_it_may_do(organisation):
    command = a_token(scopes=("work", "read"), vendor=VENDOR, pool=POOL, expires_us=START + DAY)
    assert organisation.send(command) == Created(TOKEN)
    assert organisation.last == TokenIssued(
        TOKEN, SECRET, "back end", ("read", "work"), START + DAY, VENDOR, POOL
    )
    facts = organisation.state.find_token(TOKEN, START)
    assert (facts.secret, facts.scopes, facts.vendor, facts.pool) == (SECRET, ("read", "work"), VENDOR, POOL)
    assert (facts.worker, facts.parent) == (NO_ID, NO_ID)


def test_an_unknown_token_is_not_found(organisation):
    assert organisation.state.find_token(UNKNOWN, START) is None


def test_a_token_is_good_until_the_moment_it_expires(organisation):
    organisation.send(a_token(expires_us=START + HOUR))
    assert organisation.state.find_token(TOKEN, START + HOUR - 1) is not None
    assert organisation.state.find_token(TOKEN, START + HOUR) is None


def test_a_revoked_token_is_not_found_and_may_be_revoked_again(organisation):
    organisation.send(a_token())
    assert organisation.send(RevokeToken(TOKEN, "leaked")) == Done()
    assert organisation.last == TokenRevoked(TOKEN, "leaked")
    assert organisation.state.find_token(TOKEN, START) is None
    assert organisation.changes_nothing(RevokeToken(TOKEN, "leaked")) == Done()
    assert [row.revoked for row in organisation.state.list_tokens()] == [True]


def test_a_session_names_its_worker_and_takes_over_its_parents_reach(organisation):
    organisation.send(a_token(vendor=VENDOR, pool=POOL))
    organisation.send(a_session())
    facts = organisation.state.find_token(SESSION, START)
    assert (facts.worker, facts.parent, facts.vendor, facts.pool) == (WORKER, TOKEN, VENDOR, POOL)
    assert [row.facts.token for row in organisation.state.list_tokens()] == [TOKEN]
    assert [row.facts.token for row in organisation.state.list_sessions(TOKEN)] == [SESSION]


def test_a_session_ends_with_its_parent(organisation):
    organisation.send(a_token())
    organisation.send(a_session())
    organisation.send(RevokeToken(TOKEN, "leaked"))
    assert organisation.state.find_token(SESSION, START) is None


def test_a_revoked_session_leaves_its_parent_good(organisation):
    organisation.send(a_token())
    organisation.send(a_session())
    organisation.send(RevokeToken(SESSION, "logged out"))
    assert organisation.state.find_token(SESSION, START) is None
    assert organisation.state.find_token(TOKEN, START) is not None


def test_a_session_ends_when_its_worker_is_erased(organisation):
    organisation.send(a_token())
    organisation.send(a_session())
    organisation.send(ErasePerson(PERSON, "asked for it"))
    assert organisation.state.find_token(SESSION, START) is None
    organisation.refuses(a_session(token=OTHER_TOKEN), WrongState)


def test_a_banned_worker_can_still_log_in_to_appeal(organisation):
    organisation.send(a_token())
    organisation.send(ChangeWorkerStatus(WORKER, WorkerStatus.BANNED, "misconduct"))
    organisation.send(a_session())
    assert organisation.state.find_token(SESSION, START) is not None


@pytest.mark.parametrize("expires_us", [0, START + 2 * HOUR])
def test_a_session_does_not_outlive_its_parent(organisation, expires_us):
    organisation.send(a_token(expires_us=START + HOUR))
    refusal = organisation.refuses(a_session(expires_us=expires_us), InvalidCommand)
    assert refusal.details["field"] == "expires_us"
    organisation.send(a_session(expires_us=START + HOUR))


def test_only_a_good_service_token_mints(organisation):
    organisation.refuses(a_session(), WrongState)
    organisation.send(a_token())
    organisation.send(a_session())
    refusal = organisation.refuses(a_session(token=OTHER_TOKEN, parent=SESSION), WrongState)
    assert refusal.details["state"] == "session"
    organisation.send(RevokeToken(TOKEN, "leaked"))
    organisation.refuses(a_session(token=OTHER_TOKEN), WrongState)


def test_an_expired_token_mints_no_session(organisation):
    organisation.send(a_token(expires_us=START + HOUR))
    organisation.wait(HOUR)
    organisation.refuses(a_session(expires_us=START + HOUR + 1), WrongState)


def test_a_vendors_token_does_not_reach_another_vendor(organisation):
    organisation.send(UpsertWorker(OTHER_WORKER, OTHER_PERSON, NO_ID, vendor=OTHER_VENDOR, pool=OTHER_POOL))
    organisation.send(a_token(vendor=VENDOR, pool=POOL))
    organisation.refuses(a_session(vendor=OTHER_VENDOR), NotFound)
    organisation.refuses(a_session(pool=OTHER_POOL), NotFound)
    foreign = organisation.refuses(a_session(worker=OTHER_WORKER), NotFound)
    organisation.send(a_session(worker=WORKER))
    unknown = organisation.refuses(a_session(token=OTHER_TOKEN, worker=UNKNOWN), NotFound)
    assert foreign.message.replace(OTHER_WORKER.hex(), "") == unknown.message.replace(UNKNOWN.hex(), "")
    assert foreign.details == unknown.details


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (a_token(vendor=UNKNOWN), NotFound),
        (a_token(vendor=VENDOR, pool=OTHER_POOL), WrongState),
        (a_token(worker=UNKNOWN), NotFound),
        (a_token(token=NO_ID), InvalidCommand),
        (a_token(secret=b"clear text"), InvalidCommand),
        (a_token(name=""), InvalidCommand),
        (a_token(scopes=()), InvalidCommand),
        (a_token(scopes=("",)), InvalidCommand),
        (a_token(scopes=("work", "work")), InvalidCommand),
        (a_token(scopes=("Work hard",)), InvalidCommand),
        (a_token(expires_us=START), InvalidCommand),
        (a_token(parent=b"T"), InvalidCommand),
        (RevokeToken(UNKNOWN, "leaked"), NotFound),
        (RevokeToken(NO_ID, "leaked"), InvalidCommand),
        (RevokeToken(TOKEN, ""), InvalidCommand),
    ],
)
def test_what_cannot_be_right_is_refused(organisation, command, error):
    organisation.refuses(command, error)


def test_a_tokens_id_is_taken_once(organisation):
    organisation.send(a_token())
    organisation.refuses(a_token(), AlreadyExists)


def test_sessions_are_forgotten_a_day_after_their_end_and_service_tokens_never(organisation):
    organisation.send(a_token(expires_us=START + 2 * HOUR))
    organisation.send(a_session())
    organisation.wait(HOUR + KEEP_ENDED_SESSIONS_US - 1)
    organisation.send(a_token(token=OTHER_TOKEN))
    assert SESSION in organisation.state.tokens
    organisation.wait(1)
    organisation.send(a_token(token=b"N" * 16))
    assert sorted(organisation.state.tokens) == [b"N" * 16, TOKEN, OTHER_TOKEN]
    organisation.refuses(RevokeToken(SESSION, "logged out"), NotFound)
