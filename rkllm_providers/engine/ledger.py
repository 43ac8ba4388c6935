"""What the KV cache holds, as far as it can be known, and whether the runtime reuses it as it should.

The runtime compares each prompt with what its cache holds and computes only what follows the common
prefix (token input, runtime 1.2.0 and later). It tells how much it computed from 1.2.1 on. So what it should
have computed can be worked out here, compared with what it says, and stand in for it where it says
nothing.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rkllm_providers.models.observations import observe
from rkllm_providers.runtime.features import Feature, supports

logger = logging.getLogger(__name__)

# Runtimes may compute a token or two again, so as to have the scores behind them.
_TOLERANCE: Final = 4
_MISSES_TO_REPORT: Final = 2


class CacheUse(NamedTuple):
    """How much of a prompt was in the cache.

    ``cached_tokens`` is ``None`` where nothing can be said; ``estimated`` is what was expected and not what the
    runtime told. ``broke_at`` is the number of the first prompt token that was not as in the cache, ``None`` if none
    differs.
    """

    cached_tokens: int | None
    estimated: bool
    broke_at: int | None


def common_length(first: NDArray[np.int32], second: NDArray[np.int32]) -> int:
    """How many tokens two prompts have in common at their beginning."""
    length = min(len(first), len(second))
    different = np.flatnonzero(first[:length] != second[:length])
    return int(different[0]) if len(different) else length


class CacheLedger:
    """The account of one worker's KV cache. Belongs to the engine's thread."""

    def __init__(self, name: str, model: Path) -> None:
        self._name = name
        self._model = model
        self._version = ""
        self._held: NDArray[np.int32] | None = None
        self._misses = 0
        self._reported = False

    @property
    def is_unreliable(self) -> bool:
        """Whether the runtime has repeatedly computed what its cache should have held."""
        return self._misses >= _MISSES_TO_REPORT

    def open(self, version: str) -> None:
        """A worker has loaded the model: its cache is empty."""
        self._version = version
        self.clear()

    def clear(self) -> None:
        """The worker has emptied the cache, or uses none of it: what is run next is computed from its beginning."""
        self._held = np.empty(0, np.int32)

    def forget(self) -> None:
        """Something was run whose tokens are not known, or that failed: the cache may hold anything."""
        self._held = None

    @property
    def reuses_prefixes(self) -> bool:
        """Whether the runtime computes only what follows the common prefix, as far as is known."""
        return supports(self._version, Feature.PREFIX_REUSE) and not self.is_unreliable

    @property
    def held(self) -> NDArray[np.int32] | None:
        """The tokens in the cache, int32 ``[n_tokens]``; ``None`` where they are not known."""
        return self._held

    def hold(self, tokens: NDArray[np.int32]) -> None:
        """The worker has put these tokens' state into the cache."""
        self._held = tokens

    def common(self, prompt: array[int]) -> int | None:
        """How many tokens at the beginning of a prompt the cache holds; ``None`` where that is not known."""
        if not supports(self._version, Feature.PREFIX_REUSE):
            return 0
        if self._held is None:
            return None
        return common_length(np.frombuffer(prompt, np.int32), self._held)

    def note_run(
        self, prompt: array[int], generated: Sequence[int], prefill_tokens: int | None, *, restored: bool = False
    ) -> CacheUse:
        """Enter a run that ended well; ``generated`` are all tokens it sampled, those nobody got included.

        What was ``restored`` before it may not be what it was thought to be; that is no fault of the runtime's reuse.
        """
        expected = self.common(prompt)
        held = None if self._held is None else len(self._held)
        # The last token that was sampled has not been computed.
        self._held = np.concatenate([np.frombuffer(prompt, np.int32), np.asarray(generated[:-1], np.int32)])
        broke_at = None
        if expected is not None and supports(self._version, Feature.PREFIX_REUSE):
            # A prompt that ends before what the cache holds does not differ from it.
            broke_at = expected if expected < min(held or 0, len(prompt)) else None
        if prefill_tokens is None:
            return CacheUse(expected, bool(expected), broke_at)
        cached = max(0, len(prompt) - prefill_tokens)
        if expected is not None and not restored:
            self._compare(expected, cached)
        return CacheUse(cached, False, broke_at)

    def _compare(self, expected: int, cached: int) -> None:
        if expected <= _TOLERANCE:
            return
        if cached + _TOLERANCE >= expected:
            if self._reported:
                observe(self._model, "cache", None)
            self._misses, self._reported = 0, False
            return
        self._misses += 1
        if self._misses >= _MISSES_TO_REPORT and not self._reported:
            self._reported = True
            observe(
                self._model,
                "cache",
                f"Runtime {self._version} computed prompts anew that its KV cache should have held.",
            )
            logger.warning(
                "%s: the runtime computed prompts anew that its KV cache should have held (it reused %d of %d tokens "
                "the last time): every turn costs its whole prompt. Models with linear attention cannot do better.",
                self._name,
                cached,
                expected,
            )
