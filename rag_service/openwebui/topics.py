"""What a chat is about, told without a model: the question that opened it, and what is said of its subject."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rag_service.openwebui.chat_language import tell_language
from rag_service.openwebui.phrases import MOST_WORDS, count_words
from rag_service.retrieval.pasting import part_pasted
from rag_service.retrieval.smalltalk import without_courtesy
from rag_service.retrieval.turn_reading import Reading, Tables, read_turns
from rag_service.retrieval.turns import decide
from rag_service.retrieval.types import Turn

_READ_CHARACTERS: Final = 4_000
_MOST_TURNS: Final = 8
# Of a text that is longer, its first and last characters are read.
_HEAD: Final = 1_500
_TAIL: Final = 700
_ANSWER_CHARACTERS: Final = 800
_USER_WEIGHT: Final = 2.0
_ANSWER_WEIGHT: Final = 0.5
_HEADING: Final = re.compile(r"^(?:#{1,6}[ \t]+|<h1[^>]*>)(?P<text>[^\n<]{2,120})", re.MULTILINE)


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


def find_heading(text: str) -> str:
    """The first heading of a pasted text, if it is short enough for a title."""
    found = _HEADING.search(text[:_READ_CHARACTERS])
    heading = " ".join(found["text"].split()) if found else ""
    return heading if 0 < count_words(heading) <= MOST_WORDS else ""


def _language(reading: Reading, turns: Sequence[Turn]) -> str:
    said = " ".join(turn.text[:_READ_CHARACTERS] for turn in turns if turn.role == "user")
    return tell_language(said, reading.languages)
