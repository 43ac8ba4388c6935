"""What samplers can work with. A value outside would fail in the library, and there perhaps for everybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SAMPLING_BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "temperature": (0, 100),
    "top_p": (1e-6, 1),
    "top_k": (1, 1_000_000),
    "repeat_penalty": (0.01, 100),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
}
"""The least and the most that a value may be. Elsewhere 0 turns ``top_k`` off; not every runtime knows that."""
