"""The only vocabulary between the floors: what is asked of a model, and what comes out.

Pure values, without behaviour or identity.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

Priority = Literal["chat", "background", "bulk"]
ToolChoice = Literal["auto", "none", "required"]
Effort = Literal["none", "minimal", "low", "medium", "high"]
OldReasoning = Literal["none", "tool_turns", "all"]
Role = Literal["system", "user", "assistant", "tool"]
FinishReason = Literal["stop", "length", "tool_calls"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model called: ``arguments`` is a JSON object as a string."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the model may call; ``parameters`` is the JSON schema of its arguments."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ImagePart:
    """A picture: the bytes of its file, in any format that ``rkllm_providers.vision`` reads.

    ``media_type`` is what the sender calls them; the bytes themselves say what they are. ``url`` is given instead of
    bytes for a picture that a service is to fetch; models on this machine refuse it.
    """

    data: bytes = field(default=b"", repr=False)
    media_type: str | None = None
    url: str | None = None

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the bytes, in hexadecimal digits: the same picture is read by a model once."""
        return hashlib.sha256(self.data or (self.url or "").encode(errors="replace")).hexdigest()


Content = str | tuple[str | ImagePart, ...]
"""What a message says: text, or texts and pictures in their order."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation.

    ``reasoning`` and ``tool_calls`` belong to the assistant; ``tool_call_id`` says which call the result of
    a tool answers, and ``name`` which tool. Pictures are in messages of the user and in results of tools.
    """

    role: Role
    content: Content
    name: str | None = None
    reasoning: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None

    @property
    def text(self) -> str:
        """All its text; nothing stands for its pictures."""
        content = self.content
        return content if isinstance(content, str) else "".join(part for part in content if isinstance(part, str))

    @property
    def pictures(self) -> tuple[ImagePart, ...]:
        """Its pictures, in their order."""
        content = self.content
        return () if isinstance(content, str) else tuple(part for part in content if isinstance(part, ImagePart))


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """What the text of an answer must be: JSON by a schema, or any JSON object where ``schema`` is ``None``.

    ``name`` and ``description`` tell the model what it is.
    """

    schema: Mapping[str, Any] | None = None
    name: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn; ``None`` leaves a value as the runtime has it.

    Runtimes before 1.3.0 take these when a model is loaded, and cannot change them afterwards.
    """

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repeat_penalty: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None

    def over(self, defaults: Mapping[str, float]) -> Sampling:
        """These values, and of ``defaults`` those that are ``None`` here."""
        values: dict[str, Any] = {
            name: int(value) if name == "top_k" else value
            for name, value in defaults.items()
            if getattr(self, name) is None
        }
        return replace(self, **values) if values else self


@dataclass(frozen=True, slots=True)
class GenerateOptions:
    """What a caller may ask of one generation.

    ``max_tokens`` is bounded by what the prompt leaves of the context window, and is that bound
    where it is ``None``. ``stop`` are texts that end the answer and are not part of it; they do not end its
    reasoning. ``lora`` names an adapter of the model.

    ``tools`` may be called by the model; ``tool_choice`` says whether it may (``auto``), must (``required``) or
    must not, and ``forced_tool`` names the one that it must call. ``response_format`` asks for JSON as text.
    ``thinking`` switches thinking on or off where the model can (``None`` leaves it to the model's template),
    ``effort`` says how much, and ``thinking_budget`` is the most tokens of it. ``old_reasoning`` is which reasoning
    of earlier turns the model is shown, as far as its template shows any: none, that of the turn under way (between a
    question and its answer, over tool calls), or all. ``volatile_system`` says whether clocks and sentences that
    change in the system message move to the newest turn (``move``), which keeps the rest in the KV cache, or stay
    (``keep``). A text that is continued without the chat template has nothing of these.

    ``timeout`` is in seconds, over everything from the call to the last token, the wait in the queue included;
    ``first_token_timeout`` likewise, to the first token. Requests of a higher ``priority`` are answered
    first: a chat before work in the background, and that before bulk work. ``keep_alive`` is how many seconds the
    model stays loaded after its last request, from this one on; infinity or any negative for ever, and ``None`` for
    what was in force before.
    """

    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = "auto"
    forced_tool: str | None = None
    response_format: ResponseFormat | None = None
    thinking: bool | None = None
    effort: Effort | None = None
    thinking_budget: int | None = None
    old_reasoning: OldReasoning = "tool_turns"
    volatile_system: Literal["move", "keep"] = "move"
    timeout: float | None = None
    first_token_timeout: float | None = None
    priority: Priority = "chat"
    keep_alive: float | None = None
    lora: str | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """More of the model's thinking."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of the tool call with this ``index`` (0 for the first of an answer).

    ``id`` and ``name`` are in the first piece of a call and ``None`` in all others; the ``arguments`` of all
    pieces together are a JSON object.
    """

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class InvalidToolCall:
    """A tool call that the model began and did not write so that it can be read: its text as it is, and why.

    ``index`` is that of the deltas that were sent of it, which are to be dropped; ``None`` where none were.
    """

    text: str
    problem: str
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts: ``prompt_tokens`` is the whole prompt, ``cached_tokens`` the part of it that
    the KV cache held already, ``completion_tokens`` every sampled token, the end token included.
    ``reasoning_tokens`` are those of them spent on thinking. ``estimated`` says that the runtime cannot tell
    ``prompt_tokens`` and there is no tokenizer to count them, ``cached_estimated`` that ``cached_tokens`` is what was
    expected, since the runtime does not tell.
    """

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    estimated: bool = False
    reasoning_tokens: int = 0
    cached_estimated: bool = False

    @property
    def total_tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time of a request went, in milliseconds; ``load_ms`` is 0 for a loaded model.

    ``prefix_break`` is where the prompt stopped being as in the KV cache, so that all behind it had to be read
    anew: the number of the message and of the token, both from 0; ``None`` where nothing broke. ``encoded_pictures``
    were new to the model and went through its vision encoder, which took ``encode_ms``; the others were known.
    """

    queue_ms: float
    load_ms: float
    prefill_ms: float
    decode_ms: float
    prefix_break: tuple[int, int] | None = None
    encoded_pictures: int = 0
    encode_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Finish:
    """The last event of an answer.

    ``warnings`` name what was asked and could not be done, in sentences. ``stop`` is the stop sequence of the request
    that ended the answer, where one did.
    """

    reason: FinishReason
    usage: Usage
    timings: Timings
    warnings: tuple[str, ...] = ()
    stop: str | None = None

    @property
    def tokens_per_second(self) -> float | None:
        """The pace of decoding, which begins behind the first token; ``None`` where there is no other."""
        if self.timings.decode_ms <= 0:
            return None
        return (self.usage.completion_tokens - 1) / self.timings.decode_ms * 1000


ChatEvent = TextDelta | ReasoningDelta | ToolCallDelta | InvalidToolCall | Finish


@dataclass(frozen=True, slots=True)
class ChatResult:
    """A whole answer: the collected stream."""

    text: str
    finish: Finish
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    invalid_tool_calls: tuple[InvalidToolCall, ...] = ()
