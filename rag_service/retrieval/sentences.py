"""Borders of sentences, and the size of a text in tokens before any tokenizer counts them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from rag_service.retrieval.language import SCRIPT_RANGES

_END: Final = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？｡]+[”’」』）\"']*|[؟۔।॥]+[\"'”’»)]*(?=\s|$)|\n")
_BEFORE: Final = re.compile(r"(\S+)$")
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
_LATIN: Final = re.compile(rf"[{SCRIPT_RANGES['Latin']}\s]+")
_LETTERS: Final = {name: re.compile(f"[{SCRIPT_RANGES[name]}]+") for name in SCRIPT_RANGES if name != "Latin"}


def estimate_tokens(text: str) -> int:
    """About how many tokens a text is, from its scripts; 1 at least. Good for sizes, not for what must fit."""
    rest = _LATIN.sub("", text)
    tokens = (len(text) - len(rest)) * _TOKENS_OF_LETTER["Latin"]
    if rest.isascii():
        return max(1, round(tokens + len(rest) * _TOKENS_OF_REST))
    for name, pattern in _LETTERS.items():
        left = pattern.sub("", rest)
        tokens += (len(rest) - len(left)) * _TOKENS_OF_LETTER.get(name, _TOKENS_OF_OTHER_LETTER)
        rest = left
        if not rest:
            break
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
    if not match.group().startswith(".") or len(match.group()) > 1:
        return True
    if _NOT_A_START.match(text, match.end()):
        return False
    before = _BEFORE.search(text, max(start, match.start() - 20), match.start())
    if before is None:
        return True
    word = before.group(1).lstrip("(\"'“‘„«[")
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
