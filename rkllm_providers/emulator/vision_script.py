"""Scripted vision encoders: a few lines of text in place of a ``.rknn`` model, for the emulator's ``librknnrt.so``.

What such an encoder makes of a picture says what the picture was. With ``s = n_embd / n_outputs`` columns per output,
the row of token ``t`` holds for each output ``k`` (from column ``k * s`` on) these numbers, all exact in 32 bits,
and zeros behind them:

====== ======================================================================================
column value
====== ======================================================================================
0      4096 + k
1      n_outputs
2      t, from 0 on
3      n_tokens
4      width of the encoder's input in pixels
5      height of it
6      upper 16 bits of the CRC-32 of the pixels (RGB bytes row by row, ``zlib.crc32``)
7      lower 16 bits of it
8–10   mean red, green and blue (0 to 255) of the token's part of the picture
====== ======================================================================================

Tokens lie in a grid, row by row: ``r`` rows, the largest divisor of ``n_tokens`` up to its root, of ``n_tokens / r``
columns. Part ``i`` of ``n`` of a length begins at ``length * i // n``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

FIRST_LINE: Final = "#!rknn-script 1"
LEAST_COLUMNS: Final = 11
"""Columns that each output needs at least."""


def write_vision_encoder(
    path: Path,
    width: int = 28,
    height: int = 28,
    n_tokens: int = 4,
    n_embd: int = 64,
    n_outputs: int = 1,
    *,
    layout: Literal["nhwc", "nchw"] = "nhwc",
    run_ms: int = 0,
    faults: Iterable[str] = (),
) -> Path:
    """Write a scripted encoder, and return its path.

    It takes pictures of ``width`` × ``height`` pixels and gives ``n_tokens`` rows of ``n_embd`` numbers, which is the
    ``embedding_size`` of the scripted model it is for. ``layout`` is what the library says of its input, ``run_ms``
    how long a run takes. A fault is a function's name, the code it fails with, and, where not every call is to fail,
    which one on the context, from 1 on: ``"rknn_run -1 2"``.

    Raises:
        ValueError: A number does not fit; faults are checked by the library, when it loads the file.
    """
    if n_embd % n_outputs or n_embd // n_outputs < LEAST_COLUMNS:
        raise ValueError(f"n_embd must be n_outputs times at least {LEAST_COLUMNS}, not {n_embd} with {n_outputs}.")
    if n_tokens < 2:
        raise ValueError(f"An encoder gives at least 2 tokens, not {n_tokens}: one has no dimension that tells it.")
    numbers = {
        "width": width,
        "height": height,
        "n_tokens": n_tokens,
        "n_embd": n_embd,
        "n_outputs": n_outputs,
        "layout": layout,
        "run_ms": run_ms,
    }
    lines = [
        FIRST_LINE,
        *(f"{key} {value}" for key, value in numbers.items()),
        *(f"fault {fault}" for fault in faults),
    ]
    path.write_text("\n".join(lines) + "\n")
    return path
