"""Every settings file that the documents show can be read, once the files that it names are there."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.unit.docs.documents import DOCUMENTS, blocks

from crowdroute.router.errors import ConfigurationError
from crowdroute.router.runtime.settings import Settings, load_settings

SHOWN = [
    pytest.param(text, id=f"{document.stem}-{number}")
    for document in DOCUMENTS
    for number, text in enumerate(blocks(document.read_text(encoding="utf-8"), "toml"))
]


def with_files(value: Any, folder: Path) -> Any:
    """Give settings that name a file of `folder` where they named one of a machine's own."""
    if isinstance(value, dict):
        return {name: with_files(one, folder) for name, one in value.items()}
    if isinstance(value, str) and value.startswith("/etc/"):
        file = folder / Path(value).name
        file.write_text("0123456789abcdef" * 4)
        return str(file)
    return value


def read(text: str, folder: Path) -> Settings:
    return load_settings(None, **with_files(tomllib.loads(text), folder))


@pytest.mark.parametrize("text", SHOWN)
def test_the_settings_in_a_document_can_be_read(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CROWDROUTE_ADDRESS", raising=False)
    read(text, tmp_path)


def test_the_guides_show_settings_and_a_misspelt_one_would_be_seen(tmp_path: Path) -> None:
    assert {"cluster-0", "cluster-2", "feeds-0", "operations-0"} <= {str(one.id) for one in SHOWN}
    with pytest.raises(ConfigurationError, match=r"kafka\.server: there is no such setting"):
        read('[kafka]\nservers = ["a:1"]\nserver = "a:1"', tmp_path)
