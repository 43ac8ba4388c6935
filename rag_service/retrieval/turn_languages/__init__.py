"""Phrases of turns in languages that have a module each, for the tables of small talk, questions and follow-ups.

A module's ``PHRASES`` has an entry for each table, by the table's name. Entries stand between commas; ``*`` at the
end stands for any ending. Own compilations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rag_service.retrieval.turn_languages import greek, hebrew, hindi, romanian, thai, ukrainian, vietnamese

LANGUAGES: Final[Mapping[str, Mapping[str, str]]] = {
    "el": greek.PHRASES,
    "he": hebrew.PHRASES,
    "hi": hindi.PHRASES,
    "ro": romanian.PHRASES,
    "th": thai.PHRASES,
    "uk": ukrainian.PHRASES,
    "vi": vietnamese.PHRASES,
}
"""The phrases of each language by table, by ISO 639-1 code."""


def phrases_for(table: str) -> dict[str, str]:
    """The entries of these languages for the table of this name; none of a language that has none."""
    return {code: phrases[table] for code, phrases in LANGUAGES.items() if table in phrases}
