"""The broad subjects that texts speak of, told by the words of a table."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

from rag_service.openwebui.subject_table import SUBJECTS, Subject
from rag_service.retrieval.turn_tokens import Token, split_tokens

# A word said again says little more of the subject.
_AGAIN: Final = 0.2
_KEY_CHARACTERS: Final = 2


class _Entry(NamedTuple):
    words: tuple[str, ...]
    is_stem: bool
    subject: int

    def stands_at(self, tokens: Sequence[Token], place: int) -> bool:
        """Whether the tokens from ``place`` on are this entry."""
        if place + len(self.words) > len(tokens):
            return False
        for word, token in zip(self.words[:-1], tokens[place:], strict=False):
            if token.folded != word:
                return False
        last = tokens[place + len(self.words) - 1].folded
        return last.startswith(self.words[-1]) if self.is_stem else last == self.words[-1]


def rank_subjects(texts: Sequence[tuple[str, float]], languages: Sequence[str]) -> list[Subject]:
    """The broad subjects that weighted texts in these languages speak of, the most spoken of first."""
    index = _index(tuple(languages))
    scores: dict[int, float] = {}
    said: set[_Entry] = set()
    for text, weight in texts:
        tokens = split_tokens(text)
        for place, token in enumerate(tokens):
            for entry in index.get(token.folded[:_KEY_CHARACTERS], ()):
                if entry.stands_at(tokens, place):
                    worth = _AGAIN if entry in said else 1.0
                    scores[entry.subject] = scores.get(entry.subject, 0.0) + weight * worth
                    said.add(entry)
    return [SUBJECTS[number] for number in sorted(scores, key=lambda number: (-scores[number], number))]


@cache
def _index(languages: tuple[str, ...]) -> dict[str, tuple[_Entry, ...]]:
    """The entries of the table by the first characters of their first word."""
    index: dict[str, tuple[_Entry, ...]] = {}
    for number, subject in enumerate(SUBJECTS):
        for code in dict.fromkeys(("", *languages)):
            for written in subject.words.get(code, "").split(", "):
                words = tuple(token.folded for token in split_tokens(written))
                if words:
                    key = words[0][:_KEY_CHARACTERS]
                    index[key] = (*index.get(key, ()), _Entry(words, written.endswith("*"), number))
    return index
