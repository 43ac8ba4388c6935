"""Errors to HTTP: one status, one code and one body for each kind and API, in one place."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi.responses import JSONResponse

from rkllm_providers import errors
from rkllm_providers.remote.error_details import describe_error, writable

logger = logging.getLogger(__name__)


OLLAMA_PATHS: Final = "/api/"
ANTHROPIC_PATHS: Final = ("/v1/messages", "/messages")
"""How the paths of APIs begin whose errors have another form than OpenAI's."""

# https://docs.claude.com/en/api/errors
_ANTHROPIC_TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
}
_INVALID: Final = "invalid_request_error"


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """An error as HTTP tells it; ``retry_after`` is in seconds.

    ``detail`` names the class of an error of ours, and its attributes: this package's own clients raise it again.
    """

    status: int
    type: str
    code: str
    message: str
    param: str | None = None
    retry_after: float | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    more_headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, path: str = "") -> dict[str, Any]:
        """The error in the form of the API that a request's path belongs to; OpenAI's where no other is meant."""
        if path.startswith(OLLAMA_PATHS):
            return {"error": writable(self.message)}
        if path.startswith(ANTHROPIC_PATHS):
            kind = _ANTHROPIC_TYPES.get(self.status, "api_error" if self.status >= 500 else _INVALID)
            return {"type": "error", "error": {"type": kind, "message": writable(self.message)}}
        told: dict[str, Any] = {
            "message": writable(self.message),
            "type": self.type,
            "param": self.param,
            "code": self.code,
        }
        return {"error": told | ({"detail": self.detail} if self.detail else {})}

    def headers(self) -> dict[str, str]:
        """Headers that belong to the error."""
        told = dict(self.more_headers)
        if self.retry_after is not None:
            told["Retry-After"] = str(max(1, round(self.retry_after)))
        return told


_SERVER: Final = "server_error"
_RETRY_SECONDS: Final = 5.0

# From the special to the general: the first class an error is an instance of decides.
_KINDS: Final[tuple[tuple[type[errors.RKLLMError], int, str, str], ...]] = (
    (errors.ModelNotFound, 404, _INVALID, "model_not_found"),
    (errors.ContextLengthExceeded, 400, _INVALID, "context_length_exceeded"),
    (errors.InvalidRequest, 400, _INVALID, "invalid_request"),
    # Not 5xx: clients send those again by themselves, and this one was tried again already.
    (errors.InvalidOutput, 422, "invalid_output_error", "invalid_output"),
    (errors.UnsupportedFeature, 400, _INVALID, "unsupported_feature"),
    (errors.QueueFull, 429, "rate_limit_error", "queue_full"),
    (errors.RequestTimeout, 503, _SERVER, "timeout"),
    # Nobody reads this one: the client is gone. The status is the one that nginx writes into its log.
    (errors.RequestCancelled, 499, _INVALID, "cancelled"),
    (errors.WorkerCrashed, 503, _SERVER, "worker_crashed"),
    (errors.EngineClosed, 503, _SERVER, "unavailable"),
    (errors.NPUBusy, 503, _SERVER, "npu_busy"),
    (errors.ModelLoadError, 500, _SERVER, "model_load_failed"),
    (errors.LibraryNotFound, 500, _SERVER, "library_not_found"),
    (errors.UnsupportedRuntime, 500, _SERVER, "unsupported_runtime"),
    (errors.ServiceUnreachable, 503, _SERVER, "service_unreachable"),
    (errors.RKLLMError, 500, _SERVER, "generation_failed"),
)


def answer_for(error: errors.RKLLMError) -> ErrorAnswer:
    """How HTTP tells an error of ours."""
    status, kind, code = next((status, kind, code) for cls, status, kind, code in _KINDS if isinstance(error, cls))
    param = "model" if isinstance(error, errors.ModelNotFound) else getattr(error, "param", None)
    retry_after = getattr(error, "retry_after", _RETRY_SECONDS if status == 503 else None)
    return ErrorAnswer(status, kind, code, str(error), param, retry_after, describe_error(error))


def invalid_request(message: str, param: str | None = None, *, status: int = 400, code: str) -> ErrorAnswer:
    """The answer to a request that is refused before any model sees it."""
    return ErrorAnswer(status, _INVALID, code, message, param, None, {"class": "InvalidRequest", "param": param})


def unauthorised(sent: bool) -> ErrorAnswer:
    """The answer to a request without a key that is known; ``sent`` says whether it has one at all."""
    message = (
        "The API key is not known to this service."
        if sent
        else "This service wants an API key: send the header `Authorization: Bearer KEY`, or `api-key: KEY`."
    )
    return ErrorAnswer(
        401,
        "authentication_error",
        "invalid_api_key" if sent else "missing_api_key",
        message,
        detail={"class": "InvalidRequest", "param": "api_key"},
        more_headers={"WWW-Authenticate": "Bearer"},
    )


def rate_limited(per_minute: int, seconds: float) -> ErrorAnswer:
    """The answer to a client that sends too much; ``seconds`` is when the next request may pass."""
    message = f"More than {per_minute} requests per minute. The next one may be sent in {seconds:.1f} s."
    # Rounded up: a client that comes back when it is told to must not be refused again.
    return ErrorAnswer(429, "rate_limit_error", "rate_limit_exceeded", message, retry_after=math.ceil(seconds))


def response_for(error: errors.RKLLMError, path: str = "") -> JSONResponse:
    """The response that tells an error of ours to a request of ``path``; what is not the client's fault is logged."""
    answer = answer_for(error)
    if answer.status >= 500:
        logger.warning("%d %s: %s", answer.status, answer.code, first_line(error))
    return JSONResponse(answer.body(path), answer.status, answer.headers())


def first_line(error: errors.RKLLMError) -> str:
    """What a log may hold of an error: what the library printed may hold what somebody wrote."""
    return str(error).partition("\n")[0]
