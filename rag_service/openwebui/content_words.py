"""Which words of a text say what it is about, and which hold those together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from rag_service.openwebui import title_table
from rag_service.openwebui.chat_language import tell_language
from rag_service.openwebui.verbs import Verbs, find_verbs
from rag_service.retrieval import document_table, question_table, rework_table
from rag_service.retrieval.language import function_words
from rag_service.retrieval.turn_reading import Tables
from rag_service.retrieval.turn_terms import Term, find_terms
from rag_service.retrieval.turn_tokens import Phrases, Token, split_tokens

_FEW_CHARACTERS: Final = 3
_LONGEST_PARTICLE: Final = 3
_INDEFINITE: Final = frozenset(title_table.INDEFINITE.split(", "))
_META: Final = (
    document_table.SUMMARY,
    document_table.DOCUMENT,
    document_table.WHOLE_TASKS,
    rework_table.REWORK,
    question_table.DEFINING,
)


def content_places(text: str, tokens: Sequence[Token], tables: Tables, *, meta: bool = False) -> set[int]:
    """Where words stand that name something.

    Without ``meta`` those are left out that only say what is to be done with a document.
    """
    terms = find_terms(text, tokens, tables)
    content = {place for term in terms for place in range(term.first, term.last + 1)}
    plain = plain_places(tokens, tables)
    content -= plain
    # "Search" asks, and a "binary search" does not.
    asking = tables.places(question_table.REQUESTS, tokens) - plain
    content |= {
        place
        for place in asking
        if place - 1 in content
        and not tokens[place].border
        and tokens[place].kind == "word"
        and len(tokens[place].text) > _LONGEST_PARTICLE
        and tokens[place].text.lower() not in function_words(tables.languages)
    }
    if meta:
        return content
    asking = {place for table in _META for place in tables.places(table, tokens)}
    # "A letter" is to be written; "the letter" is there.
    asking -= {place for place in asking if place and tokens[place - 1].folded in _INDEFINITE}
    # A name may have such a word in it ("French Revolution"); in German every noun has a capital.
    asking -= {term.first for term in terms if term.name and "de" not in tables.languages}
    # Characters of a script without spaces ask only where they are nearly all there is.
    spoken = {place for place in content - asking if tokens[place].kind == "character"}
    if len(spoken) >= _FEW_CHARACTERS:
        asking = {place for place in asking if tokens[place].kind != "character"}
    return content - asking


def verbs_among(text: str, tokens: Sequence[Token], content: set[int], tables: Tables) -> Verbs:
    """The verbs among the content of a text."""
    return find_verbs(tokens, content, tell_language(text, tables.languages))


def joining_places(tokens: Sequence[Token], tables: Tables) -> set[int]:
    """Where words stand that can be within a phrase; in scripts without spaces, any that ask nothing."""
    words = joints(tables.languages)
    joining = {place for place, token in enumerate(tokens) if token.folded in words or token.kind == "character"}
    return joining - plain_places(tokens, tables) - tables.places(question_table.QUESTION_WORDS, tokens)


def plain_places(tokens: Sequence[Token], tables: Tables) -> set[int]:
    """Where words stand that requests are made with, whatever they are about."""
    codes = tuple(code for code in tables.languages if code in title_table.PLAIN_WORDS)
    return {place for phrases in _plain_phrases(codes) for place in phrases.places(tokens)}


@cache
def joints(languages: tuple[str, ...]) -> frozenset[str]:
    """The words of these languages that hold a title's words together."""
    return frozenset(
        token.folded
        for code in languages
        for word in title_table.JOINTS.get(code, "").split(", ")
        for token in split_tokens(word)
    )


@cache
def _plain_phrases(codes: tuple[str, ...]) -> tuple[Phrases, ...]:
    return tuple(Phrases(title_table.PLAIN_WORDS[code].split(", ")) for code in codes)


def is_abbreviated(before: Token | Term, between: str) -> bool:
    """Whether a full stop belongs to the word before it."""
    return between == ". " and before.folded in title_table.ABBREVIATIONS
