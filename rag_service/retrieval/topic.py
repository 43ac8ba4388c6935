"""What a question that leans on earlier ones is searched with: the topic carried over, less what it replaces."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from rag_service.retrieval import question_table
from rag_service.retrieval.language import script_of
from rag_service.retrieval.turn_reading import Tables
from rag_service.retrieval.turn_terms import Term, find_terms, is_time, same_time
from rag_service.retrieval.turn_tokens import Token, fold, split_tokens

MOST_CARRIED: Final = 6
LONGEST_QUERY: Final = 600
_LONGEST_NAME: Final = 4
_LONGEST_ANSWER: Final = 12
_DEGREES: Final = frozenset({"how", "wie", "hoe", "jak", "cuan"})
_LONGEST_GAP: Final = 2
_SENTENCE: Final = re.compile(r"[^.!?。！？\n]+")
# Chinese and Japanese: what has a property stands before it ("法国的首都").
_POSSESSIVES: Final = frozenset("的の")


def carry_topic(question: str, topic: str, tables: Tables, *, bare: bool, pointing: bool, answer: str = "") -> str:
    """The question with the terms of ``topic`` that it leaves out.

    A ``bare`` question ("and in 2023?") names only what changes: where the topic has something of the same kind, it
    takes its place there. A ``pointing`` one has a pronoun; a name that the ``answer`` begins with may be what is
    meant.
    """
    tokens, topic_tokens = split_tokens(question), split_tokens(topic)
    new, old = find_terms(question, tokens, tables), find_terms(topic, topic_tokens, tables)
    replaced = _same_times(new, old, tables)
    if bare and not replaced:
        replaced = _same_place(tokens, new, topic, topic_tokens, old, tables)
    if replaced and {term for terms, _ in replaced for term in terms}.issuperset(new):
        return _replaced(question, topic, replaced)
    gone = {term for _, terms in replaced for term in terms}
    left = [term for term in old if term not in gone]
    carried = _most_specific(left, new, topic_tokens, pointing=pointing)
    named = _answered_name(answer, topic, tables) if pointing and _asks_for_name(topic_tokens, tables) else ""
    return " ".join(piece for piece in (question.strip(), *_joined(carried, topic), named) if piece)


Replacement = tuple[tuple[Term, ...], tuple[Term, ...]]


def _same_times(new: Sequence[Term], old: Sequence[Term], tables: Tables) -> list[Replacement]:
    """New times and the ones of the topic that they stand for."""
    found: list[Replacement] = []
    for term in new:
        same = tuple(other for other in old if same_time(term, other, tables))
        if same:
            found.append(((term,), same))
    return found


def _same_place(
    tokens: Sequence[Token],
    new: Sequence[Term],
    topic: str,
    topic_tokens: Sequence[Token],
    old: Sequence[Term],
    tables: Tables,
) -> list[Replacement]:
    """What stands in the topic where a bare question's one phrase would stand."""
    phrase = _phrase_at(new, 0)
    if not phrase or len(phrase) != len(new) or is_time(phrase[0], tables):
        return []
    olds = _phrases(old)
    if phrase[0].kind == "character":
        target = _same_ending(phrase[0], old) or _possessor(topic, old)
    else:
        relations = tables.places(question_table.RELATIONS, tokens)
        relation = next((tokens[place].folded for place in range(phrase[0].first) if place in relations), None)
        if relation is not None:
            target = _after_relation(olds, topic_tokens, tables, relation)
        elif topic == topic.lower():
            target = _after_relation(olds, topic_tokens, tables, None)
        else:
            target = _only_name(phrase, olds)
    if target is None or {term.folded for term in target} == {term.folded for term in phrase}:
        return []
    return [(tuple(phrase), tuple(target))]


def _phrases(terms: Sequence[Term]) -> list[list[Term]]:
    phrases: list[list[Term]] = []
    place = 0
    while place < len(terms):
        phrase = _phrase_at(terms, place)
        phrases.append(phrase)
        place += len(phrase)
    return phrases


def _phrase_at(terms: Sequence[Term], place: int) -> list[Term]:
    """The terms from a place on that follow one another without a word between."""
    phrase = list(terms[place : place + 1])
    for term in terms[place + 1 :]:
        if term.first != phrase[-1].last + 1 or term.kind == "character":
            break
        phrase.append(term)
    return phrase


def _after_relation(
    phrases: Sequence[list[Term]], tokens: Sequence[Token], tables: Tables, relation: str | None
) -> list[Term] | None:
    """The last phrase that follows a relation: this one, or any."""
    places = tables.places(question_table.RELATIONS, tokens)
    for phrase in reversed(phrases):
        before = [
            tokens[place].folded for place in range(max(0, phrase[0].first - 2), phrase[0].first) if place in places
        ]
        if before and (relation is None or any(_same_relation(relation, other, tables) for other in before)):
            return phrase
    return None


