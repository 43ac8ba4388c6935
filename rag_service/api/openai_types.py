"""What the OpenAI chat API takes, and how it becomes chat types."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from rkllm_providers.chat import ChatMessage, GenerateOptions, Role, Sampling
from rkllm_providers.engine import parse_keep_alive
from rkllm_providers.errors import InvalidRequest

_ROLES: Final[dict[str, Role]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}
# Fields that change nothing about the answer, and need no word when they are not used.
_MAX_STOPS: Final = 16
_MAX_STOP_CHARACTERS: Final = 256
_MAX_TOKENS: Final = 2**31 - 1
# Only such names of unknown fields are fit for a header; a client that sends others knows them anyway.
_NAMEABLE: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MAX_NAMED: Final = 20
_HARMLESS: Final = frozenset({"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"})


class ContentPart(BaseModel):
    """A part of a message's content."""

    model_config = ConfigDict(extra="allow")

    type: str
    text: str | None = None


class RequestMessage(BaseModel):
    """A message of the request."""

    model_config = ConfigDict(extra="allow")

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[ContentPart] | None = None
    name: str | None = None
    tool_calls: list[dict[str, Any]] | None = None


class StreamOptions(BaseModel):
    """Options of a streamed answer."""

    include_usage: bool = False


class ChatCompletionRequest(BaseModel):
    """The body of ``POST /v1/chat/completions``. Unknown fields are kept, to be named as ignored."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    messages: list[RequestMessage] = Field(min_length=1)
    model: str | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(default=None, ge=1, le=_MAX_TOKENS)
    max_completion_tokens: int | None = Field(default=None, ge=1, le=_MAX_TOKENS)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=1e-6, le=1)
    top_k: int | None = Field(default=None, ge=1, le=1_000_000)
    repeat_penalty: float | None = Field(default=None, ge=0.01, le=100)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    stop: str | list[str] | None = None
    keep_alive: float | str | None = None
    n: int | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: Any = None
    response_format: dict[str, Any] | None = None
    logprobs: bool | None = None

    def chat_messages(self) -> list[ChatMessage]:
        """The conversation as chat types.

        Raises:
            InvalidRequest: It holds something that is not supported.
        """
        return [_chat_message(number, message) for number, message in enumerate(self.messages)]

    def options(self) -> GenerateOptions:
        """The options as chat types.

        Raises:
            InvalidRequest: Something is asked that cannot be done.
        """
        self._refuse_unsupported()
        stops: Sequence[str] = [self.stop] if isinstance(self.stop, str) else self.stop or ()
        return GenerateOptions(
            max_tokens=self.max_completion_tokens or self.max_tokens,
            stop=tuple(stops),
            sampling=Sampling(
                temperature=self.temperature,
                top_p=self.top_p,
                top_k=self.top_k,
                repeat_penalty=self.repeat_penalty,
                frequency_penalty=self.frequency_penalty,
                presence_penalty=self.presence_penalty,
            ),
            keep_alive=None if self.keep_alive is None else parse_keep_alive(self.keep_alive),
        )

    def ignored_fields(self) -> list[str]:
        """Names of fields that were sent and are not used."""
        unknown = sorted(set(self.model_extra or ()) - _HARMLESS)
        return [name for name in unknown if _NAMEABLE.fullmatch(name)][:_MAX_NAMED]

    def _refuse_unsupported(self) -> None:
        stops = [self.stop] if isinstance(self.stop, str) else self.stop or []
        if len(stops) > _MAX_STOPS or any(len(stop) > _MAX_STOP_CHARACTERS for stop in stops):
            raise InvalidRequest(
                f"stop has {len(stops)} sequences, the longest of {max(map(len, stops))} characters; at most "
                f"{_MAX_STOPS} of {_MAX_STOP_CHARACTERS} characters are taken.",
                "stop",
            )
        if self.n not in (None, 1):
            raise InvalidRequest(f"n is {self.n}; only one answer per request is supported.", "n")
        if self.tools and self.tool_choice != "none":
            raise InvalidRequest("Tools are not supported yet.", "tools")
        if self.response_format is not None and self.response_format.get("type") != "text":
            raise InvalidRequest(
                f"response_format {self.response_format.get('type')!r} is not supported yet; only 'text' is.",
                "response_format",
            )
        if self.logprobs:
            raise InvalidRequest("The runtime gives no log probabilities while it generates.", "logprobs")


def _chat_message(number: int, message: RequestMessage) -> ChatMessage:
    where = f"messages[{number}]"
    if message.tool_calls:
        raise InvalidRequest(f"{where}: tool calls in the history are not supported yet.", f"{where}.tool_calls")
    if message.content is None and message.role != "assistant":
        raise InvalidRequest(
            f"{where}.content is missing; only a message of the assistant may have none.", f"{where}.content"
        )
    return ChatMessage(_ROLES[message.role], _text(where, message.content), message.name)


def _text(where: str, content: str | list[ContentPart] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    for part in content:
        if part.type != "text":
            raise InvalidRequest(f"{where}: content of type {part.type!r} is not supported yet.", f"{where}.content")
    return "".join(part.text or "" for part in content)
