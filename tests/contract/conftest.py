"""The real services, for the adapters that need them."""

from tests.integration.services.conftest import brokers, requirements, services

__all__ = ["brokers", "requirements", "services"]
