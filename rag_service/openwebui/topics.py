"""What a chat is about, told without a model: a title's words, terms, and broad subjects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from rag_service.openwebui import title_table
from rag_service.retrieval import document_table, question_table, rework_table
from rag_service.retrieval.language import function_words, language_of
from rag_service.retrieval.pasting import part_pasted
from rag_service.retrieval.smalltalk import without_courtesy
from rag_service.retrieval.turn_reading import Reading, Tables, read_turns
from rag_service.retrieval.turn_terms import Term, find_terms
from rag_service.retrieval.turn_tokens import Phrases, Token, split_tokens
from rag_service.retrieval.turns import decide
from rag_service.retrieval.types import Turn

MOST_WORDS: Final = 6
"""The most words in a title; two characters of a script without spaces count as one."""

_READ_CHARACTERS: Final = 4_000
_MOST_TURNS: Final = 8
_LONGEST_TERM: Final = 40
_FEW_CHARACTERS: Final = 3
_LONGEST_PARTICLE: Final = 3
_LEAST_RUN: Final = 2
_LONGEST_RUN: Final = 8
# No word but a name is worth more.
_NAME_WORTH: Final = 1.0
# Of a text that is longer, its first and last characters are read.
_HEAD: Final = 1_500
_TAIL: Final = 700
_ANSWER_CHARACTERS: Final = 800
_USER_WEIGHT: Final = 2.0
_ANSWER_WEIGHT: Final = 0.5
_HEADING: Final = re.compile(r"^(?:#{1,6}[ \t]+|<h1[^>]*>)(?P<text>[^\n<]{2,120})", re.MULTILINE)
_NOISE: Final = re.compile(r"```.*?(?:```|\Z)|https?://\S+|</?[a-z][^>\n]{0,200}>|\[\d{1,3}\]", re.DOTALL)
# A single quote with a blank on one side; within a word it is an apostrophe.
_QUOTES: Final = re.compile(r"\s['‘’]|['’]\s")
_WITHIN_NAMES: Final = frozenset({".", "/", "-", "'", "’"})
_ADDRESS: Final = re.compile(r"https?://(?:www\.)?(?P<host>[^/\s?#]+)\S*")
_META: Final = (
    document_table.SUMMARY,
    document_table.DOCUMENT,
    document_table.WHOLE_TASKS,
    rework_table.REWORK,
    question_table.DEFINING,
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words of a text that belong together, as they are written; ``content`` is how many of them are terms."""

    text: str
    words: float
    content: int


@dataclass(frozen=True, slots=True)
class Subjects:
    """What a chat speaks of: the question that opened it, what was pasted with it, and the language of both.

    ``small_talk`` says that nothing was asked or told yet.
    """

    question: str
    pasted: str
    language: str
    tables: Tables
    small_talk: bool


def read_subjects(turns: Sequence[Turn]) -> Subjects:
    """The first thing in a chat that is more than courtesy."""
    turns = shorten(turns)
    asked = [place for place, turn in enumerate(turns) if turn.role == "user"]
    for place in asked[:_MOST_TURNS]:
        before = turns[max(0, place - 1) : place + 1]
        if decide(before, ()).small_talk:
            continue
        reading = read_turns(before)
        question, pasted = part_pasted(without_courtesy(reading), reading.tables)
        return Subjects(question, pasted, _language(reading, turns), reading.tables, small_talk=False)
    reading = read_turns(turns)
    return Subjects(reading.question, "", _language(reading, turns), reading.tables, small_talk=True)


def weigh_texts(turns: Sequence[Turn]) -> list[tuple[str, float]]:
    """The texts of a chat that tags are made of, freed of courtesies; what the user says weighs more."""
    turns = shorten(turns[-_MOST_TURNS:])
    texts: list[tuple[str, float]] = []
    for place, turn in enumerate(turns):
        before = turns[max(0, place - 1) : place + 1]
        if turn.role == "assistant":
            texts.append((turn.text[:_ANSWER_CHARACTERS], _ANSWER_WEIGHT))
        elif not decide(before, ()).small_talk:
            texts.append((without_courtesy(read_turns(before)), _USER_WEIGHT))
    return texts


