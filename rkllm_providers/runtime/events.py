"""What a run of the library delivers, as plain values.

A generation is a sequence of ``TokenEvent`` (one per sampled token, the end token included), then
exactly one ``FinishEvent``, or an ``ErrorEvent`` in its place.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import NamedTuple


class RunMode(Enum):
    """What a run delivers; the values are the library's names."""

    GENERATE = "RKLLM_INFER_GENERATE"
    HIDDEN_STATES = "RKLLM_INFER_GET_LAST_HIDDEN_LAYER"
    LOGITS = "RKLLM_INFER_GET_LOGITS"

    @property
    def words(self) -> str:
        """The mode as it reads in a sentence."""
        return self.name.lower().replace("_", " ")


class Action(IntEnum):
    """What an event handler may ask for by returning it; whatever else it returns means to go on.

    ``PAUSE`` (runtime 1.2.1) ends the run and keeps its KV cache, so that a run whose input begins with the
    same tokens goes on from there. ``RELEASE`` (1.3.0) frees a buffer of hidden states or logits; the binding
    returns it itself, once it has copied them.
    """

    PAUSE = 1
    RELEASE = 2


class PerfStat(NamedTuple):
    """The library's own figures of a run (runtime 1.2.1 and later).

    Times are in milliseconds, memory in megabytes (peak resident size). ``prefill_tokens`` counts
    only tokens that were really computed, not those reused from the KV cache; ``generate_tokens``
    leaves out the first sampled token, which the library counts as prefill.
    """

    prefill_ms: float
    prefill_tokens: int
    generate_ms: float
    generate_tokens: int
    memory_mb: float


class TokenEvent(NamedTuple):
    """One sampled token.

    ``text`` are the bytes that became deliverable with it: empty for a special token whose text is
    skipped and, with ``waiting`` set, for a token that ends inside a UTF-8 character.
    """

    token_id: int
    text: bytes
    waiting: bool = False


class FinishEvent(NamedTuple):
    """The run ended; ``perf`` is ``None`` on runtimes that report no figures."""

    perf: PerfStat | None


class ErrorEvent(NamedTuple):
    """The library reported that the run failed."""


RuntimeEvent = TokenEvent | FinishEvent | ErrorEvent
