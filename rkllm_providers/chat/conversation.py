"""A conversation as a chat template is given it: turns, tools, and the switches for thinking."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any, Final

from rkllm_providers.chat.pictures import joined, placeholder
from rkllm_providers.chat.thinking import THINKING_FORMATS, ThinkingFormat, thinking_format_of
from rkllm_providers.chat.tool_formats import TOOL_FORMATS, ToolFormat, tool_format_of
from rkllm_providers.chat.types import ChatMessage, Content, GenerateOptions, Tool, ToolCall
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.models import ModelCard, PromptForm
from rkllm_providers.models.control import TextGuard
from rkllm_providers.models.template_facts import template_facts

_EFFORT_BUDGETS: Final = {"minimal": 128, "low": 512, "medium": 2048}
"""Tokens of thinking, for models whose template knows no effort; ``high`` is not bounded."""

# What models are told of tools whose own template knows none; the form is Hermes'.
_TOOL_TEXT: Final = (
    "These tools are at hand, one JSON description a line:\n{tools}\n"
    "To call one, write nothing but lines of this form, and wait for the result:\n"
    '<tool_call>\n{{"name": "NAME", "arguments": {{"PARAMETER": VALUE}}}}\n</tool_call>'
)


@lru_cache(maxsize=64)
def _variables(source: str) -> frozenset[str]:
    return template_facts(source).variables


@lru_cache(maxsize=64)
def _thinking(source: str) -> ThinkingFormat | None:
    return thinking_format_of(source)


@lru_cache(maxsize=64)
def _tools(source: str) -> ToolFormat | None:
    return tool_format_of(source)


def thinking_format(card: ModelCard) -> ThinkingFormat | None:
    """How a model marks its thinking; the usual way where only the runtime knows its template."""
    if card.prompt_form is PromptForm.RUNTIME or card.template is None:
        return THINKING_FORMATS["think"]
    return _thinking(card.template.source) if card.capabilities.thinking else None


def tool_format(card: ModelCard) -> ToolFormat:
    """How a model writes its tool calls; the most common way where its template shows none."""
    known = _tools(card.template.source) if card.template is not None and knows_tools(card) else None
    return known or TOOL_FORMATS["hermes"]


def knows_tools(card: ModelCard) -> bool:
    """Whether a model's own template tells it of tools."""
    return card.template is not None and "tools" in _variables(card.template.source)


def offered_tools(options: GenerateOptions) -> tuple[Tool, ...]:
    """The tools that the model is told of: all of them, or none."""
    return () if options.tool_choice == "none" and options.forced_tool is None else options.tools


def is_forced(options: GenerateOptions) -> bool:
    """Whether the model has to call a tool."""
    return bool(options.tools) and (options.tool_choice == "required" or options.forced_tool is not None)


def thinks(options: GenerateOptions) -> bool | None:
    """Whether thinking is asked for; ``None`` leaves it to the model's template."""
    if is_forced(options):
        return False  # the answer begins with the call
    if options.thinking is not None:
        return options.thinking
    return None if options.effort is None else options.effort != "none"


def thinking_budget(card: ModelCard, options: GenerateOptions) -> int | None:
    """The most tokens of thinking."""
    if options.thinking_budget is not None or options.effort is None or card.template is None:
        return options.thinking_budget
    if "reasoning_effort" in _variables(card.template.source):
        return None
    return _EFFORT_BUDGETS.get(options.effort)


def check_options(card: ModelCard, options: GenerateOptions) -> None:
    """Refuse what this model cannot do.

    Raises:
        InvalidRequest: Naming what cannot be done, and what would help.
    """
    known = [tool.name for tool in options.tools]
    if options.forced_tool is not None and options.forced_tool not in known:
        raise InvalidRequest(
            f"tool_choice names {options.forced_tool!r}, which is not among the tools: {', '.join(known) or 'none'}.",
            "tool_choice",
        )
    if options.tool_choice == "required" and not options.tools:
        raise InvalidRequest("tool_choice is 'required', and there are no tools.", "tool_choice")
    if options.thinking_budget is not None and options.thinking_budget < 0:
        raise InvalidRequest(
            f"thinking_budget is {options.thinking_budget}; it cannot be negative.", "thinking_budget"
        )
    if options.thinking and not card.capabilities.thinking and card.prompt_form is not PromptForm.RUNTIME:
        raise InvalidRequest(
            f'{card.entry.id} does not think. Leave thinking out, or write capabilities = ["thinking"] into its '
            f"model.toml if it does.",
            "thinking",
        )
    needed = []
    if card.prompt_form is PromptForm.RUNTIME:
        needed += ["tools"] if options.tools else []
    if not card.takes_tokens:
        needed += ["tool_choice"] if is_forced(options) else []
        needed += ["thinking_budget"] if thinking_budget(card, options) is not None else []
    if needed:
        what = "a chat template" if needed == ["tools"] else "a tokenizer and a chat template"
        raise InvalidRequest(
            f"{' and '.join(needed)} {'needs' if len(needed) == 1 else 'need'} {what}, which {card.entry.id} lacks: "
            f"put its tokenizer.json and chat_template.jinja (or tokenizer_config.json) beside its file.",
            needed[0],
        )


