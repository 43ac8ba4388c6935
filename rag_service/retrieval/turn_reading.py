"""A conversation as the rules on turns read it: the question, what it came after, and in which languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Final

from rag_service.retrieval import question_table
from rag_service.retrieval.language import function_characters, function_words, languages_in
from rag_service.retrieval.turn_tokens import Phrases, Token, split_tokens
from rag_service.retrieval.types import Turn

# What is looked at of one message, in characters; a pasted book says no more of what is wanted.
MOST_CHARACTERS: Final = 20_000
_MOST_LANGUAGES: Final = 3


@cache
def _phrases(*entries: str) -> Phrases:
    # As many as there are tables.
    return Phrases(entry for of_language in entries for entry in of_language.split(", "))


class Tables:
    """Phrase tables of the languages of a conversation; of all languages where none could be told."""

    def __init__(self, languages: tuple[str, ...]) -> None:
        self.languages: Final = languages

    def of(self, table: Mapping[str, str]) -> tuple[Phrases, ...]:
        """The phrases of a table."""
        codes = [code for code in self.languages if code in table]
        return tuple(_phrases(table[code]) for code in codes) or (_phrases(*table.values()),)

    def places(self, table: Mapping[str, str], tokens: Sequence[Token]) -> set[int]:
        """Which of the tokens belong to a phrase of the table."""
        return {place for phrases in self.of(table) for place in phrases.places(tokens)}

    def longest_at(self, table: Mapping[str, str], tokens: Sequence[Token], place: int) -> int:
        """How many tokens from ``place`` on are a phrase of the table."""
        return max((phrases.longest_at(tokens, place) for phrases in self.of(table)), default=0)

    def function_places(self, tokens: Sequence[Token]) -> set[int]:
        """Which of the tokens say nothing of what is asked for: articles, pronouns, question words, politeness."""
        characters = function_characters(self.languages)
        return self.word_places(tokens) | {place for place, token in enumerate(tokens) if token.text in characters}

    def word_places(self, tokens: Sequence[Token]) -> set[int]:
        """As ``function_places``, without the function characters: in Chinese names they are letters like others."""
        words = _function_words(self.languages)
        found = {place for place, token in enumerate(tokens) if token.folded in words}
        found |= self.places(question_table.QUESTION_WORDS, tokens)
        return found | self.places(question_table.REQUESTS, tokens)


@lru_cache(maxsize=256)
def _function_words(languages: tuple[str, ...]) -> frozenset[str]:
    # Without a language nothing is a function word: "die", "war" and "was" are words of their own somewhere.
    return frozenset(token.folded for word in function_words(languages) for token in split_tokens(word))


@dataclass(frozen=True)
class Reading:
    """The newest question and what it came after.

    ``earlier`` are the user's messages before it and ``answer`` the assistant's last one, empty where there is none.
    """

    question: str
    earlier: tuple[str, ...]
    answer: str
    languages: tuple[str, ...]

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """The question's tokens."""
        return split_tokens(self.question)

    @cached_property
    def tables(self) -> Tables:
        """The tables to read the question with."""
        return Tables(self.languages)


def read_turns(turns: Sequence[Turn]) -> Reading:
    """Read a conversation up to its newest user turn; what comes after that is left out."""
    last = max((place for place, turn in enumerate(turns) if turn.role == "user"), default=None)
    if last is None:
        return Reading("", (), "", ())
    question = turns[last].text[:MOST_CHARACTERS]
    before = turns[:last]
    earlier = tuple(turn.text[:MOST_CHARACTERS] for turn in before if turn.role == "user")
    answer = next((turn.text[:MOST_CHARACTERS] for turn in reversed(before) if turn.role == "assistant"), "")
    return Reading(question, earlier, answer, told_languages(question, earlier, answer))


def told_languages(question: str, earlier: Sequence[str], answer: str) -> tuple[str, ...]:
    """The languages a question may be in; those around it tell, where it is too short."""
    own = languages_in(question)
    if len(own) == 1:
        return own
    around = languages_in("\n".join((question, *earlier[-2:], answer[:500])))
    agreed = tuple(code for code in around if code in own)
    return (agreed or own or around)[:_MOST_LANGUAGES]
