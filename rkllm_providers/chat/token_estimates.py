"""How many tokens a text has, where it is not worth counting them, or nobody here can."""

from __future__ import annotations

from typing import Final

from rkllm_providers.errors import ContextLengthExceeded
from rkllm_providers.models.control import ControlGuard

# No token is shorter than a byte, but some tokenizers normalise a character into up to three times its bytes.
_NORMALISED: Final = 3
_HOPELESS_FACTOR: Final = 6  # characters per token that a text rarely has
_COUNTED_CHARACTERS: Final = 100_000  # so much is counted exactly in any case
_PIECE_CHARACTERS: Final = 16_384
# Tokens per character, by how vocabularies of today treat a script.
_ASCII_RATE: Final = 0.27
_WIDE_RATE: Final = 0.75  # Chinese, Japanese, Korean, emoji
_OTHER_RATE: Final = 0.5
_FIRST_WIDE: Final = 0x2E80


def estimate_tokens(text: str) -> int:
    """About how many tokens a text has, by the scripts of its characters, for models without a tokenizer."""
    n_ascii = len(text.encode("ascii", "ignore"))
    n_wide = sum(1 for char in text if ord(char) >= _FIRST_WIDE) if n_ascii < len(text) else 0
    n_other = len(text) - n_ascii - n_wide
    return int(n_ascii * _ASCII_RATE + n_wide * _WIDE_RATE + n_other * _OTHER_RATE) + 1


def most_tokens(text: str) -> int:
    """The most tokens that any vocabulary makes of a text, without what the runtime puts around it."""
    n_ascii = len(text.encode("ascii", "ignore"))
    return n_ascii + _NORMALISED * (len(text.encode()) - n_ascii)


def refuse_hopeless(guard: ControlGuard, rendered: str, context_length: int) -> None:
    """Refuse a text far too long at the cost of reading what would fit, not of all of it.

    Encoding megabytes takes seconds in which nothing else of this process runs.
    """
    if len(rendered) < max(_HOPELESS_FACTOR * context_length, _COUNTED_CHARACTERS):
        return
    n_tokens = 0
    for at in range(0, len(rendered), _PIECE_CHARACTERS):
        # A cut can add a token or two at its ends.
        n_tokens += max(0, len(guard.encode_once(rendered[at : at + _PIECE_CHARACTERS])) - 4)
        if n_tokens >= context_length:
            raise ContextLengthExceeded(n_tokens, context_length, at_least=True)
