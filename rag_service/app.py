"""The application: routes, what happens at start and end, and how errors are told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from rag_service import health, request_log
from rag_service.access import Access, AccessCheck
from rag_service.addresses import AddressFinder
from rag_service.api import anthropic, llama_cpp, loaders, ollama, openai
from rag_service.body_limit import BodyLimit
from rag_service.chat_desk import CACHE_HEADER, HINT_HEADER, ChatDesk
from rag_service.config_file import load_settings
from rag_service.errors import ErrorAnswer, first_line, invalid_request, response_for
from rag_service.lexical import Lexical
from rag_service.metrics import Metrics
from rag_service.openapi import describe_errors
from rag_service.openwebui.instant import build_tables
from rag_service.page_loader import PageLoader
from rag_service.picture_reader import PictureReader
from rag_service.pool import ModelPool
from rag_service.request_log import RequestLog
from rag_service.settings import ServiceSettings
from rkllm_providers import __version__
from rkllm_providers.errors import RKLLMError

logger = logging.getLogger(__name__)

_INVALID = "invalid_request_error"
_SHOWN_CHARACTERS = 60


def create_app(settings: ServiceSettings | None = None) -> FastAPI:
    """The service as an ASGI application. Nothing is loaded before it is started.

    Without ``settings`` they are those of the environment and the settings file.

    Raises:
        SettingsError: They cannot be used, or the API keys they name cannot be read.
    """
    settings = settings or load_settings()
    access, metrics = Access(settings), Metrics()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pool = ModelPool(settings)
        app.state.pool = pool
        app.state.desk = desk = ChatDesk(settings.desk)
        app.state.lexical = lexical = Lexical(embeds=settings.lexical_embedding)
        app.state.loader = loader = PageLoader(seconds=settings.rag_seconds, limits=settings.fetch_limits)
        app.state.pictures = pictures = PictureReader(
            settings.picture_limits, settings.picture_fetching, settings.body_limit
        )
        metrics.watch(pool)
        pool.announce(app.state.base_url)
        if settings.model is not None:
            app.state.not_ready = f"{settings.model} is being loaded."
        starting = [asyncio.create_task(_preload(app, pool)), asyncio.create_task(_look_around(pool))]
        # No task: one on a thread cannot be ended, and a service that ends at once would wait for it.
        threading.Thread(target=build_tables, name="tables", daemon=True).start()
        try:
            yield
        finally:
            for task in (*starting, *app.state.loads):
                task.cancel()
            await asyncio.gather(*starting, *app.state.loads, return_exceptions=True)
            await desk.close()
            await lexical.close()
            await loader.close()
            await pictures.close()
            await pool.close()
            pool.announce(None)
            metrics.forget(pool)

    app = FastAPI(title="RKLLM service", version=__version__, lifespan=lifespan)
    app.state.settings = settings
    app.state.base_url = None  # whoever makes the socket knows it
    app.state.access = access
    app.state.metrics = metrics
    app.state.not_ready = None
    app.state.loads = set()
    app.state.watchers = 0
    _add_middleware(app, settings, access, metrics)
    for router in (llama_cpp.router, openai.router, ollama.router, anthropic.router, loaders.router, health.router):
        app.include_router(router)
    describe_errors(app)
    app.add_exception_handler(RKLLMError, _tell_rkllm_error)
    app.add_exception_handler(RequestValidationError, _tell_validation_error)
    app.add_exception_handler(HTTPException, _tell_http_error)
    return app


def _add_middleware(app: FastAPI, settings: ServiceSettings, access: Access, metrics: Metrics) -> None:
    """From the inside to the outside."""
    app.add_middleware(AddressFinder, application=app)
    app.add_middleware(BodyLimit, limit=settings.body_limit)
    app.add_middleware(AccessCheck, access=access)
    if settings.cors_origins:
        # Outside of the check: a browser asks whether it may send a key before it sends one.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=[
                request_log.ID_HEADER,
                openai.IGNORED_HEADER,
                HINT_HEADER,
                CACHE_HEADER,
                "Retry-After",
            ],
        )
    app.add_middleware(RequestLog, metrics=metrics)


async def _look_around(pool: ModelPool) -> None:
    """See what models there are, so that it can be told without looking. The next look may find what this one met."""
    try:
        await pool.entries()
    except OSError as error:
        logger.warning("the models folder cannot be looked at: %s", error)


async def _preload(app: FastAPI, pool: ModelPool) -> None:
    try:
        await pool.preload()
        app.state.not_ready = None
    except RKLLMError as error:
        # The service stays up: a request for the model gets the same error, with its status.
        app.state.not_ready = f"The model could not be loaded at start: {first_line(error)}"
        logger.error("the model could not be loaded at start: %s", first_line(error))
    except Exception:
        app.state.not_ready = "The model could not be loaded at start; the log says why."
        logger.exception("the model could not be loaded at start")


def _tell(request: Request, answer: ErrorAnswer) -> JSONResponse:
    return JSONResponse(answer.body(request.url.path), answer.status, answer.headers())


async def _tell_rkllm_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RKLLMError):
        raise error
    return response_for(error, request.url.path)


async def _tell_validation_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    first: dict[str, Any] = dict(error.errors()[0])
    if first["type"] == "json_invalid":
        problem = first.get("ctx", {}).get("error", "")
        return _tell(request, invalid_request(f"The body is not valid JSON: {problem}", code="invalid_json"))
    where = _place(first["loc"][1:], error.body, missing=first["type"] == "missing")
    message = f"{where}: {first['msg']}" if where else str(first["msg"])
    # What is missing has no value: there, pydantic gives the object that lacks it.
    if first["type"] != "missing" and "input" in first:
        message += f" (given: {_shown(first['input'])})"
    return _tell(request, invalid_request(message, where or None, code="invalid_request"))


def _place(loc: Sequence[int | str], body: Any, *, missing: bool) -> str:
    """Where in the body something is wrong, without what pydantic adds of its own, such as the type it tried."""
    where = ""
    for number, part in enumerate(loc):
        if isinstance(part, int):
            where += f"[{part}]"
            body = body[part] if isinstance(body, list) and 0 <= part < len(body) else None
        elif isinstance(body, dict) and (part in body or (missing and number == len(loc) - 1)):
            where += f".{part}" if where else part
            body = body.get(part)
    return where


def _shown(value: object) -> str:
    """A value as the client wrote it, shortened."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, bytes):
        return f"{len(value)} bytes; is the Content-Type application/json?"
    text = json.dumps(value[:_SHOWN_CHARACTERS] if isinstance(value, str) else value, ensure_ascii=False)
    whole = len(text) <= _SHOWN_CHARACTERS and not (isinstance(value, str) and len(value) > _SHOWN_CHARACTERS)
    # Halves of surrogate pairs can be sent, and cannot be sent back.
    shown = text[:_SHOWN_CHARACTERS].encode(errors="backslashreplace").decode()
    return shown if whole else f"{shown}…"


async def _tell_http_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    kind = _INVALID if error.status_code < 500 else "server_error"
    response = _tell(request, ErrorAnswer(error.status_code, kind, "http_error", str(error.detail)))
    response.headers.update(error.headers or {})
    return response
