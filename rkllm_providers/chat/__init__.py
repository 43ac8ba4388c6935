"""Messages to prompts, and token events to chat events: the vocabulary every caller shares."""

from rkllm_providers.chat.answer import AnswerStream
from rkllm_providers.chat.garbage import GarbageWatch, garbage_message
from rkllm_providers.chat.prompt import build_prompt, count_prompt_tokens
from rkllm_providers.chat.prompt_types import NewestTurn, PicturePrompt, Prompt, TextPrompt
from rkllm_providers.chat.stream import TextStream
from rkllm_providers.chat.thinking import THINKING_FORMATS, ThinkingFormat, thinking_format_of
from rkllm_providers.chat.token_estimates import estimate_tokens
from rkllm_providers.chat.tool_calls import collect_tool_calls
from rkllm_providers.chat.tool_formats import TOOL_FORMATS, ToolFormat, tool_format_of
from rkllm_providers.chat.types import (
    ChatEvent,
    ChatMessage,
    ChatResult,
    Content,
    Finish,
    FinishReason,
    GenerateOptions,
    ImagePart,
    InvalidToolCall,
    ReasoningDelta,
    ResponseFormat,
    Role,
    Sampling,
    TextDelta,
    Timings,
    Tool,
    ToolCall,
    ToolCallDelta,
    Usage,
)

__all__ = [
    "THINKING_FORMATS",
    "TOOL_FORMATS",
    "AnswerStream",
    "ChatEvent",
    "ChatMessage",
    "ChatResult",
    "Content",
    "Finish",
    "FinishReason",
    "GarbageWatch",
    "GenerateOptions",
    "ImagePart",
    "InvalidToolCall",
    "NewestTurn",
    "PicturePrompt",
    "Prompt",
    "ReasoningDelta",
    "ResponseFormat",
    "Role",
    "Sampling",
    "TextDelta",
    "TextPrompt",
    "TextStream",
    "ThinkingFormat",
    "Timings",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "ToolFormat",
    "Usage",
    "build_prompt",
    "collect_tool_calls",
    "count_prompt_tokens",
    "estimate_tokens",
    "garbage_message",
    "thinking_format_of",
    "tool_format_of",
]
