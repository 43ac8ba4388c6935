"""Text with its case and compatible forms of characters made equal (Unicode's NFKC and full case folding)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

BORDER: Final = "\0"
"""What stands between texts that are folded together, and in none of them."""

# The table has the characters of the first plane; others are rare, and folded one text at a time.
_PLANE: Final = 0x10000
# No character of the table is folded to this: it is none.
_UNTABLED: Final = 0xFFFF
# Vowels and final consonants of Hangul, which join what is before them to one syllable.
_JAMO: Final = frozenset({*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)})


def fold(text: str) -> str:
    """``text`` in lower case, with compatible forms of characters made one."""
    if text.isascii():
        return text.lower()
    # A dotted capital I would leave its dot behind.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).replace("i\u0307", "i")


def fold_texts(texts: Sequence[str]) -> str:
    """All of ``texts`` folded, with ``BORDER`` between them; one that they have inside becomes a blank."""
    joined = BORDER.join(text.replace(BORDER, " ") for text in texts)
    if joined.isascii():
        return joined.lower()
    codes = codes_of(joined)
    folded = _table()[np.minimum(codes, _PLANE - 1)]
    untabled = np.flatnonzero(folded == _UNTABLED)
    tabled = folded.tobytes().decode("utf-16-le")
    if not len(untabled):
        return tabled
    parts = tabled.split(BORDER)
    for number in np.unique(np.searchsorted(np.flatnonzero(codes == 0), untabled)).tolist():
        parts[number] = fold(texts[number].replace(BORDER, " "))
    return BORDER.join(parts)


def codes_of(text: str) -> NDArray[np.uint32]:
    """The characters of a text as numbers."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


@cache
def _table() -> NDArray[np.uint16]:
    """What each character is folded to, where that is one character whatever stands beside it."""
    table = np.full(_PLANE, _UNTABLED, "<u2")
    joining = _joining()
    every = [code for code in range(1, _PLANE - 1) if not 0xD800 <= code < 0xE000]
    folded = fold(BORDER.join(map(chr, every))).split(BORDER)
    for code, to in zip(every, folded, strict=True):
        if len(to) == 1 and ord(to) < _UNTABLED and not {code, ord(to)} & joining:
            table[code] = ord(to)
    table[0] = 0
    return table


def _joining() -> set[int]:
    """The characters that may become one with what stands before them, or change places with it."""
    joining = set(_JAMO)
    for code in range(_PLANE):
        if unicodedata.combining(chr(code)):
            joining.add(code)
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            joining.add(int(parts[1], 16))
    return joining
