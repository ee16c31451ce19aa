"""Which calls may be repeated, and when.

A call is repeated when the engine could not be reached or asked to come again, and repeating it cannot do a
thing twice: it only reads; or it carries an idempotency key (one is put in when the caller gave none); or the
engine itself takes it once per assignment. Of a call whose answers stream, all of them come again: so one is
repeated when they tell how far its work is, and not when each of them is a row.
"""

from __future__ import annotations

import random
import uuid
from typing import Any, NamedTuple

import grpc

from crowdroute.client.connection import Connection
from crowdroute.client.errors import ClientError

ONCE_PER_ASSIGNMENT = frozenset({"Submit", "SaveDraft"})
"""Calls that carry no key because the assignment is one."""

READING = ("Get", "List", "Explain", "Check", "Resume", "Verify")
"""Beginnings of the names of calls that change nothing."""

FIRST_DELAY_S = 0.1
LARGEST_DELAY_S = 5.0
"""A shard that crashed serves again within five seconds; waiting longer between tries gains nothing."""

UNREACHABLE = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED})
"""How calls end that the engine may never have seen. It is the other side that cancelled: a process that
stops cancels what has arrived and was not begun."""

CLOSED_HERE = "Channel closed!"
"""gRPC's words for calls that `Client.close` ended, which are not repeated."""


class Prepared(NamedTuple):
    """A request as it is sent, each time the same."""

    request: Any
    repeatable: bool

    def pause_after(self, attempt: int, connection: Connection, failure: ClientError) -> float:
        """Give the seconds to wait before the next try, after so many ended like this.

        Raises:
            ClientError: the failure itself, when the call is not to be tried again.
        """
        pause = delay_before(attempt, failure)
        if not self.repeatable or pause is None or attempt >= connection.attempts:
            raise failure
        if connection.told is not None:
            connection.told(attempt, failure)
        return pause


def prepare(method: str, request: Any) -> Prepared:
    """Put an idempotency key into a copy of a request that has room for one and none yet, and say whether the
    call may be repeated.

    The caller's own request stays as it was: sent again, it is another call.
    """
    if "idempotency_key" in request.DESCRIPTOR.fields_by_name:
        if not request.idempotency_key:
            keyed = type(request)()
            keyed.CopyFrom(request)
            keyed.idempotency_key = uuid.uuid4().hex
            request = keyed
        return Prepared(request, True)
    return Prepared(request, method in ONCE_PER_ASSIGNMENT or method.startswith(READING))


def delay_before(attempt: int, error: ClientError) -> float | None:
    """Give the seconds to wait before the next try after this failure, or None when it must not be repeated.

    `attempt` counts the tries so far, from 1. Delays double, with up to half of each left to chance, so that
    clients that lost the same server do not come back at once.
    """
    busy = error.status is grpc.StatusCode.RESOURCE_EXHAUSTED and error.retry_after_s > 0
    if (error.status not in UNREACHABLE or error.message == CLOSED_HERE) and not busy:
        return None
    backoff: float = min(FIRST_DELAY_S * 2 ** (attempt - 1), LARGEST_DELAY_S)
    return max(error.retry_after_s, backoff * random.uniform(0.5, 1.0))
