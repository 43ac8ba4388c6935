"""The script and the language of a text, told from its letters and its function words."""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag_service.retrieval.folding import codes_of
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
# So many letters that tell of a language weigh as much as one of its function words.
_LETTERS_OF_WORD: Final = 4


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case and with straight apostrophes."""
    lowered = text.lower()
    return _ascii_words(lowered) if lowered.isascii() else WORD.findall(lowered.replace("’", "'"))


def script_of(text: str) -> str | None:
    """The Unicode script most of the letters of ``text`` are in, ``None`` without letters.

    ``Kana`` stands for Japanese: Han letters mixed with enough kana count as it.
    """
    counts = _scripts_of(_class_counts(codes_of(_sample(text))))
    return counts[0][0] if counts else None


def language_of(text: str) -> str | None:
    """The ISO 639-1 code of the language of ``text``; ``None`` where it cannot be told.

    Long texts are judged by samples. A tie between languages (one word that both have) is not told.
    """
    clues = _clues_in(_sample(text))
    ranked = _languages_of_script(clues.scripts[0][0], clues) if clues.scripts else []
    if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]


def languages_in(text: str) -> tuple[str, ...]:
    """The languages that a noticeable part of ``text`` may be in, the likeliest first.

    More than one may be named for one language, where relatives share most function words.
    """
    return _noticeable(_clues_in(_sample(text)))


def languages_told(codes: NDArray[np.uint32], words: NDArray[np.intp]) -> tuple[str, ...]:
    """:func:`languages_in` for a sample (:func:`sample_spans`) with these characters and function words.

    ``words`` has how often each of ``CLUE_WORDS`` is there.
    """
    found = np.flatnonzero(words)
    return _noticeable(_clues(codes, found, words[found]))


def function_words(languages: tuple[str, ...]) -> frozenset[str]:
    """The function words of all these languages, in lower case."""
    return frozenset().union(*(FUNCTION_WORDS.get(code, ()) for code in languages))


def function_characters(languages: tuple[str, ...]) -> frozenset[str]:
    """The function characters of those of these languages that set no spaces."""
    return frozenset().union(*(FUNCTION_CHARACTERS.get(code, ()) for code in languages))


def function_endings(languages: tuple[str, ...]) -> tuple[str, ...]:
    """Particles that these languages write at the end of a word."""
    return tuple(ending for code in languages for ending in FUNCTION_ENDINGS.get(code, ()))


def sample_spans(length: int) -> list[tuple[int, int]]:
    """What of a text of this length tells its languages: all of it, or of a long one pieces from everywhere."""
    if length <= _SAMPLES * _SAMPLE_CHARACTERS:
        return [(0, length)]
    step = (length - _SAMPLE_CHARACTERS) // (_SAMPLES - 1)
    return [(at, min(at + _SAMPLE_CHARACTERS, length)) for at in range(0, length, step)]


def _sample(text: str) -> str:
    return "\n".join(text[start:end] for start, end in sample_spans(len(text)))


def _ascii_words(lowered: str) -> list[str]:
    words = lowered.encode("ascii").translate(_ASCII_WORDS).decode("ascii")
    return (_LOOSE_ASCII.sub(" ", words) if "'" in words else words).split()


def _words_of_lowered(lowered: str) -> list[str]:
    """:func:`words_of` for a long text: all that is in no word becomes a space at once."""
    if lowered.isascii():
        return _ascii_words(lowered)
    words = _spaced_words()[codes_of(lowered)].tobytes().decode("utf-32-le")
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


def _codes_by(clues: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    by: dict[str, tuple[str, ...]] = {}
    for code, having in clues.items():
        for clue in having:
            by[clue] = (*by.get(clue, ()), code)
    return by


_CODES_BY_WORD: Final = _codes_by(FUNCTION_WORDS)
_CODES_BY_LETTER: Final = _codes_by(TELLING_LETTERS)
CLUE_WORDS: Final = tuple(_CODES_BY_WORD)
"""The function words of all languages; a clue's number is its place here, and that of a letter goes on from there."""
_NUMBER_OF_WORD: Final = {word: number for number, word in enumerate(CLUE_WORDS)}
# What a clue of one language weighs; of several each gets its part, a whole number.
_WEIGHT: Final = _LETTERS_OF_WORD * math.lcm(*range(1, max(map(len, _CODES_BY_WORD.values())) + 1))
# Classes of characters: none, the scripts, and then the letters that are clues.
_FIRST_LETTER: Final = len(SCRIPT_RANGES) + 1
# None of these letters is beyond.
_LAST_LETTER: Final = 0x3000


class _Clues(NamedTuple):
    """The scripts of a text with their weights, the heaviest first, and the numbers of its clues, each so often."""

    scripts: list[tuple[str, int]]
    numbers: NDArray[np.intp]
    counts: NDArray[np.intp]


