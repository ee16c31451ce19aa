"""What the tests of OperationsService and VendorService share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.support.operations import Office, open_office


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    """A served engine with one tenant and an administrator."""
    async with open_office() as opened:
        yield opened
