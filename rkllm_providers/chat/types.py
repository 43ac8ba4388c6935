"""The only vocabulary between the floors: what is asked of a model, and what comes out.

Pure values, without behaviour or identity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]
FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation."""

    role: Role
    content: str
    name: str | None = None


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
    where it is ``None``. ``stop`` are texts that end the answer and are not part of it. ``timeout``
    is in seconds, over everything from the call to the last token, the wait in the queue included.
    ``lora`` names an adapter of the model.
    """

    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    timeout: float | None = None
    lora: str | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts: ``prompt_tokens`` is the whole prompt, ``cached_tokens`` the part of it that
    the KV cache held already, ``completion_tokens`` every sampled token, the end token included.
    ``estimated`` says that the runtime cannot tell the first two and there is no tokenizer to count them.
    """

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    estimated: bool = False

    @property
    def total_tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time of a request went, in milliseconds; ``load_ms`` is 0 for a loaded model."""

    queue_ms: float
    load_ms: float
    prefill_ms: float
    decode_ms: float


@dataclass(frozen=True, slots=True)
class Finish:
    """The last event of an answer.

    ``warnings`` name what was asked and could not be done, in sentences.
    """

    reason: FinishReason
    usage: Usage
    timings: Timings
    warnings: tuple[str, ...] = ()


ChatEvent = TextDelta | Finish


@dataclass(frozen=True, slots=True)
class ChatResult:
    """A whole answer: the collected stream."""

    text: str
    finish: Finish
