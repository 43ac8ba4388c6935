"""Where the verbs of a question stand, told by the words around them: titles and tags name things.

Each rule is one observation on a language's order of words; only in English, where verbs look like nouns, a list of
those that are often asked about helps. A verb that no rule finds stays in a title, which then reads as a sentence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

from rag_service.openwebui import verb_table
from rag_service.retrieval.language import function_words
from rag_service.retrieval.turn_tokens import Phrases, Token, fold

_LONGEST_LEADER: Final = 3
# From one infinitive to the one that depends on it there is a preposition between at the most.
_LONGEST_CHAIN: Final = 2
_NOTHING: Final[frozenset[str]] = frozenset()
_AUXILIARIES: Final = frozenset(verb_table.AUXILIARIES.split(", "))
_MODALS: Final = frozenset(verb_table.MODALS.split(", "))
_PLAIN_VERBS: Final = frozenset(verb_table.PLAIN_VERBS.split(", "))
_ASKING_HOW: Final = frozenset(verb_table.ASKING_HOW.split(", "))
_GERUND_LEADERS: Final = frozenset(verb_table.GERUND_LEADERS.split(", "))
_POSSESSION: Final = frozenset(verb_table.POSSESSION.split(", "))
_PASTS: Final = frozenset(verb_table.PASTS.split(", "))
_ENGLISH_VERBS: Final = frozenset(verb_table.ENGLISH_VERBS.split(", "))
_GERMAN_COUNTS: Final = frozenset(verb_table.GERMAN_COUNTS.split(", "))


class Verbs(NamedTuple):
    """Places of tokens: all verbs, those of them that a title may begin with ("repot an orchid"), and adjectives.

    Adjectives are told in German alone, where nouns have a capital.
    """

    places: frozenset[int]
    openings: frozenset[int]
    adjectives: frozenset[int] = frozenset()


def find_verbs(tokens: Sequence[Token], content: Collection[int], language: str) -> Verbs:
    """The verbs among the ``content`` places of a text in a language; none where the language has no rules."""
    if language == "de":
        return _german_verbs(tokens, content)
    found: set[int] = set()
    openings: set[int] = set()
    for clause in _clauses(tokens, language) if language in verb_table.OPENERS else ():
        words = [place for place in clause if place in content and _may_be_verb(tokens, place, clause[0])]
        infinitives = {place for place in words if _is_infinitive(tokens, clause, place, language)}
        openings.update(_first_done(clause, infinitives, content))
        verbs = infinitives | {place for place in words if _is_finite(tokens, clause, place, content, language)}
        if not verbs:
            verbs.update(_behind_subject(tokens, clause, words, content, language))
        found |= verbs
    return Verbs(frozenset(found), frozenset(openings))


def _clauses(tokens: Sequence[Token], language: str) -> Iterator[range]:
    """The tokens between punctuation, and from one conjunction to the next: each has a verb of its own."""
    conjunctions = _words(verb_table.CONJUNCTIONS, language)
    first = 0
    for place in range(1, len(tokens) + 1):
        if place == len(tokens) or tokens[place].border or tokens[place].folded in conjunctions:
            yield range(first, place)
            first = place


def _may_be_verb(tokens: Sequence[Token], place: int, first: int) -> bool:
    """Names are none, but a capital at the beginning of a clause makes no name."""
    token = tokens[place]
    return token.kind == "word" and (not token.capitalised or place == first)


def _is_infinitive(tokens: Sequence[Token], clause: range, place: int, language: str) -> bool:
    if language != "en":
        word = tokens[place].folded
        if not word.endswith(verb_table.INFINITIVE_ENDINGS[language]):
            return False
        if word in _words(verb_table.NO_INFINITIVES, language):
            return False
    before = place
    while before > clause.start and tokens[before - 1].folded in _words(verb_table.CLITICS, language):
        before -= 1
    return any(
        _ends_in(tokens[clause.start : end], _leaders(language)) for end in {before, place} if end > clause.start
    )


def _first_done(clause: range, infinitives: Collection[int], content: Collection[int]) -> Iterator[int]:
    """What is done first is what the question is about, with what belongs to it ("aprender a tocar")."""
    named = [place for place in clause if place in content]
    for number, place in enumerate(named):
        if place not in infinitives or (number and place - named[number - 1] > _LONGEST_CHAIN):
            return
        yield place


def _is_finite(tokens: Sequence[Token], clause: range, place: int, content: Collection[int], language: str) -> bool:
    before = tokens[place - 1].folded if place > clause.start else ""
    if place + 1 < clause.stop and tokens[place + 1].text.lower() in _determiners(language):
        return True
    if before in _words(verb_table.SUBJECTS, language) and not _is_inverted(tokens, clause, place - 1, language):
        return True
    if before in _words(verb_table.HAVING, language) and _ends(
        tokens[place], verb_table.PARTICIPLE_ENDINGS, language
    ):
        return True
    behind_plural = place > clause.start and place - 1 in content and before.endswith(("s", "x"))
    if behind_plural and _ends(tokens[place], verb_table.PLURAL_ENDINGS, language):
        return True
    return language == "en" and _is_english_verb(tokens, clause, place, content)


def _ends(token: Token, table: Mapping[str, tuple[str, ...]], language: str) -> bool:
    return token.text.lower().endswith(table.get(language, ()))


def _is_inverted(tokens: Sequence[Token], clause: range, place: int, language: str) -> bool:
    """Whether the verb of a pronoun stands before it: what follows says how it is ("is it safe")."""
    return place > clause.start and tokens[place - 1].text.lower() in _finite(language)


def _is_english_verb(tokens: Sequence[Token], clause: range, place: int, content: Collection[int]) -> bool:
    word = tokens[place].folded
    before = tokens[place - 1].folded if place > clause.start else ""
    behind_content = place - 1 in content and place > clause.start
    if word.endswith("ing"):
        return before in _GERUND_LEADERS or _is_past(before)
    behind = tokens[place + 1].folded if place + 1 < clause.stop else ""
    if before == "what":
        # But "what pumps do you recommend".
        return word.endswith("s") and _is_known(word.removesuffix("s")) and behind not in _AUXILIARIES
    if not behind_content:
        return _is_known(word) and before in _MODALS and _asks_for_subject(tokens, clause, place - 1)
    if _is_past(word):
        return True
    asked = any(token.folded in _AUXILIARIES for token in tokens[clause.start : place])
    which = tokens[clause.start].folded in ("which", "who")
    # Of "heat pump replace" the last is the verb, and of "heat pump work" too.
    return (asked or which) and _is_known(word) and not _is_known(behind) and behind not in _PLAIN_VERBS


def _asks_for_subject(tokens: Sequence[Token], clause: range, modal: int) -> bool:
    """Whether a verb stands behind a modal verb ("what can damage"), and no subject ("how can charts")."""
    return modal > clause.start and tokens[modal - 1].folded not in _ASKING_HOW


def _is_past(word: str) -> bool:
    if word in _PASTS:
        return True
    stem = word.removesuffix("ed")
    return stem != word and any(map(_is_known, (stem, f"{stem}e", stem[:-1], f"{stem[:-1]}y")))


def _is_known(word: str) -> bool:
    return word in _ENGLISH_VERBS


def _behind_subject(
    tokens: Sequence[Token], clause: range, words: Sequence[int], content: Collection[int], language: str
) -> Iterator[int]:
    """The verb of a clause that must have one and shows none: the second of two words behind a determiner.

    Of more than two nobody knows which it is.
    """
    if any(token.text.lower() in _finite(language) for token in tokens[clause.start : clause.stop]):
        return
    if any(_is_infinitive(tokens, clause, place, language) for place in clause):
        return  # "make" says nothing of the subject, and is the verb all the same
    openers = _phrases(verb_table.OPENERS[language])
    opened = min((clause.start + place for place in openers.places(tokens[clause.start : clause.stop])), default=None)
    if opened is None:
        return
    determiners = _determiners(language) | ({"a"} if language == "pt" else _NOTHING)
    silent = determiners | _POSSESSION | _AUXILIARIES | function_words((language,))
    for place in range(opened + 1, clause.stop - 1):
        if place not in content and tokens[place].folded not in silent:
            return  # a verb that says nothing of the subject
        second, behind = place + 1, place + 2
        is_pair = place in content and second in words and tokens[place - 1].text.lower() in determiners
        if not is_pair or (behind < clause.stop and behind in content):
            continue
        if behind < clause.stop and tokens[behind].folded in _POSSESSION | _PLAIN_VERBS:
            continue
        yield second
        return


def _german_verbs(tokens: Sequence[Token], content: Collection[int]) -> Verbs:
    """Words without a capital that belong to no noun, where nouns have one."""
    found: set[int] = set()
    adjectives: set[int] = set()
    for clause in _clauses(tokens, "de"):
        named = any(place in content and tokens[place].capitalised for place in clause)
        for place in clause if named else ():
            if place not in content or tokens[place].kind != "word":
                continue
            if tokens[place].capitalised:
                behind = tokens[place + 1].text.lower() if place + 1 < clause.stop else ""
                if place == clause.start and behind in _determiners("de"):
                    found.add(place)  # "Erstelle eine Liste"
            elif _leads_to_noun(tokens, clause, place, content):
                adjectives.add(place)
            elif tokens[place].folded.endswith(verb_table.GERMAN_VERB_ENDINGS) or _asks_who(tokens, clause, place):
                found.add(place)
    return Verbs(frozenset(found), frozenset(), frozenset(adjectives))


def _asks_who(tokens: Sequence[Token], clause: range, place: int) -> bool:
    return place == clause.start + 1 and tokens[clause.start].folded in ("wer", "was")


def _leads_to_noun(tokens: Sequence[Token], clause: range, place: int, content: Collection[int]) -> bool:
    """Whether nothing but adjectives and numbers stands from a word to the next noun."""
    for behind in range(place, clause.stop):
        word = tokens[behind]
        if word.capitalised and behind > place:
            return behind in content
        counts = word.text.lower() in _GERMAN_COUNTS
        if behind not in content or not (counts or word.folded.endswith(verb_table.GERMAN_ADJECTIVE_ENDINGS)):
            return False
    return False


def _ends_in(tokens: Sequence[Token], leaders: Collection[tuple[str, ...]]) -> bool:
    words = tuple(token.folded for token in tokens[-_LONGEST_LEADER:])
    return any(words[-length:] in leaders for length in range(1, len(words) + 1))


@cache
def _finite(language: str) -> frozenset[str]:
    """With their accents: "é" is a verb and "e" is none."""
    return frozenset(verb_table.FINITE[language].split(", "))


@cache
def _determiners(language: str) -> frozenset[str]:
    """With their accents: "esta" goes with a noun, and "está" is a verb."""
    return frozenset(verb_table.DETERMINERS[language].split(", "))


@cache
def _leaders(language: str) -> frozenset[tuple[str, ...]]:
    listed = verb_table.INFINITIVE_LEADERS[language].split(", ")
    return frozenset(tuple(fold(word) for word in leader.split()) for leader in listed)


def _words(table: Mapping[str, str], language: str) -> frozenset[str]:
    return _split(table[language]) if language in table else _NOTHING


@cache
def _split(listed: str) -> frozenset[str]:
    """The last words of the entries of a list, as tokens have them: of "don t" a token has the t."""
    return frozenset(fold(entry.split()[-1]) for entry in listed.split(", "))


@cache
def _phrases(listed: str) -> Phrases:
    return Phrases(listed.split(", "))
