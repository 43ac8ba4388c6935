"""Texts that clients send as tokens of the model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from rkllm_providers.engine import ModelClient
from rkllm_providers.errors import InvalidRequest

_MOST_IDS: Final = 1_000_000


async def one_text(client: ModelClient, given: str | Sequence[int], param: str) -> str:
    """A text as it is, or that of token ids.

    Raises:
        InvalidRequest: An id is no token of the model.
        UnsupportedFeature: The model has no tokenizer.
    """
    return (await all_texts(client, [given], param))[0]


async def all_texts(client: ModelClient, given: Sequence[str | Sequence[int]], param: str) -> list[str]:
    """The same for several of them."""
    count = sum(len(item) for item in given if not isinstance(item, str))
    if count > _MOST_IDS:
        raise InvalidRequest(f"{param} has {count} tokens; at most {_MOST_IDS} are taken.", param)
    if not count:
        return [item if isinstance(item, str) else "" for item in given]

    def read() -> list[str]:
        return [item if isinstance(item, str) else client.detokenize(item) for item in given]

    try:
        return await asyncio.to_thread(read)
    except InvalidRequest as error:
        raise InvalidRequest(str(error), param) from error
