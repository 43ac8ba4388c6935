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
from collections.abc import Iterable, Mapping
from typing import Any, Final

from rkllm_providers.models.tokenizer import Tokenizer

# U+FDD0 to U+FDEF are noncharacters: never assigned, not meant to be exchanged.
_MARK: Final = "\ufdd0"
_NAME_END: Final = "\ufdd1"
_DIGITS: Final = "".join(map(chr, range(0xFDD2, 0xFDE0)))
_RESERVED: Final = dict.fromkeys(range(64976, 64992), "�")


class TextGuard:
    """Keeps callers' text text, for a model whose control tokens have these texts. Safe to share."""

    def __init__(self, control_texts: Iterable[str]) -> None:
        texts = sorted(set(control_texts), key=len, reverse=True)
        self._names = {text: _name(number, len(texts)) for number, text in enumerate(texts)}
        self._texts_by_name = {name: text for text, name in self._names.items()}
        self._literal = re.compile("|".join(map(re.escape, texts))) if texts else None
        self._named = re.compile("|".join(map(re.escape, self._texts_by_name))) if texts else None
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

    def to_text(self, rendered: str) -> str:
        """A prompt for a runtime that tokenises it: what looks like a control token, and is none, is broken.

        ``rendered`` was rendered from marked values. Where a caller wrote the text of a control token, a
        zero-width space (U+200B) stands behind its first character.
        """
        if self._literal is None or self._named is None:
            return rendered.replace(_MARK, "")
        plain = self._hide(rendered).replace(_MARK, "")
        while (broken := self._literal.sub(lambda found: f"{found[0][0]}\u200b{found[0][1:]}", plain)) != plain:
            plain = broken
        return self._named.sub(lambda found: self._texts_by_name[found[0]], plain)

    def _hide(self, rendered: str) -> str:
        """The template's own control tokens under their names."""
        if self._literal is None:
            return rendered
        return self._literal.sub(lambda found: self._names[found[0]], rendered)


class ControlGuard(TextGuard):
    """A guard whose prompts become token ids. Safe to share between threads."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__(tokenizer.control_tokens)
        self._shadow = tokenizer.renamed(self._names)

    def encode(self, rendered: str) -> list[int]:
        """Token ids of a prompt that was rendered from marked values."""
        return self._shadow.encode(self._hide(rendered).replace(_MARK, ""))


def _name(number: int, count: int) -> str:
    """A name of noncharacters; all of them are equally long, so that none begins another."""
    width, digits = 1, ""
    while len(_DIGITS) ** width < count:
        width += 1
    for _ in range(width):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return f"{_NAME_END}{digits}{_NAME_END}"
