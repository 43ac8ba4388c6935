"""What a turn needs: passages of the sources, the conversation so far, or both; and what to search for.

Rules over tables of words, no model: every decision says why. Languages are told from the conversation; a language
without tables is read by punctuation, numbers and names alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final, Literal

from rag_service.retrieval import document_table, follow_up_table, question_table, rework_table
from rag_service.retrieval.follow_up import LEANS, Leaning, continues, wants_rewording, weigh_leaning
from rag_service.retrieval.foreign import is_foreign
from rag_service.retrieval.pasting import part_pasted
from rag_service.retrieval.smalltalk import is_small_talk, takes_up_offer, without_courtesy
from rag_service.retrieval.topic import LONGEST_QUERY, carry_topic
from rag_service.retrieval.turn_reading import Reading, Tables, read_turns
from rag_service.retrieval.turn_terms import find_terms
from rag_service.retrieval.turn_tokens import Token, split_tokens
from rag_service.retrieval.types import Source, Turn
from rag_service.retrieval.whole_document import asks_for_whole

Use = Literal["passages", "conversation", "both"]

# How far back a topic is looked for.
_MOST_TURNS: Final = 6
_SEARCHED_CHARACTERS: Final = 200_000


@dataclass(frozen=True, slots=True)
class Decision:
    """What to answer a turn from.

    ``coverage``: the whole of a text is asked for, so passages are chosen from all over it. ``keep_order``: they keep
    the order of the text, for nothing is gained by ranking. ``query`` is what to search for, empty where nothing is.
    ``reasons`` say in words why.
    """

    use: Use
    coverage: bool
    small_talk: bool
    query: str
    keep_order: bool
    reasons: tuple[str, ...]


def decide(turns: Sequence[Turn], sources: Sequence[Source]) -> Decision:
    """What the newest user turn needs.

    Sources the user attached are of use for anything but small talk; only what a search found can be left unread
    because the conversation is enough.
    """
    reading = read_turns(turns)
    decision = _decide(turns, reading, sources)
    if decision.use == "conversation" and not decision.small_talk and any(one.kind == "attached" for one in sources):
        decision = replace(decision, use="both", reasons=(*decision.reasons, "sources are attached"))
    if decision.coverage or not decision.query:
        return decision
    if is_foreign(reading.question, reading.languages, sources):
        reasons = (*decision.reasons, "the question is in another language than the sources")
        return replace(decision, keep_order=True, reasons=reasons)
    return decision


def _decide(turns: Sequence[Turn], reading: Reading, sources: Sequence[Source]) -> Decision:
    topic = find_topic(turns)
    if not reading.tokens:
        return _without_words(reading, topic)
    if takes_up_offer(reading):
        query = carry_topic(_last_sentence(reading.answer), topic, reading.tables, bare=False, pointing=True)
        return _made("both", query, "takes up what the assistant offered")
    if is_small_talk(reading, _known(sources, reading.earlier)):
        return Decision("conversation", False, True, "", False, ("is small talk",))
    titles = tuple(source.title for source in sources)
    text, pasted = part_pasted(without_courtesy(reading), reading.tables)
    tokens = split_tokens(text)
    if pasted:
        return _with_pasted(text, pasted, reading.tables, titles)
    answered = bool(topic and reading.answer)
    if answered and wants_rewording(text, tokens, reading.tables) and not _means_document(text, reading, sources):
        return _made("conversation", topic, "wants the last answer in another form")
    leaning = weigh_leaning(text, tokens, reading.tables)
    if _only_remarks(reading, text, tokens, leaning):
        return Decision("conversation", False, True, "", False, ("is small talk",))
    if asks_for_whole(tokens, reading.tables, titles) and not _means_topic(topic, leaning, text, reading, sources):
        return Decision("passages", True, False, text, True, ("asks for a text as a whole",))
    if topic and leaning.score >= LEANS:
        query = _leaning_query(text, topic, leaning, reading)
        return _made("both", query, *leaning.reasons)
    return _made("passages", text, "stands on its own", *leaning.reasons)


def _only_remarks(reading: Reading, text: str, tokens: Sequence[Token], leaning: Leaning) -> bool:
    """Whether what is left beside thanks or praise says and asks nothing ("cool, i didn't know")."""
    if len(text) >= len(reading.question.strip()) or "?" in text or find_terms(text, tokens, reading.tables):
        return False
    tables = (
        question_table.QUESTION_WORDS,
        rework_table.CONTINUE,
        follow_up_table.OPENERS,
        rework_table.REWORK,
        document_table.SUMMARY,
        document_table.SUBJECT,
        document_table.DOCUMENT,
        document_table.SHAPE,
    )
    return not leaning.pointing and not any(reading.tables.places(table, tokens) for table in tables)


def find_topic(turns: Sequence[Turn]) -> str:
    """What the conversation is about before its newest user turn, as a query; empty at its start."""
    asked = [place for place, turn in enumerate(turns) if turn.role == "user"]
    topic = ""
    for place in asked[:-1][-_MOST_TURNS:]:
        topic = _next_topic(topic, read_turns(turns[: place + 1]))
    return topic


def _next_topic(topic: str, reading: Reading) -> str:
    """The topic after one more question."""
    if not reading.tokens or is_small_talk(reading, _known((), reading.earlier)):
        return topic
    text, _ = part_pasted(without_courtesy(reading), reading.tables)
    tokens = split_tokens(text)
    if topic and reading.answer and wants_rewording(text, tokens, reading.tables):
        return topic
    leaning = weigh_leaning(text, tokens, reading.tables)
    if topic and leaning.score >= LEANS:
        return _leaning_query(text, topic, leaning, reading)
    return text[:LONGEST_QUERY]


def _leaning_query(text: str, topic: str, leaning: Leaning, reading: Reading) -> str:
    if continues(split_tokens(text), reading.tables) and not find_terms(text, split_tokens(text), reading.tables):
        return topic
    answer = reading.answer if leaning.pointing else ""
    query = carry_topic(
        text, topic, reading.tables, bare=leaning.bare, pointing=leaning.pointing or not leaning.bare, answer=answer
    )
    return query[:LONGEST_QUERY]


def _made(use: Use, query: str, *reasons: str) -> Decision:
    return Decision(use, False, False, query[:LONGEST_QUERY], False, reasons)


def _without_words(reading: Reading, topic: str) -> Decision:
    """A turn of signs alone: "?" asks once more, anything else is a gesture."""
    if topic and any(mark in reading.question for mark in "?？؟"):
        return _made("both", topic, "asks once more")
    return Decision("conversation", False, True, "", False, ("has no words",))


def _with_pasted(text: str, pasted: str, tables: Tables, titles: Sequence[str]) -> Decision:
    """A question with a text of its own: what is asked of that text is answered from it."""
    tokens = split_tokens(text)
    if asks_for_whole(tokens, tables, titles) or wants_rewording(text, tokens, tables):
        return _made("conversation", text, "is about the text within the question")
    terms = find_terms(pasted, split_tokens(pasted), tables)
    counts: dict[str, int] = {}
    for term in terms:
        if len(term.text) > 3 or term.kind == "character":
            counts[term.text] = counts.get(term.text, 0) + 1
    telling = sorted(counts, key=lambda word: (-counts[word], -len(word)))[:6]
    return _made("passages", " ".join((text, *telling)), "stands on its own", "has a text within it")


def _means_document(text: str, reading: Reading, sources: Sequence[Source]) -> bool:
    """Whether "summarise it" after an answer is said of the attached document and not of the answer."""
    tokens = split_tokens(text)
    attached = any(source.kind == "attached" for source in sources)
    return attached and asks_for_whole(tokens, reading.tables, ()) and not _points_at_answer(text, reading)


def _points_at_answer(text: str, reading: Reading) -> bool:
    """Whether the turn names what was just said: "that", "your answer"."""
    return bool(reading.tables.places(rework_table.SAID, split_tokens(text)))


def _means_topic(topic: str, leaning: Leaning, text: str, reading: Reading, sources: Sequence[Source]) -> bool:
    """Whether "what is it about" is asked of the last answer's subject, no document being named or attached."""
    if not topic or not leaning.pointing or any(source.kind == "attached" for source in sources):
        return False
    return not reading.tables.places(document_table.DOCUMENT, split_tokens(text))


def _last_sentence(answer: str) -> str:
    sentences = [piece.strip() for piece in re.split(r"(?<=[.!?。！？])\s*", answer[-600:]) if piece.strip()]
    return sentences[-1] if sentences else ""


def _known(sources: Sequence[Source], earlier: Sequence[str]) -> Callable[[str], bool]:
    """Whether a word occurs in the sources (in the first part of long ones) or earlier in the conversation."""

    def known(word: str) -> bool:
        pattern = re.compile(re.escape(word), re.IGNORECASE)
        texts = chain(earlier, (source.title for source in sources), (source.text for source in sources))
        return any(pattern.search(text, 0, _SEARCHED_CHARACTERS) for text in texts)

    return known
