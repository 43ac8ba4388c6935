"""Requests for a whole document: a summary, its subject, a translation of all of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from rag_service.retrieval import document_table, follow_up_table, question_table, remark_table, smalltalk_table
from rag_service.retrieval.turn_reading import Tables
from rag_service.retrieval.turn_tokens import Token, split_tokens

_LONGEST_LINK: Final = 6
_MOST_NAMED: Final = 1
# Words after which something inside the document is named, rather than the document itself.
_INSIDE: Final = frozenset(
    {"in", "on", "about", "regarding", "concerning", "over", "uber", "zu", "zum", "zur", "aus", "sobre", "en", "sur"}
    | {"dans", "su", "nel", "nella", "em", "no", "na", "o", "w", "о", "об", "в", "во", "по"}
)
_ROMAN: Final = re.compile(r"(?=[ivxlc])(?:x{0,3})(?:ix|iv|v?i{0,3})")
# "the second chapter": 第 counts in Chinese, Japanese, and 제 in Korean.
_COUNTER: Final = frozenset("第제")
_HAN_NUMBERS: Final = frozenset("一二三四五六七八九十两")


def asks_for_whole(tokens: Sequence[Token], tables: Tables, titles: Sequence[str]) -> bool:
    """Whether a text as a whole is asked for: what is left of the question names nothing inside it.

    ``titles`` of the sources count as names of documents.
    """
    if not tokens or _names_part(tokens, tables):
        return False
    summary = tables.places(document_table.SUMMARY, tokens)
    subject = _subject_places(tokens, tables)
    task = tables.places(document_table.WHOLE_TASKS, tokens)
    document = tables.places(document_table.DOCUMENT, tokens)
    left = _left_over(tokens, tables, summary | subject | document, titles)
    if summary and (not left or _linked(tokens, tables, summary, document, left)):
        return True
    if subject and not left:
        return True
    return bool(task - document and document and not (left - task) and _linked(tokens, tables, task, document, left))


def _subject_places(tokens: Sequence[Token], tables: Tables) -> set[int]:
    """The places of questions for the subject; the document's name may stand within ("what's this file about")."""
    document = tables.places(document_table.DOCUMENT, tokens)
    others = [place for place in range(len(tokens)) if place not in document]
    within = tables.places(document_table.SUBJECT, [tokens[place] for place in others])
    return {others[place] for place in within} | tables.places(document_table.SUBJECT, tokens)


def _left_over(tokens: Sequence[Token], tables: Tables, named: set[int], titles: Sequence[str]) -> set[int]:
    """Which tokens say something that no table explains."""
    explained = named | tables.function_places(tokens) | tables.places(document_table.SHAPE, tokens)
    for table in (
        remark_table.FILLERS,
        remark_table.ACKNOWLEDGEMENTS,
        smalltalk_table.THANKS,
        follow_up_table.PRONOUNS,
        follow_up_table.WEAK_PRONOUNS,
    ):
        explained |= tables.places(table, tokens)
    of_titles = {token.folded for title in titles for token in split_tokens(title[:300])}
    return {
        place
        for place, token in enumerate(tokens)
        if place not in explained and token.kind != "number" and token.folded not in of_titles
    }


def _linked(tokens: Sequence[Token], tables: Tables, asking: set[int], document: set[int], left: set[int]) -> bool:
    """Whether nothing but links and one describing word stand between what is asked and the document."""
    asks = tables.places(question_table.QUESTION_WORDS, tokens)
    # The "o" of Portuguese is no Polish "about".
    articles = tables.places(question_table.ARTICLES, tokens)
    for one in asking:
        for other in document - asking:
            between = range(min(one, other) + 1, max(one, other))
            if len(between) > _LONGEST_LINK or asks.intersection(between):
                continue
            inside = any(tokens[place].folded in _INSIDE and place not in articles for place in between)
            if not inside and len(left.intersection(between)) <= _MOST_NAMED:
                return True
    return False


def _names_part(tokens: Sequence[Token], tables: Tables) -> bool:
    """Whether a chapter, a section, a numbered table … is named."""
    shapes = tables.places(document_table.SHAPE, tokens)
    for place in tables.places(document_table.PART, tokens):
        after = tokens[place + 1] if place + 1 < len(tokens) else None
        numbered = after is not None and (after.kind == "number" or _ROMAN.fullmatch(after.folded) is not None)
        before = tokens[max(0, place - 3) : place]
        counted = any(token.text in _COUNTER or token.text.startswith("제") for token in before)
        if tokens[place].kind == "character":
            near = tokens[place - 1] if place else None
            numeral = near is not None and (near.kind == "number" or near.text in _HAN_NUMBERS)
            if counted or (numeral and place not in shapes):
                return True
        elif numbered or counted or place not in shapes:
            return True
    return False
