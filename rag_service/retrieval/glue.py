"""Lines of pages that were flattened without separators: ``SectionsSearchLog InThe first sentence.The second.``"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

# Alphabets with two cases, up to the end of the Georgian block.
_CASED: Final = [chr(code) for code in range(0x41, 0x1100)]
_UPPER: Final = "".join(letter for letter in _CASED if letter.isupper())
_LOWER: Final = "".join(letter for letter in _CASED if letter.islower())

# The end of a sentence that touches the start of the next; not in 3.5, U.S.A., e.g., example.Com or node.js.
_SENTENCE_JOIN: Final = re.compile(
    rf"(?<=[{_LOWER}]{{2}}[.!?…])(?=[{_UPPER}\"“‘„«¿¡(])(?![{_UPPER}]\w*\()"
    rf"|(?<=[.!?…][\"”’»)])(?=[{_UPPER}“„«¿¡])"
    rf"|(?<=[؟۔।])(?=\w)"
)
# A small letter that touches a capital: mostly two pieces of text, sometimes a name such as YouTube.
_CASE_JOIN: Final = re.compile(rf"(?<=[{_LOWER}\d)»”:])(?=[{_UPPER}][{_LOWER}{_UPPER}’' ])")
_SPACES: Final = re.compile(r"[^\S\n]{3,}(?=\S)")
_WORD: Final = re.compile(r"\S+")

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
    if len(line) < _LONG_LINE:
        return []
    cuts = {match.start() for match in _SENTENCE_JOIN.finditer(line)}
    gaps = {match.end() for match in _SPACES.finditer(line)} if len(line) >= 2 * _LONG_LINE else set()
    joins = {match.start() for match in _CASE_JOIN.finditer(line)}
    borders = sorted(cuts | gaps | joins)
    if len(borders) < _MENU_PIECES:
        return sorted(cuts | gaps)
    for start, end in _menus(line, [0, *borders, len(line)]):
        cuts |= {start, end}
    return sorted((cuts | gaps) - {0, len(line)})


def _menus(line: str, borders: list[int]) -> Iterator[tuple[int, int]]:
    """Runs of short pieces between these borders."""
    first: int | None = None
    for at in range(len(borders)):
        piece = line[borders[at] : borders[at + 1]] if at + 1 < len(borders) else None
        if (
            piece is not None
            and len(_WORD.findall(piece)) < _PIECE_WORDS
            and not piece.rstrip().endswith((".", ",", ";"))
        ):
            first = at if first is None else first
            continue
        if first is not None and at - first >= _MENU_PIECES:
            yield borders[first], borders[at]
        first = None
