"""What the OpenAI chat API takes, and how it becomes chat types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from rag_service.api.openai.chat_messages import RequestMessage, to_chat_messages
from rag_service.api.openai.fields import Refusal, named_extras
from rag_service.api.openai.generation import GenerationRequest
from rag_service.api.wire_lists import WireList
from rkllm_providers.chat import ChatMessage, GenerateOptions, Tool
from rkllm_providers.chat.openai_forms import read_response_format, read_tool_choice
from rkllm_providers.chat.types import Effort, ResponseFormat
from rkllm_providers.errors import InvalidRequest

_MAX_TOOLS: Final = 128
_MAX_NAME_CHARACTERS: Final = 256
_MAX_BUDGET: Final = 2**31 - 1
_EFFORTS: Final[Mapping[str, Effort]] = {
    "none": "none",
    "minimal": "minimal",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}
"""The efforts of the OpenAI API, and the nearest of ours."""

_NO_FUNCTIONS: Final = (
    "functions and function_call are the names of an older API: send tools and tool_choice instead."
)
_REFUSED: Final[Mapping[str, Refusal]] = {
    "n": Refusal("Only one answer per request is supported: leave n out, or send the request several times.", (1,)),
    "logprobs": Refusal("The runtime gives no log probabilities while it generates: leave logprobs out.", (False,)),
    "top_logprobs": Refusal("The runtime gives no log probabilities while it generates: leave this out.", (0,)),
    "logit_bias": Refusal("The runtime cannot weigh single tokens: leave logit_bias out.", ({},)),
    "audio": Refusal("The models here do not speak: leave audio out."),
    "modalities": Refusal("The models here write text and nothing else: leave modalities out.", (["text"],)),
    "web_search_options": Refusal("This route does not search the web: leave web_search_options out."),
    "functions": Refusal(_NO_FUNCTIONS, ([],)),
    "function_call": Refusal(_NO_FUNCTIONS, ("none", "auto")),
}


class ToolFunction(BaseModel):
    """The function of a tool."""

    name: str = Field(min_length=1, max_length=_MAX_NAME_CHARACTERS)
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class RequestTool(BaseModel):
    """A tool that the model may call."""

    type: str = "function"
    function: ToolFunction | None = None


class JSONSchemaFormat(BaseModel):
    """A schema for the answer. Held to in any case, so that ``strict`` changes nothing."""

    model_config = ConfigDict(protected_namespaces=(), populate_by_name=True)

    name: str = ""
    description: str | None = None
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None


class RequestFormat(BaseModel):
    """What the answer's text is to be."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JSONSchemaFormat | None = None


class ServiceOptions(BaseModel):
    """What is asked of this service alone."""

    model_config = ConfigDict(extra="allow")

    trace: bool = False


class ChatCompletionRequest(GenerationRequest):
    """The body of ``POST /v1/chat/completions``."""

    refused: ClassVar[Mapping[str, Refusal]] = _REFUSED

    messages: WireList[RequestMessage] = Field(min_length=1)
    max_completion_tokens: int | None = Field(default=None, ge=-1, le=_MAX_BUDGET)
    tools: WireList[RequestTool] | None = Field(default=None, max_length=_MAX_TOOLS)
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    response_format: RequestFormat | None = None
    reasoning_effort: str | None = None
    enable_thinking: bool | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    thinking_budget: int | None = Field(default=None, ge=0, le=_MAX_BUDGET)
    old_reasoning: Literal["none", "tool_turns", "all"] | None = None
    volatile_system: Literal["move", "keep"] | None = None
    rkllm: ServiceOptions | None = None

    def chat_messages(self) -> list[ChatMessage]:
        """The conversation as chat types.

        Raises:
            InvalidRequest: It holds something that is not supported.
        """
        return to_chat_messages(self.messages)

    def options(self) -> GenerateOptions:
        """The options as chat types.

        Raises:
            InvalidRequest: Something is asked that cannot be done.
        """
        given: dict[str, Any] = {
            name: value
            for name in ("thinking_budget", "old_reasoning", "volatile_system")
            if (value := getattr(self, name)) is not None
        }
        return replace(
            super().options(),
            tools=self._tools(),
            response_format=self._format(),
            thinking=self._thinking(),
            effort=self._effort(),
            **self._choice(),
            **given,
        )

    @property
    def one_call_only(self) -> bool:
        """Whether at most one tool call of the answer is told."""
        return self.parallel_tool_calls is False

    @property
    def wants_trace(self) -> bool:
        """Whether the answer is to tell what was done with the request."""
        return self.rkllm is not None and self.rkllm.trace

    def ignored_fields(self) -> list[str]:
        """Names of fields that were sent and are not used, those of objects behind a dot."""
        inner = named_extras("rkllm", self.rkllm)
        inner += [
            f"chat_template_kwargs.{name}" for name in self.chat_template_kwargs or {} if name != "enable_thinking"
        ]
        if any(tool.function is not None and tool.function.strict for tool in self.tools or []):
            inner.append("tools.strict")
        inner += {name for message in self.messages for name in named_extras("messages", message)}
        return sorted([*super().ignored_fields(), *inner])

    def _wanted_tokens(self) -> int | None:
        return self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens

    def _tools(self) -> tuple[Tool, ...]:
        tools: dict[str, Tool] = {}
        for number, tool in enumerate(self.tools or []):
            if tool.type != "function" or tool.function is None:
                raise InvalidRequest(
                    f"tools[{number}] is of type {tool.type!r}; only functions are supported.",
                    f"tools[{number}].type",
                )
            name = tool.function.name
            if name in tools:
                raise InvalidRequest(f"Two tools have the name {name!r}.", f"tools[{number}].function.name")
            tools[name] = Tool(name, tool.function.description or "", tool.function.parameters or {})
        return tuple(tools.values())

    def _choice(self) -> dict[str, Any]:
        names = [tool.function.name for tool in self.tools or [] if tool.function is not None]
        choice, forced = read_tool_choice(self.tool_choice, names)
        return {"forced_tool": forced} if forced is not None else {"tool_choice": choice}

    def _format(self) -> ResponseFormat | None:
        wanted = self.response_format
        return None if wanted is None else read_response_format(wanted.model_dump(by_alias=True, exclude_none=True))

    def _thinking(self) -> bool | None:
        if self.enable_thinking is not None:
            return self.enable_thinking
        wanted = (self.chat_template_kwargs or {}).get("enable_thinking")
        if wanted is not None and not isinstance(wanted, bool):
            raise InvalidRequest(
                "chat_template_kwargs.enable_thinking must be true or false.", "chat_template_kwargs"
            )
        return wanted

    def _effort(self) -> Effort | None:
        if self.reasoning_effort is None:
            return None
        effort = _EFFORTS.get(self.reasoning_effort)
        if effort is None:
            raise InvalidRequest(
                f"reasoning_effort is {self.reasoning_effort[:100]!r}; it must be one of {', '.join(_EFFORTS)}.",
                "reasoning_effort",
            )
        return effort
