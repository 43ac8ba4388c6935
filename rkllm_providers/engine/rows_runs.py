"""Runs that generate nothing, in the worker: hidden states and logits, reduced to what leaves the process.

The rows of a text take megabytes, what is wanted of them a few kilobytes: one vector, or two numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rkllm_providers.errors import GenerationError, InvalidRequest
from rkllm_providers.runtime import Feature, ModelHandle, PromptInput, TokenInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class RowsWanted:
    """What a run delivers in place of tokens.

    Without ``tokens`` it is the hidden state of the last position or the mean of all, as ``pooling`` says;
    with them the logits that the last position has for these.
    """

    pooling: Literal["last", "mean"] = "last"
    tokens: tuple[int, ...] = ()


def run_rows(handle: ModelHandle, wanted: RowsWanted, content: TokenInput | PromptInput) -> tuple[bytes, int | None]:
    """The float32 vector that is wanted, and how many positions it was made of, where that is known.

    Raises:
        GenerationError: The library fails, or delivers what are no numbers.
        UnsupportedFeature: The runtime cannot deliver logits.
    """
    clear_cache(handle)  # nothing that ran before may show in the result
    try:
        vector, n_rows = _logits(handle, wanted, content) if wanted.tokens else _hidden(handle, wanted, content)
    finally:
        clear_cache(handle)  # nor is it documented what a generation could reuse of these rows
    return _checked(vector), n_rows


def clear_cache(handle: ModelHandle) -> None:
    """Forget what was computed; runtimes that cannot clear their cache reuse nothing of it either."""
    if handle.library.supports(Feature.CLEAR_KV_CACHE):
        handle.clear_kv_cache()


def _hidden(handle: ModelHandle, wanted: RowsWanted, content: TokenInput | PromptInput) -> tuple[Any, int | None]:
    import numpy as np

    if wanted.pooling == "last" and isinstance(content, TokenInput):
        return handle.hidden_states(content, last_only=True)[0], None
    rows = handle.hidden_states(content)
    if wanted.pooling == "last":
        return rows[-1], rows.shape[0]
    return rows.mean(axis=0, dtype=np.float64), rows.shape[0]


def _logits(handle: ModelHandle, wanted: RowsWanted, content: TokenInput | PromptInput) -> tuple[Any, int | None]:
    row = handle.logits(content, last_only=True)[0]
    beyond = [token for token in wanted.tokens if token >= len(row)]
    if beyond:
        raise InvalidRequest(f"The model has {len(row)} tokens, and none of the id {beyond[0]}.")
    return row[list(wanted.tokens)], None


def _checked(vector: NDArray[np.floating[Any]]) -> bytes:
    import numpy as np

    if not np.isfinite(vector).all():
        raise GenerationError(
            "The library delivered rows that hold no numbers (NaN or infinity). "
            "The model may have been converted with a quantisation that it does not bear."
        )
    return vector.astype("<f4").tobytes()
