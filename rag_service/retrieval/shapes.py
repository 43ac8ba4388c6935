"""What kind of lines a plain text is made of: code, table rows, data, list items, headings; all else is prose.

One line seldom tells: a line with two commas is a row of a table only among others like it. So kinds are given to
runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rag_service.retrieval.characters import (
    BULLET,
    CODE_MARK,
    COLON,
    DIGIT,
    FENCE,
    HASH,
    LETTERS,
    LOWER,
    PIPE,
    SPACE,
    TAB,
    UNDERLINE,
    VALUE_MARK,
    Pieces,
)
from rag_service.retrieval.types import BlockKind

_FENCE: Final = re.compile(r"\s{0,3}(```|~~~)")
_BULLET: Final = re.compile(
    r"\s*(?:[•‣◦▪▫●○■□∙※◆◇►▶✓✔☐☑①-⑳]|[（(]?[一二三四五六七八九十]{1,3}[、）)]|\d{1,3}、)\s*\S"
    r"|\s*(?:[-*+–—·]|\(?(?:\d{1,3}|[a-zA-Z])[.)])\s+\S"
)
_MARK: Final = re.compile(r"\s{0,3}(#{1,6})\s+\S")
_UNDERLINE: Final = re.compile(r"\s{0,3}(=|-|~|\^){3,}\s*$")
_UNDERLINE_ENDS: Final = tuple("=-~^")
_TIMECODE: Final = re.compile(r"\d{1,2}:\d\d(?::\d\d)?[.,]\d{1,3}\s*-->|^\s*WEBVTT\b")
_CLOCK: Final = re.compile(
    r"\s*[\[(]?(?:\d{4}-\d\d-\d\d[T ])?\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?\s?(?:[AaPp][Mm])?[\])]?\s*\S"
)
_PAIR: Final = re.compile(r"\s*[^\s:：=][^:：=\n]{0,40}?(?:\s?[:：]\s|：|\s=\s)\s*\S")
_COLUMNS: Final = re.compile(r"\S(?: {2,}|\t+)\S")
_SENTENCE_ENDS: Final = tuple(".!?…。！？।؟۔")
_SENTENCE_CLOSERS: Final = "\"'”’»」』)]"
_SYMBOLS: Final = "{}()[]=<>;_\\|&*+$@#`~^%/"
_NO_HEADING_ENDS: Final = tuple(".,;。，；、…।؟")
_DIGIT: Final = re.compile(r"\d")

# Shapes of code lines that hardly occur in prose, for languages of the C family, Python, shells, SQL, markup.
_CODE: Final = re.compile(
    r"""
    \s*(?:
      (?:def|class)\s+\w+\s*[(:].*:\s*(?:\#.*)?$
    | (?:if|elif|for|while|with|try|except|else|finally|match|case)\b.*:\s*(?:\#.*)?$(?<=[\w)\]'"]:)
    | (?:import\s+[\w.]+(?:\s+as\s+\w+)?|from\s+[\w.]+\s+import\s+.+)$
    | (?:return|yield|raise|assert|del|print)\b\s*[\w("'\[{\-].*[()\[\]=_.].*$
    | [\])}]+[;,)]*\s*$
    | (?:\#include|\#define|\#ifdef|\#!/|//|/\*|<\?|</?\w+[^<>]*>\s*$)
    | (?:\$|>>>|\.\.\.|PS\s?[A-Z]:\\[^>]*>|[\w.-]+@[\w.-]+:[^$\#]*[$\#])\s+\S
    | (?:sudo|apt|apt-get|pip|pip3|git|npm|npx|yarn|docker|curl|wget|make|cmake|cargo|kubectl|systemctl|chmod)
      \s+[\w./~-][^.!?]*$
    | (?:SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|CREATE\s+TABLE|DELETE\s+FROM|FROM\s+\w+|WHERE\s+\w+)\b
    | [\w.]+\([^()]*(?:\([^()]*\)[^()]*)*\)\s*[;,:{]?\s*$
    | @\w+(?:\(.*\))?\s*$
    )
    """,
    re.VERBOSE,
)
# What any of these begins with, unless a bracket or an at sign is in the line.
_CODE_START: Final = re.compile(
    r"\s*(?:[\])}\#/<$>.]|PS|(?:def|class|if|elif|for|while|with|try|except|else|finally|match|case|import|from|return"
    r"|yield|raise|assert|del|print|sudo|apt|pip|pip3|git|npm|npx|yarn|docker|curl|wget|make|cmake|cargo|kubectl"
    r"|systemctl|chmod|SELECT|INSERT|UPDATE|CREATE|DELETE|FROM|WHERE)\b)"
)
_ASSIGNMENT: Final = re.compile(r"\s*(?:[\w.*&<>\[\]]+ ){0,3}[\w.\[\]\"'()]+\s?(?:[-+*/|:]?=|=>|->|==)\s?\S")
_CODE_ENDS: Final = (";", "{", "}")
_LONGEST_TESTED: Final = 400
_SYMBOL_SHARE: Final = 0.12
_DIGIT_SHARE: Final = 0.3
_NO_CELLS: Final = -2
_LEAST_ROWS: Final = 3
_LEAST_PAIRS: Final = 3
_LEAST_CODE: Final = 2
_PAIR_CHARACTERS: Final = 160
_HEADING_CHARACTERS: Final = 100


def kinds_of(lines: Pieces) -> list[BlockKind]:
    """The kind of each of these lines; empty lines get that of the lines around them, or ``prose``.

    ``heading`` is given for marks only (``# ...``, underlining); see :func:`heads` for unmarked ones.
    """
    texts = lines.texts
    kinds: list[BlockKind | None] = [None] * len(texts)
    if not texts:
        return []
    _mark_fences(texts, _numbers(lines.have(FENCE)), kinds)
    timed = [at for at in _numbers(lines.have(COLON)) if "-->" in texts[at] or "WEBVTT" in texts[at]]
    if sum(1 for at in timed if _TIMECODE.search(texts[at][:_LONGEST_TESTED])) >= _LEAST_ROWS:
        kinds = [kind or "data" for kind in kinds]
    _mark_headings(texts, _numbers(lines.have(HASH | UNDERLINE)), kinds)
    _mark_tables(lines, kinds)
    shapes = _Shapes(lines)
    _mark_code(texts, shapes.code(), kinds)
    _mark_runs(texts, shapes.data(), kinds, "data", _is_datum, least=2)
    _mark_runs(texts, shapes.items(), kinds, "list", is_item, least=1)
    _mark_runs(texts, _numbers(lines.have(COLON)), kinds, "data", _is_pair, least=_LEAST_PAIRS)
    return [kind or "prose" for kind in kinds]


def _numbers(which: NDArray[np.bool_]) -> list[int]:
    numbers: list[int] = np.flatnonzero(which).tolist()
    return numbers


class _Shapes:
    """Which lines may be code, data or items by the characters they begin with or hold: quick tests of them all."""

    def __init__(self, lines: Pieces) -> None:
        characters = lines.characters
        last = len(characters.marks) - 1
        self._lines: Final = lines
        first = lines.firsts
        self._first: Final = characters.marks[np.minimum(first, last)]
        self._second: Final = characters.marks[np.minimum(first + 1, last)]
        self._ascii: Final = (characters.codes[np.minimum(first, last)] < 128) & (
            characters.codes[np.minimum(first + 1, last)] < 128
        )
        self._codes: Final = characters.codes[np.minimum(first, last)]

    def code(self) -> list[int]:
        """Lines that hold a mark of code, or begin with a small letter, a mark, or a word in capitals."""
        marked = self._lines.have(CODE_MARK)
        upper = (self._codes < 128) & ((self._first & LETTERS) != 0) & ((self._second & LETTERS) != 0)
        capitals = upper & ((self._second & LOWER) == 0)
        small = (self._codes < 128) & ((self._first & LOWER) != 0)
        other = (self._codes < 128) & ((self._first & (LETTERS | SPACE)) == 0)
        return _numbers((marked | capitals | small | other) & (self._lines.lengths <= _LONGEST_TESTED))

    def data(self) -> list[int]:
        """Lines of which digits are much, or that begin with one as a time does."""
        digits = self._lines.count(self._lines.characters.places(DIGIT))
        many = digits >= _DIGIT_SHARE * (self._lines.ends - self._lines.firsts)
        bracket = (self._codes == ord("[")) | (self._codes == ord("("))
        return _numbers((digits > 0) & (many | bracket | ((self._first & DIGIT) != 0)))

    def items(self) -> list[int]:
        """Lines that begin with what an item may, and not with two letters."""
        letters = ((self._first & LETTERS) != 0) & ((self._second & LETTERS) != 0) & self._ascii
        starts = ((self._first & (BULLET | DIGIT)) != 0) | (((self._first & LETTERS) != 0) & (self._codes < 128))
        return _numbers(starts & ~letters)


def heading_level(line: str) -> int:
    """1–6 for a line marked as a heading by ``#``, else 0."""
    match = _MARK.match(line) if "#" in line else None
    return len(match.group(1)) if match else 0


def is_item(line: str) -> bool:
    """Whether a line begins with a bullet or a number as list items do."""
    head = line.lstrip()[:2]
    return not _is_letters(head) and _BULLET.match(line[:_LONGEST_TESTED]) is not None


def _is_letters(head: str) -> bool:
    """Whether these are letters that no item begins with: Chinese numerals are letters too."""
    return head.isascii() and head.isalpha()


def heads(line: str, before: str, after: str) -> bool:
    """Whether a line without a mark reads as a heading: short, no sentence, apart from what precedes it, above text.

    ``before`` and ``after`` are the lines around it, empty where there are none.
    """
    text = line.strip()
    if not text or len(text) > _HEADING_CHARACTERS or before.strip() or not after.strip():
        return False
    return not text.endswith(_NO_HEADING_ENDS) and len(after.strip()) > len(text)


def _mark_fences(lines: Sequence[str], numbers: Iterable[int], kinds: list[BlockKind | None]) -> None:
    opened: int | None = None
    mark = ""
    for at in numbers:
        match = _FENCE.match(lines[at])
        if match is None:
            continue
        if opened is None:
            opened, mark = at, match.group(1)
        elif match.group(1) == mark:
            kinds[opened : at + 1] = ["code"] * (at + 1 - opened)
            opened = None


def _mark_headings(lines: Sequence[str], numbers: Iterable[int], kinds: list[BlockKind | None]) -> None:
    for at in numbers:
        line = lines[at]
        if kinds[at] is None and heading_level(line):
            kinds[at] = "heading"
        elif (
            at
            and kinds[at] is None
            and kinds[at - 1] is None
            and line.rstrip().endswith(_UNDERLINE_ENDS)
            and _UNDERLINE.match(line)
            and 0 < len(lines[at - 1].strip()) <= _HEADING_CHARACTERS
            and (at < 2 or not lines[at - 2].strip())
        ):
            kinds[at - 1] = kinds[at] = "heading"


def _mark_tables(lines: Pieces, kinds: list[BlockKind | None]) -> None:
    texts = lines.texts
    short = lines.lengths <= _LONGEST_TESTED + 100
    for which, count_cells, least in (
        (lines.have(PIPE), _cells_by("|"), _LEAST_ROWS),
        (lines.have(TAB), _cells_by("\t"), 2),
        (lines.gaps, _columns, 3),
        (lines.have(VALUE_MARK) & short, _values, _LEAST_ROWS),
    ):
        counts = {at: count for at in _numbers(which) if kinds[at] is None and (count := count_cells(texts[at]))}
        for start, end in _runs(counts):
            if end - start >= least:
                kinds[start:end] = ["table"] * (end - start)


def _cells_by(mark: str) -> Callable[[str], int]:
    def count(line: str) -> int:
        inner = line.strip().strip(mark).count(mark)
        return inner + 1 if inner else 0

    return count


def _columns(line: str) -> int:
    line = line.strip()[:_LONGEST_TESTED]
    gaps = len(_COLUMNS.findall(line)) if "  " in line else 0
    return gaps + 1 if gaps >= 2 else 0


def _values(line: str) -> int:
    """Cells of a line of comma- or semicolon-separated values; 0 for what may be a sentence."""
    for mark in (";", ","):
        count = line.count(mark)
        if count >= 2 and (text := line.strip()).count(mark + " ") <= count // 3:
            return 0 if len(text) > _LONGEST_TESTED or _ends_sentence(text) else count + 1
    return 0


def _ends_sentence(text: str) -> bool:
    return text.rstrip(_SENTENCE_CLOSERS).endswith(_SENTENCE_ENDS)


def _runs(counts: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    """Runs of neighbours whose counts differ by one at most; the lines without a count are not there."""
    end = 0
    for start in counts:
        if start < end:
            continue
        end = start + 1
        while abs(counts.get(end, _NO_CELLS) - counts[start]) <= 1:
            end += 1
        yield start, end


def _mark_code(lines: Sequence[str], numbers: Iterable[int], kinds: list[BlockKind | None]) -> None:
    """Mark runs with at least two lines that look like code, and the indented or empty ones between them."""
    such = {at for at in numbers if kinds[at] is None and _is_code(lines[at])}
    end = 0
    for start in sorted(such):
        if start < end:
            continue
        end, hits, last = start, 0, start
        while end < len(lines) and kinds[end] is None:
            if end in such:
                hits, last = hits + 1, end
            elif end - last > 2 or not (not lines[end].strip() or lines[end][0] in " \t"):
                break
            end += 1
        if hits >= _LEAST_CODE:
            kinds[start : last + 1] = ["code"] * (last + 1 - start)
            end = last + 1


def _is_code(line: str) -> bool:
    if len(line) > _LONGEST_TESTED or not _is_code_shaped(line):
        return False
    return not _ends_sentence(line) or sum(map(line.count, _SYMBOLS)) >= _SYMBOL_SHARE * len(line)


def _is_code_shaped(line: str) -> bool:
    if line.rstrip().endswith(_CODE_ENDS) or ("=" in line and _ASSIGNMENT.match(line)):
        return True
    return ("(" in line or "@" in line or _CODE_START.match(line) is not None) and _CODE.match(line) is not None


def _mark_runs(
    lines: Sequence[str],
    numbers: Iterable[int],
    kinds: list[BlockKind | None],
    kind: BlockKind,
    is_one: Callable[[str], bool],
    least: int,
) -> None:
    """Give ``kind`` to runs of at least ``least`` such lines; one empty line between two does not end a run."""
    such = {at for at in numbers if kinds[at] is None and is_one(lines[at])}
    end = 0
    for start in sorted(such):
        if start < end:
            continue
        end, found, at = start + 1, 1, start + 1
        while at < len(lines) and kinds[at] is None and at - end < 2:
            if at in such:
                end, found = at + 1, found + 1
            elif lines[at].strip():
                break
            at += 1
        if found >= least:
            kinds[start:end] = [kind] * (end - start)


def _is_datum(line: str) -> bool:
    """Whether digits make up much of a line, or a time begins it."""
    if len(text := line.strip()) > _LONGEST_TESTED or not _DIGIT.search(text):
        return False
    return bool(_CLOCK.match(text)) or len(_DIGIT.findall(text)) >= _DIGIT_SHARE * len(text)


def _is_pair(line: str) -> bool:
    if len(line) > _PAIR_CHARACTERS or not (":" in line or "=" in line or "：" in line):
        return False
    return _PAIR.match(line) is not None
