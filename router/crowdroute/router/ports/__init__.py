"""What the engine needs of the outside, as protocols; `adapters` holds one module per vendor."""

from __future__ import annotations

from crowdroute.router.ports.cluster import Beats, PlacementRecord
from crowdroute.router.ports.core import Core
from crowdroute.router.ports.directory import Directory, Kept, KeyspaceOwner, Notice
from crowdroute.router.ports.jobs import Jobs, RunningJob
from crowdroute.router.ports.log import (
    ContentChange,
    ContentStore,
    EventLog,
    Sections,
    Snapshots,
    StoredBatch,
)
from crowdroute.router.ports.objects import ObjectFolder
from crowdroute.router.ports.system import Clock, Ids
from crowdroute.router.ports.tracing import Attributes, Span, Tracer

__all__ = [
    "Attributes",
    "Beats",
    "Clock",
    "ContentChange",
    "ContentStore",
    "Core",
    "Directory",
    "EventLog",
    "Ids",
    "Jobs",
    "Kept",
    "KeyspaceOwner",
    "Notice",
    "ObjectFolder",
    "PlacementRecord",
    "RunningJob",
    "Sections",
    "Snapshots",
    "Span",
    "StoredBatch",
    "Tracer",
]
