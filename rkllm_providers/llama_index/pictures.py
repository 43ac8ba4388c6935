"""Pictures in LlamaIndex's messages. Nothing is fetched; a file is read only where the block names its path."""

from __future__ import annotations

import base64
import binascii
from io import IOBase
from pathlib import Path
from typing import Final

from llama_index.core.base.llms.types import ImageBlock

from rkllm_providers.chat import ImagePart
from rkllm_providers.chat.openai_forms import read_image_url
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.vision import PictureLimits

_MOST_BYTES: Final = PictureLimits().max_bytes


def read_picture(block: ImageBlock, where: str) -> ImagePart:
    """The picture of a block, from its bytes, its file or its data URL; ``where`` names its message in errors.

    ``resolve_image`` is not asked: it fetches addresses. One is kept as it is, for a service at ``base_url`` to fetch
    where it may.

    Raises:
        InvalidRequest: There is none, its file cannot be read, or it is larger than a picture may be.
    """
    if block.image is not None:
        data = _of_file(block.image) if isinstance(block.image, IOBase) else _of_bytes(block.image)
    elif block.path is not None:
        data = _of_path(block.path, where)
    elif block.url is not None:
        return read_image_url(str(block.url), f"{where}: the url of an ImageBlock")
    else:
        raise InvalidRequest(f"{where} has an ImageBlock without image, path or url.", "messages")
    if not data:
        raise InvalidRequest(f"{where} has an ImageBlock without bytes.", "messages")
    if len(data) > _MOST_BYTES:
        raise InvalidRequest(
            f"{where} has a picture of more than {_MOST_BYTES} bytes, which is the most. Send it scaled down.",
            "messages",
        )
    return ImagePart(data, block.image_mimetype)


def _of_bytes(image: bytes) -> bytes:
    """What was given: LlamaIndex keeps it in base64, unless it was put there later."""
    try:
        return base64.b64decode(image, validate=True)
    except binascii.Error:
        return image


def _of_file(file: IOBase) -> bytes:
    """From its beginning, and it stays where it was, so that the block can be sent again."""
    place = file.tell()
    file.seek(0)
    try:
        data = file.read(_MOST_BYTES + 1)
    finally:
        file.seek(place)
    return bytes(data)


def _of_path(path: Path, where: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InvalidRequest(f"{where} has a picture that cannot be read: {error}", "messages") from error