def _same_relation(one: str, other: str, tables: Tables) -> bool:
    if one == other:
        return True
    return any(
        {one, other} <= {fold(form) for form in forms.split()}
        for code in tables.languages
        for forms in question_table.SAME_RELATIONS.get(code, "").split(", ")
    )


def _only_name(phrase: Sequence[Term], phrases: Sequence[list[Term]]) -> list[Term] | None:
    """The topic's only name, for a name in its place."""
    named = [candidate for candidate in phrases if any(term.name for term in candidate)]
    if len(named) != 1 or not phrase[0].text[:1].isupper():
        return None
    return [term for term in named[0] if term.name or term.kind == "number"]


def _same_ending(term: Term, old: Sequence[Term]) -> list[Term] | None:
    """A term of unspaced script of the same kind: with the same last character, or both in katakana."""
    for other in old:
        if other.kind != "character" or other.text == term.text:
            continue
        alike = min(len(other.text), len(term.text)) > 1 and other.text[-1] == term.text[-1]
        if alike or (_is_katakana(term.text) and _is_katakana(other.text)):
            return [other]
    return None


def _is_katakana(text: str) -> bool:
    return all("ァ" <= letter <= "ヿ" for letter in text)


def _possessor(topic: str, old: Sequence[Term]) -> list[Term] | None:
    return next(
        ([term] for term in old if topic[term.end : term.end + 1] in _POSSESSIVES and term.kind == "character"), None
    )


def _replaced(question: str, topic: str, replaced: Sequence[Replacement]) -> str:
    """The topic with the new phrases in the places of the old ones."""
    edits: list[tuple[int, int, str]] = []
    for new, old in replaced:
        text = question[new[0].start : new[-1].end]
        for place, term in enumerate(old):
            edits.append((term.start, term.end, "" if place else text))
    for start, end, text in sorted(edits, reverse=True):
        before = topic[:start] if text else topic[:start].rstrip()
        topic = before + text + topic[end:]
    return " ".join(topic.split())


def _most_specific(
    terms: Sequence[Term], new: Sequence[Term], tokens: Sequence[Token], *, pointing: bool
) -> list[Term]:
    """The terms worth carrying, in their order: names and numbers before longer words before shorter ones."""
    said = {term.folded for term in new}
    candidates: dict[str, Term] = {}
    for term in terms:
        if term.folded not in said:
            candidates.setdefault(term.folded, term)
    # "how tall is …": what was asked of the topic, not the topic.
    of_degree = {key for key, term in candidates.items() if term.first and tokens[term.first - 1].folded in _DEGREES}
    if pointing and len(of_degree) < len(candidates):
        candidates = {key: term for key, term in candidates.items() if key not in of_degree or term.name}
    best = sorted(
        candidates.values(), key=lambda term: (not term.name, term.kind != "number", -term.weight, -len(term.text))
    )
    return sorted(best[:MOST_CARRIED], key=lambda term: term.start)


def _joined(terms: Sequence[Term], topic: str) -> list[str]:
    """The texts of terms; names with a small word or two between them stay one ("The Old Man and the Sea")."""
    texts: list[str] = []
    for place, term in enumerate(terms):
        before = terms[place - 1] if place else None
        gap = topic[before.end : term.start] if before else ""
        words = gap.split()
        if before and before.name and term.name and len(words) <= _LONGEST_GAP and gap.replace(" ", "").isalpha():
            texts[-1] += gap + term.text
        else:
            texts.append(term.text)
    return texts


def _asks_for_name(tokens: Sequence[Token], tables: Tables) -> bool:
    """Whether a question asks for who, which or where, so that its answer is a name."""
    return bool(tables.places(question_table.QUESTION_WORDS, tokens))


def _answered_name(answer: str, topic: str, tables: Tables) -> str:
    """The name that an answer consists of or begins with; empty where none can be told."""
    first = _SENTENCE.search(answer)
    if first is None:
        return ""
    sentence = first.group().strip()
    if script_of(sentence) in {"Han", "Kana"}:
        terms = find_terms(sentence, split_tokens(sentence), tables)
        short = len(sentence) <= _LONGEST_ANSWER and len(terms) == 1 and terms[0].text not in topic
        return terms[0].text if short else ""
    tokens = split_tokens(sentence)
    name: list[Token] = []
    silent = tables.function_places(tokens)
    for place, token in enumerate(tokens[: _LONGEST_NAME + 2]):
        if token.capitalised and place not in silent and not token.border:
            name.append(token)
        elif name:
            break
    alone = len(name) == len(tokens)
    if not name or len(name) > _LONGEST_NAME or (len(name) < 2 and not alone):
        return ""
    text = sentence[name[0].start : name[-1].end]
    return "" if text.casefold() in topic.casefold() else text
