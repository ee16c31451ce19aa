"""Where the log of an engine under faults is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from tests.faults.verdict import history
from tests.support.services import Services

from crowdroute.router.ports import StoredBatch
from crowdroute.router.runtime.settings import KafkaLogSettings


class History(NamedTuple):
    """A log from its beginning."""

    batches: list[StoredBatch]
    void: int = 0
    """Records besides that count for nothing: what owners wrote that had lost it, and second copies."""


class Store(Protocol):
    """A place for a log, and what it takes to serve from it."""

    directory: Path
    """What `crowdroute serve` is given."""
    variables: Mapping[str, str]
    """Further settings of it, as the environment names them."""
    kafka: KafkaLogSettings | None
    services: Services | None
    """The processes behind it."""
    ends_with: frozenset[str]
    """Codes with which an engine may end by itself when a service behind it fails."""

    def history(self) -> History:
        """Read the log; nobody serves from it any more."""


class Files:
    """A directory."""

    variables: Mapping[str, str] = {}
    kafka: KafkaLogSettings | None = None
    services: Services | None = None
    ends_with: frozenset[str] = frozenset()

    def __init__(self, directory: Path) -> None:
        """Name the directory."""
        self.directory = directory

    def history(self) -> History:
        """Read the file."""
        return History(history(self.directory))
