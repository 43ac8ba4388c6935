"""The terms of a chat, for its tags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from rag_service.openwebui.content_words import content_places, is_abbreviated, joints, plain_places, verbs_among
from rag_service.retrieval import question_table
from rag_service.retrieval.turn_reading import Tables
from rag_service.retrieval.turn_terms import Term, find_terms
from rag_service.retrieval.turn_tokens import Token, split_tokens

_READ_CHARACTERS: Final = 4_000
_LONGEST_TERM: Final = 40
_LEAST_RUN: Final = 2
_LONGEST_RUN: Final = 8
# No word but a name is worth more.
_NAME_WORTH: Final = 1.0
_NOISE: Final = re.compile(r"```.*?(?:```|\Z)|https?://\S+|</?[a-z][^>\n]{0,200}>|\[\d{1,3}\]", re.DOTALL)


def rank_terms(texts: Sequence[tuple[str, float]], tables: Tables) -> list[str]:
    """The terms of weighted texts, the most telling first, each as it is first written.

    Names that stand together are one term.
    """
    weights: dict[str, float] = {}
    written: dict[str, str] = {}
    for text, weight in texts:
        clean = _NOISE.sub(" ", text[:_READ_CHARACTERS])
        tokens = split_tokens(clean)
        content = content_places(clean, tokens, tables)
        verbs = verbs_among(clean, tokens, content, tables)
        content -= verbs.places | verbs.adjectives
        terms = [term for term in find_terms(clean, tokens, tables) if term.first in content]
        spaced = [term for term in terms if term.kind != "character"]
        for name, worth in (*_named(clean, spaced), *_character_runs(clean, tokens, tables)):
            key = name.casefold()
            written.setdefault(key, name)
            # Of an answer only names count, and what the user speaks of too.
            if weight >= 1 or worth > _NAME_WORTH or key in weights:
                weights[key] = weights.get(key, 0.0) + weight * worth
    return [written[key] for key, _ in sorted(weights.items(), key=lambda pair: -pair[1])]


def _named(text: str, terms: Sequence[Term]) -> list[tuple[str, float]]:
    """Terms with their weights; neighbours that are names or numbers become one."""
    named: list[tuple[str, float]] = []
    run: list[Term] = []
    for term in [*terms, None]:
        if run and (term is None or not _continues_name(text, run[-1], term)):
            name = text[run[0].start : run[-1].end]
            if len(name) <= _LONGEST_TERM and any(one.kind != "number" for one in run):
                special = any(one.name or any(map(str.isdigit, one.text)) for one in run)
                named.append((name, (2.5 if special else 1.0) * min(_NAME_WORTH, 0.6 + 0.04 * len(name))))
            run = []
        if term is not None:
            run.append(term)
    return named


def _character_runs(text: str, tokens: Sequence[Token], tables: Tables) -> Iterator[tuple[str, float]]:
    """Runs of a script without spaces, between characters that join words or only ask, with their weights."""
    between = plain_places(tokens, tables) | tables.places(question_table.QUESTION_WORDS, tokens)
    between |= {place for place, token in enumerate(tokens) if token.folded in joints(tables.languages)}
    run: list[Token] = []
    for place, token in enumerate([*tokens, None]):
        joins = token is not None and token.kind == "character" and place not in between
        if run and not (joins and token is not None and token.start == run[-1].end):
            if _LEAST_RUN <= len(run) <= _LONGEST_RUN:
                yield text[run[0].start : run[-1].end], 1.0
            run = []
        if joins and token is not None:
            run.append(token)


def _continues_name(text: str, before: Term, term: Term) -> bool:
    between = text[before.end : term.start]
    if is_abbreviated(before, between):
        return term.text[:1].isupper()
    if between not in {" ", "-", ".", "'", "’"}:
        return False
    return (before.name or before.text[:1].isupper()) and (term.name or term.text[:1].isdigit())
