"""Every way the engine says no, as one tree with stable codes.

A `Refusal` means: the command changed nothing. A `StorageError` means: stop the process, what was
acknowledged stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Category(StrEnum):
    """What kind of answer a caller should make of an error; the wire status is derived from it."""

    INVALID = "invalid"
    NOT_FOUND = "not_found"
    EXISTS = "exists"
    PRECONDITION = "precondition"
    EXHAUSTED = "exhausted"
    DENIED = "denied"
    UNAVAILABLE = "unavailable"
    CORRUPT = "corrupt"


class RouterError(Exception):
    """The root of the tree: a message for people, a code for programs, details for both."""

    code: str = "ROUTER_ERROR"
    category: Category = Category.UNAVAILABLE

    def __init__(self, message: str, details: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, str] = dict(details or {})

    def __reduce__(self) -> tuple[type[RouterError], tuple[str, dict[str, str]]]:
        return type(self), (self.message, self.details)


class Refusal(RouterError):
    """The command was refused and nothing changed."""


class InvalidCommand(Refusal):
    """A field of the command cannot be right whatever the state is; `details["field"]` names it."""

    code = "INVALID_ARGUMENT"
    category = Category.INVALID


class UnknownLabel(InvalidCommand):
    """An answer holds a field or label that the project's schema does not have."""

    code = "UNKNOWN_LABEL"


class NotFound(Refusal):
    """No such thing in the caller's tenant (another tenant's thing answers the same)."""

    code = "NOT_FOUND"
    category = Category.NOT_FOUND


class AlreadyExists(Refusal):
    """The id or external id is taken by something else."""

    code = "ALREADY_EXISTS"
    category = Category.EXISTS


class WrongState(Refusal):
    """The thing exists but its state does not allow the command; `details["state"]` tells it."""

    code = "WRONG_STATE"
    category = Category.PRECONDITION


class StaleLease(WrongState):
    """The fence does not name the lease that the assignment was granted with."""

    code = "STALE_LEASE"


class LeaseEnded(WrongState):
    """The lease is over (expired, released, skipped or revoked), so it cannot be extended or used."""

    code = "LEASE_ENDED"


class NotYourLease(WrongState):
    """The assignment was granted to another worker."""

    code = "NOT_YOUR_LEASE"


class NotEligible(WrongState):
    """The worker may not do this; the message carries every reason."""

    code = "NOT_ELIGIBLE"


class KeyReused(Refusal):
    """The idempotency key was used before with another request."""

    code = "IDEMPOTENCY_KEY_REUSED"
    category = Category.PRECONDITION


class AtCapacity(Refusal):
    """A limit on live leases, size or rate is reached; trying later may work."""

    code = "AT_CAPACITY"
    category = Category.EXHAUSTED


class PermissionRefused(Refusal):
    """The credential does not carry the scope."""

    code = "PERMISSION_DENIED"
    category = Category.DENIED


class ShuttingDown(Refusal):
    """The process takes nothing new because it is about to stop; another call will find its successor."""

    code = "SHUTTING_DOWN"
    category = Category.UNAVAILABLE


class NotReady(Refusal):
    """The process cannot tell yet, or cannot tell any more, what the call needs; calling again may work."""

    code = "NOT_READY"
    category = Category.UNAVAILABLE


class Moved(Refusal):
    """The stream is served by another group; `details["shard"]` names its shard, `details["owner"]` where
    clients reach it."""

    code = "MOVED"
    category = Category.UNAVAILABLE


class JobFailed(Refusal):
    """Work in a batch came to nothing; the project is as it was, and trying again may work."""

    code = "JOB_FAILED"
    category = Category.UNAVAILABLE


class StorageError(RouterError):
    """The log or the content store cannot go on; the process must stop."""

    code = "STORAGE_FAILED"


class AppendFailed(StorageError):
    """A batch was not made durable, or whether it was is unknown; nothing of it is acknowledged."""

    code = "APPEND_FAILED"


class Fenced(StorageError):
    """Another owner holds the log now; this process must not serve again."""

    code = "FENCED"


class LogCorrupt(StorageError):
    """The log does not read as it was written; `details` holds the sequence number and what differs."""

    code = "LOG_CORRUPT"
    category = Category.CORRUPT


class SnapshotUnusable(StorageError):
    """The snapshot is damaged or of an unknown version; the log must be folded instead."""

    code = "SNAPSHOT_UNUSABLE"
    category = Category.CORRUPT


class UnknownEvent(LogCorrupt):
    """The log holds an event that this release does not know: it was written by a newer one."""

    code = "UNKNOWN_EVENT"


class InvariantBroken(RouterError):
    """A rule that must always hold does not: a defect of the engine, never of the caller."""

    code = "INVARIANT_BROKEN"
    category = Category.CORRUPT


class ConfigurationError(RouterError):
    """The process was started with settings that cannot work; the message says what to change."""

    code = "CONFIGURATION"
    category = Category.INVALID


class PlacementSuperseded(RouterError):
    """Another supervisor has written this generation of the placement, or a later one: read, and decide
    anew."""

    code = "PLACEMENT_SUPERSEDED"


class FleetUnavailable(RouterError):
    """What runs the processes of the cluster does not answer; those that run serve on."""

    code = "FLEET_UNAVAILABLE"


class ActorSilent(RouterError):
    """An actor of the cluster did not answer in time; whether it did what was asked is unknown."""

    code = "ACTOR_SILENT"
