"""The organisation's state as bytes, the same bytes for the same state."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from crowdroute.router.errors import SnapshotUnusable
from crowdroute.router.model.ids import Id
from crowdroute.router.state.organisation import (
    AwaitedRow,
    BalanceRow,
    OrganisationState,
    PoolRow,
    ProjectRow,
    TokenRow,
    VendorRow,
    WorkerRow,
)
from crowdroute.router.state.organisation_rows import put_rows

SECTION = "organisation"

VERSION = 2
"""Raised with every change of the saved form; of another version, the log is folded instead."""


class _Saved(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """All rows, each kind in the order of ids."""

    tenant: str
    projects: list[ProjectRow]
    vendors: list[VendorRow]
    pools: list[PoolRow]
    workers: list[WorkerRow]
    tokens: list[TokenRow]
    balances: list[BalanceRow]
    erased: list[Id]
    awaited: list[AwaitedRow]


TABLES: Mapping[str, type] = {
    "tenant": str,
    "projects": ProjectRow,
    "vendors": VendorRow,
    "pools": PoolRow,
    "workers": WorkerRow,
    "tokens": TokenRow,
    "balances": BalanceRow,
    "erased": bytes,
    "awaited": AwaitedRow,
}
"""What rows of each table are, in the order in which they are saved."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[int, msgspec.Raw]).decode
_decode_rows = msgspec.msgpack.Decoder(_Saved).decode


def pack(state: OrganisationState) -> bytes:
    """Give the state as bytes."""
    rows = _Saved(
        state.tenant,
        [row for _, row in sorted(state.projects.items())],
        [row for _, row in sorted(state.vendors.items())],
        [row for _, row in sorted(state.pools.items())],
        [row for _, row in sorted(state.workers.items())],
        [row for _, row in sorted(state.tokens.items())],
        [row for worker in sorted(state.balances) for row in state.list_balances(worker)],
        sorted(state.erased),
        [row for _, row in sorted(state.awaited.items())],
    )
    return _encode((VERSION, rows))


def unpack(sections: Mapping[str, bytes | memoryview]) -> OrganisationState:
    """Give the state that was packed, its indexes built anew.

    Raises:
        SnapshotUnusable: the section is missing, damaged or of another version.
    """
    section = sections.get(SECTION)
    if section is None:
        raise SnapshotUnusable(f"the snapshot has no section {SECTION!r}: fold the log instead")
    try:
        version, body = _decode(section)
        if version != VERSION:
            raise SnapshotUnusable(
                f"section {SECTION!r} has version {version}, this release reads {VERSION}: "
                "fold the log instead"
            )
        rows = _decode_rows(body)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise SnapshotUnusable(f"section {SECTION!r} is damaged ({error}): fold the log instead") from error
    return _filled(rows)


def _filled(rows: _Saved) -> OrganisationState:
    state = OrganisationState()
    state.tenant = rows.tenant
    for table in TABLES:
        if table != "tenant":
            put_rows(state, table, getattr(rows, table))
    return state
