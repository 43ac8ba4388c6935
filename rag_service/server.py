"""Running the application in uvicorn."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import threading

import uvicorn
from fastapi import FastAPI

from rag_service.access import Access, check_exposure
from rag_service.addresses import base_url
from rag_service.app import create_app
from rag_service.connections import bounded_protocol
from rag_service.pool import ModelPool
from rag_service.settings import ServiceSettings
from rkllm_providers.errors import RKLLMError

logger = logging.getLogger(__name__)

# With the time to end the workers it is less than the five seconds that service managers and people have patience.
_SHUTDOWN_SECONDS = 2
_BACKLOG = 2048


class AddressInUse(RKLLMError, OSError):
    """The address to listen on cannot be had."""

    def __str__(self) -> str:
        return str(self.args[0])


class Server(uvicorn.Server):
    """A server that ends its models' runs first, so that no answer in progress holds up its end.

    SIGHUP has it read its keys anew and look at its models; no request is dropped for that.
    """

    def __init__(self, config: uvicorn.Config, application: FastAPI) -> None:
        super().__init__(config)
        self._application = application
        self._reloads: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        await super().startup(sockets)
        if threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._begin_reload)

    def _begin_reload(self) -> None:
        task = asyncio.create_task(self.reload())
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    async def reload(self) -> None:
        """Read the API keys anew, and look at the models folder. What cannot be read stays as it is."""
        state = self._application.state
        access: Access = state.access
        pool: ModelPool = state.pool
        await asyncio.to_thread(access.reload)
        try:
            await pool.reload()
        except OSError as error:
            logger.error("the models stay as they are: %s", error)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell every client that waits, then close connections."""
        pool: ModelPool | None = getattr(self._application.state, "pool", None)
        if pool is not None:
            await pool.close()
        await super().shutdown(sockets)


def make_server(settings: ServiceSettings, url: str | None = None) -> Server:
    """A server for these settings, not yet started; ``url`` is the base URL by which its clients reach it.

    Raises:
        SettingsError: The API keys cannot be read, or other machines could call without one.
    """
    application = create_app(settings)
    check_exposure(settings, application.state.access)
    application.state.base_url = url
    config = uvicorn.Config(
        application,
        host=settings.host,
        port=settings.port,
        http=bounded_protocol(settings),
        loop="uvloop",
        ws="none",
        log_config=None,  # its lines go where all others go, at their level
        access_log=False,
        server_header=False,
        # Who calls is known by the address of the connection: a header that says otherwise may be anybody's.
        proxy_headers=False,
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
        SettingsError: As ``make_server`` says.
    """
    with listen(settings) as listener:
        url = base_url(settings.host, listener.getsockname()[1])
        server = make_server(settings, url)
        logger.info("serving %s at %s", settings.models_dir, url)
        # What has been imported and made so far stays to the end. Looking through its hundred thousand objects at
        # each full collection holds up every stream for tens of milliseconds.
        gc.collect()
        gc.freeze()
        server.run(sockets=[listener])
