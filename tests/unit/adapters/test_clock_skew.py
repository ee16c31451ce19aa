"""Two clocks that must agree."""

from __future__ import annotations

import pytest

from crowdroute.router.adapters.clock_skew import MOST_SECONDS, check_skew
from crowdroute.router.errors import ConfigurationError


def test_clocks_apart_are_refused_with_the_side_and_the_length() -> None:
    check_skew("Redis", 100.0, 100.0 + MOST_SECONDS, 0.0)
    check_skew("Redis", 100.0, 103.0, 1.5)
    with pytest.raises(ConfigurationError, match=r"3\.0 s ahead of that of Redis"):
        check_skew("Redis", 100.0, 103.0, 0.0)
    with pytest.raises(ConfigurationError, match=r"5\.0 s behind"):
        check_skew("Kafka", 105.0, 100.0, 0.0)
