"""What a run of the library delivers, as plain values.

A generation is a sequence of ``TokenEvent`` (one per sampled token, the end token included), then
exactly one ``FinishEvent``, or an ``ErrorEvent`` in its place.
"""

from __future__ import annotations

from typing import NamedTuple


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
