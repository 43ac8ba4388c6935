"""The settings of an object, with those of one call over them, as options of a generation."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from pydantic import Field

from rkllm_providers.chat import GenerateOptions, Sampling
from rkllm_providers.chat.openai_forms import read_response_format, read_tool, read_tool_choice
from rkllm_providers.chat.types import Effort, OldReasoning, Priority
from rkllm_providers.engine import parse_keep_alive
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.langchain.source import ModelSource

_SAMPLING: Final = (
    "temperature",
    "top_p",
    "top_k",
    "repeat_penalty",
    "frequency_penalty",
    "presence_penalty",
)
_TEXT_SETTINGS: Final = frozenset(
    {*_SAMPLING, "max_tokens", "stop", "lora", "priority", "timeout", "first_token_timeout", "keep_alive", "model"}
)
_CHAT_SETTINGS: Final = frozenset(
    {
        *("reasoning", "reasoning_effort", "thinking_budget", "keep_reasoning", "volatile_system"),
        *("tools", "tool_choice", "parallel_tool_calls", "response_format", "keep_invalid_output"),
    }
)
# What LangChain and its users pass to any model. Schemas are always held strictly, and which part of a
# conversation the KV cache has is found by its tokens, so there is nothing to say about sessions.
_WITHOUT_MEANING: Final = frozenset({"strict", "session_id", "stream", "ls_structured_output_format"})


class GenerationSettings(ModelSource):
    """How a model writes."""

    max_tokens: int | None = Field(default=None, gt=0)
    """Most tokens to generate; what the prompt leaves of the context window where it is ``None``."""
    temperature: float | None = Field(default=None, ge=0)
    """Sampling temperature; 0 always takes the likeliest token."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """Nucleus sampling: the least set of tokens with this probability mass is drawn from."""
    top_k: int | None = Field(default=None, gt=0)
    """Only so many of the likeliest tokens are drawn from."""
    repeat_penalty: float | None = Field(default=None, gt=0)
    """Divides the logits of recent tokens; 1 is off."""
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    """Subtracted from a token's logit for each time it occurred."""
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    """Subtracted from a token's logit once it occurred."""
    stop: list[str] | None = None
    """Texts that end the answer and are not part of it."""
    lora: str | None = None
    """A LoRA adapter of the model, by its name."""
    priority: Priority = "chat"
    """Requests of a higher priority are answered first: ``chat``, then ``background``, then ``bulk``."""
    first_token_timeout: float | None = Field(default=None, gt=0)
    """Seconds to the first token, the wait in the queue included."""
    keep_alive: float | str | None = None
    """How long the model stays loaded after its last request: seconds, ``"5m"`` or ``"forever"``."""


class ChatSettings(GenerationSettings):
    """How a model writes and thinks in a chat."""

    reasoning: bool | None = None
    """Thinking on or off; ``None`` leaves it to the model. ``False``, here or in a call, wins over any effort."""
    reasoning_effort: Effort | None = None
    """How much to think: ``none``, ``minimal``, ``low``, ``medium`` or ``high``."""
    thinking_budget: int | None = Field(default=None, ge=0)
    """Most tokens of thinking."""
    keep_reasoning: OldReasoning = "tool_turns"
    """Which reasoning of the history the model is shown: ``none``, that of the turn under way, or ``all``."""
    volatile_system: Literal["move", "keep"] = "move"
    """Whether a clock in the system message moves to the newest turn, or stays and costs the KV cache."""
    streaming: bool | None = None
    """``True`` answers ``invoke`` from a stream, with its callbacks; ``False`` never streams."""


def parameters(settings: GenerationSettings, without: frozenset[str]) -> dict[str, Any]:
    """Everything that may change an answer, by name; ``without`` are fields that do not.

    LangChain puts the stop sequences of the call in the place of ``stop``, so the object's own get another name.
    """
    values = {name: getattr(settings, name) for name in type(settings).model_fields if name not in without}
    return {"own_stop" if name == "stop" else name: value for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the options of its generation, and which model is meant.

    ``keeps_invalid`` says that an answer that is not the JSON asked for is wanted all the same.
    """

    options: GenerateOptions
    model: str
    keeps_invalid: bool = False


def text_call(settings: GenerationSettings, stop: Sequence[str] | None, overrides: Mapping[str, Any]) -> Call:
    """A call of a completion.

    Raises:
        InvalidRequest: A setting of the call cannot be.
    """
    _name_unknown(settings, overrides, _TEXT_SETTINGS)
    return _call(settings, stop, overrides)


def chat_call(settings: ChatSettings, stop: Sequence[str] | None, overrides: Mapping[str, Any]) -> Call:
    """A call of a chat.

    Raises:
        InvalidRequest: A setting of the call cannot be.
    """
    _name_unknown(settings, overrides, _TEXT_SETTINGS | _CHAT_SETTINGS)
    call = _call(settings, stop, overrides)
    tools = tuple(read_tool(tool) for tool in overrides.get("tools") or ())
    tool_choice, forced_tool = read_tool_choice(overrides.get("tool_choice"), [tool.name for tool in tools])
    if overrides.get("parallel_tool_calls") is False and tools:
        raise InvalidRequest(
            "The number of tool calls in an answer cannot be limited: leave parallel_tool_calls out.",
            "parallel_tool_calls",
        )
    wanted = overrides.get("response_format")
    reasoning, effort = (_setting(settings, overrides, name) for name in ("reasoning", "reasoning_effort"))
    silent = reasoning is False or effort == "none"
    options = replace(
        call.options,
        tools=tools,
        tool_choice=tool_choice,
        forced_tool=forced_tool,
        response_format=None if wanted is None else read_response_format(wanted),
        thinking=False if silent else reasoning,
        effort=None if silent else effort,
        thinking_budget=None if silent else _setting(settings, overrides, "thinking_budget"),
        old_reasoning=_setting(settings, overrides, "keep_reasoning"),
        volatile_system=_setting(settings, overrides, "volatile_system"),
    )
    return replace(call, options=options, keeps_invalid=bool(overrides.get("keep_invalid_output")))


def _call(settings: GenerationSettings, stop: Sequence[str] | None, overrides: Mapping[str, Any]) -> Call:
    keep_alive = _setting(settings, overrides, "keep_alive")
    stops = stop if stop is not None else _setting(settings, overrides, "stop")
    options = GenerateOptions(
        max_tokens=_setting(settings, overrides, "max_tokens"),
        stop=(stops,) if isinstance(stops, str) else tuple(stops or ()),
        sampling=Sampling(**{name: _setting(settings, overrides, name) for name in _SAMPLING}),
        timeout=_setting(settings, overrides, "timeout"),
        first_token_timeout=_setting(settings, overrides, "first_token_timeout"),
        priority=_setting(settings, overrides, "priority"),
        keep_alive=None if keep_alive is None else parse_keep_alive(keep_alive),
        lora=_setting(settings, overrides, "lora"),
    )
    return Call(options, overrides.get("model") or settings.model)


def _setting(settings: ModelSource, overrides: Mapping[str, Any], name: str) -> Any:
    return overrides[name] if name in overrides else getattr(settings, name)


def _name_unknown(settings: ModelSource, overrides: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(set(overrides) - known - _WITHOUT_MEANING)
    if unknown:
        name = type(settings).__name__
        warnings.warn(f"A call of {name} takes no {', '.join(unknown)}; they are ignored.", stacklevel=4)
