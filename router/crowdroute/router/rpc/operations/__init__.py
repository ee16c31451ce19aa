"""`OperationsService`: what operations managers, back ends and data teams call."""

from __future__ import annotations

from crowdroute.router.rpc.operations.servicer import OperationsServicer

__all__ = ["OperationsServicer"]
