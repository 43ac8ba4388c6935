"""Small talk: turns that need neither sources nor an answer from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from typing import Final

from rag_service.retrieval import (
    document_table,
    follow_up_table,
    question_table,
    remark_table,
    rework_table,
    smalltalk_table,
)
from rag_service.retrieval.turn_reading import Reading
from rag_service.retrieval.turn_tokens import Phrases, Token, covers, split_clauses

Known = Callable[[str], bool]

_MOST_TOKENS: Final = 40
_SHORTEST_MISTYPED: Final = 5
_LONGEST_NAME: Final = 20
_NAMED: Final = (smalltalk_table.GREETINGS, smalltalk_table.THANKS)
_OTHERS: Final = (
    smalltalk_table.CLOSINGS,
    remark_table.PRAISE,
    remark_table.ACKNOWLEDGEMENTS,
    smalltalk_table.ABOUT_YOU,
)
_NOT_NAMES: Final = (
    document_table.SUMMARY,
    document_table.DOCUMENT,
    document_table.PART,
    document_table.SHAPE,
    rework_table.CONTINUE,
    rework_table.REWORK,
    question_table.QUESTION_WORDS,
    question_table.MONTHS,
)
_ASKS: Final = re.compile(r"[?？؟;]\s*[\W_]*$")
_HELD_DOWN: Final = re.compile(r"(.)\1+")


@lru_cache(maxsize=1)
def _courtesies() -> Phrases:
    return Phrases(chain.from_iterable(_entries(table) for table in (*_NAMED, *_OTHERS)))


@lru_cache(maxsize=1)
def _before_names() -> Phrases:
    return Phrases(chain.from_iterable(_entries(table) for table in _NAMED))


@lru_cache(maxsize=1)
def _fillers() -> Phrases:
    return Phrases(_entries(remark_table.FILLERS))


@lru_cache(maxsize=1)
def _not_names() -> Phrases:
    return Phrases(chain.from_iterable(_entries(table) for table in _NOT_NAMES))


@lru_cache(maxsize=1)
def _vocabulary() -> dict[str, dict[str, str]]:
    """Words of courtesy that are long enough to be told when mistyped, by their first letter; and each squeezed."""
    words: dict[str, dict[str, str]] = {}
    for table in (*_NAMED, *_OTHERS):
        for entry in _entries(table):
            for word in entry.split():
                if len(word) >= _SHORTEST_MISTYPED and word.isalpha():
                    words.setdefault(word[0], {})[word] = _squeeze(word)
    return words


def _entries(table: dict[str, str]) -> Iterator[str]:
    return chain.from_iterable(entries.split(", ") for entries in table.values())


def is_small_talk(reading: Reading, known: Known) -> bool:
    """Whether a turn is nothing but greeting, thanks, praise, farewell, or a word to the assistant itself.

    ``known`` says whether a word occurs in the sources or earlier in the conversation: such a word is never taken
    for a name or for a mistyped courtesy.
    """
    tokens = reading.tokens
    if not tokens or len(tokens) > _MOST_TOKENS:
        return False
    if _is_courtesy(tokens):
        return True
    mended = tuple(_mended(token, known) for token in tokens)
    if mended != tokens and _is_courtesy(mended):
        return True
    return not _ASKS.search(reading.question) and _ends_in_name(mended, known)


def _is_courtesy(tokens: Sequence[Token]) -> bool:
    if not covers(tokens, (_courtesies(), _fillers())):
        return False
    # "That's all" is made of words that fill up other phrases.
    phrase = any(_courtesies().longest_at(tokens, place) > 1 for place in range(len(tokens)))
    return phrase or not covers(tokens, (_fillers(),))


def _ends_in_name(tokens: Sequence[Token], known: Known) -> bool:
    """Whether one word among courtesies follows a greeting or thanks, as a name does ("hi Anna, thanks")."""
    for place in range(1, len(tokens)):
        name = tokens[place]
        if name.kind != "word" or len(name.text) > _LONGEST_NAME or name.folded in _not_names():
            continue
        before, after = tokens[:place], tokens[place + 1 :]
        greeted = any(_before_names().longest_at(before, first) == place - first for first in range(place))
        rest = covers(before, (_courtesies(), _fillers())) and covers(after, (_courtesies(), _fillers()))
        if greeted and rest and not known(name.text):
            return True
    return False


def _mended(token: Token, known: Known) -> Token:
    """A mistyped courtesy as the table has it; any other token as it is."""
    word = token.folded
    if token.kind != "word" or len(word) < _SHORTEST_MISTYPED or word in _courtesies() or word in _fillers():
        return token
    squeezed = _squeeze(word)
    for meant, own in _vocabulary().get(word[0], {}).items():
        if (squeezed == own or _is_mistyped(word, meant)) and not known(token.text):
            return replace(token, folded=meant)
    return token


def _squeeze(word: str) -> str:
    """A word without the repetitions of a letter that was held down too long."""
    return _HELD_DOWN.sub(r"\1", word)


def _is_mistyped(word: str, meant: str) -> bool:
    """Whether one letter is missing, too many, wrong, or exchanged with its neighbour."""
    if abs(len(word) - len(meant)) > 1:
        return False
    same = next((at for at, (one, other) in enumerate(zip(word, meant, strict=False)) if one != other), None)
    if same is None:
        return True
    ends = {(word[same + 1 :], meant[same + 1 :]), (word[same:], meant[same + 1 :]), (word[same + 1 :], meant[same:])}
    swapped = word[same : same + 2] == meant[same : same + 2][::-1] and word[same + 2 :] == meant[same + 2 :]
    return swapped or any(one == other for one, other in ends)


def without_courtesy(reading: Reading) -> str:
    """The question without the greetings and thanks before and after it; all of it where nothing else is there."""
    clauses = list(split_clauses(reading.tokens))
    while clauses and _is_courtesy(clauses[0]):
        clauses.pop(0)
    while clauses and _is_courtesy(clauses[-1]):
        clauses.pop()
    if not clauses:
        return reading.question
    tokens = list(chain.from_iterable(clauses))
    first = _leading_courtesy(reading, tokens)
    kept_to_the_end = tokens[-1] == reading.tokens[-1]
    end = len(reading.question) if kept_to_the_end else tokens[-1].end
    return reading.question[tokens[first].start : end].strip()


def _leading_courtesy(reading: Reading, tokens: Sequence[Token]) -> int:
    """How many tokens at the start are courtesy before a word that begins a question ("thanks and how …")."""
    place = best = 0
    while length := _courtesies().longest_at(tokens, place):
        place += length
        begins = reading.tables.longest_at(question_table.QUESTION_WORDS, tokens, place)
        if begins or reading.tables.longest_at(follow_up_table.OPENERS, tokens, place):
            best = place
    return best


def takes_up_offer(reading: Reading) -> bool:
    """Whether the turn says yes to something the assistant asked at the end of its answer."""
    if not reading.tokens or not _ASKS.search(reading.answer[-400:]):
        return False
    consent = reading.tables.of(remark_table.CONSENT)
    fillers = reading.tables.of(remark_table.FILLERS)
    return covers(reading.tokens, (*consent, *fillers)) and bool(
        reading.tables.places(remark_table.CONSENT, reading.tokens)
    )
