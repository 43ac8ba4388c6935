"""What a model is asked, as the fields of a request to the service."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from rkllm_providers.chat.conversation import encodable
from rkllm_providers.chat.openai_forms import data_url
from rkllm_providers.chat.types import ChatMessage, Content, GenerateOptions, ResponseFormat
from rkllm_providers.durations import FOREVER, parse_keep_alive
from rkllm_providers.errors import InvalidRequest

_AS_MANY_AS_FIT: Final = -1
_PLAIN: Final = ("lora", "priority", "timeout", "first_token_timeout")
_CHAT_ONLY: Final = {
    "thinking": "enable_thinking",
    "effort": "reasoning_effort",
    "thinking_budget": "thinking_budget",
    "old_reasoning": "old_reasoning",
    "volatile_system": "volatile_system",
}
"""Options, and the names of the fields they travel in."""


def chat_fields(model: str, messages: Sequence[ChatMessage], options: GenerateOptions) -> dict[str, Any]:
    """The body of a chat completion."""
    body = {"model": model, "messages": [_message(message) for message in messages], **_shared_fields(options)}
    for option, field in _CHAT_ONLY.items():
        value = getattr(options, option)
        if value is not None:
            body[field] = value
    if options.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
            }
            for tool in options.tools
        ]
    if options.forced_tool is not None:
        body["tool_choice"] = {"type": "function", "function": {"name": options.forced_tool}}
    elif options.tool_choice != "auto":
        body["tool_choice"] = options.tool_choice
    if options.response_format is not None:
        body["response_format"] = _format(options.response_format)
    return body


def text_fields(model: str, prompt: str, options: GenerateOptions, *, parse_special: bool) -> dict[str, Any]:
    """The body of a text completion."""
    return {"model": model, "prompt": prompt, "parse_special": parse_special, **_shared_fields(options)}


def given_fields(**fields: object) -> dict[str, Any]:
    """Those fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def check_texts(texts: Sequence[str], name: str) -> list[str]:
    """The texts as a list.

    Raises:
        InvalidRequest: They are one text, which would be taken for a list of its characters.
    """
    if isinstance(texts, str):
        raise InvalidRequest(f"{name} is one text; a list of texts is needed.", name)
    return list(texts)


def encode_body(body: Mapping[str, Any]) -> bytes:
    """A body as JSON in UTF-8; halves of surrogate pairs in it become U+FFFD.

    Raises:
        InvalidRequest: A value has no form in JSON.
    """
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest(f"The request cannot be written as JSON: {error}") from error
    return encodable(text).encode()


def _shared_fields(options: GenerateOptions) -> dict[str, Any]:
    body: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
    # The service has a bound of its own where a request says nothing.
    body["max_tokens"] = _AS_MANY_AS_FIT if options.max_tokens is None else options.max_tokens
    body |= given_fields(**asdict(options.sampling))
    if options.stop:
        body["stop"] = list(options.stop)
    for name in _PLAIN:
        value = getattr(options, name)
        if value is not None and value != math.inf:
            body[name] = value
    if options.keep_alive is not None:
        seconds = parse_keep_alive(options.keep_alive)
        body["keep_alive"] = "forever" if seconds == FOREVER else seconds
    return body


def _message(message: ChatMessage) -> dict[str, Any]:
    told: dict[str, Any] = {"role": message.role, "content": _content(message.content)}
    if message.name is not None:
        told["name"] = message.name
    elif message.role == "tool":
        told["name"] = ""  # otherwise the service looks up which tool it was
    told |= given_fields(reasoning_content=message.reasoning, tool_call_id=message.tool_call_id)
    if message.tool_calls:
        told["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    return told


def _content(content: Content) -> str | list[dict[str, Any]]:
    """Pictures as data URLs, in their places."""
    if isinstance(content, str):
        return content
    return [
        {"type": "text", "text": part}
        if isinstance(part, str)
        else {"type": "image_url", "image_url": {"url": data_url(part)}}
        for part in content
    ]


def _format(wanted: ResponseFormat) -> dict[str, Any]:
    if wanted.schema is None:
        return {"type": "json_object"}
    schema = {"name": wanted.name, "description": wanted.description, "schema": dict(wanted.schema)}
    return {"type": "json_schema", "json_schema": schema}
