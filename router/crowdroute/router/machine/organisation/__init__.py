"""The organisation's stream: who may work, for which projects, with which credentials."""

from __future__ import annotations

from crowdroute.router.machine.organisation.machine import OrganisationMachine

__all__ = ["OrganisationMachine"]
