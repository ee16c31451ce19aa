"""Requests, imperative, one class each: what a shell asks the core to decide.

A command carries what the outside decided (ids already looked up, content already digested); its `Request`
envelope adds who asks, when, and the random bytes that the decision may use.
"""

from __future__ import annotations

from crowdroute.router.commands.organisation import ORGANISATION_COMMANDS, OrganisationCommand
from crowdroute.router.commands.project import PROJECT_COMMANDS, ProjectCommand
from crowdroute.router.commands.replies import Reply
from crowdroute.router.commands.request import InputStep, Request

Command = ProjectCommand | OrganisationCommand

__all__ = [
    "ORGANISATION_COMMANDS",
    "PROJECT_COMMANDS",
    "Command",
    "InputStep",
    "OrganisationCommand",
    "ProjectCommand",
    "Reply",
    "Request",
]
