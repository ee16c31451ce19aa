"""Tells organisations what projects in other shards owe their workers, many totals in one command.

A total stays in the core's list until the organisation's shard has answered that it is durable there, so that
whatever is lost on the way is told again; a total that was known changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from crowdroute.router.commands import Request
from crowdroute.router.commands.organisation import NoteBalance, NoteBalances
from crowdroute.router.errors import Category, Refusal, RouterError
from crowdroute.router.machine import crossing
from crowdroute.router.runtime.carrier import Carrier
from crowdroute.router.runtime.copies import OrganisationCopy
from crowdroute.router.runtime.engine import Engine

_PASSING = (Category.UNAVAILABLE, Category.EXHAUSTED)
"""Refusals of a shard that is away or busy: whoever looks after it hears of them elsewhere."""

_log = structlog.get_logger("crowdroute.crossing")


async def tell_totals(engine: Engine, copies: Mapping[str, OrganisationCopy], carrier: Carrier) -> None:
    """Tell organisations in other shards what an engine's projects owe, as far as it is due and durable.

    Args:
        engine: whose projects owe.
        copies: by stream: the organisations elsewhere, with the totals that they know.
        carrier: takes commands there.
    """
    for stream, command in engine.shard.outgoing(engine.now_us()):
        copy = copies.get(stream)
        if copy is None:
            continue
        new: list[NoteBalance] = []
        known: list[NoteBalance] = []
        for each in command.balances:
            (known if crossing.is_known(each, copy.machine.state) else new).append(each)
        engine.shard.told(stream, known, engine.now_us())
        try:
            await engine.observe()
            if new:
                await _note(carrier, engine, copy.shard, stream, new)
        except RouterError as error:
            if error.category is Category.NOT_FOUND:
                continue
            if error.category not in _PASSING:
                _log.warning("totals were not taken", stream=stream, code=error.code, reason=error.message)
            return  # its shard cannot be asked now, or did not answer; the next look begins anew


async def _note(
    carrier: Carrier, engine: Engine, shard: int, stream: str, balances: Sequence[NoteBalance]
) -> None:
    """Tell an organisation totals of an engine's projects together, or one by one where that is refused.

    Raises:
        RouterError: those of which the engine was not told may not have arrived.
    """
    try:
        reply = await carrier.carry(shard, Request(stream, NoteBalances(tuple(balances))))
    except Refusal as refusal:
        if refusal.category is not Category.INVALID:
            raise
        # For the sake of one of them; or by a release that knows of no totals together and says so.
        for balance in balances:
            if await _note_alone(carrier, shard, stream, balance):
                engine.shard.told(stream, (balance,), engine.now_us())
    else:
        engine.shard.told(stream, crossing.heard(balances, reply), engine.now_us())


async def _note_alone(carrier: Carrier, shard: int, stream: str, balance: NoteBalance) -> bool:
    """Tell an organisation one total; says whether it need not be told again."""
    try:
        await carrier.carry(shard, Request(stream, balance))
    except Refusal as refusal:
        # A project that is not known yet is registered when its beginning is confirmed.
        if refusal.category is Category.NOT_FOUND:
            return False
        if refusal.category in _PASSING:
            raise
        _log.warning(
            "a total was refused",
            project=balance.project.hex(),
            code=refusal.code,
            reason=refusal.message,
        )
    return True
