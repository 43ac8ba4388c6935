"""How tokens are drawn and where an answer stops: fields that the APIs have alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pydantic import BaseModel, Field

from rkllm_providers.chat import Sampling
from rkllm_providers.errors import InvalidRequest

MOST_TOKENS: Final = 2**31 - 1
"""What a number of tokens may be."""

_MOST_STOPS: Final = 16
_MOST_STOP_CHARACTERS: Final = 256


class SamplingFields(BaseModel):
    """How tokens are drawn, as all APIs have it."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=1e-6, le=1)
    top_k: int | None = Field(default=None, ge=1, le=1_000_000)

    def sampling(self) -> Sampling:
        """The same as a chat type."""
        return Sampling(temperature=self.temperature, top_p=self.top_p, top_k=self.top_k)


class PenaltyFields(SamplingFields):
    """The same with penalties, as the APIs of OpenAI and Ollama have them."""

    repeat_penalty: float | None = Field(default=None, ge=0.01, le=100)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)

    def sampling(self) -> Sampling:
        """The same as a chat type."""
        return replace(
            super().sampling(),
            repeat_penalty=self.repeat_penalty,
            frequency_penalty=self.frequency_penalty,
            presence_penalty=self.presence_penalty,
        )


def check_stops(stops: Sequence[str], field: str) -> tuple[str, ...]:
    """The texts that end an answer, which were given as ``field``.

    Raises:
        InvalidRequest: There are too many, or they are too long.
    """
    longest = max(map(len, stops), default=0)
    if len(stops) > _MOST_STOPS or longest > _MOST_STOP_CHARACTERS:
        raise InvalidRequest(
            f"{field} has {len(stops)} texts, the longest of {longest} characters; at most {_MOST_STOPS} of "
            f"{_MOST_STOP_CHARACTERS} characters are taken.",
            field,
        )
    return tuple(stops)


def listed_stops(stop: str | Sequence[str] | None) -> list[str]:
    """The entries of a field that is one text or several."""
    return [stop] if isinstance(stop, str) else list(stop or ())
