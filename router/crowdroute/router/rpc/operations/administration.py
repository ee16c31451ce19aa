"""Care of the log: check it and copy it while the engine serves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from crowdroute.api.v1 import administration_pb2 as wire
from crowdroute.router.adapters.codec import CHAIN_START
from crowdroute.router.errors import AlreadyExists, InvalidCommand, LogCorrupt, WrongState
from crowdroute.router.rpc.calls import Call
from crowdroute.router.rpc.operations.entries import READ_BYTES, decoded, readable
from crowdroute.router.rpc.operations.office import Office
from crowdroute.router.runtime.engine import Engine

PROGRESS_SECONDS = 1.0

FOLDER = "backups"

INSTEAD = "crowdroute log copy FROM TO"
"""What copies a log that the engine cannot copy while it serves."""

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
        heads = {shard: engine.log.head() for shard, engine in self._group.engines.items()}
        total, before = sum(length for length, _ in heads.values()), 0
        for shard, (length, head) in heads.items():
            log = readable(self._group.engines[shard])
            checked, chain = 0, CHAIN_START
            while checked < length:
                # Sequence, checksum and chain are checked where the log is read, the form of the events here.
                some = (await log.read_some(checked, READ_BYTES))[: length - checked]
                await asyncio.to_thread(decoded, some)
                checked, chain = some[-1].sequence, some[-1].chain
                yield wire.VerifyLogProgress(checked=before + checked, total=total, shard=shard)
            if (checked, chain) != (length, head):
                raise LogCorrupt(
                    f"the chain of shard {shard} ends in {chain.hex()} at batch {checked}, but {head.hex()}"
                    " was committed: restore the log from a backup",
                    {"sequence": str(checked), "differs": "chain", "shard": str(shard)},
                )
            before += length
            yield wire.VerifyLogProgress(
                checked=before, total=total, done=before == total, chain=chain.hex(), shard=shard
            )

    async def backup_log(
        self, call: Call, message: wire.BackupLogRequest
    ) -> AsyncIterator[wire.BackupLogProgress]:
        """Copy the log to a new file on the server's machine.

        A copy that was begun is finished although its caller goes away.

        Raises:
            InvalidCommand: the name is none for a file.
            AlreadyExists: there is a copy of that name.
            WrongState: the log is on Kafka, or other processes serve shards of it.
        """
        self.tenant(call)
        if not _NAME.fullmatch(message.name):
            raise InvalidCommand(
                f"{message.name[:64]!r} is no name for a copy: give 1 to 100 letters, digits, dots, hyphens"
                " or underscores, a letter or digit first",
                {"field": "name"},
            )
        self._require_copyable()
        targets = {}
        for shard, engine in self._in_order(call):
            assert isinstance(engine.log, CopyableLog)
            folder = self._backups or engine.log.directory / FOLDER
            targets[shard] = folder / (
                f"{message.name}.shard-{shard}.sqlite" if shard else f"{message.name}.sqlite"
            )
            if targets[shard].exists():
                raise AlreadyExists(
                    f"there is a copy named {message.name} already: give another name", {"field": "name"}
                )
        copying = asyncio.create_task(self._copy_all(targets), name="backup")
        self._copies.add(copying)
        copying.add_done_callback(self._copies.discard)
        last = max(targets)
        while not (await asyncio.wait((copying,), timeout=PROGRESS_SECONDS))[0]:
            yield wire.BackupLogProgress(path=str(targets[last]), shard=last)
        sequences = copying.result()
        for shard, sequence in sequences.items():
            yield wire.BackupLogProgress(
                done=shard == last, path=str(targets[shard]), sequence=sequence, shard=shard
            )

    def _require_copyable(self) -> None:
        """See that every shard is served here from a file: what crosses is held back in this process alone.

        Raises:
            WrongState: one is not, with the command that copies such a log in `details["instead"]`.
        """
        engines, shards = self._group.engines, self._group.shard_map.shards
        if not all(isinstance(engine.log, CopyableLog) for engine in engines.values()):
            raise WrongState(
                "this log is in no file that its engine could copy (one on Kafka has replicas there instead):"
                f" copy it with `{INSTEAD}`, FROM being the settings file; the engine loses the log to it",
                {"state": "NO_FILE", "instead": INSTEAD},
            )
        if len(engines) < shards:
            raise WrongState(
                f"this process serves {len(engines)} of {shards} shards, and copies made here would not fit"
                " those that others make: stop all processes of the installation, then copy each of their"
                f" directories with `{INSTEAD}`",
                {"state": "SEVERAL_PROCESSES", "instead": INSTEAD},
            )

    def _in_order(self, call: Call) -> list[tuple[int, Engine]]:
        """Give the shards in the order in which they are copied: that of the organisation last.

        What crosses from projects to organisations is held back meanwhile, so the copy of the organisation is
        never behind a project's in what a project was told, nor ahead in what a project tells.
        """
        home = self.home(call)
        return sorted(self._group.engines.items(), key=lambda one: (one[1] is home, one[0]))

    async def _copy_all(self, targets: Mapping[int, Path]) -> dict[int, int]:
        """Copy the logs, in the order of the targets, and give the last batch in each copy."""
        async with self._group.crossings_held():
            copied = {
                shard: await self._copy(self._group.engines[shard], target)
                for shard, target in targets.items()
            }
        return dict(sorted(copied.items()))

    async def _copy(self, engine: Engine, target: Path) -> int:
        """Copy a log and give the last batch in the copy."""
        assert isinstance(engine.log, CopyableLog)
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        await engine.log.backup(target)
        # Nothing was appended since: whoever waited for the log has not had their turn yet.
        return engine.log.head()[0]
