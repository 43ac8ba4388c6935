"""Reading ahead what every conversation of a model begins with."""

from __future__ import annotations

from array import array
from typing import Final

import numpy as np

from rkllm_providers.chat.prompt import build_prompt
from rkllm_providers.chat.prompt_types import TextPrompt
from rkllm_providers.chat.types import ChatMessage, GenerateOptions
from rkllm_providers.chat.volatile import VolatileSystem
from rkllm_providers.engine.ledger import common_length
from rkllm_providers.engine.run import RunRequest
from rkllm_providers.errors import UnsupportedFeature
from rkllm_providers.models import ModelCard

# Two questions that have no beginning in common.
_QUESTIONS: Final = ("Why?", "0")


def warming_request(
    card: ModelCard, system: str, options: GenerateOptions | None = None
) -> tuple[RunRequest | None, int]:
    """The run that puts the beginning of all conversations with a system message, and tools, into the KV cache.

    With the number of its tokens; ``None`` where conversations have no beginning in common.

    Raises:
        UnsupportedFeature: The model has no tokenizer.
        InvalidRequest: The system message or the tools are refused.
        ContextLengthExceeded: They do not fit the window.
    """
    options = options or GenerateOptions()
    beginnings: list[array[int]] = []
    for question in _QUESTIONS:
        messages = [ChatMessage("system", system), ChatMessage("user", question)]
        if options.volatile_system == "move":
            # Clocks move, and are no part of the beginning.
            messages = VolatileSystem().apply(messages)
        content = build_prompt(card, messages, options).content
        if isinstance(content, TextPrompt):
            raise UnsupportedFeature(
                f"{card.entry.id} has no tokenizer, so a part of its prompts cannot be read ahead. "
                f"Put the model's tokenizer.json beside its file."
            )
        beginnings.append(content)
    first, second = (np.frombuffer(ids, np.int32) for ids in beginnings)
    prompt = beginnings[0][: common_length(first, second)]
    if not prompt:
        return None, 0
    sampling = options.sampling.over(card.sampling)
    return RunRequest(prompt, max_tokens=1, sampling=sampling, priority="background"), len(prompt)
