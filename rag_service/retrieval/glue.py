"""Lines of pages that were flattened without separators: ``SectionsSearchLog InThe first sentence.The second.``"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

# Alphabets with two cases, up to the end of the Georgian block.
_CASED: Final = [chr(code) for code in range(0x41, 0x1100)]
_UPPER: Final = "".join(letter for letter in _CASED if letter.isupper())
_LOWER: Final = "".join(letter for letter in _CASED if letter.islower())

# The end of a sentence that touches the start of the next; not in 3.5, U.S.A., e.g., example.com or node.js.
_SENTENCE_JOIN: Final = re.compile(
    rf"[.!?…؟۔।](?:(?<=[.!?…])[\"”’»)]?(?=[{_UPPER}\"“‘„«¿¡(])(?![{_UPPER}]\w*\()|(?<=[؟۔।])(?=\w))"
)
_COPYRIGHT_JOIN: Final = re.compile(r"[\w.!?。！？](?=©)")
# A small letter that touches a capital: mostly two pieces of text, sometimes a name such as YouTube. The capital
# comes first, so that most of a line is skipped; what may stand before one in other alphabets is told afterwards.
_CAPITAL: Final = re.compile(rf"[{_UPPER}](?<=[^\s{_UPPER}][{_UPPER}])(?=[{_LOWER}{_UPPER}’' ])")
_ASCII_CAPITAL: Final = re.compile(r"[A-Z](?<=[a-z\d):][A-Z])(?=[a-zA-Z' ])")
_SPACES: Final = re.compile(r"[ \t\xa0]{3,}(?=\S)")
_SPACE_MARKS: Final = ("   ", "\t", "\xa0")

# Lines shorter than this are not looked into; so many words make a piece that may be text.
_LONG_LINE: Final = 60
_PIECE_WORDS: Final = 6
# So many short pieces in a row are a menu.
_MENU_PIECES: Final = 3


def split_glued(line: str) -> list[int]:
    """Where to cut a line, as offsets in it: between sentences that touch, and around menus.

    A name with a capital inside is no cut: only runs of at least three short pieces without the end of a sentence
    are set apart. Text that was not glued comes back uncut.
    """
    if len(line) < _LONG_LINE and "©" not in line:
        return []
    cuts = {match.end() for match in _SENTENCE_JOIN.finditer(line) if _ends_sentence(line, match)}
    if "©" in line:
        cuts |= {match.end() for match in _COPYRIGHT_JOIN.finditer(line) if _ends_sentence(line, match)}
    gaps = set()
    if len(line) >= 2 * _LONG_LINE and any(map(line.__contains__, _SPACE_MARKS)):
        gaps = {match.end() for match in _SPACES.finditer(line)}
    if line.isascii():
        joins = {match.start() for match in _ASCII_CAPITAL.finditer(line)}
    else:
        joins = {at for at in map(re.Match.start, _CAPITAL.finditer(line)) if _touches(line[at - 1])}
    borders = sorted(cuts | gaps | joins)
    if len(borders) < _MENU_PIECES:
        return sorted(cuts | gaps)
    for start, end in _menus(line, [0, *borders, len(line)]):
        cuts |= {start, end}
    return sorted((cuts | gaps) - {0, len(line)})


def _ends_sentence(line: str, match: re.Match[str]) -> bool:
    """Whether what stands before the join is a word of two small letters or more, or a closing mark."""
    if match.group()[0] not in ".!?…" or len(match.group()) > 1:
        return True
    return line[max(0, match.start() - 2) : match.start()].islower() and line[match.start() - 2].isalpha()


def _touches(before: str) -> bool:
    return before.islower() or before.isdigit() or before in ")»”:"


def _menus(line: str, borders: list[int]) -> Iterator[tuple[int, int]]:
    """Runs of short pieces between these borders."""
    first: int | None = None
    for at in range(len(borders)):
        piece = line[borders[at] : borders[at + 1]] if at + 1 < len(borders) else None
        if (
            piece is not None
            and len(piece.split(None, _PIECE_WORDS)) < _PIECE_WORDS
            and not piece.rstrip().endswith((".", ",", ";"))
        ):
            first = at if first is None else first
            continue
        if first is not None and at - first >= _MENU_PIECES:
            yield borders[first], borders[at]
        first = None
