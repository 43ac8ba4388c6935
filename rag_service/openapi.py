"""The description of the API: what every route may answer besides what is declared at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI

from rag_service.errors import ANTHROPIC_PATHS, OLLAMA_PATHS

_ERROR: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": "string"},
                "detail": {"type": "object", "properties": {"class": {"type": "string"}}},
            },
        }
    },
}

_OLLAMA_ERROR: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}},
}
_ANTHROPIC_ERROR: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["type", "error"],
    "properties": {
        "type": {"const": "error"},
        "error": {
            "type": "object",
            "required": ["type", "message"],
            "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
        },
    },
}

# Every error of an API has one form; a status that a route cannot have does no harm in its description.
_STATUSES: Final[Mapping[str, str]] = {
    "400": "The request cannot succeed as it stands.",
    "401": "An API key is missing, or not known.",
    "404": "There is no such model.",
    "413": "The body is too large.",
    "422": "The answer was not the JSON that was asked for.",
    "429": "Too many requests wait, or were sent.",
    "500": "The model or its library failed.",
    "503": "Not now: the model's process died, time ran out, or the service ends.",
}
_STREAMS: Final = ("/v1/chat/completions", "/v1/completions", "/v1/messages")
_LINE_STREAMS: Final = ("/api/chat", "/api/generate")
# Without a schema: readers of the description differ in whether that of a stream is of all of it or of each event.
_LINES: Final[Mapping[str, Any]] = {"application/x-ndjson": {}}
_EVENTS: Final[Mapping[str, Any]] = {"text/event-stream": {}}


def describe_errors(app: FastAPI) -> None:
    """Have the application's OpenAPI document tell of errors as they are sent, and of streams and keys."""
    original = app.openapi

    def described() -> dict[str, Any]:
        known = app.openapi_schema is not None
        document = original()
        if not known:
            _complete(document)
        return document

    app.openapi = described  # type: ignore[method-assign]


def _complete(document: dict[str, Any]) -> None:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas |= {"Error": dict(_ERROR), "OllamaError": dict(_OLLAMA_ERROR), "AnthropicError": dict(_ANTHROPIC_ERROR)}
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    # The empty one says that a key is needed only where the service has keys.
    document["security"] = [{"key": []}, {}]
    for path, methods in document["paths"].items():
        error = {"application/json": {"schema": {"$ref": f"#/components/schemas/{_error_of(path)}"}}}
        for operation in methods.values():
            responses = operation.setdefault("responses", {})
            for status, description in _STATUSES.items():
                responses[status] = {"description": description, "content": error}
            if path in _STREAMS:
                responses["200"]["content"] |= _EVENTS
            if path in _LINE_STREAMS:
                responses["200"]["content"] |= _LINES
            if path.endswith("/sse"):
                responses["200"]["content"] = dict(_EVENTS)


def _error_of(path: str) -> str:
    if path.startswith(OLLAMA_PATHS):
        return "OllamaError"
    return "AnthropicError" if path.startswith(ANTHROPIC_PATHS) else "Error"
