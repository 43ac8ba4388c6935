"""Pictures in LangChain's messages: its own content blocks of both versions, OpenAI's and Anthropic's.

Nothing is fetched and no file is opened: a picture is its bytes, in base64 or in a data URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rkllm_providers.chat import ImagePart
from rkllm_providers.chat.openai_forms import read_base64, read_image_url
from rkllm_providers.errors import InvalidRequest

PICTURE_BLOCKS: Final = frozenset({"image", "image_url", "input_image"})
"""The types of blocks that are pictures."""

_ADVICE: Final = 'Send its bytes: {"type": "image", "base64": "…", "mime_type": "image/png"}.'


def read_picture(block: Mapping[str, Any]) -> ImagePart:
    """The picture of a content block.

    Its bytes are in ``base64``, ``data`` or a data URL, of the block itself or of its ``source``. An address on the
    web is kept as it is, for a service at ``base_url`` to fetch where it may.

    Raises:
        InvalidRequest: There are no bytes, or they are no picture.
    """
    kind = str(block.get("type"))
    if kind != "image":
        if block.get("image_url") is None and "file_id" in block:
            raise _elsewhere(kind)
        return read_image_url(block.get("image_url"), kind)
    source = block.get("source")
    told = source if isinstance(source, Mapping) else block
    data = told.get("base64") or told.get("data")
    if isinstance(data, str) and data:
        media_type = told.get("mime_type") or told.get("media_type")
        return ImagePart(read_base64(data, kind), str(media_type) if media_type else None)
    url = told.get("url")
    if isinstance(url, str) and url:
        return read_image_url(url, kind)
    raise _elsewhere(kind) if told.get("file_id") or told.get("id") else _empty(kind)


def _elsewhere(kind: str) -> InvalidRequest:
    return InvalidRequest(
        f"A picture (content of type {kind!r}) is named by a file id, which is unknown here. {_ADVICE}", "messages"
    )


def _empty(kind: str) -> InvalidRequest:
    return InvalidRequest(f"A picture (content of type {kind!r}) has no bytes. {_ADVICE}", "messages")
