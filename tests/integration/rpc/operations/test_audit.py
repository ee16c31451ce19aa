"""Whoever changes something stands in the log beside what was changed, in the same batch."""

from __future__ import annotations

import pytest
from tests.integration.rpc.operations.test_repeating import READY, stub
from tests.support.operations import Office

from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.events.batch import Cause

OF_THE_ENGINE = {"due", "ApplyWorkerFact", "NoteBalance", "NoteBalances"}
"""Causes of entries that nobody asked for: time, and facts that cross from one stream into another."""


def causes(office: Office, after: int) -> list[Cause]:
    """Why entries are there, of the batches after so many."""
    batches = [decode_batch(stored.body, stored.sequence) for stored in office.disk.batches[after:]]
    return [entry.cause for batch in batches for entry in batch.entries]


@pytest.mark.parametrize("name", sorted(READY))
async def test_a_change_says_which_token_asked_for_it_in_which_call(office: Office, name: str) -> None:
    client, request = await READY[name](office)
    before = len(office.disk.batches)

    await stub(client, name)(request)

    asked = [cause for cause in causes(office, before) if cause.command not in OF_THE_ENGINE]
    assert asked
    assert all(cause.principal.startswith("tok_") for cause in asked), asked
    assert len({cause.request for cause in asked}) == 1
    assert asked[0].request
