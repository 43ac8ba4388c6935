"""Running the application in uvicorn."""

from __future__ import annotations

import logging
import socket

import uvicorn
from fastapi import FastAPI

from rag_service.addresses import base_url
from rag_service.app import create_app
from rag_service.pool import ModelPool
from rag_service.settings import ServiceSettings
from rkllm_providers.errors import RKLLMError

logger = logging.getLogger(__name__)

_SHUTDOWN_SECONDS = 4
_BACKLOG = 2048


class AddressInUse(RKLLMError, OSError):
    """The address to listen on cannot be had."""

    def __str__(self) -> str:
        return str(self.args[0])


class Server(uvicorn.Server):
    """A server that ends its models' runs first, so that no answer in progress holds up its end."""

    def __init__(self, config: uvicorn.Config, application: FastAPI) -> None:
        super().__init__(config)
        self._application = application

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell every client that waits, then close connections."""
        pool: ModelPool | None = getattr(self._application.state, "pool", None)
        if pool is not None:
            await pool.close()
        await super().shutdown(sockets)


def make_server(settings: ServiceSettings, url: str | None = None) -> Server:
    """A server for these settings, not yet started; ``url`` is the base URL by which its clients reach it."""
    application = create_app(settings)
    application.state.base_url = url
    config = uvicorn.Config(
        application,
        host=settings.host,
        port=settings.port,
        http="httptools",
        loop="uvloop",
        ws="none",
        log_level="info",
        access_log=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    return Server(config, application)


def listen(settings: ServiceSettings) -> socket.socket:
    """Bind the address before anything is loaded; who connects from now on waits, and is not refused.

    Raises:
        AddressInUse: Somebody else has it, or it is not an address of this machine.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        # Until somebody listens, a second service could bind the same address.
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise AddressInUse(
            f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}. "
            f"Choose another address with --host or --port."
        ) from error
    return listener


def run_server(settings: ServiceSettings) -> None:
    """Serve until interrupted.

    Raises:
        AddressInUse: The address cannot be had.
    """
    listener = listen(settings)
    url = base_url(settings.host, listener.getsockname()[1])
    logger.info("serving %s at %s", settings.models_dir, url)
    with listener:
        make_server(settings, url).run(sockets=[listener])
