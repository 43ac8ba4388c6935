"""Borders of sentences, and the size of a text in tokens before any tokenizer counts them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from rag_service.retrieval.language import SCRIPT_RANGES

# One class of characters first, so that what lies between ends is skipped quickly; then what each of them needs.
_END: Final = re.compile(
    r"""
    [.!?…。！？｡؟۔।॥\n]
    (?: (?<=[.!?…]) [.!?…]* ["'”’»)\]]* (?=\s)
      | (?<=[。！？｡]) [。！？｡]* [”’」』）"']*
      | (?<=[؟۔।॥]) [؟۔।॥]* ["'”’»)]* (?=\s|$)
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
# White space by its characters: a set of characters is tested faster than one with the class of all white space.
_SPACES: Final = r"\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_NOT_LATIN: Final = re.compile(f"[^{SCRIPT_RANGES['Latin']}{_SPACES}]+")


def _letters_by_cost() -> list[tuple[float, re.Pattern[str]]]:
    """For each cost but that of Latin letters what is no letter of it; that of Chinese, the commonest, first."""
    ranges: dict[float, str] = {}
    for name in sorted(SCRIPT_RANGES, key=lambda name: name != "Han"):
        if name != "Latin":
            cost = _TOKENS_OF_LETTER.get(name, _TOKENS_OF_OTHER_LETTER)
            ranges[cost] = ranges.get(cost, "") + SCRIPT_RANGES[name]
    return [(cost, re.compile(f"[^{letters}]+")) for cost, letters in ranges.items()]


_NO_LETTERS: Final = _letters_by_cost()


def estimate_tokens(text: str) -> int:
    """About how many tokens a text is, from its scripts; 1 at least. Good for sizes, not for what must fit."""
    rest = "".join(_NOT_LATIN.findall(text))
    tokens = (len(text) - len(rest)) * _TOKENS_OF_LETTER["Latin"]
    for cost, pattern in _NO_LETTERS:
        if rest.isascii():
            break
        left = "".join(pattern.findall(rest))
        tokens += (len(rest) - len(left)) * cost
        rest = left
    return max(1, round(tokens + len(rest) * _TOKENS_OF_REST))


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence, without the white space between; a line break ends one too.

    A full stop after an initial, a shortened word or a one- or two-digit number, or before a small letter, is no
    end.
    """
    start = 0
    for match in _END.finditer(text):
        if match.group() != "\n" and not _ends(text, start, match):
            continue
        yield from _trimmed(text, start, match.end())
        start = match.end()
    yield from _trimmed(text, start, len(text))


def _ends(text: str, start: int, match: re.Match[str]) -> bool:
    if match.group() != ".":
        return True
    if _NOT_A_START.match(text, match.end()):
        return False
    before = text[max(start, match.start() - _BEFORE) : match.start()]
    if not before or before[-1].isspace():
        return True
    word = before.split()[-1].lstrip("(\"'“‘„«[")
    return not (
        (len(word) == 1 and word.isalpha()) or word.lower() in _SHORTENED or _SHORT_NUMBER.fullmatch(word + ".")
    )


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end
