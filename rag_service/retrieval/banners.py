"""Banners that ask for consent and bars of links, where text stands beside them in one line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Final

import numpy as np

from rag_service.retrieval.boilerplate import BOILERPLATE, CONSENT
from rag_service.retrieval.boilerplate_phrases import CONSENT_WORDS
from rag_service.retrieval.characters import Characters, Places, merge_places
from rag_service.retrieval.function_words import FUNCTION_CHARACTERS
from rag_service.retrieval.language import UNSPACED as UNSPACED_RANGES
from rag_service.retrieval.language import WORD, words_of
from rag_service.retrieval.page_words import BANNER, PageWords
from rag_service.retrieval.sentences import sentences

_BANNER_CHARACTERS: Final = 1_000
_COPYRIGHT_CHARACTERS: Final = 160
# Shorter lines are a banner or none, but hold no text beside it.
_LONG_LINE: Final = 30
# No phrase that asks for consent is longer.
_PHRASE_CHARACTERS: Final = 60
_COPYRIGHT: Final = re.compile(r"©|\(c\)\s?(?:19|20)\d\d|copyright\s(?:©|\d)", re.IGNORECASE)
_ABOUT_CONSENT: Final = re.compile("|".join(word.strip() for word in CONSENT_WORDS.split("|")))
# Latin, Greek and Cyrillic: all alphabets with capitals that are much in use.
_CASED: Final = tuple(map(chr, (*range(0x530), *range(0x1E00, 0x2000))))
_TOUCHING: Final = re.compile(
    f"(?<=[{''.join(filter(str.islower, _CASED))}])(?=[{''.join(filter(str.isupper, _CASED))}])"
    r"|(?<=[A-Za-z])(?=[\u0370-\u1dff\u1f00-\uffff])"
)
_THAI_SPACE: Final = re.compile(r"(?<=[\u0e00-\u0eff])\s+(?=[\u0e00-\u0eff])")
_MARKS: Final = "。！？｡"
_CLOSERS: Final = "”’」』）)\"' "
_TAIL_CHARACTERS: Final = 60
_LATIN_END: Final = re.compile(f"[A-Za-z][^{UNSPACED_RANGES}]*$")
# Between the links of a bar.
_BETWEEN: Final = re.compile(r"[\s|·•›»/,–—-]*")
_ENDED: Final = tuple('.!?…。！？।؟۔:"”’»)）')
# Phrases in a row that are a bar, at the border of a sentence and inside of one.
_BAR_PHRASES: Final = 2
_INNER_BAR_PHRASES: Final = 3
# Words that text beside a bar has at least.
_TEXT_WORDS: Final = 4
# Characters that may stand between phrases of a script without spaces: a link that is none of them.
_BETWEEN_CHARACTERS: Final = 6
_GRAMMAR: Final = re.compile(
    f"[{''.join(sorted(FUNCTION_CHARACTERS['zh'] | FUNCTION_CHARACTERS['ja']))}，。、！？：；,.!?或]"
)


def is_banner(line: str) -> str:
    """Why a line is a banner or a copyright line, whatever else says that it is text; empty if it is none."""
    if len(line) > _BANNER_CHARACTERS:
        return ""
    lowered = line.lower()
    named = len(line) <= _COPYRIGHT_CHARACTERS and ("©" in line or "(c)" in lowered or "copyright" in lowered)
    if named and _COPYRIGHT.search(line):
        return "a copyright line"
    return "a banner that asks for consent" if _asks(line) else ""


def _asks(text: str) -> bool:
    """Whether a phrase that asks for consent is in a text, also where a link touches it."""
    if not CONSENT.may_cover(text.lower()):
        return False
    lowered = _TOUCHING.sub(" ", text).lower()
    return bool(CONSENT.words_covered(words_of(lowered)) or CONSENT.characters_covered("".join(lowered.split())))


def lines_with_banners(characters: Characters, starts: Places, words: PageWords) -> set[int]:
    """The numbers of the lines, which start at these places, that hold a phrase that asks for consent."""
    text = characters.text
    telling = merge_places(words.having(BANNER), words.unspaced_clues)
    numbers = np.searchsorted(starts, telling, side="right") - 1
    long = np.diff(starts, append=len(text))[numbers] >= _LONG_LINE
    found: set[int] = set()
    for at, number in zip(telling[long].tolist(), numbers[long].tolist(), strict=True):
        around = slice(max(int(starts[number]), at - _PHRASE_CHARACTERS), at + _PHRASE_CHARACTERS)
        if number not in found and _asks(text[around]):
            found.add(number)
    return found


def cut_banner(line: str) -> list[int]:
    """Where to cut a line around its sentences that ask for consent, and those about it next to them.

    What else stands in the line is then judged by itself. Empty where nothing asks, or the line is all one sentence.
    """
    spans = [clause for start, end in sentences(line) for clause in _clauses(line, start, end)]
    asking = [_asks(line[start:end]) for start, end in spans]
    if not any(asking):
        return []
    about = [ask or _belongs(line[start:end].lower()) for ask, (start, end) in zip(asking, spans, strict=True)]
    cuts: set[int] = set()
    last = 0
    for belongs, group in groupby(about):
        first, last = last, last + sum(1 for _ in group)
        if not belongs or not any(asking[first:last]):
            continue
        end = len(line)
        if last < len(spans):
            end = spans[last][0] + _button_length(line[slice(*spans[last])])
        cuts |= {spans[first][0], end}
    return sorted(cuts - {0, len(line)})


def _clauses(line: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A sentence; in Thai and Lao, which have no mark for its end, what stands between spaces."""
    for gap in _THAI_SPACE.finditer(line, start, end):
        yield start, gap.start()
        start = gap.end()
    yield start, end


