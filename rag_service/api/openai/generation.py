"""The fields that every request for generated text has, and how they become options."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from rag_service.api.openai.fields import WireRequest, named_extras
from rag_service.api.sampling_fields import MOST_TOKENS, PenaltyFields, check_stops, listed_stops
from rag_service.api.wire_lists import WireList
from rkllm_providers.chat import GenerateOptions
from rkllm_providers.engine import parse_keep_alive

DEFAULT_MAX_TOKENS: Final = 2048
"""The most tokens of an answer where the request does not say; less where the context window leaves less."""

_AS_MANY_AS_FIT: Final = -1
_MAX_SECONDS: Final = 7 * 24 * 3600.0


class StreamOptions(BaseModel):
    """Options of a streamed answer."""

    model_config = ConfigDict(extra="allow")

    include_usage: bool = False


class GenerationRequest(WireRequest, PenaltyFields):
    """What chat completions and text completions have in common."""

    model: str | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(default=None, ge=_AS_MANY_AS_FIT, le=MOST_TOKENS)
    stop: str | WireList[str] | None = None
    keep_alive: float | str | None = None
    timeout: float | None = Field(default=None, gt=0, le=_MAX_SECONDS, allow_inf_nan=False)
    first_token_timeout: float | None = Field(default=None, gt=0, le=_MAX_SECONDS, allow_inf_nan=False)
    priority: Literal["chat", "background", "bulk"] | None = None
    lora: str | None = None

    @property
    def include_usage(self) -> bool:
        """Whether a stream ends with the usage."""
        return self.stream_options is not None and self.stream_options.include_usage

    def options(self) -> GenerateOptions:
        """The options as chat types.

        Raises:
            InvalidRequest: Something is asked that cannot be done.
        """
        self.check_refused()
        given: dict[str, Any] = {name: getattr(self, name) for name in ("timeout", "first_token_timeout", "lora")}
        if self.priority is not None:
            given["priority"] = self.priority
        return GenerateOptions(
            max_tokens=self._most_tokens(),
            stop=check_stops(listed_stops(self.stop), "stop"),
            sampling=self.sampling(),
            keep_alive=None if self.keep_alive is None else parse_keep_alive(self.keep_alive),
            **given,
        )

    def ignored_fields(self) -> list[str]:
        """Names of fields that were sent and are not used, those of objects behind a dot."""
        return sorted([*super().ignored_fields(), *named_extras("stream_options", self.stream_options)])

    def _wanted_tokens(self) -> int | None:
        return self.max_tokens

    def _most_tokens(self) -> int | None:
        wanted = self._wanted_tokens()
        if wanted is None:
            return DEFAULT_MAX_TOKENS
        return None if wanted == _AS_MANY_AS_FIT else wanted
