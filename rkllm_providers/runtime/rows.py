"""Hidden states and logits: rows of floats, copied out of the library inside its callback."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from rkllm_providers.errors import GenerationError, InvalidRequest
from rkllm_providers.runtime.abi import Layout
from rkllm_providers.runtime.events import Action, RunMode
from rkllm_providers.runtime.reader import EventReader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DEFAULT_MAX_BYTES = 1 << 29
"""How large a result may be where nothing else is said: 512 MiB."""

_FLOAT_BYTES = 4
_FIELDS = {
    RunMode.HIDDEN_STATES: ("last_hidden_layer", "hidden_states", "embd_size"),
    RunMode.LOGITS: ("logits", "logits", "vocab_size"),
}


def check_size(mode: RunMode, n_tokens: int | None, width: int | None, max_bytes: int) -> None:
    """Raise ``InvalidRequest`` for a result that is known to be too large before anything runs."""
    if n_tokens is None or width is None or n_tokens * width * _FLOAT_BYTES <= max_bytes:
        return
    raise InvalidRequest(
        f"The {mode.words} of {n_tokens} tokens take {n_tokens} x {width} x {_FLOAT_BYTES} = "
        f"{n_tokens * width * _FLOAT_BYTES} bytes, and the limit is {max_bytes}. Send fewer tokens at a time, "
        "or raise max_bytes.",
        param="max_bytes",
    )


class RowsReader(EventReader):
    """Collects the rows of one run. The library's buffer is good only inside the callback.

    With ``last_only`` nothing but the last position's row is copied, whatever the library delivers.
    """

    def __init__(
        self, layout: Layout, mode: RunMode, max_bytes: int, *, releases: bool, last_only: bool = False
    ) -> None:
        super().__init__(layout, lambda _: None)
        self._mode = mode
        self._max_bytes = max_bytes
        self._answer = Action.RELEASE if releases else None
        self._state = self._normal if self._passed_over is None else self._passed_over
        self._last_only = last_only
        self._parts: list[NDArray[np.float32]] = []
        self._n_bytes = 0

    def read(self, address: int | None, state: int) -> object:
        """Copy the rows of one callback; a result without rows, such as a token, is passed over."""
        if state == self._state:
            return self._take(address)
        return None if state == self._normal else self._read_rare(address, state)

    def array(self) -> NDArray[np.float32]:
        """All rows; raises ``GenerationError`` if there were none."""
        import numpy as np

        if not self._parts:
            raise GenerationError(f"The run ended, but the library delivered no {self._mode.words}.")
        return self._parts[0] if len(self._parts) == 1 else np.concatenate(self._parts)

    def _take(self, address: int | None) -> object:
        import numpy as np

        self._look_at(address)
        part, pointer, width_name = _FIELDS[self._mode]
        struct: Any = getattr(self._view, part)
        n_tokens, width, source = struct.num_tokens, getattr(struct, width_name), getattr(struct, pointer)
        if n_tokens == 0 or width == 0 or source is None:
            return None
        if n_tokens < 0 or width < 0 or (self._parts and width != self._parts[0].shape[1]):
            raise GenerationError(f"The library reported {self._mode.words} of the size {n_tokens} x {width}.")
        if self._last_only:
            self._parts.clear()
            self._n_bytes = 0
            source += (n_tokens - 1) * width * _FLOAT_BYTES
            n_tokens = 1
        n_bytes = n_tokens * width * _FLOAT_BYTES
        self._n_bytes += n_bytes
        if self._n_bytes > self._max_bytes:
            raise GenerationError(
                f"The {self._mode.words} are {n_tokens} x {width} x {_FLOAT_BYTES} = {self._n_bytes} bytes, and the "
                f"limit is {self._max_bytes}; they were not copied. Send fewer tokens at a time, or raise max_bytes."
            )
        rows = np.empty((n_tokens, width), np.float32)
        ctypes.memmove(rows.ctypes.data, source, n_bytes)
        self._parts.append(rows)
        return self._answer
