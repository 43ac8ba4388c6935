"""LlamaIndex tools to the tools of a request, and what is wanted of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llama_index.core.tools import BaseTool

from rkllm_providers.chat import Tool
from rkllm_providers.chat.openai_forms import read_tool, read_tool_choice
from rkllm_providers.chat.types import ToolChoice
from rkllm_providers.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class ToolWishes:
    """Tools that may be called, whether one must be, and whether several may be called in one answer."""

    tools: tuple[Tool, ...] = ()
    choice: ToolChoice = "auto"
    forced: str | None = None
    parallel: bool = True

    @classmethod
    def of_call(cls, arguments: Mapping[str, Any]) -> ToolWishes:
        """What the arguments of a call say of tools.

        Raises:
            InvalidRequest: A tool or the choice cannot be understood, or the choice is not among the tools.
        """
        tools = tuple(_tool(tool) for tool in arguments.get("tools") or ())
        names = [tool.name for tool in tools]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidRequest(f"Several tools have the name {', '.join(twice)}: names must differ.", "tools")
        choice, forced = read_tool_choice(arguments.get("tool_choice"), names)
        parallel = arguments.get("allow_parallel_tool_calls")
        return cls(tools, choice, forced, True if parallel is None else bool(parallel))


def describe_tools(tools: Sequence[BaseTool | Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Tools as plain data, under the names by which the framework finds them again."""
    described = []
    for given in tools:
        tool = _tool(given)
        function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
        described.append({"type": "function", "function": function})
    return described


def choice_of(tool_required: bool, tool_choice: Any) -> Any:
    """The choice that ``tool_required`` and ``tool_choice`` together mean; one that is required wins over *auto*.

    Raises:
        InvalidRequest: They contradict each other.
    """
    if not tool_required or tool_choice not in (None, "auto", "none", False):
        return tool_choice
    if tool_choice in ("none", False):
        raise InvalidRequest(
            "tool_required and tool_choice='none' contradict each other: leave one out.", "tool_choice"
        )
    return "required"


def _tool(given: Any) -> Tool:
    if isinstance(given, Tool):
        return given
    if isinstance(given, BaseTool):
        about = given.metadata
        return Tool(about.get_name(), about.description or "", about.get_parameters_dict())
    if isinstance(given, Mapping):
        return read_tool(given)
    raise InvalidRequest(
        f"A tool is of type {type(given).__name__}; tools are BaseTool objects (FunctionTool.from_defaults(...)) or "
        f"descriptions in OpenAI's form.",
        "tools",
    )
