"""The settings of an object, with those of one call over them, as options of a generation."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from rkllm_providers.chat import GenerateOptions
from rkllm_providers.chat.openai_forms import read_response_format, read_tool, read_tool_choice
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.langchain.source import ModelSource
from rkllm_providers.provider_settings import CompletionSettings, ThinkingSettings, completion_options

_TEXT_SETTINGS: Final = frozenset({*CompletionSettings.model_fields, "model"})
_CHAT_SETTINGS: Final = frozenset(
    {
        *("reasoning", *ThinkingSettings.model_fields),
        *("tools", "tool_choice", "parallel_tool_calls", "response_format", "keep_invalid_output"),
    }
)
# What LangChain and its users pass to any model. Schemas are always held strictly, and which part of a
# conversation the KV cache has is found by its tokens, so there is nothing to say about sessions.
_WITHOUT_MEANING: Final = frozenset({"strict", "session_id", "stream", "ls_structured_output_format"})


class GenerationSettings(ModelSource, CompletionSettings):
    """Where a model is, and how it writes."""


class ChatSettings(GenerationSettings, ThinkingSettings):
    """Where a model is, and how it writes and thinks in a chat."""

    reasoning: bool | None = None
    """Thinking on or off; ``None`` leaves it to the model. ``False``, here or in a call, wins over any effort."""
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
    values = {name: _setting(settings, overrides, name) for name in CompletionSettings.model_fields}
    if stop is not None:
        values["stop"] = stop
    return Call(completion_options(values), overrides.get("model") or settings.model)


def _setting(settings: ModelSource, overrides: Mapping[str, Any], name: str) -> Any:
    return overrides[name] if name in overrides else getattr(settings, name)


def _name_unknown(settings: ModelSource, overrides: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(set(overrides) - known - _WITHOUT_MEANING)
    if unknown:
        name = type(settings).__name__
        warnings.warn(f"A call of {name} takes no {', '.join(unknown)}; they are ignored.", stacklevel=4)
