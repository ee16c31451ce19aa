"""Fixtures of the organisation's machine."""

import pytest
from tests.unit.machine.organisation.driver import Organisation, begun


@pytest.fixture
def organisation() -> Organisation:
    """An organisation with projects, vendors, pools and one worker, checked once more at the end."""
    organisation = begun()
    yield organisation
    organisation.machine.check()
