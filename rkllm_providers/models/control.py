"""Control tokens come only from the template: how text of users, pages and tools is kept text.

Callers' strings are marked before they are rendered, so that no control token's text can stand in
them, or come about where a template puts strings together, cuts or strips them. In the rendered prompt
every control token's text is then the template's own. It becomes a name made of Unicode noncharacters,
which no caller can write since they were taken out of callers' strings first, and the prompt is encoded
in one piece by the same tokenizer with its control tokens renamed so. The ids are those of plain
rendering and encoding wherever callers' strings hold no control token's text.

One thing is left to the template: where it writes the first and the last character of a control token
itself, around a caller's string that is exactly what is between them (``<`` + ``think`` + ``>``), the
control token counts as the template's. Closing this would take marks inside ordinary words, or at the
ends of strings, and templates look at both: one takes ``/think`` in a text for a switch, many ask how a
text begins, split it or trim it. None of the public templates that the tests use writes a marker so.

A control token of one character cannot be broken by marks: in callers' strings U+FFFD stands for it. Only
where that character is one of ordinary text (printable ASCII, or a line's end or a tab), so that nobody
could write without it, is it no control token here, and encoded as it always is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from rkllm_providers.models.reuse import EncodedPrompt, RecentPrompts
from rkllm_providers.models.tokenizer import Tokenizer

# U+FDD0 to U+FDEF are noncharacters: never assigned, not meant to be exchanged.
_MARK: Final = "\ufdd0"
_NAME_END: Final = "\ufdd1"
_DIGITS: Final = "".join(map(chr, range(0xFDD2, 0xFDE0)))
# Halves of surrogate pairs can be in JSON, and in no token.
_RESERVED: Final = re.compile("[\ufdd0-\ufddf\ud800-\udfff]")
_REPLACEMENT: Final = "\ufffd"
# What is put into a text to break it: the first of these that no control token has.
_BREAKS: Final = ("\u200b", "\u2060", "\ufeff")
_MORE_BREAKS: Final = range(0xE000, 0x110000)


class TextGuard:
    """Keeps callers' text text, for a model whose control tokens have these texts. Safe to share."""

    def __init__(self, control_texts: Iterable[str]) -> None:
        texts = sorted(filter(_can_be_guarded, set(control_texts)), key=len, reverse=True)
        self._names = {text: _name(number, len(texts)) for number, text in enumerate(texts)}
        self._texts_by_name = {name: text for text, name in self._names.items()}
        self._literal = re.compile("|".join(map(re.escape, texts))) if texts else None
        self._named = re.compile("|".join(map(re.escape, self._texts_by_name))) if texts else None
        characters = set().union(*texts)
        # A break that is part of a control token could complete one, again and again.
        self._break = next(char for char in chain(_BREAKS, map(chr, _MORE_BREAKS)) if char not in characters)
        single = "".join(text for text in texts if len(text) == 1)
        self._single = re.compile(f"[{re.escape(single)}]") if single else None
        self._instead = "?" if _REPLACEMENT in single else _REPLACEMENT
        texts = [text for text in texts if len(text) > 1]
        first, last = {text[0] for text in texts}, {text[-1] for text in texts}
        self._marking = [
            (char, (_MARK if char in last else "") + char + (_MARK if char in first else ""))
            for char in sorted(first | last)
        ]

    @property
    def control_texts(self) -> frozenset[str]:
        """The texts that callers cannot write."""
        return frozenset(self._names)

    def mark(self, value: Any) -> Any:
        """A caller's value (a string, or lists and mappings of them, keys too) that holds no control token."""
        if isinstance(value, str):
            return self._mark_text(value)
        if isinstance(value, Mapping):
            return {self.mark(key): self.mark(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.mark(item) for item in value]
        return value

    def trust(self, text: str) -> str:
        """A text whose control tokens count, as a template's do: its author writes what the model reads."""
        return _RESERVED.sub("\ufffd", text)

    def _mark_text(self, text: str) -> str:
        # One pass per character concerned: a few searches in C are much faster than one pass in Python's way.
        if not text.isascii():
            text = _RESERVED.sub(_REPLACEMENT, text)
        if self._single is not None:
            text = self._single.sub(self._instead, text)
        for char, marked in self._marking:
            if char in text:
                text = text.replace(char, marked)
        return text

    def to_text(self, rendered: str) -> str:
        """A prompt for a runtime that tokenises it: what looks like a control token, and is none, is broken.

        ``rendered`` was rendered from marked values. Where a caller wrote the text of a control token, a
        zero-width space (U+200B; another character if a control token has it) stands behind its first one.
        """
        if self._literal is None or self._named is None:
            return rendered.replace(_MARK, "")
        plain, before = self._hide(rendered).replace(_MARK, ""), ""
        while plain != before:
            before, plain = plain, self._literal.sub(self._broken, plain)
        return self._named.sub(lambda found: self._texts_by_name[found[0]], plain)

    def _broken(self, found: re.Match[str]) -> str:
        return f"{found[0][0]}{self._break}{found[0][1:]}"

    def _hide(self, rendered: str) -> str:
        """The template's own control tokens under their names."""
        if self._literal is None:
            return rendered
        return self._literal.sub(lambda found: self._names[found[0]], rendered)


class ControlGuard(TextGuard):
    """A guard whose prompts become token ids. Safe to share between threads."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__(tokenizer.control_tokens)
        self._ids = tokenizer.control_tokens
        self._shadow = tokenizer.renamed(self._names)
        longest = max(map(len, self._names), default=0)
        # No control token that begins earlier reaches behind the longest one. The character that follows
        # counts for tokens which must be whole words, and up to two marks can stand before it.
        self._recent = RecentPrompts(longest + 3)

    @property
    def control_ids(self) -> Mapping[str, int]:
        """Control tokens (special tokens and markers of thinking and tools) and their ids."""
        return self._ids

    def encode(self, rendered: str) -> list[int]:
        """Token ids of a prompt that was rendered from marked values.

        What a prompt has in common with a recent one is not encoded again; the ids are the same.
        """
        return list(self.encode_prompt(rendered).ids)

    def encode_prompt(self, rendered: str) -> EncodedPrompt:
        """As ``encode``, with the places of control tokens; its lists must not be changed."""
        known, shared = self._recent.best(rendered)
        if known is not None:
            prompt = self._continued(known, shared - 1, rendered)
            if prompt is not None:
                outgrown = known if shared >= len(known.text_at) - 1 else None
                self._recent.keep(prompt, outgrown)
                return prompt
        whole = self._encoded(rendered)
        if whole.text_at:
            self._recent.keep(whole, None)
        return whole

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens, control tokens as theirs; what is no whole character becomes U+FFFD.

        Raises:
            InvalidRequest: There is no such token.
        """
        text = self._shadow.decode(ids)
        if self._named is None:
            return text
        return self._named.sub(lambda found: self._texts_by_name[found[0]], text)

    def encode_once(self, rendered: str) -> list[int]:
        """As ``encode``, for a text that no other will continue: nothing of it is kept."""
        return self._shadow.encode(self._hide(rendered).replace(_MARK, ""))

    def _continued(self, known: EncodedPrompt, cut: int, rendered: str) -> EncodedPrompt | None:
        """``rendered`` with the ids of another prompt up to a control token of both, by its number."""
        at, head = known.text_at[cut], known.ids_at[cut]
        rest = self._encoded(rendered[at:])
        if not rest.ids_at or rest.ids_at[0] != 0:
            # A tokenizer that puts something before a text, even where it begins with a control token.
            return None
        return EncodedPrompt(
            rendered,
            known.ids[:head] + rest.ids,
            known.text_at[:cut] + [at + one for one in rest.text_at],
            known.ids_at[:cut] + [head + one for one in rest.ids_at],
        )

    def _encoded(self, rendered: str) -> EncodedPrompt:
        """A prompt encoded as a whole; without positions where its control tokens are not all in the ids."""
        found = list(self._literal.finditer(rendered)) if self._literal is not None else []
        ids = self._shadow.encode(self._hide(rendered).replace(_MARK, ""))
        expected = [self._ids[match[0]] for match in found]
        wanted = set(expected)
        ids_at = [at for at, number in enumerate(ids) if number in wanted] if wanted else []
        if [ids[at] for at in ids_at] != expected:
            return EncodedPrompt(rendered, ids, [], [])
        return EncodedPrompt(rendered, ids, [match.start() for match in found], ids_at)


def _can_be_guarded(text: str) -> bool:
    """Whether this can be kept out of callers' strings without changing all they say."""
    if len(text) == 1:
        return not _RESERVED.match(text) and text not in "\t\n\r" and not (text.isascii() and text.isprintable())
    # Nobody can write the reserved characters, and marks are made of one of them.
    return text != "" and not _RESERVED.search(text)


def _name(number: int, count: int) -> str:
    """A name of noncharacters; all of them are equally long, so that none begins another."""
    width, digits = 1, ""
    while len(_DIGITS) ** width < count:
        width += 1
    for _ in range(width):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return f"{_NAME_END}{digits}{_NAME_END}"
