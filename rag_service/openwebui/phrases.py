"""Phrases of a question, and the title that is made of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from rag_service.openwebui.content_words import content_places, is_abbreviated, joining_places, verbs_among
from rag_service.retrieval.turn_reading import Tables
from rag_service.retrieval.turn_tokens import Token, split_tokens

MOST_WORDS: Final = 6
"""The most words in a title; two characters of a script without spaces count as one."""

# A single quote with a blank on one side; within a word it is an apostrophe.
_QUOTES: Final = re.compile(r"\s['‘’]|['’]\s")
_WITHIN_NAMES: Final = frozenset({".", "/", "-", "'", "’"})
_ADDRESS: Final = re.compile(r"https?://(?:www\.)?(?P<host>[^/\s?#]+)\S*")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words of a text that belong together, as they are written; ``content`` is how many of them are terms.

    ``head`` is what stands before its last preposition: "gas boiler" of "gas boiler in a terraced house".
    """

    text: str
    words: float
    content: int
    head: str = ""


def find_phrases(text: str, tables: Tables, *, meta: bool = False) -> list[Phrase]:
    """The phrases of a text that name what it is about; words that only ask are left out.

    ``meta`` keeps those that say what is to be done with a document.
    """
    text = _ADDRESS.sub(r" \g<host> ", text)
    tokens = split_tokens(text)
    content = content_places(text, tokens, tables, meta=meta)
    verbs = verbs_among(text, tokens, content, tables)
    content -= verbs.places - verbs.openings
    joining = joining_places(tokens, tables)
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
    """The phrases with the most to say that fit into a title, in their order.

    Where what comes first finds no room, the longest of them is told shorter.
    """
    # A number or a letter alone says something only where nothing else does.
    phrases = [phrase for phrase in phrases if sum(map(str.isalpha, phrase.text)) > 1] or list(phrases)
    chosen = _fitting(phrases, most)
    first = next((place for place, phrase in enumerate(phrases) if phrase.content > 1), None)
    if first is not None and first not in chosen:
        longest = max(chosen, key=lambda place: phrases[place].words)
        if head := phrases[longest].head:
            shorter = replace(phrases[longest], text=head, words=count_words(head))
            with_shorter = [*phrases[:longest], shorter, *phrases[longest + 1 :]]
            if {first, longest} <= set(fitting := _fitting(with_shorter, most)):
                phrases, chosen = with_shorter, fitting
    return ", ".join(phrases[place].text for place in sorted(chosen))


def count_words(text: str) -> float:
    """The words between blanks; two characters of a script without spaces count as one."""
    words = 0.0
    for piece in text.split():
        kinds = [token.kind for token in split_tokens(piece)]
        characters = kinds.count("character")
        # A comma behind characters is no word.
        words += characters / 2 + (not kinds or len(kinds) > characters)
    return words


def _fitting(phrases: Sequence[Phrase], most: float) -> list[int]:
    chosen: list[int] = []
    left = float(most)
    for place in sorted(range(len(phrases)), key=lambda number: -phrases[number].content):
        if phrases[place].words <= left and all(
            phrases[place].text.casefold() not in phrases[other].text.casefold() for other in chosen
        ):
            chosen.append(place)
            left -= phrases[place].words
    return chosen


def _is_broken(text: str, tokens: Sequence[Token], place: int) -> bool:
    """Whether a phrase ends before a token: at punctuation that is no part of a name, or where a quotation ends."""
    if place == 0:
        return False
    between = text[tokens[place - 1].end : tokens[place].start]
    if _QUOTES.search(between):
        return True
    return tokens[place].border and not (between in _WITHIN_NAMES or is_abbreviated(tokens[place - 1], between))


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
    head = places
    while head and head[-1] in content:
        head = head[:-1]
    while head and head[-1] not in content:
        head = head[:-1]
    shorter = _spoken(text, tokens, head) if head else ""
    return [Phrase(spoken, words, sum(place in content for place in places), shorter)]


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
