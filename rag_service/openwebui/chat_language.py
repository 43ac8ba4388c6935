"""The language of a chat, where function words leave it open between relatives: few words tell little."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from rag_service.openwebui import title_table, verb_table
from rag_service.retrieval import question_table, smalltalk_table
from rag_service.retrieval.language import language_of
from rag_service.retrieval.turn_tokens import Phrases, split_tokens

_MOST_CHARACTERS: Final = 4_000
_FEW_CHARACTERS: Final = 200
# Languages that are mistaken for one another.
_RELATIVES: Final = frozenset(verb_table.LETTER_CLUES)
_TABLES: Final = (
    smalltalk_table.GREETINGS,
    smalltalk_table.THANKS,
    question_table.QUESTION_WORDS,
    verb_table.TELLING_WORDS,
)


def tell_language(text: str, candidates: Sequence[str], fallback: str = "en") -> str:
    """The ISO 639-1 code of a text's language.

    ``candidates`` are those that it may be in, the likeliest first; where there is none, any that words of its own
    are known of. Of a few words that may be of several relatives, it is the one with the most telling words and
    pairs of letters ("lh" is Portuguese, "ll" is Spanish), and the likeliest one where these are equal. Other
    languages are told by their function words: such letters are in all of them ("ou" is in "about").
    """
    text = text[:_MOST_CHARACTERS]
    told = language_of(text)
    if told is not None and (told not in _RELATIVES or len(candidates) < 2 or len(text) > _FEW_CHARACTERS):
        return told
    among = (*(code for code in (told,) if code), *candidates)
    letters = _RELATIVES if _RELATIVES.intersection(among[:1]) else frozenset()
    scores = {
        code: _score(text, code, letters=code in letters)
        for code in dict.fromkeys((*(among or title_table.GENERAL), *sorted(letters)))
    }
    best = max(scores, key=lambda code: scores[code])
    return best if scores[best] else next(iter(among), fallback)


def _score(text: str, code: str, *, letters: bool) -> int:
    tokens = split_tokens(text)
    words = sum(len(phrases.places(tokens)) for phrases in _phrases(code))
    lowered = text.lower()
    return words + sum(lowered.count(clue) for clue in verb_table.LETTER_CLUES.get(code, ()) if letters)


@cache
def _phrases(code: str) -> tuple[Phrases, ...]:
    return tuple(Phrases(table[code].split(", ")) for table in _TABLES if code in table)
