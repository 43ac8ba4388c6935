"""The application: routes, what happens at start and end, and how errors are told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from rag_service.addresses import AddressFinder
from rag_service.api import openai
from rag_service.body_limit import BodyLimit
from rag_service.chat_desk import ChatDesk
from rag_service.errors import ErrorAnswer, invalid_request, response_for
from rag_service.pool import ModelPool
from rag_service.settings import ServiceSettings
from rkllm_providers import __version__
from rkllm_providers.errors import RKLLMError

logger = logging.getLogger(__name__)

_INVALID = "invalid_request_error"
_SHOWN_CHARACTERS = 60


def create_app(settings: ServiceSettings | None = None) -> FastAPI:
    """The service as an ASGI application. Nothing is loaded before it is started."""
    settings = settings or ServiceSettings()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pool = ModelPool(settings)
        app.state.pool = pool
        app.state.desk = desk = ChatDesk(settings.desk)
        pool.announce(app.state.base_url)
        preloading = asyncio.create_task(_preload(pool))
        try:
            yield
        finally:
            preloading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await preloading
            await desk.close()
            await pool.close()
            pool.announce(None)

    app = FastAPI(title="RKLLM service", version=__version__, lifespan=lifespan)
    app.state.settings = settings
    app.state.base_url = None  # whoever makes the socket knows it
    app.add_middleware(BodyLimit, limit=settings.body_limit)
    app.add_middleware(AddressFinder, application=app)
    app.include_router(openai.router)
    app.add_api_route("/health", _health, methods=["GET"])
    app.add_exception_handler(RKLLMError, _tell_rkllm_error)
    app.add_exception_handler(RequestValidationError, _tell_validation_error)
    app.add_exception_handler(HTTPException, _tell_http_error)
    app.add_exception_handler(Exception, _tell_unexpected_error)
    return app


async def _health() -> dict[str, str]:
    """Whether the service answers. Never waits for a model."""
    return {"status": "ok"}


async def _preload(pool: ModelPool) -> None:
    try:
        await pool.preload()
    except RKLLMError as error:
        # The service stays up: a request for the model gets the same error, with its status.
        logger.error("the model could not be loaded at start: %s", error)
    except Exception:
        logger.exception("the model could not be loaded at start")


def _tell(answer: ErrorAnswer) -> JSONResponse:
    return JSONResponse(answer.body(), answer.status, answer.headers())


async def _tell_rkllm_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RKLLMError):
        raise error
    return response_for(error)


async def _tell_validation_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    first: dict[str, Any] = dict(error.errors()[0])
    if first["type"] == "json_invalid":
        problem = first.get("ctx", {}).get("error", "")
        return _tell(invalid_request(f"The body is not valid JSON: {problem}", code="invalid_json"))
    where = _place(first["loc"][1:], error.body, missing=first["type"] == "missing")
    message = f"{where}: {first['msg']}" if where else str(first["msg"])
    # What is missing has no value: there, pydantic gives the object that lacks it.
    if first["type"] != "missing" and "input" in first:
        message += f" (given: {_shown(first['input'])})"
    return _tell(invalid_request(message, where or None, code="invalid_request"))


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
    response = _tell(ErrorAnswer(error.status_code, kind, "http_error", str(error.detail)))
    response.headers.update(error.headers or {})
    return response


async def _tell_unexpected_error(request: Request, error: Exception) -> JSONResponse:
    # Starlette logs the traceback; the client gets no inside of ours.
    message = f"The service failed on this request ({type(error).__name__}); its log says where."
    return _tell(ErrorAnswer(500, "server_error", "internal_error", message))
