"""What is owed."""

from __future__ import annotations

from crowdroute.api.v1 import ledger_pb2
from crowdroute.router.events.project import EntryPosted
from crowdroute.router.model.ids import Id, Kind, to_text
from crowdroute.router.rpc.convert.ids import text_of
from crowdroute.router.rpc.convert.money import money_message
from crowdroute.router.rpc.convert.states import number_of
from crowdroute.router.rpc.convert.times import timestamp
from crowdroute.router.state.organisation import BalanceRow


def balance_message(row: BalanceRow) -> ledger_pb2.Balance:
    """Write what a project owes a worker."""
    return ledger_pb2.Balance(
        worker_id=to_text(Kind.WORKER, row.worker),
        project_id=to_text(Kind.PROJECT, row.project),
        owed=money_message(row.micros, row.currency),
        entries=row.version,
    )


def entry_message(project: Id, at_us: int, event: EntryPosted) -> ledger_pb2.LedgerEntry:
    """Write an entry that a project posted at a moment."""
    return ledger_pb2.LedgerEntry(
        id=to_text(Kind.ENTRY, event.entry),
        kind=number_of(event.kind),
        worker_id=to_text(Kind.WORKER, event.worker),
        debit=number_of(event.debit),
        credit=number_of(event.credit),
        amount=money_message(event.micros, event.currency),
        assignment_id=text_of(Kind.ASSIGNMENT, event.assignment),
        rule=event.rule,
        period=event.period,
        posted_at=timestamp(at_us),
        project_id=to_text(Kind.PROJECT, project),
    )
