"""Whether a question can be matched word by word with the texts at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from rag_service.retrieval.language import languages_in, script_of
from rag_service.retrieval.types import Source

_MOST_CHARACTERS: Final = 20_000
# Enough to tell a language by, with what is left of a page without its markup.
_ENOUGH: Final = 4_000
_SHORTEST_TEXT: Final = 40
_MARKUP: Final = re.compile(
    r"<(script|style)\b.*?(?:</\1|\Z)|<[^<>]{0,2000}>|<!--.*?(?:-->|\Z)", re.IGNORECASE | re.DOTALL
)


def is_foreign(question: str, languages: Sequence[str], sources: Sequence[Source]) -> bool:
    """Whether the question shares neither script nor language with any of the texts.

    ``languages`` are those the question may be in. Where either side cannot be told, it is not foreign; a text that
    is too short to tell is left out.
    """
    script = script_of(question)
    texts = [text for source in sources if len(text := _sample(source).strip()) >= _SHORTEST_TEXT]
    if script is None or not texts:
        return False
    return all(_differs(script, languages, text) for text in texts)


def _differs(script: str, languages: Sequence[str], text: str) -> bool:
    other = script_of(text)
    if other is None:
        return False
    theirs = languages_in(text)
    if other != script:
        return not set(languages) & set(theirs)
    return bool(languages and theirs) and not set(languages) & set(theirs)


def _sample(source: Source) -> str:
    """A piece from the middle, where menus are rare, and of a page what is not markup."""
    most = _MOST_CHARACTERS if source.html else _ENOUGH
    middle = max(0, (len(source.text) - most) // 2)
    piece = source.text[middle : middle + most]
    return _MARKUP.sub(" ", piece)[:_ENOUGH] if source.html else piece
