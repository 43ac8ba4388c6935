"""What the Messages API takes, and how it becomes chat types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from rag_service.api.anthropic.content import Block, Message, text_of
from rag_service.api.chats import RawMessage
from rag_service.api.openai.fields import Refusal, WireRequest, named_extras
from rag_service.api.sampling_fields import MOST_TOKENS, SamplingFields, check_stops
from rag_service.api.wire_lists import WireList
from rkllm_providers.chat import GenerateOptions, Tool
from rkllm_providers.chat.types import Effort, ResponseFormat
from rkllm_providers.engine import parse_keep_alive
from rkllm_providers.errors import InvalidRequest

_MAX_TOOLS: Final = 128
_OPEN: Final = ConfigDict(extra="allow")
_EFFORTS: Final[Mapping[str, Effort]] = {
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}


class Thinking(BaseModel):
    """Whether the model thinks, and at most how much."""

    model_config = _OPEN

    type: Literal["enabled", "disabled", "adaptive"]
    budget_tokens: int | None = Field(default=None, ge=0, le=MOST_TOKENS)


class RequestTool(BaseModel):
    """A tool that the model may call."""

    model_config = _OPEN

    type: str | None = None
    name: str = Field(min_length=1, max_length=256)
    description: str | None = None
    input_schema: dict[str, Any] | None = None


class ToolChoice(BaseModel):
    """Whether a tool may be called, must be, or which."""

    model_config = _OPEN

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class OutputFormat(BaseModel):
    """The schema that an answer must have."""

    model_config = ConfigDict(extra="allow", protected_namespaces=(), populate_by_name=True)

    type: Literal["json_schema"]
    json_schema: dict[str, Any] = Field(alias="schema")


class OutputConfig(BaseModel):
    """What the answer is to be, and how much effort goes into it."""

    model_config = _OPEN

    format: OutputFormat | None = None
    effort: str | None = None


class CountRequest(WireRequest):
    """The body of ``POST /v1/messages/count_tokens``, and most of that of ``POST /v1/messages``."""

    refused: ClassVar[Mapping[str, Refusal]] = {
        "mcp_servers": Refusal("Tools are called by the client here: leave mcp_servers out.", ([],)),
        "container": Refusal("No code is run here: leave container out."),
    }

    model: str | None = None
    messages: WireList[Message] = Field(min_length=1)
    system: str | WireList[Block] | None = None
    tools: WireList[RequestTool] | None = Field(default=None, max_length=_MAX_TOOLS)
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    output_format: OutputFormat | None = None

    def raw_messages(self) -> list[RawMessage]:
        """The conversation as the OpenAI API has it.

        Raises:
            InvalidRequest: It holds something that is not supported, or ends with the assistant.
        """
        if self.messages[-1].role == "assistant":
            raise InvalidRequest(
                "The last message is the assistant's, and the beginning of an answer cannot be given: end with the "
                "user's.",
                "messages",
            )
        system = text_of(self.system, "system") if self.system else ""
        raw: list[RawMessage] = [{"role": "system", "content": system}] if system else []
        for number, message in enumerate(self.messages):
            raw += message.raw(f"messages[{number}]")
        return raw

    def options(self) -> GenerateOptions:
        """The options as chat types.

        Raises:
            InvalidRequest: Something is asked that cannot be done.
        """
        self.check_refused()
        config = self.output_config
        wanted = config.format if config is not None and config.format is not None else self.output_format
        return GenerateOptions(
            tools=self._tools(),
            thinking=self.wants_thinking,
            thinking_budget=self.thinking.budget_tokens if self.thinking is not None else None,
            effort=self._effort(),
            response_format=ResponseFormat(wanted.json_schema) if wanted is not None else None,
            **self._choice(),
        )

    @property
    def wants_thinking(self) -> bool:
        """Whether thinking is asked for; in this API it is off unless it is."""
        return self.thinking is not None and self.thinking.type != "disabled"

    @property
    def one_call_only(self) -> bool:
        """Whether at most one tool call of the answer is told."""
        return self.tool_choice is not None and self.tool_choice.disable_parallel_tool_use is True

    def ignored_fields(self) -> list[str]:
        """Names of fields that were sent and are not used, those of objects behind a dot."""
        inner = {
            *named_extras("thinking", self.thinking),
            *named_extras("tool_choice", self.tool_choice),
            *named_extras("output_config", self.output_config),
        }
        inner.update(name for tool in self.tools or [] for name in named_extras("tools", tool))
        inner.update(name for message in self.messages for name in named_extras("messages", message))
        blocks = [block for message in self.messages for block in _blocks(message.content)]
        blocks += _blocks(self.system or "")
        inner.update(name for block in blocks for name in _extras_of(block))
        return sorted([*super().ignored_fields(), *inner])

    def _tools(self) -> tuple[Tool, ...]:
        tools: dict[str, Tool] = {}
        for number, tool in enumerate(self.tools or []):
            if tool.type not in (None, "custom"):
                raise InvalidRequest(
                    f"tools[{number}] is of type {tool.type[:60]!r}, which others run themselves; only tools of the "
                    f"client's own are supported.",
                    f"tools[{number}].type",
                )
            if tool.name in tools:
                raise InvalidRequest(f"Two tools have the name {tool.name!r}.", f"tools[{number}].name")
            tools[tool.name] = Tool(tool.name, tool.description or "", tool.input_schema or {})
        return tuple(tools.values())

    def _choice(self) -> dict[str, Any]:
        choice, names = self.tool_choice, [tool.name for tool in self.tools or []]
        if choice is None or choice.type == "auto":
            return {}
        if choice.type == "none":
            return {"tool_choice": "none"}
        if choice.type == "tool" and choice.name not in names:
            raise InvalidRequest(
                f"tool_choice names {choice.name!r}, which is not among the tools: {', '.join(names) or 'none'}.",
                "tool_choice.name",
            )
        if not names:
            raise InvalidRequest("tool_choice is 'any', and there are no tools to call.", "tool_choice")
        if choice.type == "tool":
            return {"tool_choice": "required", "forced_tool": choice.name}
        return {"tool_choice": "required", "forced_tool": names[0] if len(names) == 1 else None}

    def _effort(self) -> Effort | None:
        wanted = self.output_config.effort if self.output_config is not None else None
        if wanted is None or not self.wants_thinking:
            return None
        if wanted not in _EFFORTS:
            raise InvalidRequest(
                f"output_config.effort is {wanted[:60]!r}; it must be one of {', '.join(_EFFORTS)}.",
                "output_config.effort",
            )
        return _EFFORTS[wanted]


class MessageRequest(CountRequest, SamplingFields):
    """The body of ``POST /v1/messages``. ``keep_alive`` and ``timeout`` (seconds) are this service's own."""

    max_tokens: int = Field(ge=1, le=MOST_TOKENS)
    stream: bool = False
    stop_sequences: WireList[str] | None = None
    keep_alive: float | str | None = None
    timeout: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    def options(self) -> GenerateOptions:
        """The options as chat types.

        Raises:
            InvalidRequest: Something is asked that cannot be done.
        """
        return replace(
            super().options(),
            max_tokens=self.max_tokens,
            stop=check_stops([stop for stop in self.stop_sequences or [] if stop], "stop_sequences"),
            sampling=self.sampling(),
            timeout=self.timeout,
            keep_alive=None if self.keep_alive is None else parse_keep_alive(self.keep_alive),
        )


def _blocks(content: str | list[Block]) -> list[Block]:
    return [] if isinstance(content, str) else content


def _extras_of(block: Block) -> list[str]:
    """What a block has besides what is known; the signature of thinking is ours, and says nothing."""
    extras = named_extras("content", block)
    return [name for name in extras if not (block.type == "thinking" and name == "content.signature")]