def _clues_in(sample: str) -> _Clues:
    found = Counter(filter(_NUMBER_OF_WORD.__contains__, _words_of_lowered(sample.lower())))
    numbers = np.fromiter(map(_NUMBER_OF_WORD.__getitem__, found), np.intp, len(found))
    return _clues(codes_of(sample), numbers, np.fromiter(found.values(), np.intp, len(found)))


def _clues(codes: NDArray[np.uint32], words: NDArray[np.intp], counts: NDArray[np.intp]) -> _Clues:
    """The clues in a text of these characters that has these function words, each so often."""
    classes = _class_counts(codes)
    letters = np.flatnonzero(classes[_FIRST_LETTER:])
    return _Clues(
        _scripts_of(classes),
        np.concatenate((words, letters + len(CLUE_WORDS))),
        np.concatenate((counts, classes[_FIRST_LETTER:][letters])),
    )


def _class_counts(codes: NDArray[np.uint32]) -> NDArray[np.intp]:
    """How many characters of each class there are."""
    return np.bincount(_CLASSES.take(codes), minlength=_FIRST_LETTER + len(_CODES_BY_LETTER))


def _scripts_of(classes: NDArray[np.intp]) -> list[tuple[str, int]]:
    """The scripts in a text with so many characters of each class, with their weights, the heaviest first."""
    counts = dict(zip(SCRIPT_RANGES, (classes @ _SCRIPT_WEIGHTS).tolist(), strict=True))
    if counts["Kana"] >= _KANA_SHARE * counts["Han"] and counts["Kana"]:
        counts["Kana"] += counts.pop("Han")
    present = [(name, count) for name, count in counts.items() if count]
    return sorted(present, key=lambda pair: -pair[1])


def _classes_of_characters() -> NDArray[np.uint8]:
    """For each character of Unicode its class: the number of its script, from 1 on, or of a letter that is a clue."""
    classes = np.zeros(sys.maxunicode + 1, np.uint8)
    for number, ranges in enumerate(SCRIPT_RANGES.values(), 1):
        for match in _RANGE.finditer(ranges):
            classes[ord(match.group()[0]) : ord(match.group()[-1]) + 1] = number
    number_of = {letter: number for number, letter in enumerate(_CODES_BY_LETTER, _FIRST_LETTER)}
    for code in range(_LAST_LETTER):
        if (letter := chr(code).lower()) in number_of:
            classes[code] = number_of[letter]
    return classes


def _weights_of_classes() -> NDArray[np.int64]:
    """What a character of each class weighs for each script."""
    weights = np.zeros((_FIRST_LETTER + len(_CODES_BY_LETTER), len(SCRIPT_RANGES)), np.int64)
    for place, (script, ranges) in enumerate(SCRIPT_RANGES.items()):
        letters = [number for number, letter in enumerate(_CODES_BY_LETTER) if re.match(f"[{ranges}]", letter)]
        weights[[place + 1, *(_FIRST_LETTER + number for number in letters)], place] = _LETTER_WORTH.get(script, 1)
    return weights


_CLASSES: Final = _classes_of_characters()
_SCRIPT_WEIGHTS: Final = _weights_of_classes()


def _noticeable(clues: _Clues) -> tuple[str, ...]:
    """The languages of the scripts that are a noticeable part of a text."""
    total = sum(count for _, count in clues.scripts)
    named: list[str] = []
    for script, count in clues.scripts:
        if count < total * _SCRIPT_SHARE:
            continue
        ranked = _languages_of_script(script, clues)
        named += [code for code, weight in ranked if weight >= ranked[0][1] * _SECOND_SHARE]
    return tuple(named)


def _languages_of_script(script: str, clues: _Clues) -> list[tuple[str, int]]:
    """Languages with their weights, the heaviest first. A word of several languages counts little for each."""
    if script in _ONLY_LANGUAGE:
        return [(_ONLY_LANGUAGE[script], 1)]
    codes = _SCRIPT_LANGUAGES.get(script, ())
    weights = (clues.counts @ _weights(codes)[clues.numbers]).tolist()
    present = [(code, weight) for code, weight in zip(codes, weights, strict=True) if weight]
    return sorted(present, key=lambda pair: -pair[1])


@cache
def _weights(codes: tuple[str, ...]) -> NDArray[np.int64]:
    """What each clue weighs for each of these languages."""
    weights = np.zeros((len(_CODES_BY_WORD) + len(_CODES_BY_LETTER), len(codes)), np.int64)
    whole = (*([_WEIGHT] * len(_CODES_BY_WORD)), *([_WEIGHT // _LETTERS_OF_WORD] * len(_CODES_BY_LETTER)))
    having_each = (*_CODES_BY_WORD.values(), *_CODES_BY_LETTER.values())
    for own, weight, having in zip(weights, whole, having_each, strict=True):
        places = [codes.index(code) for code in having if code in codes]
        own[places] = weight // max(1, len(places))
    return weights
