"""Retrieval in front of a Rockchip NPU model, behind the OpenAI API.

``create_app`` makes the application; it needs the ``service`` extra.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag_service.app import create_app
    from rag_service.settings import ServiceSettings


def __getattr__(name: str) -> Any:
    # The command line lives here too, and works for people who did not install the service extra.
    if name == "create_app":
        from rag_service.app import create_app

        return create_app
    if name == "ServiceSettings":
        from rag_service.settings import ServiceSettings

        return ServiceSettings
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["ServiceSettings", "create_app"]
