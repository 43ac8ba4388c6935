"""Tools, tool choices, answer formats and pictures in the form OpenAI gave them, which most clients write."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rkllm_providers.chat.types import ImagePart, ResponseFormat, Tool, ToolChoice
from rkllm_providers.errors import InvalidRequest

_CHOICES: Final[dict[Any, ToolChoice]] = {
    "auto": "auto",
    "none": "none",
    "any": "required",
    "required": "required",
}
"""Words for a choice; ``any`` is what LangChain and Anthropic say."""

PIECE: Final = 128 * 1024
"""Characters of base64 that are read at a time. No other thread runs meanwhile, so that the whole of a large picture
would hold up an event loop even from a thread: a megabyte of base64 takes about 10 ms."""

_BLANKS: Final = " \n\r\t"
_URL_SAFE: Final = str.maketrans("-_", "+/")
_HEADS: Final = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
)


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


def read_image_url(given: object, where: str) -> ImagePart:
    """The picture of an ``image_url``: ``{"url": "data:image/png;base64,…"}``, or the URL alone.

    ``where`` is the field's name, for errors. Its ``detail`` changes nothing: a model sees pictures in one size. An
    address on the web becomes a picture that has only this ``url``: nothing is fetched here. A picture that was read
    already, in place of the URL, stays as it is.

    Raises:
        InvalidRequest: It is no picture.
    """
    url = given.get("url") if isinstance(given, Mapping) else given
    if isinstance(url, ImagePart):
        return url
    if not isinstance(url, str) or not url:
        raise InvalidRequest(f"{where} has no url.", where)
    head, comma, data = url.partition(",")
    scheme, _, said = head.partition(":")
    if scheme.strip().lower() in ("http", "https"):
        return ImagePart(url=url.strip())
    media_type, *parameters = (word.strip().lower() for word in said.split(";"))
    if scheme.strip().lower() != "data" or not comma or "base64" not in parameters:
        raise InvalidRequest(f"{where} must be a data URL such as data:image/png;base64,…, not {url[:40]!r}.", where)
    if not media_type.startswith("image/"):
        raise InvalidRequest(
            f"{where} holds {media_type or 'something without a media type'}, and no picture.", where
        )
    return ImagePart(read_base64(data, where), media_type)


def read_base64(data: str, where: str) -> bytes:
    """Bytes written in base64, in either alphabet, with or without line breaks and padding.

    Raises:
        InvalidRequest: It is no base64, or nothing.
    """
    # Each step passes over megabytes, so none is done for nothing.
    if any(blank in data for blank in _BLANKS):
        data = "".join(data.split())
    if "-" in data or "_" in data:
        data = data.translate(_URL_SAFE)
    data = data.rstrip("=")
    try:
        padded = data + "=" * (-len(data) % 4)
        read = b"".join(binascii.a2b_base64(padded[at : at + PIECE]) for at in range(0, len(padded), PIECE))
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(f"{where} is not written in base64: {error}.", where) from None
    wanted = len(data) * 3 // 4
    if len(read) != wanted:  # the decoder passes over what is none
        raise InvalidRequest(f"{where} is not written in base64: {wanted - len(read)} bytes are missing.", where)
    if not read:
        raise InvalidRequest(f"{where} holds no bytes.", where)
    return read


def data_url(picture: ImagePart) -> str:
    """A picture as the URL that ``read_image_url`` reads: a data URL, or the address of one that has no bytes."""
    if picture.url is not None:
        return picture.url
    return f"data:{picture.media_type or _media_type(picture.data)};base64,{base64.b64encode(picture.data).decode()}"


def _media_type(data: bytes) -> str:
    found = next((name for head, name in _HEADS if data.startswith(head)), None)
    return found or ("image/webp" if data[8:12] == b"WEBP" else "image/*")


def _said_by(choice: Mapping[str, Any]) -> object:
    """The word or name in ``{"type": "function", "function": {"name"}}``, ``{"type": "tool", "name"}``, …"""
    function = choice.get("function")
    if isinstance(function, Mapping):
        return function.get("name")
    return choice["name"] if "name" in choice else choice.get("type")


def _offered(names: Sequence[str]) -> str:
    listed = ", ".join(names) or "none"
    return f"Tools: {listed}. Besides these it may be auto, none, any or required."
