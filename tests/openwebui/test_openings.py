"""Titles and tags of single openings, labelled by hand: what they must name, and what they must not hold.

``openings.jsonl`` has one opening a line: ``has`` are words of its title, ``lacks`` words that are not in it (most
are verbs), and ``no_tag`` words that are in none of its tags. Those from the 62nd to the 93rd were written after the
rules, and those behind them when a rule was mended. What the rules do not manage is listed under ``unmet``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rag_service.openwebui.chat_language import tell_language
from rag_service.openwebui.instant import make_tags, make_title
from rag_service.openwebui.phrases import MOST_WORDS, count_words
from rag_service.openwebui.topics import read_subjects
from rag_service.openwebui.verbs import find_verbs
from rag_service.retrieval.turn_tokens import split_tokens
from rag_service.retrieval.types import Turn


@dataclass(frozen=True)
class Opening:
    language: str
    text: str
    has: tuple[str, ...]
    lacks: tuple[str, ...]
    no_tag: tuple[str, ...]
    unmet: tuple[str, ...] = ()

    @classmethod
    def of(cls, line: str) -> Opening:
        read: dict[str, Any] = json.loads(line)
        has, lacks, no_tag, unmet = (tuple(read.get(name, ())) for name in ("has", "lacks", "no_tag", "unmet"))
        return cls(read["language"], read["text"], has, lacks, no_tag, unmet)

    @property
    def turns(self) -> list[Turn]:
        return [Turn("user", self.text)]


OPENINGS = [Opening.of(line) for line in (Path(__file__).parent / "data" / "openings.jsonl").read_text().splitlines()]


def every_opening(what: str) -> pytest.MarkDecorator:
    """Strict: what becomes right must be taken off the list."""
    missed = pytest.mark.xfail(strict=True, reason="listed as unmet")
    return pytest.mark.parametrize(
        "opening",
        [pytest.param(one, id=one.text[:40], marks=[missed] if what in one.unmet else []) for one in OPENINGS],
    )


def holds(text: str, words: str) -> bool:
    """Whether whole words stand in a text; characters of a script without spaces anywhere."""
    if not words[0].isascii() and words[0] > "\u2e80":
        return words in text
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text, re.IGNORECASE) is not None


def test_there_are_openings_in_six_languages() -> None:
    assert len(OPENINGS) > 90
    assert {one.language for one in OPENINGS} == {"en", "de", "fr", "es", "pt", "zh"}
    assert sum(bool(one.unmet) for one in OPENINGS) <= 3


@every_opening("title")
def test_titles_name_the_subject(opening: Opening) -> None:
    title = make_title(opening.turns)
    assert count_words(title) <= MOST_WORDS
    assert [word for word in opening.has if not holds(title, word)] == []
    assert [word for word in opening.lacks if holds(title, word)] == []


@every_opening("tags")
def test_tags_are_no_verbs(opening: Opening) -> None:
    tags = make_tags(opening.turns)
    assert [tag for tag in tags for word in opening.no_tag if holds(tag, word)] == []


@every_opening("language")
def test_the_language_is_told(opening: Opening) -> None:
    assert read_subjects(opening.turns).language == opening.language


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "una carta de amor"),
        ("es", "resumen de Don Quijote"),
        ("es", "capital de Mongolia"),
        ("es", "significado de mi nombre"),
        ("es", "mejor movil barato"),
        ("es", "hola"),
        ("es", "gracias"),
        ("pt", "melhor celular barato"),
        ("pt", "preço da luz hoje"),
        ("pt", "poema sobre o mar"),
        ("pt", "resumo de Dom Casmurro"),
        ("pt", "quanto dura a bateria"),
        ("pt", "obrigado"),
        ("pt", "bolo de chocolate"),
    ],
)
def test_few_words_of_spanish_and_portuguese(language: str, text: str) -> None:
    assert read_subjects([Turn("user", text)]).language == language


@pytest.mark.parametrize(
    "text",
    [
        "Write a poem about the sea",
        "Do snakes sleep in winter?",
        "Do cats purr",
        "Should I lease or buy a car?",
        "no sound on laptop",
    ],
)
def test_letters_of_relatives_tell_nothing_of_english(text: str) -> None:
    assert read_subjects([Turn("user", text)]).language == "en"


def test_what_no_language_can_be_told_of_is_the_likeliest_one() -> None:
    assert tell_language("xyzzy plugh", ()) == "en"
    assert tell_language("xyzzy plugh", ("de", "en")) == "de"


@pytest.mark.parametrize(
    ("language", "text", "verbs", "openings"),
    [
        ("en", "does the pump deliver water", "deliver", ""),
        ("en", "how to descale a kettle", "descale", "descale"),
        ("en", "can a heat pump replace a boiler", "replace", ""),
        ("en", "the pump house and the boiler room", "", ""),
        ("en", "how do control charts work", "", ""),
        ("en", "can control charts mislead", "", ""),
        ("en", "how can control charts mislead", "", ""),
        ("en", "what can damage charts", "damage", ""),
        ("en", "does a heat pump work at night", "", ""),
        ("en", "what pumps do you recommend", "recommend", ""),
        ("en", "what causes rain", "causes", ""),
        ("en", "how do i make the bed in a hotel style", "", ""),
        ("fr", "qui a inventé le stylo", "inventé", ""),
        ("fr", "comment réparer un vélo sans abîmer la chaîne", "réparer abîmer", "réparer"),
        ("fr", "comment faire une quiche lorraine", "", ""),
        ("es", "mi lavadora no centrifuga", "centrifuga", ""),
        ("es", "cómo llegar a la playa del mar menor", "llegar", "llegar"),
        ("es", "cómo aprender a tocar la guitarra", "aprender tocar", "aprender tocar"),
        ("en", "is it safe", "", ""),
        ("fr", "le ciel est il bleu", "", ""),
        ("pt", "repara esta roda", "repara", ""),
        ("pt", "roda está lenta", "", ""),
        ("pt", "quem inventou a roda", "inventou", ""),
        ("de", "Warum rostet Edelstahl an der Küste", "rostet", ""),
        ("de", "warum rostet edelstahl", "", ""),
        ("xx", "does the pump deliver water", "", ""),
    ],
)
def test_where_verbs_stand(language: str, text: str, verbs: str, openings: str) -> None:
    tokens = split_tokens(text)
    silent = split_tokens(
        "the a do does can how to and of in at i you what work make un une le qui comment faire sans la mi no cómo "
        "del quem an der warum"
    )
    content = {place for place, token in enumerate(tokens) if token.folded not in {word.folded for word in silent}}
    found = find_verbs(tokens, content, language)
    assert [tokens[place].text for place in sorted(found.places)] == verbs.split()
    assert [tokens[place].text for place in sorted(found.openings)] == openings.split()
