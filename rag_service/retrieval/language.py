"""The script and the language of a text, told from its letters and its function words."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rag_service.retrieval.function_words import (
    FUNCTION_CHARACTERS,
    FUNCTION_ENDINGS,
    FUNCTION_WORDS,
    TELLING_LETTERS,
)

# Unicode blocks (Blocks.txt), letters of the presentation forms left out.
SCRIPT_RANGES: Final[Mapping[str, str]] = {
    "Latin": "A-Za-zªºÀ-ÖØ-öø-ɏḀ-ỿ",
    "Greek": "Ͱ-Ͽἀ-῿",
    "Cyrillic": "Ѐ-ԯ",
    "Armenian": "԰-֏",
    "Hebrew": "֐-׿",
    "Arabic": "؀-ۿݐ-ݿ",
    "Devanagari": "ऀ-ॿ",
    "Bengali": "ঀ-৿",
    "Tamil": "஀-௿",
    "Telugu": "ఀ-౿",
    "Thai": "฀-๿",
    "Lao": "຀-໿",
    "Georgian": "Ⴀ-ჿ",
    "Khmer": "ក-៿",
    "Myanmar": "က-႟",
    "Kana": "\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f",
    "Han": "\u3005\u3006\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f",
    "Hangul": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
}
# Scripts that set no spaces between words.
UNSPACED_SCRIPTS: Final = frozenset({"Han", "Kana", "Thai", "Lao", "Khmer", "Myanmar"})
UNSPACED: Final = "".join(SCRIPT_RANGES[name] for name in sorted(UNSPACED_SCRIPTS))

# Letters, and the marks that belong to them, which the regular expressions' "word" leaves out.
_LETTER_MARKS: Final = (
    r"\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0963\u0971-\u0dff\u0e31-\u0e4e\u0eb1-\u0ecd\u1039-\u103a"
    r"\u17b6-\u17d3\u200c\u200d"
)
LETTER: Final = rf"[^\W\d_]|[{_LETTER_MARKS}]"
_RUN: Final = rf"(?:[^\W\d_]++|[{_LETTER_MARKS}]++)+"
WORD: Final = re.compile(rf"{_RUN}(?:['’]{_RUN})*")
# Of small ASCII letters and apostrophes all but these letters are spaces.
_ASCII_WORDS: Final = bytes(
    code if chr(code).islower() or code == ord("'") else ord(" ") for code in range(128)
).ljust(256)
# An apostrophe that is not between letters is in no word.
_LOOSE_ASCII: Final = re.compile("'(?:(?<![a-z]')|(?![a-z]))")
_LOOSE: Final = re.compile(f"'(?:(?<!(?:{LETTER})')|(?!{LETTER}))")
_RANGE: Final = re.compile("(.)-(.)|.", re.DOTALL)
# Languages that alone, or nearly so, write with a script.
_ONLY_LANGUAGE: Final[Mapping[str, str]] = {
    "Greek": "el",
    "Armenian": "hy",
    "Hebrew": "he",
    "Bengali": "bn",
    "Tamil": "ta",
    "Telugu": "te",
    "Thai": "th",
    "Lao": "lo",
    "Georgian": "ka",
    "Khmer": "km",
    "Myanmar": "my",
    "Kana": "ja",
    "Hangul": "ko",
    "Devanagari": "hi",
    "Han": "zh",
}
_SCRIPT_LANGUAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "Cyrillic": ("ru", "uk", "bg"),
    "Arabic": ("ar", "fa"),
    "Latin": tuple(
        code for code, words in FUNCTION_WORDS.items() if sum(word[0] < "Ͱ" for word in words) > len(words) / 2
    ),
}
_SAMPLES: Final = 12
_SAMPLE_CHARACTERS: Final = 1_500
# Japanese text has a few kana for each kanji, Chinese text that quotes some has far less.
_KANA_SHARE: Final = 0.1
# A letter of these says as much as so many letters of an alphabet.
_LETTER_WORTH: Final[Mapping[str, int]] = {"Han": 3, "Kana": 3, "Hangul": 2}
# A script that is less than this of a text's letters is quoted in it, not written.
_SCRIPT_SHARE: Final = 0.1
# A language beside the best one counts as present from this share of its weight on.
_SECOND_SHARE: Final = 0.5
_LETTER_WEIGHT: Final = 0.25


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case and with straight apostrophes."""
    lowered = text.lower()
    return _ascii_words(lowered) if lowered.isascii() else WORD.findall(lowered.replace("’", "'"))


def script_of(text: str) -> str | None:
    """The Unicode script most of the letters of ``text`` are in, ``None`` without letters.

    ``Kana`` stands for Japanese: Han letters mixed with enough kana count as it.
    """
    counts = _script_counts(_sample(text))
    return counts[0][0] if counts else None


def language_of(text: str) -> str | None:
    """The ISO 639-1 code of the language of ``text``; ``None`` where it cannot be told.

    Long texts are judged by samples. A tie between languages (one word that both have) is not told.
    """
    ranked = _ranked_languages(_sample(text))
    if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]


def languages_in(text: str) -> tuple[str, ...]:
    """The languages that a noticeable part of ``text`` may be in, the likeliest first.

    More than one may be named for one language, where relatives share most function words.
    """
    sample = _sample(text)
    scripts = _script_counts(sample)
    total = sum(count for _, count in scripts)
    named: list[str] = []
    for script, count in scripts:
        if count < total * _SCRIPT_SHARE:
            continue
        ranked = _languages_of_script(script, sample)
        named += [code for code, weight in ranked if weight >= ranked[0][1] * _SECOND_SHARE]
    return tuple(named)


