"""Messages to prompts, and token events to chat events: the vocabulary every caller shares."""

from rkllm_providers.chat.prompt import (
    NewestTurn,
    Prompt,
    TextPrompt,
    build_prompt,
    count_prompt_tokens,
    estimate_tokens,
)
from rkllm_providers.chat.stream import TextStream
from rkllm_providers.chat.types import (
    ChatEvent,
    ChatMessage,
    ChatResult,
    Finish,
    FinishReason,
    GenerateOptions,
    Role,
    Sampling,
    TextDelta,
    Timings,
    Usage,
)

__all__ = [
    "ChatEvent",
    "ChatMessage",
    "ChatResult",
    "Finish",
    "FinishReason",
    "GenerateOptions",
    "NewestTurn",
    "Prompt",
    "Role",
    "Sampling",
    "TextDelta",
    "TextPrompt",
    "TextStream",
    "Timings",
    "Usage",
    "build_prompt",
    "count_prompt_tokens",
    "estimate_tokens",
]
