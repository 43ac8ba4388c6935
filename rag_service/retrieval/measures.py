"""What is counted in the lines of a page: words, function words, ends of sentences, and signs of what is no text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rag_service.retrieval.boilerplate import places_of
from rag_service.retrieval.characters import (
    CLAUSE_END,
    CLOSER,
    DIGIT,
    END,
    LETTERS,
    LOWER,
    MARK_END,
    PUNCTUATION,
    SPACE,
    STOPLESS,
    SYMBOL,
    UNSPACED,
    UNTOLD,
    UPPER,
    WIDE_PUNCTUATION,
    Characters,
    Pieces,
    Places,
    merge_places,
)
from rag_service.retrieval.language import function_characters
from rag_service.retrieval.page_words import BANNER, FUNCTION, PHRASE, PageWords

# How sentences and clauses end, and what may close after it: quotes, brackets, numbers of footnotes.
_SENTENCE_ENDS: Final = tuple(".!?…。！？।॥؟۔｡။។៕:：")
_SENTENCE_CLOSERS: Final = "\"'”’»」』）)]*"
_FOOTNOTES: Final = re.compile(r"(?:\[\d+\])+$")
_CLAUSE_ENDS: Final = (*_SENTENCE_ENDS, *",;—–，、；،؛၊")
_CLAUSE_CLOSERS: Final = "\"'”’»」』）)"
# Characters that say as much as a word, in scripts without spaces.
_CHARACTERS_OF_WORD: Final = 2.0
# Of a line, the part that has to be of a script without spaces for it to be counted by characters.
_UNSPACED_SHARE: Final = 1 / 3
# Where sentences have no mark at their end: the size of a text, and of its parts between spaces, which in menus are
# as short as their links.
_STOPLESS_CHARACTERS: Final = 40
_STOPLESS_RUN: Final = 10
_MENU_RUN: Final = 8
# No phrase that asks for consent has fewer words.
_BANNER_WORDS: Final = 2
_COPYRIGHT_MARKS: Final = ("©", "(c)", "copyright")


@dataclass(frozen=True, slots=True)
class Measures:
    """What was counted in each of the lines of a page, by their numbers.

    ``words`` are estimated for scripts without spaces; ``density`` is function
    words by word, infinite where nothing is known of a script; ``small`` the share of words that begin with a small
    letter, 1 in scripts without two cases. ``may_banner`` and ``may_phrase`` are false only where a line holds
    nothing that banners and phrases of pages are known by.
    """

    words: NDArray[np.intp]
    density: NDArray[np.float64]
    sentence: NDArray[np.bool_]
    clause: NDArray[np.bool_]
    stops: NDArray[np.intp]
    small: NDArray[np.float64]
    punctuation: NDArray[np.intp]
    symbols: NDArray[np.intp]
    joins: NDArray[np.intp]
    may_banner: NDArray[np.bool_]
    may_phrase: NDArray[np.bool_]


def measure(pieces: Pieces, words: PageWords) -> Measures:
    """Count what there is in each of these lines."""
    characters = pieces.characters
    lengths = np.maximum(1, pieces.lengths)
    letters = pieces.count(characters.places(UNSPACED) if characters.has(UNSPACED) else np.zeros(0, np.intp))
    unspaced = letters > _UNSPACED_SHARE * lengths
    counted = pieces.count(words.starts)
    stops = pieces.count(words.having(FUNCTION))
    small = pieces.count(words.small()) / np.maximum(1, counted)
    small[unspaced | (counted == 0) | ~pieces.have(UPPER | LOWER)] = 1.0
    if unspaced.any():
        counted = np.where(unspaced, np.rint(letters / _CHARACTERS_OF_WORD), counted).astype(np.intp)
        stops = np.where(unspaced, pieces.count(_function_places(characters, words.languages)), stops)
    density = stops / np.maximum(1, counted)
    if characters.has(UNTOLD):
        density[pieces.count(characters.places(UNTOLD)) > _UNSPACED_SHARE * lengths] = np.inf
    sentence, clause = _endings(pieces)
    if characters.has(STOPLESS):
        text, menu = _stopless(pieces)
        sentence |= text
        small[menu] = 0.0
    return Measures(
        words=counted,
        density=density,
        sentence=sentence,
        clause=clause | sentence,
        stops=stops,
        small=small,
        punctuation=pieces.count(_punctuation_places(characters)) + _unspaced_ends(pieces),
        symbols=pieces.count(characters.places(SYMBOL)),
        joins=pieces.count(_join_places(characters)),
        may_banner=(_having(pieces, words.having(BANNER)) & (counted >= _BANNER_WORDS))
        | _having(pieces, places_of(_COPYRIGHT_MARKS, characters))
        | _having(pieces, words.unspaced_clues),
        may_phrase=_having(pieces, words.having(PHRASE)) | _having(pieces, words.unspaced_phrases),
    )


def _having(pieces: Pieces, places: Places) -> NDArray[np.bool_]:
    having: NDArray[np.bool_] = pieces.count(places) > 0
    return having


def _punctuation_places(characters: Characters) -> Places:
    """Where marks of clauses and sentences stand, those of alphabets only before white space or a closing mark."""
    narrow = characters.places(PUNCTUATION)
    after = characters.marks[np.minimum(narrow + 1, len(characters.marks) - 1)]
    narrow = narrow[((after & (SPACE | CLOSER)) != 0) | (narrow + 1 == len(characters.marks))]
    wide = characters.places(WIDE_PUNCTUATION)
    return merge_places(narrow, wide) if len(wide) else narrow


def _unspaced_ends(pieces: Pieces) -> NDArray[np.intp]:
    """1 for each line whose last mark touches the next line, as glued texts do, and so is none by what follows it."""
    marks = pieces.characters.marks
    last = np.maximum(0, pieces.ends - 1)
    after = marks[np.minimum(pieces.ends, len(marks) - 1)]
    glued = (pieces.ends < len(marks)) & ((after & (SPACE | CLOSER)) == 0)
    ends: NDArray[np.intp] = (glued & ((marks[last] & PUNCTUATION) != 0)).astype(np.intp)
    return ends


def _join_places(characters: Characters) -> Places:
    """Capitals that touch a small letter before them."""
    capitals = characters.places(UPPER)
    joins: Places = capitals[((characters.marks[capitals - 1] & LOWER) != 0) & (capitals > 0)]
    return joins


def _function_places(characters: Characters, languages: tuple[str, ...]) -> Places:
    found = _function_table(languages)[np.minimum(characters.codes, _LAST_FUNCTION_CHARACTER)]
    return np.flatnonzero(found)


_LAST_FUNCTION_CHARACTER: Final = 0xFFFF


@lru_cache(maxsize=32)
def _function_table(languages: tuple[str, ...]) -> NDArray[np.bool_]:
    table = np.zeros(_LAST_FUNCTION_CHARACTER + 1, np.bool_)
    table[[ord(character) for character in function_characters(languages)]] = True
    return table


def _endings(pieces: Pieces) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which lines end as a sentence does, and which as a clause does."""
    last = pieces.characters.marks[np.maximum(0, pieces.ends - 1)]
    sentence = (last & (END | MARK_END)) != 0
    clause = sentence | ((last & CLAUSE_END) != 0)
    sure = sentence | ((last & (LETTERS | DIGIT)) != 0)
    for at in np.flatnonzero(~sure).tolist():
        text = pieces.texts[at].rstrip()
        sentence[at] = _ends_sentence(text)
        clause[at] = text.rstrip(_CLAUSE_CLOSERS).endswith(_CLAUSE_ENDS)
    return sentence, clause


def _ends_sentence(text: str) -> bool:
    if text.rstrip(_SENTENCE_CLOSERS).endswith(_SENTENCE_ENDS):
        return True
    return text.endswith("]") and _FOOTNOTES.sub("", text).rstrip(_SENTENCE_CLOSERS).endswith(_SENTENCE_ENDS)


def _stopless(pieces: Pieces) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which lines read as text, and which as menus, in scripts that set no mark at the end of a sentence."""
    letters = pieces.count(pieces.characters.places(STOPLESS))
    long = (letters > _UNSPACED_SHARE * pieces.lengths) & (letters >= _STOPLESS_CHARACTERS)
    text, menu = np.zeros_like(long), np.zeros_like(long)
    for at in np.flatnonzero(long).tolist():
        run = letters[at] / len(pieces.texts[at].split())
        text[at], menu[at] = run >= _STOPLESS_RUN, run < _MENU_RUN
    return text, menu
