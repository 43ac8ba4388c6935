"""Messages to prompts, and token events to chat events: the vocabulary every caller shares."""

from rkllm_providers.chat.prompt import Prompt, build_prompt
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
    "Prompt",
    "Role",
    "Sampling",
    "TextDelta",
    "TextStream",
    "Timings",
    "Usage",
    "build_prompt",
]