def template_input(
    card: ModelCard, guard: TextGuard, messages: Sequence[ChatMessage], options: GenerateOptions
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Turns and variables for the model's template; every string that came from a caller is marked."""
    tools = [_tool(tool) for tool in offered_tools(options)]
    if tools and not knows_tools(card):
        messages, tools = _with_tool_text(messages, tools), []
    shown = _shows_reasoning(messages, options)
    numbers = count()
    turns = [
        _turn(guard, message, with_reasoning, numbers)
        for message, with_reasoning in zip(messages, shown, strict=True)
    ]
    variables: dict[str, Any] = {}
    if tools:
        variables["tools"] = [{"type": "function", "function": guard.mark(tool)} for tool in tools]
    wanted = thinks(options)
    if wanted is not None:
        variables["enable_thinking"] = wanted
    if options.effort is not None:
        variables["reasoning_effort"] = options.effort
    return turns, variables


def needs_closed_thinking(card: ModelCard, options: GenerateOptions) -> bool:
    """Whether thinking is switched off for a model whose template has no switch for it."""
    if thinks(options) is not False or card.template is None or not card.capabilities.thinking:
        return False
    return "enable_thinking" not in _variables(card.template.source)


def _shows_reasoning(messages: Sequence[ChatMessage], options: GenerateOptions) -> list[bool]:
    newest = max((number for number, message in enumerate(messages) if message.role == "user"), default=-1)
    policy = options.old_reasoning
    return [policy == "all" or (policy == "tool_turns" and number > newest) for number in range(len(messages))]


def _turn(guard: TextGuard, message: ChatMessage, with_reasoning: bool, numbers: Iterator[int]) -> dict[str, Any]:
    """The role and the kinds are ours; every other string came from a caller."""
    turn: dict[str, Any] = {"role": message.role, "content": marked_content(guard, message.content, numbers)}
    if message.name is not None:
        turn["name"] = guard.mark(encodable(message.name))
    if message.tool_call_id is not None:
        turn["tool_call_id"] = guard.mark(encodable(message.tool_call_id))
    if message.reasoning and with_reasoning:
        turn["reasoning_content"] = guard.mark(encodable(message.reasoning))
    if message.tool_calls:
        turn["tool_calls"] = [_call(guard, call) for call in message.tool_calls]
    return turn


def _call(guard: TextGuard, call: ToolCall) -> dict[str, Any]:
    function = {"name": encodable(call.name), "arguments": _arguments(call)}
    return {"id": guard.mark(encodable(call.id)), "type": "function", "function": guard.mark(function)}


def _arguments(call: ToolCall) -> Any:
    """Templates write the arguments as JSON themselves, so they are given the object."""
    text = encodable(call.arguments)
    try:
        arguments = json.loads(text)
    except (ValueError, RecursionError):  # not JSON, or nested without end
        return text
    return arguments if isinstance(arguments, dict) else text


def _tool(tool: Tool) -> dict[str, Any]:
    described: dict[str, Any] = {"name": tool.name}
    if tool.description:
        described["description"] = tool.description
    return {**described, "parameters": tool.parameters or {"type": "object", "properties": {}}}


def _with_tool_text(messages: Sequence[ChatMessage], tools: Sequence[Mapping[str, Any]]) -> list[ChatMessage]:
    """Calls and results as text, behind a system message that tells of the tools."""
    lines = "\n".join(json.dumps(tool, ensure_ascii=False) for tool in tools)
    said = [_TOOL_TEXT.format(tools=lines)]
    turns: list[ChatMessage] = []
    for message in messages:
        if message.role == "system" and not turns:
            said.insert(0, message.text)
        elif message.role == "tool":
            turns.append(ChatMessage("user", joined(f"Result of {message.name or 'the tool'}:\n", message.content)))
        elif message.tool_calls:
            calls = [
                f'<tool_call>\n{{"name": {json.dumps(call.name)}, "arguments": {call.arguments}}}\n</tool_call>'
                for call in message.tool_calls
            ]
            text = "\n".join([message.text, *calls] if message.content else calls)
            turns.append(ChatMessage("assistant", text, reasoning=message.reasoning))
        else:
            turns.append(message)
    return [ChatMessage("system", "\n\n".join(said)), *turns]


def marked_content(guard: TextGuard, content: Content, numbers: Iterator[int]) -> str:
    """What a message says, marked; each picture is a placeholder with the next of these numbers."""
    if isinstance(content, str):
        return str(guard.mark(encodable(content)))
    parts = (guard.mark(encodable(part)) if isinstance(part, str) else placeholder(next(numbers)) for part in content)
    return "".join(parts)


def encodable(text: str) -> str:
    """Replace lone surrogates, which JSON can carry and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
