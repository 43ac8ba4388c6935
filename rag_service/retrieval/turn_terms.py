"""The terms of a question: the words that say what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rag_service.retrieval import follow_up_table, question_table
from rag_service.retrieval.turn_reading import Tables
from rag_service.retrieval.turn_tokens import Token, TokenKind

_HIRAGANA: Final = range(0x3041, 0x30A0)
# Unspaced scripts that are alphabets, Thai to Khmer, stand before those that are not.
_HAN_AND_KANA: Final = "\u2e80"
_ALPHABET_WORD: Final = 5
_DETERMINERS: Final = frozenset(
    {"der", "die", "das", "den", "dem", "des", "ein", "eine", "einen", "einem", "einer", "eines"}
    | {"im", "am", "zum", "zur", "vom", "beim"}
)
_SENTENCE_ENDS: Final = frozenset(".!?\n")


@dataclass(frozen=True, slots=True)
class Term:
    """A word, a number, or a run of unspaced characters between function characters.

    ``first`` and ``last`` are the places of its tokens; ``name`` says that it is written as names are.
    """

    text: str
    folded: str
    start: int
    end: int
    kind: TokenKind
    first: int
    last: int
    name: bool

    @property
    def weight(self) -> float:
        """How many words it stands for: two characters of an unspaced script make one, five of an alphabet."""
        if self.kind != "character":
            return 1.0
        return max(1.0, len(self.text) / (_ALPHABET_WORD if self.text < _HAN_AND_KANA else 2))


def find_terms(text: str, tokens: Sequence[Token], tables: Tables) -> list[Term]:
    """The terms of a text, in order."""
    silent = silent_places(tokens, tables)
    terms: list[Term] = []
    run: list[int] = []
    for place, token in enumerate(tokens):
        speaks = place not in silent and not _is_kana_ending(token, tables)
        joined = run and tokens[run[-1]].end == token.start and token.kind == "character"
        if run and not (speaks and joined):
            terms.append(_made(text, tokens, run))
            run = []
        if not speaks:
            continue
        if token.kind == "character":
            run.append(place)
        else:
            name = _is_name(text, tokens, place, tables)
            terms.append(Term(token.text, token.folded, token.start, token.end, token.kind, place, place, name))
    if run:
        terms.append(_made(text, tokens, run))
    return terms


def silent_places(tokens: Sequence[Token], tables: Tables) -> set[int]:
    """Which tokens say nothing of what is asked for, single characters within names left out."""
    silent = tables.word_places(tokens)
    for table in (
        follow_up_table.PRONOUNS,
        follow_up_table.WEAK_PRONOUNS,
        follow_up_table.COMPARING,
        follow_up_table.WHAT_ABOUT,
        follow_up_table.NEW_SUBJECT,
    ):
        silent |= tables.places(table, tokens)
    silent.update(range(tables.longest_at(follow_up_table.OPENERS, tokens, 0)))
    return silent - {place for place, token in enumerate(tokens) if token.kind == "number"}


def is_year(term: Term) -> bool:
    """Whether a number may be a year."""
    return term.kind == "number" and term.text.isdecimal() and len(term.text) == 4 and 1000 <= int(term.text) < 2200


def is_time(term: Term, tables: Tables) -> bool:
    """Whether a term is a year, a month or a day of the week."""
    return same_time(term, term, tables)


def same_time(one: Term, other: Term, tables: Tables) -> bool:
    """Whether both are years, both months or both days of the week."""
    if is_year(one) and is_year(other):
        return True
    return any(
        any(one.folded in names for names in tables.of(table))
        and any(other.folded in names for names in tables.of(table))
        for table in (question_table.MONTHS, question_table.WEEKDAYS)
    )


def _made(text: str, tokens: Sequence[Token], run: Sequence[int]) -> Term:
    start, end = tokens[run[0]].start, tokens[run[-1]].end
    piece = text[start:end]
    return Term(piece, piece, start, end, "character", run[0], run[-1], False)


def _is_kana_ending(token: Token, tables: Tables) -> bool:
    # Japanese writes endings and particles in hiragana, and what it speaks of seldom.
    return token.kind == "character" and "ja" in tables.languages and ord(token.text) in _HIRAGANA


def _is_name(text: str, tokens: Sequence[Token], place: int, tables: Tables) -> bool:
    """Whether a word has a capital that the start of a sentence, or German nouns, do not explain."""
    token = tokens[place]
    if not token.capitalised or text.isupper():
        return False
    if token.text[1:].isupper() and len(token.text) > 1:
        return True
    if place == 0:
        return False
    before = tokens[place - 1]
    if _SENTENCE_ENDS.intersection(text[before.end : token.start]):
        return False
    return "de" not in tables.languages or before.folded not in _DETERMINERS