def shorten(turns: Sequence[Turn]) -> list[Turn]:
    """The turns with the beginning and the end of long texts alone: there it says what they are about."""
    return [
        turn
        if len(turn.text) <= _HEAD + _TAIL
        else Turn(turn.role, f"{turn.text[:_HEAD]}\n{turn.text[-_TAIL:].partition(chr(10))[2] or turn.text[-_TAIL:]}")
        for turn in turns
    ]


def find_phrases(text: str, tables: Tables, *, meta: bool = False) -> list[Phrase]:
    """The phrases of a text that name what it is about; words that only ask are left out.

    ``meta`` keeps those that say what is to be done with a document.
    """
    text = _ADDRESS.sub(r" \g<host> ", text)
    tokens = split_tokens(text)
    content = _content_places(text, tokens, tables, meta=meta)
    joining = _joining_places(tokens, tables)
    phrases: list[Phrase] = []
    run: list[int] = []
    for place in range(len(tokens) + 1):
        broken = place == len(tokens) or _is_broken(text, tokens, place)
        if broken or (place not in content and place not in joining):
            phrases += _phrase(text, tokens, run, content)
            run = []
        if place < len(tokens) and (place in content or (run and place in joining)):
            run.append(place)
    return phrases


def choose_words(phrases: Sequence[Phrase], most: float = MOST_WORDS) -> str:
    """The phrases with the most to say that fit into a title, in their order."""
    # A number or a letter alone says something only where nothing else does.
    phrases = [phrase for phrase in phrases if sum(map(str.isalpha, phrase.text)) > 1] or phrases
    chosen: list[int] = []
    left = float(most)
    for place in sorted(range(len(phrases)), key=lambda number: -phrases[number].content):
        if phrases[place].words <= left and all(
            phrases[place].text.casefold() not in phrases[other].text.casefold() for other in chosen
        ):
            chosen.append(place)
            left -= phrases[place].words
    return ", ".join(phrases[place].text for place in sorted(chosen))


def find_heading(text: str) -> str:
    """The first heading of a pasted text, if it is short enough for a title."""
    found = _HEADING.search(text[:_READ_CHARACTERS])
    heading = " ".join(found["text"].split()) if found else ""
    return heading if 0 < count_words(heading) <= MOST_WORDS else ""


def rank_terms(texts: Sequence[tuple[str, float]], tables: Tables) -> list[str]:
    """The terms of weighted texts, the most telling first, each as it is first written.

    Names that stand together are one term.
    """
    weights: dict[str, float] = {}
    written: dict[str, str] = {}
    for text, weight in texts:
        clean = _NOISE.sub(" ", text[:_READ_CHARACTERS])
        tokens = split_tokens(clean)
        content = _content_places(clean, tokens, tables, meta=False)
        terms = [term for term in find_terms(clean, tokens, tables) if term.first in content]
        spaced = [term for term in terms if term.kind != "character"]
        for name, worth in (*_named(clean, spaced), *_character_runs(clean, tokens, tables)):
            key = name.casefold()
            written.setdefault(key, name)
            # Of an answer only names count, and what the user speaks of too.
            if weight >= 1 or worth > _NAME_WORTH or key in weights:
                weights[key] = weights.get(key, 0.0) + weight * worth
    return [written[key] for key, _ in sorted(weights.items(), key=lambda pair: -pair[1])]


def _language(reading: Reading, turns: Sequence[Turn]) -> str:
    said = " ".join(turn.text[:_READ_CHARACTERS] for turn in turns if turn.role == "user")
    return language_of(said) or next(iter(reading.languages), "en")


def _content_places(text: str, tokens: Sequence[Token], tables: Tables, *, meta: bool) -> set[int]:
    terms = find_terms(text, tokens, tables)
    content = {place for term in terms for place in range(term.first, term.last + 1)}
    plain = _plain_places(tokens, tables)
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
    # A name may have such a word in it ("French Revolution"); in German every noun has a capital.
    asking -= {term.first for term in terms if term.name and "de" not in tables.languages}
    # Characters of a script without spaces ask only where they are nearly all there is.
    spoken = {place for place in content - asking if tokens[place].kind == "character"}
    if len(spoken) >= _FEW_CHARACTERS:
        asking = {place for place in asking if tokens[place].kind != "character"}
    return content - asking


