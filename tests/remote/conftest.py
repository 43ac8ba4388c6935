"""Services for remote models to talk to."""

from tests.service.conftest import start_service

__all__ = ["start_service"]
