"""Care of the log: check it and copy it while the engine serves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol, runtime_checkable

from crowdroute.api.v1 import administration_pb2 as wire
from crowdroute.router.adapters.codec import CHAIN_START
from crowdroute.router.errors import AlreadyExists, InvalidCommand, LogCorrupt, WrongState
from crowdroute.router.rpc.calls import Call
from crowdroute.router.rpc.operations.entries import READ_BYTES, decoded, readable
from crowdroute.router.rpc.operations.office import Office

PROGRESS_SECONDS = 1.0

FOLDER = "backups"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)


@runtime_checkable
class CopyableLog(Protocol):
    """A log in a directory that can be copied while it is appended to."""

    directory: Path

    async def backup(self, target: Path) -> None:
        """Copy the whole log, contents included, to a new file."""


class Administration(Office):
    """The calls that concern the log."""

    async def verify_log(
        self, call: Call, message: wire.VerifyLogRequest
    ) -> AsyncIterator[wire.VerifyLogProgress]:
        """Read the log as far as it goes now, and see that each batch is what was written.

        Raises:
            LogCorrupt: with the batch at which it is not.
        """
        self.tenant(call)
        log = readable(self._engine)
        total, head = log_head = self._engine.log.head()
        checked, chain = 0, CHAIN_START
        while checked < total:
            # Sequence, checksum and chain are checked where the log is read, the form of the events here.
            some = (await log.read_some(checked, READ_BYTES))[: total - checked]
            await asyncio.to_thread(decoded, some)
            checked, chain = some[-1].sequence, some[-1].chain
            yield wire.VerifyLogProgress(checked=checked, total=total)
        if (checked, chain) != log_head:
            raise LogCorrupt(
                f"the chain ends in {chain.hex()} at batch {checked}, but {head.hex()} was committed:"
                " restore the log from a backup",
                {"sequence": str(checked), "differs": "chain"},
            )
        yield wire.VerifyLogProgress(checked=checked, total=total, done=True, chain=chain.hex())

    async def backup_log(
        self, call: Call, message: wire.BackupLogRequest
    ) -> AsyncIterator[wire.BackupLogProgress]:
        """Copy the log to a new file on the server's machine.

        A copy that was begun is finished although its caller goes away.
        """
        self.tenant(call)
        if not _NAME.fullmatch(message.name):
            raise InvalidCommand(
                f"{message.name[:64]!r} is no name for a copy: give 1 to 100 letters, digits, dots, hyphens"
                " or underscores, a letter or digit first",
                {"field": "name"},
            )
        log = self._engine.log
        if not isinstance(log, CopyableLog):
            raise WrongState("this log has no file to copy; it keeps its own copies", {"state": "NO_FILE"})
        folder = self._backups or log.directory / FOLDER
        target = folder / f"{message.name}.sqlite"
        if target.exists():
            raise AlreadyExists(
                f"there is a copy named {message.name} already: give another name", {"field": "name"}
            )
        copying = asyncio.create_task(self._copy(log, target), name="backup")
        self._copies.add(copying)
        copying.add_done_callback(self._copies.discard)
        while not (await asyncio.wait((copying,), timeout=PROGRESS_SECONDS))[0]:
            yield wire.BackupLogProgress(path=str(target))
        yield wire.BackupLogProgress(done=True, path=str(target), sequence=copying.result())

    async def _copy(self, log: CopyableLog, target: Path) -> int:
        """Copy the log and give the last batch in the copy."""
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        await log.backup(target)
        # Nothing was appended since: whoever waited for the log has not had their turn yet.
        return self._engine.log.head()[0]
