"""Facts, past tense, one class each: what the log holds and the only thing that changes state.

Each class carries a tag that is never reused. Fields are only ever appended, with a default; any other change
is a new class and an upcaster in `adapters.codec`. Events hold ids, codes, numbers and digests, never
content.
"""

from __future__ import annotations

from crowdroute.router.events.batch import Batch, Cause, Entry, InputOffset
from crowdroute.router.events.organisation import ORGANISATION_EVENTS, OrganisationEvent
from crowdroute.router.events.project import PROJECT_EVENTS, ProjectEvent

Event = ProjectEvent | OrganisationEvent

EVENTS = (*PROJECT_EVENTS, *ORGANISATION_EVENTS)

__all__ = [
    "EVENTS",
    "ORGANISATION_EVENTS",
    "PROJECT_EVENTS",
    "Batch",
    "Cause",
    "Entry",
    "Event",
    "InputOffset",
    "OrganisationEvent",
    "ProjectEvent",
]
