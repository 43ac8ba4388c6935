"""What chats and completions of the Ollama API have in common, and how it becomes options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

from pydantic import ConfigDict, Field

from rag_service.api.openai.fields import Refusal, WireRequest
from rag_service.api.openai.generation import DEFAULT_MAX_TOKENS
from rag_service.api.sampling_fields import MOST_TOKENS, PenaltyFields, check_stops, listed_stops
from rag_service.api.wire_lists import WireList
from rkllm_providers.chat import GenerateOptions
from rkllm_providers.chat.types import Effort, ResponseFormat
from rkllm_providers.engine import ModelClient, parse_keep_alive
from rkllm_providers.errors import InvalidRequest

_NO_PROBABILITIES: Final = "The runtime gives no log probabilities while it generates: leave this out."


class ModelOptions(PenaltyFields):
    """The ``options`` of a request; those that are not declared are named as ignored."""

    model_config = ConfigDict(extra="allow")

    num_predict: int | None = Field(default=None, ge=-2, le=MOST_TOKENS)
    stop: str | WireList[str] | None = None

    def max_tokens(self) -> int | None:
        """The most tokens of an answer; negative numbers are what the window leaves, as for Ollama."""
        if self.num_predict is None:
            return DEFAULT_MAX_TOKENS
        return None if self.num_predict < 0 else max(1, self.num_predict)

    def stops(self) -> tuple[str, ...]:
        """The texts that end an answer.

        Raises:
            InvalidRequest: There are too many, or they are too long.
        """
        return check_stops([stop for stop in listed_stops(self.stop) if stop], "options.stop")


class OllamaRequest(WireRequest):
    """A body with a model; Ollama's older clients call it ``name``."""

    model: str | None = None
    name: str | None = None

    @property
    def model_name(self) -> str | None:
        """The model without the tag that Ollama gives to those that have none."""
        name = self.model or self.name
        return name.removesuffix(":latest") if name else None


class OllamaGeneration(OllamaRequest):
    """The fields of a request for generated text. Ollama streams unless it is told not to."""

    refused: ClassVar[Mapping[str, Refusal]] = {
        "logprobs": Refusal(_NO_PROBABILITIES, (False,)),
        "top_logprobs": Refusal(_NO_PROBABILITIES, (0,)),
    }

    stream: bool = True
    format: Literal["", "json"] | dict[str, Any] | None = None
    options: ModelOptions | None = None
    think: bool | Literal["low", "medium", "high"] | None = None
    keep_alive: float | str | None = None

    def generate_options(self, client: ModelClient, **more: Any) -> GenerateOptions:
        """The options as chat types, for the model of ``client``.

        Raises:
            InvalidRequest: Something is asked that cannot be done.
        """
        self.check_refused()
        options = self.options or ModelOptions()
        if self.think and not client.card.capabilities.thinking:
            raise InvalidRequest(f"{client.card.entry.id} does not think: leave think out, or send false.", "think")
        effort: Effort | None = self.think if isinstance(self.think, str) else None
        return GenerateOptions(
            max_tokens=options.max_tokens(),
            stop=options.stops(),
            sampling=options.sampling(),
            response_format=self._response_format(),
            thinking=None if self.think is None else bool(self.think),
            effort=effort,
            keep_alive=self.seconds_to_stay(),
            **more,
        )

    def seconds_to_stay(self) -> float | None:
        """How long the model is to stay loaded.

        Raises:
            InvalidRequest: It is no time.
        """
        return None if self.keep_alive is None else parse_keep_alive(self.keep_alive)

    def ignored_fields(self) -> list[str]:
        """Names of fields that were sent and are not used, those of ``options`` behind a dot."""
        extra = (self.options.model_extra if self.options is not None else None) or {}
        return sorted([*super().ignored_fields(), *(f"options.{name}" for name in extra)])

    def _response_format(self) -> ResponseFormat | None:
        if not self.format:
            return None
        return ResponseFormat() if self.format == "json" else ResponseFormat(dict(self.format))
