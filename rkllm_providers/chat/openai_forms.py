"""Tools, tool choices and answer formats in the form OpenAI gave them, which most frameworks and clients write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rkllm_providers.chat.types import ResponseFormat, Tool, ToolChoice
from rkllm_providers.errors import InvalidRequest

_CHOICES: Final[dict[Any, ToolChoice]] = {
    "auto": "auto",
    "none": "none",
    "any": "required",
    "required": "required",
}
"""Words for a choice; ``any`` is what LangChain and Anthropic say."""


def read_tool(described: Mapping[str, Any]) -> Tool:
    """A tool from ``{"type": "function", "function": {"name", "description", "parameters"}}``, or its inner part.

    Raises:
        InvalidRequest: It is no function, or has no name.
    """
    kind = described.get("type", "function")
    if kind != "function":
        raise InvalidRequest(f"Tools of type {kind!r} are not supported; only functions are.", "tools")
    function = described.get("function", described)
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str) or not function["name"]:
        raise InvalidRequest("A tool has no name. It needs function.name, and parameters as a JSON schema.", "tools")
    name, parameters = function["name"], function.get("parameters")
    if parameters is not None and not isinstance(parameters, Mapping):
        raise InvalidRequest(f"The parameters of the tool {name!r} are not a JSON schema.", "tools")
    return Tool(name, str(function.get("description") or ""), dict(parameters or {}))


def read_tool_choice(choice: object, names: Sequence[str]) -> tuple[ToolChoice, str | None]:
    """Whether a tool may or must be called, and the one that must be, among the ``names`` that are offered.

    Takes ``None``, ``auto``, ``none``, ``any``, ``required``, booleans, a tool's name, and the objects that say
    the same. Where some tool must be called and there is one, it is that one.

    Raises:
        InvalidRequest: It names no tool that is offered, or cannot be understood; the message lists the names.
    """
    if choice is None:
        return "auto", None
    if isinstance(choice, bool):
        choice = "required" if choice else "none"
    if isinstance(choice, Mapping):
        choice = _said_by(choice)
    if not isinstance(choice, str):
        raise InvalidRequest(f"tool_choice cannot be understood. {_offered(names)}", "tool_choice")
    if choice in names:
        return "required", choice
    if choice not in _CHOICES:
        listed = ", ".join(names) or "none"
        raise InvalidRequest(f"tool_choice names {choice!r}, which is not among the tools: {listed}.", "tool_choice")
    known = _CHOICES[choice]
    if known != "required":
        return known, None
    if not names:
        raise InvalidRequest(f"tool_choice is {choice!r}, and there are no tools to call.", "tool_choice")
    return known, names[0] if len(names) == 1 else None


def read_response_format(wanted: Mapping[str, Any]) -> ResponseFormat | None:
    """What an answer must be, from ``{"type": "json_schema", "json_schema": {"name", "schema"}}`` and its like.

    ``{"type": "json_object"}`` is any JSON object, ``{"type": "text"}`` is ``None``.

    Raises:
        InvalidRequest: It cannot be understood.
    """
    kind = wanted.get("type")
    if kind == "text":
        return None
    if kind == "json_object":
        return ResponseFormat()
    inner = wanted.get("json_schema")
    if kind != "json_schema" or not isinstance(inner, Mapping) or not isinstance(inner.get("schema"), Mapping):
        raise InvalidRequest(
            "response_format cannot be understood: its type must be text, json_object or json_schema, the last "
            "with json_schema.schema.",
            "response_format",
        )
    return ResponseFormat(dict(inner["schema"]), str(inner.get("name") or ""), str(inner.get("description") or ""))


def _said_by(choice: Mapping[str, Any]) -> object:
    """The word or name in ``{"type": "function", "function": {"name"}}``, ``{"type": "tool", "name"}``, …"""
    function = choice.get("function")
    if isinstance(function, Mapping):
        return function.get("name")
    return choice["name"] if "name" in choice else choice.get("type")


def _offered(names: Sequence[str]) -> str:
    listed = ", ".join(names) or "none"
    return f"Tools: {listed}. Besides these it may be auto, none, any or required."
