"""What the tests of the client share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.support.wire import Wire, serving


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """A served engine with one tenant."""
    async with serving() as served:
        yield served