def function_words(languages: tuple[str, ...]) -> frozenset[str]:
    """The function words of all these languages, in lower case."""
    return frozenset().union(*(FUNCTION_WORDS.get(code, ()) for code in languages))


def function_characters(languages: tuple[str, ...]) -> frozenset[str]:
    """The function characters of those of these languages that set no spaces."""
    return frozenset().union(*(FUNCTION_CHARACTERS.get(code, ()) for code in languages))


def function_endings(languages: tuple[str, ...]) -> tuple[str, ...]:
    """Particles that these languages write at the end of a word."""
    return tuple(ending for code in languages for ending in FUNCTION_ENDINGS.get(code, ()))


def _sample(text: str) -> str:
    """All of a short text; of a long one pieces from everywhere in it."""
    if len(text) <= _SAMPLES * _SAMPLE_CHARACTERS:
        return text
    step = (len(text) - _SAMPLE_CHARACTERS) // (_SAMPLES - 1)
    return "\n".join(text[at : at + _SAMPLE_CHARACTERS] for at in range(0, len(text), step))


def _ascii_words(lowered: str) -> list[str]:
    words = lowered.encode("ascii").translate(_ASCII_WORDS).decode("ascii")
    return (_LOOSE_ASCII.sub(" ", words) if "'" in words else words).split()


def _words_of_lowered(lowered: str) -> list[str]:
    """:func:`words_of` for a long text: all that is in no word becomes a space at once."""
    if lowered.isascii():
        return _ascii_words(lowered)
    words = _spaced_words()[_codes_of(lowered)].tobytes().decode("utf-32-le")
    return (_LOOSE.sub(" ", words) if "'" in words else words).split()


@cache
def _spaced_words() -> NDArray[np.uint32]:
    """For each character itself, if it may be in a word, else a space; apostrophes straight."""
    spaced = np.full(sys.maxunicode + 1, ord(" "), "<u4")
    every = np.arange(sys.maxunicode + 1, dtype="<u4")
    for match in re.finditer(f"(?:{LETTER})+", every.tobytes().decode("utf-32-le", "surrogatepass")):
        spaced[match.start() : match.end()] = every[match.start() : match.end()]
    spaced[[ord("'"), ord("’")]] = ord("'")
    return spaced


def _codes_of(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def _script_counts(sample: str) -> list[tuple[str, int]]:
    found = np.bincount(_SCRIPTS[_codes_of(sample)], minlength=len(SCRIPT_RANGES) + 1).tolist()
    counts = {name: count * _LETTER_WORTH.get(name, 1) for name, count in zip(SCRIPT_RANGES, found[1:], strict=True)}
    if counts["Kana"] >= _KANA_SHARE * counts["Han"] and counts["Kana"]:
        counts["Kana"] += counts.pop("Han")
    present = [(name, count) for name, count in counts.items() if count]
    return sorted(present, key=lambda pair: -pair[1])


def _scripts_of_characters() -> NDArray[np.uint8]:
    """For each character of Unicode the number of its script, from 1 on; 0 for all else."""
    scripts = np.zeros(sys.maxunicode + 1, np.uint8)
    for number, ranges in enumerate(SCRIPT_RANGES.values(), 1):
        for match in _RANGE.finditer(ranges):
            scripts[ord(match.group()[0]) : ord(match.group()[-1]) + 1] = number
    return scripts


_SCRIPTS: Final = _scripts_of_characters()


def _ranked_languages(sample: str) -> list[tuple[str, float]]:
    scripts = _script_counts(sample)
    return _languages_of_script(scripts[0][0], sample) if scripts else []


def _languages_of_script(script: str, sample: str) -> list[tuple[str, float]]:
    """Languages with their weights, the heaviest first. A word of several languages counts little for each."""
    if script in _ONLY_LANGUAGE:
        return [(_ONLY_LANGUAGE[script], 1.0)]
    codes = _SCRIPT_LANGUAGES.get(script, ())
    weights = dict.fromkeys(codes, 0.0)
    lowered = sample.lower()
    words = _words_of_lowered(lowered)
    for clues, weight, found in (
        (_CODES_BY_WORD, 1.0, Counter(filter(_CODES_BY_WORD.__contains__, words))),
        (_CODES_BY_LETTER, _LETTER_WEIGHT, Counter([] if lowered.isascii() else _TELLING_LETTER.findall(lowered))),
    ):
        for clue, count in found.items():
            having = [code for code in clues[clue] if code in weights]
            for code in having:
                weights[code] += weight * count / len(having)
    present = [(code, weight) for code, weight in weights.items() if weight]
    return sorted(present, key=lambda pair: -pair[1])


def _codes_by(clues: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    by: dict[str, tuple[str, ...]] = {}
    for code, having in clues.items():
        for clue in having:
            by[clue] = (*by.get(clue, ()), code)
    return by


_CODES_BY_WORD: Final = _codes_by(FUNCTION_WORDS)
_CODES_BY_LETTER: Final = _codes_by(TELLING_LETTERS)
# None of them is in ASCII.
_TELLING_LETTER: Final = re.compile(f"[{''.join(_CODES_BY_LETTER)}]")