def _joining_places(tokens: Sequence[Token], tables: Tables) -> set[int]:
    """Where words stand that can be within a phrase; in scripts without spaces, any that ask nothing."""
    joints = _joints(tables.languages)
    joining = {place for place, token in enumerate(tokens) if token.folded in joints or token.kind == "character"}
    return joining - _plain_places(tokens, tables) - tables.places(question_table.QUESTION_WORDS, tokens)


def _plain_places(tokens: Sequence[Token], tables: Tables) -> set[int]:
    codes = tuple(code for code in tables.languages if code in title_table.PLAIN_WORDS)
    return {place for phrases in _plain_phrases(codes) for place in phrases.places(tokens)}


@cache
def _plain_phrases(codes: tuple[str, ...]) -> tuple[Phrases, ...]:
    return tuple(Phrases(title_table.PLAIN_WORDS[code].split(", ")) for code in codes)


@cache
def _joints(languages: tuple[str, ...]) -> frozenset[str]:
    return frozenset(
        token.folded
        for code in languages
        for word in title_table.JOINTS.get(code, "").split(", ")
        for token in split_tokens(word)
    )


def _is_broken(text: str, tokens: Sequence[Token], place: int) -> bool:
    """Whether a phrase ends before a token: at punctuation that is no part of a name, or where a quotation ends."""
    if place == 0:
        return False
    between = text[tokens[place - 1].end : tokens[place].start]
    if _QUOTES.search(between):
        return True
    return tokens[place].border and not (between in _WITHIN_NAMES or _is_abbreviated(tokens[place - 1], between))


def _is_abbreviated(before: Token | Term, between: str) -> bool:
    """Whether a full stop belongs to the word before it."""
    return between == ". " and before.folded in title_table.ABBREVIATIONS


def _phrase(text: str, tokens: Sequence[Token], run: Sequence[int], content: set[int]) -> list[Phrase]:
    places = list(run)
    while places and places[-1] not in content:
        places.pop()
    if not places:
        return []
    spoken = _spoken(text, tokens, places)
    words = count_words(spoken)
    if words > MOST_WORDS and len(places) > 1:
        return _parted(text, tokens, places, content)
    return [Phrase(spoken, words, sum(place in content for place in places))]


def _parted(text: str, tokens: Sequence[Token], places: Sequence[int], content: set[int]) -> list[Phrase]:
    """A phrase that is too long for a title, parted where a joint stands, or else wherever it has to be.

    What it is about stands at its beginning, so that as much of that as fits stays together, and no later part is
    told to say more.
    """
    fitting = [cut for cut in range(1, len(places)) if count_words(_spoken(text, tokens, places[:cut])) <= MOST_WORDS]
    joints = [cut for cut in fitting if places[cut] not in content]
    cut = max(joints or fitting, default=1)
    rest = list(places[cut:])
    while rest and rest[0] not in content:
        rest.pop(0)
    head = _phrase(text, tokens, places[:cut], content)
    most = max((one.content for one in head), default=0)
    return head + [replace(one, content=min(one.content, most)) for one in _phrase(text, tokens, rest, content)]


def _spoken(text: str, tokens: Sequence[Token], places: Sequence[int]) -> str:
    return " ".join(text[tokens[places[0]].start : tokens[places[-1]].end].split())


def count_words(text: str) -> float:
    """The words between blanks; two characters of a script without spaces count as one."""
    words = 0.0
    for piece in text.split():
        kinds = [token.kind for token in split_tokens(piece)]
        characters = kinds.count("character")
        # A comma behind characters is no word.
        words += characters / 2 + (not kinds or len(kinds) > characters)
    return words


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
    between = _plain_places(tokens, tables) | tables.places(question_table.QUESTION_WORDS, tokens)
    between |= {place for place, token in enumerate(tokens) if token.folded in _joints(tables.languages)}
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
    if _is_abbreviated(before, between):
        return term.text[:1].isupper()
    if between not in {" ", "-", ".", "'", "’"}:
        return False
    return (before.name or before.text[:1].isupper()) and (term.name or term.text[:1].isdigit())
