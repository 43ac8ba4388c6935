"""How much a question leans on what was said before it, and whether it only wants that said another way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rag_service.retrieval import document_table, follow_up_table, question_table, remark_table, rework_table
from rag_service.retrieval.turn_reading import Tables
from rag_service.retrieval.turn_terms import Term, find_terms
from rag_service.retrieval.turn_tokens import Token

# A question that leans this much is searched with the topic of the earlier ones.
LEANS: Final = 1.0
# Greek asks with what is a semicolon elsewhere; inside a question that says nothing, at its end it does.
_ASKS: Final = re.compile(r"[?？؟;\u037e]\s*$")
# How some languages ask for something else with one word: 呢 at the end, は in Japanese, 은 or 는 in Korean, ล่ะ in
# Thai.
_BARE_END: Final = re.compile(r"(?:呢|は|은요?|는요?|이요|년은요|년은|ล่ะ|ละ)\s*[?？]?\s*$")


@dataclass(frozen=True, slots=True)
class Leaning:
    """``score`` with its ``reasons``; ``bare``: names only what changes; ``pointing``: has a pronoun for it."""

    score: float
    bare: bool
    pointing: bool
    reasons: tuple[str, ...]


def weigh_leaning(text: str, tokens: Sequence[Token], tables: Tables) -> Leaning:
    """Weigh the signs that a question is not complete without an earlier one."""
    if tables.places(follow_up_table.NEW_SUBJECT, tokens):
        return Leaning(0.0, False, False, ("announces another subject",))
    terms = find_terms(text, tokens, tables)
    said = sum(term.weight for term in terms)
    asks = tables.places(question_table.QUESTION_WORDS, tokens)
    opened = tables.longest_at(follow_up_table.OPENERS, tokens, 0)
    instead = _end_of_what_about(tokens, tables, opened)
    begun = max(opened, instead)
    bare = _is_bare(text, tokens, terms, asks - set(range(begun)), tables, begun)
    pointing = _points_back(tokens, terms, tables)
    weak = _weak_places(tokens, terms, tables)
    signs = [
        (1.5, not terms, "says nothing on its own"),
        (1.5, continues(tokens, tables), "asks to go on"),
        (1.0, bool(opened) and said <= 2, "begins as a continuation"),
        (0.5, bool(opened) and 2 < said <= 3, "begins as a continuation, but says more"),
        (0.5, bool(opened) and 2 < said <= 3 and bare, "and asks nothing of what it names"),
        (1.0, bool(instead) and said <= 4, "puts something else in the place of the topic"),
        (1.0, bare and not opened and not instead, "names only what changes"),
        (1.0, pointing, "has a pronoun without its noun"),
        (0.6, bool(weak) and said <= 2, "has a word that may point back"),
        (0.4, bool(weak & {0, 1}) and said <= 2, "begins with it"),
        (
            0.6,
            bool(tables.places(follow_up_table.COMPARING, tokens)) and said <= 2,
            "compares with something unnamed",
        ),
        (0.4, bool(tables.places(follow_up_table.COMPARING, tokens)) and said <= 1, "and names nothing else"),
        (1.0, _is_short(text, tokens, terms, asks, tables), "is too short to be complete"),
    ]
    found = [(weight, reason) for weight, holds, reason in signs if holds]
    return Leaning(sum(weight for weight, _ in found), bare, pointing, tuple(reason for _, reason in found))


def _end_of_what_about(tokens: Sequence[Token], tables: Tables, opened: int) -> int:
    """How many tokens a "what about" with what opens it takes; 0 where there is none."""
    lengths = {place: tables.longest_at(follow_up_table.WHAT_ABOUT, tokens, place) for place in {0, opened}}
    return max((place + length for place, length in lengths.items() if length), default=0)


def continues(tokens: Sequence[Token], tables: Tables) -> bool:
    """Whether the turn only asks for more, for reasons or for an example."""
    found = tables.places(rework_table.CONTINUE, tokens)
    explained = found | tables.function_places(tokens) | tables.places(remark_table.FILLERS, tokens)
    explained |= tables.places(follow_up_table.OPENERS, tokens) | _pronoun_places(tokens, tables)
    return bool(found) and explained.issuperset(range(len(tokens)))


def wants_rewording(text: str, tokens: Sequence[Token], tables: Tables) -> bool:
    """Whether the turn wants the last answer said another way (shorter, translated, as a table) or repeated."""
    wording = tables.places(rework_table.REWORK, tokens)
    helping = tables.places(rework_table.REWORK_HELPERS, tokens)
    shape = tables.places(document_table.SHAPE, tokens)
    if tables.places(document_table.DOCUMENT, tokens) - wording - shape:
        return False
    explained = wording | helping | shape | tables.function_places(tokens) | _pronoun_places(tokens, tables)
    explained |= tables.places(remark_table.FILLERS, tokens) | tables.places(follow_up_table.OPENERS, tokens)
    if not explained.issuperset(place for place, token in enumerate(tokens) if token.kind != "number"):
        return False
    if wording - helping:
        return True
    asks = tables.places(question_table.QUESTION_WORDS, tokens) - wording - shape
    asks -= tables.places(question_table.YES_NO, tokens)
    return not asks and bool(shape) and (bool(helping) or not _ASKS.search(text))


def _pronoun_places(tokens: Sequence[Token], tables: Tables) -> set[int]:
    return tables.places(follow_up_table.PRONOUNS, tokens) | tables.places(follow_up_table.WEAK_PRONOUNS, tokens)


def _is_bare(
    text: str, tokens: Sequence[Token], terms: Sequence[Term], asks: set[int], tables: Tables, begun: int
) -> bool:
    """Whether the question names a thing or two and does not say what is asked of them.

    ``begun`` is how many tokens at its start say that it goes on.
    """
    said = sum(term.weight for term in terms)
    if not terms or said > 4 or asks - {len(tokens) - 1}:
        return False
    if begun:
        links = tables.places(question_table.RELATIONS, tokens) | tables.places(question_table.ARTICLES, tokens)
        links |= _pronoun_places(tokens, tables) | tables.places(follow_up_table.COMPARING, tokens)
        before = range(begun, terms[0].first)
        return terms[0].kind == "character" or links.issuperset(before)
    if all(term.kind == "number" for term in terms):
        return True
    if _BARE_END.search(text):
        return said <= 3
    return bool(_ASKS.search(text)) and len(tokens) <= 2 and said <= 1


def _is_short(text: str, tokens: Sequence[Token], terms: Sequence[Term], asks: set[int], tables: Tables) -> bool:
    """Whether a question has one word at most that says something, and needs more."""
    said = sum(term.weight for term in terms)
    if said > 1 or any(term.name for term in terms):
        return False
    if not asks:
        return len(tokens) > 1 and _ASKS.search(text) is not None
    return not tables.places(question_table.DEFINING, tokens)


def _points_back(tokens: Sequence[Token], terms: Sequence[Term], tables: Tables) -> bool:
    """Whether a pronoun stands before anything in the question that it could stand for."""
    excused = tables.places(follow_up_table.EXPLETIVES, tokens)
    documents = tables.places(document_table.DOCUMENT, tokens)
    joints = tables.places(follow_up_table.OPENERS, tokens)
    for place in sorted(tables.places(follow_up_table.PRONOUNS, tokens)):
        polite = (
            "de" in tables.languages and place > 0 and tokens[place].text in {"Sie", "Ihr", "Ihre", "Ihnen", "Ihren"}
        )
        if place in excused or polite or (place + 1) in documents:
            continue
        if not _has_antecedent(place, tokens, terms, joints):
            return True
    return False


def _has_antecedent(place: int, tokens: Sequence[Token], terms: Sequence[Term], joints: set[int]) -> bool:
    for joint in range(1, place + 1):
        if tokens[joint].border or joint in joints:
            before = [term for term in terms if term.last < joint]
            if sum(term.weight for term in before) >= 2 or any(term.name for term in before):
                return True
    # "How did Tesla pay for his laboratory?": a question that says so much names what it speaks of.
    said = sum(term.weight for term in terms)
    named = any(term.name and term.last < place for term in terms)
    return said >= 5 or (named and said >= 3)


def _weak_places(tokens: Sequence[Token], terms: Sequence[Term], tables: Tables) -> set[int]:
    """The places of words like "that" that stand alone, not before the noun they belong to."""
    begins = {term.first for term in terms}
    excused = tables.places(follow_up_table.EXPLETIVES, tokens)
    weak = tables.places(follow_up_table.WEAK_PRONOUNS, tokens) - excused
    documents = tables.places(document_table.DOCUMENT, tokens)
    return {place for place in weak if place + 1 not in begins and place + 1 not in documents}
