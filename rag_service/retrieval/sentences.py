"""Borders of sentences, and the size of a text in tokens before any tokenizer counts them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rag_service.retrieval.folding import codes_of
from rag_service.retrieval.language import SCRIPT_RANGES

# One class of characters first, so that what lies between ends is skipped quickly; then what each of them needs. Runs
# that must be followed by something have a bound, or a page of full stops would take its length squared.
_END: Final = re.compile(
    r"""
    [.!?…。！？｡؟۔।॥։;\u037e\n]
    (?: (?<=[.!?…]) [.!?…]{0,9}+ ["'”’»)\]]{0,9}+ (?=\s)
      | (?<=[。！？｡]) [。！？｡]* [”’」』）"']*
      | (?<=[؟۔।॥։]) [؟۔।॥։]{0,9}+ ["'”’»)]{0,9}+ (?=\s|$)
      # Greek asks with what is a semicolon elsewhere.
      | (?<=[Ͱ-Ͽἀ-῿][;\u037e]) ["'”’»)]{0,9}+ (?=\s|$)
      | (?<=\n)
    )
    """,
    re.VERBOSE,
)
# So many characters before a full stop are enough to know the word it shortens.
_BEFORE: Final = 20
_NOT_A_START: Final = re.compile(r"\s+(?:[a-zß-öø-ÿа-яёα-ω]|\d)")
_SHORT_NUMBER: Final = re.compile(r"\(?\d{1,2}\.")
# Shortened words after which a sentence rarely ends, in lower case and without their full stop.
_SHORTENED: Final = frozenset(
    {
        *(
            "mr",
            "mrs",
            "ms",
            "dr",
            "prof",
            "st",
            "vs",
            "etc",
            "fig",
            "no",
            "vol",
            "inc",
            "ltd",
            "co",
            "jr",
            "sr",
            "gen",
        ),
        *(
            "col",
            "capt",
            "rev",
            "approx",
            "dept",
            "est",
            "ca",
            "cf",
            "al",
            "pp",
            "ed",
            "eds",
            "e.g",
            "i.e",
            "p.m",
            "a.m",
        ),
        *("bzw", "ggf", "evtl", "inkl", "usw", "nr", "abb", "vgl", "hr", "fr", "sog", "z.b", "d.h", "u.a", "bspw"),
        *("sra", "dra", "ud", "uds", "pág", "núm", "av", "mme", "mlle", "env", "sig", "dott", "ing", "ecc", "art"),
        *("т.е", "т.к", "г", "гг", "см", "им", "ул", "рис", "стр", "тыс", "млн", "млрд", "руб"),
        *(
            "np",
            "tzn",
            "m.in",
            "ul",
            "tj",
            "tzv",
            "bl",
            "örn",
            "vb",
            "vd",
            "dhr",
            "mevr",
            "bijv",
            "t.ex",
            "bl.a",
            "f.eks",
        ),
    }
)
_LONGEST_SHORTENED: Final = max(map(len, _SHORTENED))

# Tokens a character costs, rounded up: byte-level vocabularies with a Chinese share, as on these boards, measured on
# running text; an alphabet they were hardly trained on costs a token for each letter or two.
_TOKENS_OF_LETTER: Final[Mapping[str, float]] = {
    "Latin": 0.25,
    "Greek": 0.5,
    "Cyrillic": 0.4,
    "Arabic": 0.45,
    "Hebrew": 0.5,
    "Han": 0.75,
    "Kana": 0.75,
    "Hangul": 0.75,
}
_TOKENS_OF_OTHER_LETTER: Final = 0.8
_TOKENS_OF_REST: Final = 0.3
# White space costs what a Latin letter does.
_SPACES: Final = "\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_RANGE: Final = re.compile("(.)-(.)|.", re.DOTALL)
_UNIT: Final = 100


def _costs_of_characters() -> NDArray[np.uint8]:
    """For each character of Unicode its cost in hundredths of a token."""
    costs = np.full(sys.maxunicode + 1, round(_TOKENS_OF_REST * _UNIT), np.uint8)
    for script, ranges in (*SCRIPT_RANGES.items(), ("Latin", _SPACES)):
        for match in _RANGE.finditer(ranges):
            first, last = match.group()[0], match.group()[-1]
            costs[ord(first) : ord(last) + 1] = round(_TOKENS_OF_LETTER.get(script, _TOKENS_OF_OTHER_LETTER) * _UNIT)
    return costs


_COSTS: Final = _costs_of_characters()


def estimate_tokens(text: str) -> int:
    """About how many tokens a text is, from its scripts; 1 at least. Good for sizes, not for what must fit."""
    return _tokens(int(_costs(text).sum(dtype=np.int64)))


def estimate_pieces(text: str) -> Callable[[int, int], int]:
    """:func:`estimate_tokens` of ``text[start:end]``, for many pieces: what precedes each is summed up."""
    before = _sums(text).data
    return lambda start, end: _tokens(before[end] - before[start])


def estimate_spans(text: str, spans: Sequence[tuple[int, int]]) -> list[int]:
    """:func:`estimate_tokens` of each of these pieces of a text."""
    if not spans:
        return []
    ends = _sums(text)[np.array(spans, np.intp)]
    tokens: list[int] = np.maximum(1, np.rint((ends[:, 1] - ends[:, 0]) / _UNIT)).astype(np.intp).tolist()
    return tokens


def _sums(text: str) -> NDArray[np.int64]:
    sums = np.zeros(len(text) + 1, np.int64)
    np.cumsum(_costs(text), out=sums[1:])
    return sums


def _costs(text: str) -> NDArray[np.uint8]:
    costs: NDArray[np.uint8] = _COSTS.take(codes_of(text))
    return costs


def _tokens(cost: int) -> int:
    return max(1, round(cost / _UNIT))


def sentences(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence of ``text[start:end]``, without the white space between.

    A line break ends one too. A full stop after an initial, a shortened word or a one- or two-digit number, or before
    a small letter, is no end.
    """
    return iter(sentence_spans(text, start, len(text) if end is None else end))


def sentence_spans(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """:func:`sentences` as a list."""
    spans: list[tuple[int, int]] = []
    for match in _END.finditer(text, start, end):
        at, stop = match.span()
        if text[at] == "." and stop - at == 1 and not _ends(text, start, at, end):
            continue
        while start < at and text[start].isspace():
            start += 1
        if text[at] != "\n":
            spans.append((start, stop))
        elif start < at:
            spans.append((start, start + len(text[start:at].rstrip())))
        start = stop
    rest = text[start:end]
    if stripped := rest.strip():
        first = start + len(rest) - len(rest.lstrip())
        spans.append((first, first + len(stripped)))
    return spans


def _ends(text: str, start: int, at: int, end: int) -> bool:
    """Whether the full stop at ``at`` ends the sentence from ``start`` on."""
    if not text[at + 2 : at + 3].isupper() and _NOT_A_START.match(text, at + 1, end):
        return False
    if at - start > _LONGEST_SHORTENED and text[at - _LONGEST_SHORTENED - 1 : at].isalpha():
        return True
    before = text[max(start, at - _BEFORE) : at]
    if not before or before[-1].isspace():
        return True
    word = before.split()[-1].lstrip("(\"'“‘„«[")
    return not (
        (len(word) == 1 and word.isalpha()) or word.lower() in _SHORTENED or _SHORT_NUMBER.fullmatch(word + ".")
    )
