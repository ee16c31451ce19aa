"""The door to the organisation's stream: every command, every event, saving and checking."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from crowdroute.router.commands import Request
from crowdroute.router.commands.organisation import (
    AddPool,
    AddVendor,
    AwaitProject,
    ChangeWorkerStatus,
    ConfirmProject,
    CreateOrganisation,
    ErasePerson,
    IssueToken,
    NoteBalance,
    NoteBalances,
    RegisterProject,
    RevokeToken,
    UpsertWorker,
)
from crowdroute.router.errors import InvalidCommand, NotFound
from crowdroute.router.events import Event
from crowdroute.router.machine.organisation import (
    balances,
    invariants,
    people,
    projects,
    saving,
    standing,
    suppliers,
    tokens,
)
from crowdroute.router.machine.organisation.fold import fold
from crowdroute.router.machine.stream import Decision, Steps
from crowdroute.router.model.ids import Id
from crowdroute.router.state.organisation import OrganisationState

DIGEST_BYTES = 32
"""As long as the chain hash of the log, which it stands beside."""


class OrganisationMachine:
    """One tenant's organisation; `state` answers queries."""

    def __init__(self) -> None:
        """Begin with nothing; the first command must create the organisation."""
        self.state = OrganisationState()

    def decide(self, request: Request, now_us: int) -> Decision:
        """Begin to decide a command.

        Raises:
            Refusal: before the first event; nothing changed.
        """
        state, command = self.state, request.command
        if not state.tenant and not isinstance(command, CreateOrganisation):
            raise NotFound(f"there is no organisation in {request.stream!r}: create it first")
        match command:
            case CreateOrganisation():
                return projects.create_organisation(state, command, request)
            case RegisterProject():
                return projects.register_project(state, command)
            case AwaitProject():
                return projects.await_project(state, command, request)
            case ConfirmProject():
                return projects.confirm_project(state, command)
            case AddVendor():
                return suppliers.add_vendor(state, command)
            case AddPool():
                return suppliers.add_pool(state, command)
            case UpsertWorker():
                return people.upsert_worker(state, command, request)
            case ChangeWorkerStatus():
                return standing.change_worker_status(state, command, request, now_us)
            case ErasePerson():
                return people.erase_person(state, command)
            case IssueToken():
                return tokens.issue_token(state, command, now_us)
            case RevokeToken():
                return tokens.revoke_token(state, command)
            case NoteBalance():
                return balances.note_balance(state, command)
            case NoteBalances():
                return balances.note_balances(state, command)
            case _:
                raise InvalidCommand(
                    f"{type(command).__name__} is no command for {request.stream!r}: "
                    "send it to a project's stream"
                )

    def apply(self, event: Event, at_us: int) -> None:
        """Fold one event that happened at the logged moment `at_us` (microseconds).

        Raises:
            LogCorrupt: the event belongs to another kind of stream.
            InvariantBroken: the event is about something that the stream never made known.
        """
        fold(self.state, event, at_us)

    def due(self, now_us: int, entropy: Id) -> Steps:
        """Yield the ends of pauses that are over; no chance plays a part in it."""
        return standing.end_pauses(self.state, now_us)

    def next_due_us(self) -> int | None:
        """Give the moment at which the next pause ends by itself, or None."""
        return self.state.pauses.earliest()

    def pack(self) -> dict[str, bytes]:
        """Give the state as one section."""
        return {saving.SECTION: saving.pack(self.state)}

    def unpack(self, sections: Mapping[str, bytes | memoryview]) -> None:
        """Take over a state given by `pack`.

        Raises:
            SnapshotUnusable: the section is missing, damaged or of another version; nothing changed.
        """
        self.state = saving.unpack(sections)

    def digest(self) -> str:
        """Give a hash of all rows."""
        return blake2b(saving.pack(self.state), digest_size=DIGEST_BYTES).hexdigest()

    def check(self) -> None:
        """Verify every invariant of the rows and their indexes.

        Raises:
            InvariantBroken: with what does not hold.
        """
        invariants.check(self.state)
