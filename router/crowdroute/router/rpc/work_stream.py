"""The work stream: offers kept topped up, actions answered, leases that end told, over one connection.

A reader decides each message as it arrives; a writer waits until the disk holds what was decided and sends
everything there is to tell in one message. So actions are pipelined, an answer and the next offer share a
batch and a message, and nothing is told that a crash could take back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from crowdroute.api.v1 import assignments_pb2, work_pb2
from crowdroute.router.commands import Reply
from crowdroute.router.commands.project import RequestNext
from crowdroute.router.commands.replies import Granted, Offered
from crowdroute.router.errors import (
    AtCapacity,
    InvalidCommand,
    NotEligible,
    NotReady,
    Refusal,
    RouterError,
    ShuttingDown,
)
from crowdroute.router.model.ids import Id, Kind, to_text
from crowdroute.router.rpc.actions import (
    ACTIONS,
    ENDING,
    Desk,
    expect,
    live_leases,
)
from crowdroute.router.rpc.calls import Call, Stream, checked_key
from crowdroute.router.rpc.convert.ids import id_of
from crowdroute.router.rpc.convert.locales import checked_locale
from crowdroute.router.rpc.gate import Gate
from crowdroute.router.rpc.work_untold import Untold

MOST_CREDITS = 100
MOST_UNTOLD = 256
"""Replies that may wait for a client that does not read; then its messages wait too."""

SHUTTING_DOWN = "SHUTTING_DOWN"
SESSION_ENDED = "SESSION_ENDED"
RETRY_SECONDS = 1
"""When to come again after a limit was reached or while a process is replaced."""


class WorkStream:
    """One worker at work in one project."""

    def __init__(
        self,
        gate: Gate,
        call: Call,
        desk: Desk,
        messages: Stream[work_pb2.WorkRequest],
        holders: dict[Id, WorkStream],
    ) -> None:
        """Serve one call.

        Args:
            gate: counts actions, and knows whether the session is still good.
            call: the stream's.
            desk: the worker's place in the project.
            messages: to and from the client.
            holders: by assignment, the stream that holds it; shared by all streams.
        """
        self.stream = desk.stream
        self.worker = desk.worker
        self._holders = holders
        self._held: set[Id] = set()
        self._engine = desk.engine
        self._gate = gate
        self._call = call
        self._desk = desk
        self._messages = messages
        self._project_id = to_text(Kind.PROJECT, desk.state.project)
        self._credits = 0
        self._locale = ""
        self._untold = Untold()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._going = ""
        self._done = False
        self._failure: Exception | None = None
        self._retry: asyncio.TimerHandle | None = None

    # Reading

    def greet(self, hello: work_pb2.Hello) -> None:
        """Take the first message in."""
        self._locale = checked_locale(hello.locale, "hello.locale")
        self._credits = _checked_credits(hello.credits, "hello.credits")
        if hello.resume:
            leases = live_leases(self._desk)
            self._hold(leases)
            self._untold.resumed = leases
        self._top_up()
        self._changed.set()

    async def serve(self) -> None:
        """Read and write until the client has no more messages, or the stream is to end.

        Raises:
            InvalidCommand: the client sent what it may not send.
            AppendFailed: the engine stopped.
        """
        reader = asyncio.create_task(self._read(), name="work-stream-reader")
        try:
            await self._write()
        finally:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader
            self._leave()
        if self._failure is not None:
            raise self._failure

    async def _read(self) -> None:
        """Decide the client's messages as they come."""
        try:
            while not self._going and (message := await self._messages.read()) is not None:
                if self._session_ended():
                    break
                self._take(message)
                self._changed.set()
                if len(self._untold.replies) >= MOST_UNTOLD:
                    self._room.clear()
                    await self._room.wait()
        except Exception as error:
            self._failure = error
        self._done = True
        self._changed.set()

    def _session_ended(self) -> bool:
        if self._gate.still_good(self._call):
            return False
        self.go_away(SESSION_ENDED)
        return True

    def _leave(self) -> None:
        """Let the engine forget the stream; its leases stand."""
        self._done = True
        self._engine.waiting.leave(self)
        if self._retry is not None:
            self._retry.cancel()
        for assignment in self._held:
            if self._holders.get(assignment) is self:
                del self._holders[assignment]

    def _take(self, message: work_pb2.WorkRequest) -> None:
        name = message.WhichOneof("action")
        if name is None or name == "hello":
            raise InvalidCommand(
                "a message after the first names an action that this release knows", {"field": "action"}
            )
        if name == "credit":
            self._credits = _checked_credits(message.credit.credits, "credit.credits")
        else:
            self._untold.replies.append((message.sequence, name, self._act(name, getattr(message, name))))
        self._top_up()

    def _act(self, name: str, message: assignments_pb2.SubmitRequest) -> Reply | Refusal:
        """Decide one action; the reply may be told once it is durable."""
        try:
            self._gate.take(self._call)
            if message.project_id not in ("", self._project_id):
                raise InvalidCommand(
                    f"this stream works in {self._project_id}; open another for another project",
                    {"field": "project_id"},
                )
            command, contents = ACTIONS[name].read(self._desk, message)
            key = checked_key(getattr(message, "idempotency_key", ""))
            reply = self._engine.decide(
                self._engine.request(
                    self.stream,
                    command,
                    principal=self._call.principal.name,
                    request=self._call.request,
                    key=key,
                ),
                contents,
            )
        except Refusal as refusal:
            return refusal
        if name in ENDING:
            self._let_go(id_of(Kind.ASSIGNMENT, message.assignment_id, "assignment_id"))
        return reply

    # Work

    def _hold(self, leases: Sequence[Granted]) -> None:
        for lease in leases:
            other = self._holders.get(lease.assignment)
            if other is not None:
                other._held.discard(lease.assignment)
            self._holders[lease.assignment] = self
            self._held.add(lease.assignment)

    def _let_go(self, assignment: Id) -> bool:
        if assignment not in self._held:
            return False
        self._held.discard(assignment)
        del self._holders[assignment]
        return True

    def _top_up(self) -> bool:
        """Ask for as many offers as there is room for, and wait for those there are not; tells whether it is
        full."""
        room = self._credits - len(self._held)
        if room <= 0 or self._going or self._done or self._session_ended():
            self._engine.waiting.leave(self)
            return True
        try:
            self._gate.require_fresh(self._call)
            leases, reason = self._ask(room)
            if len(leases) < room:
                self._engine.waiting.park(self)
        except ShuttingDown:
            self.go_away(SHUTTING_DOWN)
            return True
        except (AtCapacity, NotReady):
            # Not the worker's fault and no opening will tell when it is over.
            self._retry = asyncio.get_running_loop().call_later(RETRY_SECONDS, self.seek)
            return True
        except RouterError as failure:
            self._failure = failure
            self._done = True
            return True
        self._hold(leases)
        self._untold.leases += leases
        if not leases:
            self._untold.idle = reason
        return len(leases) == room

    def _ask(self, room: int) -> tuple[Sequence[Granted], str]:
        """Ask the core for work; a worker who may be given none waits until that changes."""
        wanted = self._engine.request(
            self.stream,
            RequestNext(self.worker, room, self._locale),
            principal=self._call.principal.name,
            request=self._call.request,
        )
        try:
            offered = expect(Offered, self._engine.decide(wanted))
        except NotEligible as refusal:
            return (), refusal.code
        return offered.leases, offered.reason

    def seek(self) -> bool:
        """Be tried because work may have opened."""
        before = len(self._held)
        full = self._top_up()
        if len(self._held) > before or self._done:
            self._changed.set()
        return full

    def close(self, error: ShuttingDown) -> None:
        """Learn that there will be no work from this process."""
        self.go_away(SHUTTING_DOWN)

    def ended(self, assignment: Id, reason: str) -> None:
        """Learn that a lease is over: with a reason when the worker did nothing."""
        if self._let_go(assignment):
            if reason:
                self._untold.revoked.append((assignment, reason))
            self._top_up()
            self._changed.set()

    def go_away(self, reason: str) -> None:
        """Offer nothing more; the stream ends once what was decided is told."""
        self._going = self._going or reason
        self._changed.set()

    # Writing

    async def _write(self) -> None:
        """Tell what was decided, once it is durable, until the stream is to end."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            ending, going = self._done or bool(self._going), self._going
            untold, self._untold = self._untold, Untold()
            self._room.set()
            await self._engine.observe()
            response = await untold.message(self._desk)
            if going:
                response.go_away.reason = going
                response.go_away.retry_after.seconds = RETRY_SECONDS
            if response.ByteSize():
                await self._messages.write(response)
            if ending:
                return


def _checked_credits(number: int, field: str) -> int:
    if not 0 <= number <= MOST_CREDITS:
        raise InvalidCommand(f"{number} credits: give 0 to {MOST_CREDITS}", {"field": field})
    return number
