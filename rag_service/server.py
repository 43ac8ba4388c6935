"""Running the application in uvicorn."""

from __future__ import annotations

import socket

import uvicorn

from rag_service.app import create_app
from rag_service.settings import ServiceSettings
from rkllm_providers.errors import RKLLMError

_SHUTDOWN_SECONDS = 4


class AddressInUse(RKLLMError, OSError):
    """The address to listen on cannot be had."""

    def __str__(self) -> str:
        return str(self.args[0])


def make_server(settings: ServiceSettings) -> uvicorn.Server:
    """A server for these settings, not yet started."""
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        http="httptools",
        loop="uvloop",
        ws="none",
        log_level="info",
        access_log=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    return uvicorn.Server(config)


def listen(settings: ServiceSettings) -> socket.socket:
    """Bind the address before anything is loaded.

    Raises:
        AddressInUse: Somebody else has it, or it is not an address of this machine.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise AddressInUse(
            f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}. Choose another with --port."
        ) from error
    return listener


def run_server(settings: ServiceSettings) -> None:
    """Serve until interrupted.

    Raises:
        AddressInUse: The address cannot be had.
    """
    listener = listen(settings)
    with listener:
        make_server(settings).run(sockets=[listener])
