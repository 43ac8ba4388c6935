"""Control tokens come only from the template: how text of users, pages and tools is kept text.

Callers' strings are marked before they are rendered, so that no control token's text can stand in
them, or come about where a template puts strings together, cuts or strips them. In the rendered prompt
every control token's text is then the template's own. It becomes a name made of Unicode noncharacters,
which no caller can write since they were taken out of callers' strings first, and the prompt is encoded
in one piece by the same tokenizer with its control tokens renamed so. The ids are those of plain
rendering and encoding wherever callers' strings hold no control token's text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from rkllm_providers.models.tokenizer import Tokenizer

# U+FDD0 to U+FDEF are noncharacters: never assigned, not meant to be exchanged.
_MARK: Final = "\ufdd0"
_NAME_END: Final = "\ufdd1"
_DIGITS: Final = "".join(map(chr, range(0xFDD2, 0xFDE0)))
_RESERVED: Final = dict.fromkeys(range(64976, 64992), "�")


class ControlGuard:
    """Keeps callers' text text, for one tokenizer. Safe to share between threads."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        texts = sorted(tokenizer.control_tokens, key=len, reverse=True)
        names = {text: _name(number, len(texts)) for number, text in enumerate(texts)}
        self._names = names
        self._shadow = tokenizer.renamed(names)
        self._literal = re.compile("|".join(map(re.escape, texts))) if texts else None
        first, last = {text[0] for text in texts}, {text[-1] for text in texts}
        marks = {
            ord(char): (_MARK if char in last else "") + char + (_MARK if char in first else "")
            for char in first | last
        }
        self._marking: dict[int, str] = {**_RESERVED, **marks}

    def mark(self, value: Any) -> Any:
        """A caller's value (a string, or lists and mappings of them, keys too) that holds no control token."""
        if isinstance(value, str):
            return value.translate(self._marking)
        if isinstance(value, Mapping):
            return {self.mark(key): self.mark(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.mark(item) for item in value]
        return value

    def encode(self, rendered: str) -> list[int]:
        """Token ids of a prompt that was rendered from marked values."""
        if self._literal is not None:
            rendered = self._literal.sub(lambda found: self._names[found[0]], rendered)
        return self._shadow.encode(rendered.replace(_MARK, ""))


def _name(number: int, count: int) -> str:
    """A name of noncharacters; all of them are equally long, so that none begins another."""
    width, digits = 1, ""
    while len(_DIGITS) ** width < count:
        width += 1
    for _ in range(width):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return f"{_NAME_END}{digits}{_NAME_END}"