def _button_length(sentence: str) -> int:
    """How much of a sentence behind a banner is the banner's button: a phrase before a capital or its like."""
    first = next(iter(BOILERPLATE.spans_in(words_of(sentence))), None)
    if first is None or first[0]:
        return 0
    words = [match.end() for match in WORD.finditer(sentence)]
    at = words[first[1] - 1]
    while at < len(sentence) and sentence[at].isspace():
        at += 1
    return 0 if sentence[at : at + 1].islower() or not sentence[at : at + 1].isalpha() else at


def _belongs(lowered: str) -> bool:
    """Whether a sentence beside one that asks is about the same, or a button of it."""
    if _ABOUT_CONSENT.search(lowered):
        return True
    words = words_of(lowered) if len(lowered) <= _PHRASE_CHARACTERS else []
    return bool(words) and 2 * BOILERPLATE.words_covered(words) >= len(words)


def cut_bar(line: str) -> list[int]:
    """Where to cut a line around its bars: phrases of pages in a row, at the borders of sentences."""
    found = list(WORD.finditer(line))
    words = [match.group().lower().replace("’", "'") for match in found]
    spans = [(found[first].start(), found[last - 1].end()) for first, last in BOILERPLATE.spans_in(words)]
    cuts: set[int] = set()
    for start, end, number in _runs(line, spans, _BETWEEN):
        if number < _BAR_PHRASES:
            continue
        rest = len(WORD.findall(line, end)) + len(WORD.findall(line, 0, start))
        begins = not line[:start].strip() or line[:start].rstrip().endswith(_ENDED)
        after = _BETWEEN.match(line, end)
        stop = after.end() if after else end
        if rest >= _TEXT_WORDS and begins and not line[stop : stop + 1].islower():
            cuts |= {start, stop}
    return sorted(cuts - {0, len(line)})


def cut_unspaced_bar(line: str) -> list[int]:
    """:func:`cut_bar` for scripts without spaces, where other links may stand between the phrases."""
    cuts: set[int] = set()
    for start, end, number in _runs(line, [match.span() for match in BOILERPLATE.find_unspaced(line)], None):
        before = line[:start].rstrip()
        begins = not before or before.endswith(_ENDED)
        if not begins and len(before) <= _BETWEEN_CHARACTERS and not _GRAMMAR.search(before):
            start, begins = 0, True
        outside = begins or not line[end:].strip()
        if number >= (_BAR_PHRASES if outside else _INNER_BAR_PHRASES):
            cuts |= {start, end}
    return sorted(cuts - {0, len(line)})


def cut_tail(line: str) -> list[int]:
    """Where to cut off what follows the last sentence of a line without spaces, if it is short and has a phrase."""
    if line.endswith(tuple(_MARKS)):
        return []
    end = max(map(line.rfind, _MARKS)) + 1
    while end < len(line) and line[end] in _CLOSERS:
        end += 1
    tail = line[end:]
    if not 0 < len(tail.strip()) <= _TAIL_CHARACTERS:
        return []
    if first := next(BOILERPLATE.find_unspaced(tail), None):
        return [end + first.start()]
    latin = _LATIN_END.search(tail)
    return [end + latin.start()] if latin and BOILERPLATE.words_covered(words_of(latin.group())) else []


def _runs(line: str, spans: list[tuple[int, int]], between: re.Pattern[str] | None) -> Iterator[tuple[int, int, int]]:
    """Start, end and number of the phrases that follow one another, with ``between`` or a short link between them."""
    at = 0
    while at < len(spans):
        start, end = spans[at]
        first = at
        at += 1
        while at < len(spans) and _adjoins(line[end : spans[at][0]], between):
            end = spans[at][1]
            at += 1
        yield start, end, at - first


def _adjoins(gap: str, between: re.Pattern[str] | None) -> bool:
    if between is not None:
        return between.fullmatch(gap) is not None
    return len(gap) <= _BETWEEN_CHARACTERS and not _GRAMMAR.search(gap)
