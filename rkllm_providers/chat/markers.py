"""How the markers of thinking and tool calls look in an answer's text.

A marker that is one token is known by its id, and stands in the text as one lone surrogate. UTF-8 cannot
carry those, so nothing a model spells out of ordinary tokens is ever taken for it. A marker that is not
one token, or whose tokenizer is not known, stands there as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

_FIRST_SURROGATE: Final = 0xD800
_SURROGATES: Final = 0x800


class Spelling:
    """Which markers of an answer are known by id, and what stands for them."""

    def __init__(self, marker_ids: Mapping[int, str], markers: Iterable[str]) -> None:
        """``markers`` are those of interest; the others of ``marker_ids`` stay what they are: tokens like any."""
        wanted = set(markers)
        texts = sorted(wanted.intersection(marker_ids.values()))[:_SURROGATES]
        self._signs = {text: chr(_FIRST_SURROGATE + number) for number, text in enumerate(texts)}
        self._texts = {ord(sign): text for text, sign in self._signs.items()}
        self.by_id: dict[int, str] = {
            token_id: self._signs[text] for token_id, text in marker_ids.items() if text in self._signs
        }

    def of(self, marker: str) -> str:
        """What stands for ``marker`` in the text."""
        return self._signs.get(marker, marker)

    def is_sign(self, marker: str) -> bool:
        """Whether ``marker`` is known by its id."""
        return marker in self._signs

    def plain(self, text: str) -> str:
        """``text`` with all markers as they are written."""
        return text if text.isascii() or not self._texts else text.translate(self._texts)

    def variants(self, text: str) -> tuple[str, ...]:
        """``text`` as it is, and as it looks where the markers in it are known by id."""
        signed = text
        for marker, sign in self._signs.items():
            signed = signed.replace(marker, sign)
        return (text,) if signed == text else (text, signed)


def first_characters(texts: Iterable[str], others: str = "") -> re.Pattern[str]:
    """Finds a character with which one of ``texts`` begins, or one of ``others``."""
    characters = sorted({text[0] for text in texts if text} | set(others))
    return re.compile(
        "[" + "".join(re.escape(character) for character in characters) + "]" if characters else r"(?!)"
    )


def possible_beginning(text: str, markers: Sequence[str]) -> int:
    """Length of the longest end of ``text`` that begins, and is not yet, one of ``markers``."""
    longest = max(map(len, markers), default=1)
    for at in range(max(0, len(text) - longest + 1), len(text)):
        end = text[at:]
        for marker in markers:
            if len(marker) > len(end) and marker.startswith(end):
                return len(end)
    return 0
