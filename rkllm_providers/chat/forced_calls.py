"""Calls of tools that are begun for the model, so that it has to go on with them.

The first time as little as possible is written for it: the marker, and the name where one tool is meant. A model
that makes no call of that is given more: the first argument's name, and the quote where its value is a string.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from rkllm_providers.chat.conversation import tool_format
from rkllm_providers.chat.tool_formats import CallSyntax, ToolFormat, XMLTags
from rkllm_providers.chat.types import GenerateOptions, Tool
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.models import ModelCard

_OBJECT: Final = "object"
_STRING: Final = "string"


def can_force_calls(card: ModelCard) -> bool:
    """Whether calls can be begun for a model: its prompts are tokens, and the form of its calls has a marker."""
    return card.takes_tokens and can_be_begun(tool_format(card))


def begun_call(
    card: ModelCard, options: GenerateOptions, mark: Callable[[str], str] = str, *, further: bool = False
) -> str:
    """The beginning of a call; ``further``: as far as it is the same in every call of the tool.

    ``mark`` is put around what a caller chose.

    Raises:
        InvalidRequest: The model writes calls in a form that cannot be begun.
    """
    form = tool_format(card)
    if not can_be_begun(form):
        raise InvalidRequest(
            f"{card.entry.id} writes its tool calls in a form ({form.name}) that cannot be begun for it: "
            f"tool_choice must be 'auto' or 'none'.",
            "tool_choice",
        )
    named = options.forced_tool
    if named is None and further and len(options.tools) == 1:
        named = options.tools[0].name
    tool = next((one for one in options.tools if one.name == named), None)
    return beginning(form, tool, mark, further=further)


def beginning(form: ToolFormat, tool: Tool | None, mark: Callable[[str], str] = str, *, further: bool = False) -> str:
    """As ``begun_call``, in a form that can be begun; ``None`` leaves the choice of the tool to the model."""
    if form.xml is not None and form.xml.function in form.begins:
        return _begun_tags(form, form.xml, tool, mark, further)
    return _begun_object(form, tool, mark, further)


def can_be_begun(form: ToolFormat) -> bool:
    """Whether calls of a form begin with something that no answer in words begins with."""
    return form.syntax is CallSyntax.JSON and bool(form.begins) and not form.bare


def _begun_object(form: ToolFormat, tool: Tool | None, mark: Callable[[str], str], further: bool) -> str:
    begun = f"{form.begins[0]}\n"
    if tool is None:
        return f'{begun}{{"name": "' if further else begun
    begun += f'{{"name": {_quoted(tool.name, mark)}, "arguments": '
    if not further:
        return begun
    first = _first_argument(tool)
    if first is None:
        return begun + ("{}}" if _takes_nothing(tool) else "{")
    name, schema = first
    return f"{begun}{{{_quoted(name, mark)}: " + ('"' if schema.get("type") == _STRING else "")


def _begun_tags(form: ToolFormat, xml: XMLTags, tool: Tool | None, mark: Callable[[str], str], further: bool) -> str:
    outer = "" if form.begins[0] == xml.function else f"{form.begins[0]}\n"
    if tool is None:
        return f"{outer}{xml.function}" if further or not outer else outer
    line = "\n" if outer else ""
    begun = f"{outer}{xml.function}{mark(tool.name)}{xml.name_end}{line}"
    first = _first_argument(tool) if further else None
    return begun if first is None else f"{begun}{xml.parameter}{mark(first[0])}{xml.key_end}{line}"


def _quoted(text: str, mark: Callable[[str], str]) -> str:
    return json.dumps(mark(text), ensure_ascii=False)


def _properties(tool: Tool) -> Mapping[str, Any]:
    properties = tool.parameters.get("properties")
    return properties if isinstance(properties, Mapping) else {}


def _takes_nothing(tool: Tool) -> bool:
    """Whether the tool has no arguments, and nothing says that others may be given."""
    shape = dict(tool.parameters)
    return not shape or (
        shape.get("type", _OBJECT) == _OBJECT and shape.get("properties") == {} and "$ref" not in shape
    )


def _first_argument(tool: Tool) -> tuple[str, Mapping[str, Any]] | None:
    """The argument that a call may well begin with, and its schema: the first that is required."""
    properties = _properties(tool)
    required = tool.parameters.get("required")
    for name in required if isinstance(required, list | tuple) else ():
        if isinstance(name, str) and name in properties:
            schema = properties[name]
            return name, schema if isinstance(schema, Mapping) else {}
    return None
