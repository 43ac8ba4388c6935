"""Search queries for a turn: what Open WebUI asks a model for, told without one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from rag_service.retrieval import follow_up_table, question_table
from rag_service.retrieval.follow_up import LEANS, weigh_leaning
from rag_service.retrieval.topic import carry_topic
from rag_service.retrieval.turn_reading import Tables, read_turns
from rag_service.retrieval.turn_terms import find_terms
from rag_service.retrieval.turn_tokens import split_tokens
from rag_service.retrieval.turns import decide
from rag_service.retrieval.types import Turn

MOST_QUERIES: Final = 3
# Search engines cut longer ones.
LONGEST_SEARCH: Final = 200
_LEAST_POLITE: Final = 2
_QUESTIONS: Final = re.compile(r"(?<=[?？؟])\s*")
_EDGES: Final = " \t\n?？؟!！.。,，;；:：…¿¡\"'«»"


def search_queries(turns: Sequence[Turn]) -> list[str]:
    """What to search for to answer the newest user turn, at most three queries; none where nothing is to be found.

    Nothing is searched for small talk, for another wording of the last answer, and for a document as a whole. Each
    question of a turn gets a query of its own. Names and numbers are kept; what leans on earlier questions names
    their topic.
    """
    decision = decide(turns, ())
    if decision.use == "conversation" or decision.coverage:
        return []
    reading = read_turns(turns)
    queries: dict[str, str] = {}
    for question in _complete_questions(decision.query, reading.tables):
        query = _polished(question, reading.tables)
        if query:
            queries.setdefault(query.casefold(), query)
    return list(queries.values())[:MOST_QUERIES]


def _complete_questions(query: str, tables: Tables) -> list[str]:
    """The questions in a query; one that leans on the first gets its topic."""
    questions = [piece for piece in _QUESTIONS.split(query) if find_terms(piece, split_tokens(piece), tables)]
    if len(questions) < 2 or not query.rstrip().endswith(("?", "？", "؟")):
        return [query]
    first = questions[0]
    complete = [first]
    for question in questions[1:]:
        leaning = weigh_leaning(question, split_tokens(question), tables)
        if leaning.score >= LEANS:
            question = carry_topic(question, first, tables, bare=leaning.bare, pointing=not leaning.bare)
        complete.append(question)
    return complete


def _polished(question: str, tables: Tables) -> str:
    """A question without what is only polite or joins it to the last one; its terms alone where it is too long."""
    tokens = split_tokens(question)
    first = tables.longest_at(follow_up_table.OPENERS, tokens, 0)
    first += tables.longest_at(follow_up_table.WHAT_ABOUT, tokens, first)
    polite = tables.places(question_table.REQUESTS, tokens)
    asks = tables.places(question_table.QUESTION_WORDS, tokens)
    last = first
    while last < len(tokens) and last in polite and last not in asks:
        last += 1
    if last - first >= _LEAST_POLITE:
        first = last
    text = question[tokens[first].start :] if first < len(tokens) else question
    text = " ".join(text.strip(_EDGES).split())
    if len(text) <= LONGEST_SEARCH:
        return text
    query = ""
    for term in find_terms(text, split_tokens(text), tables):
        longer = f"{query} {term.text}".strip()
        if len(longer) > LONGEST_SEARCH:
            break
        query = longer
    return query or text[:LONGEST_SEARCH]
