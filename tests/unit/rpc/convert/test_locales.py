"""Language tags."""

from __future__ import annotations

import pytest

from crowdroute.router.errors import InvalidCommand
from crowdroute.router.rpc.convert.locales import checked_locale


@pytest.mark.parametrize("tag", ["", "en", "pt-BR", "zh-Hant-TW", "de-1996"])
def test_a_language_tag_is_taken(tag: str) -> None:
    assert checked_locale(tag) == tag


@pytest.mark.parametrize("tag", ["e", "english language", "en_US", "-", "en-", "é" * 2, "en" * 100])
def test_what_is_no_language_tag_is_refused(tag: str) -> None:
    with pytest.raises(InvalidCommand) as refused:
        checked_locale(tag)
    assert refused.value.details == {"field": "locale"}
