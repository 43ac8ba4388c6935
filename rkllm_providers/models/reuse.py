"""Prompts that were encoded lately, so that a conversation's next turn costs only what is new in it.

Text between control tokens is tokenised by itself, so the ids before a control token depend on nothing
behind it. A prompt that begins like an earlier one takes that one's ids up to a control token which
both have, and only the rest, beginning with that control token, is encoded.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

_MOST_PROMPTS: Final = 8
_MOST_CHARACTERS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class EncodedPrompt:
    """A rendered prompt, its ids, and where its control tokens are in the one and in the other."""

    text: str
    ids: list[int]
    text_at: list[int]
    ids_at: list[int]

    def shared_controls(self, text: str, margin: int) -> int:
        """How many control tokens another text has in common, with ``margin`` characters from where each begins."""
        low, high = 0, len(self.text_at)
        while low < high:
            middle = (low + high + 1) // 2
            end = self.text_at[middle - 1] + margin
            if end <= len(self.text) and text.startswith(self.text[:end]):
                low = middle
            else:
                high = middle - 1
        return low


class RecentPrompts:
    """A few encoded prompts; the least recently used goes first. Safe to share between threads."""

    def __init__(self, margin: int) -> None:
        """``margin`` characters from where a control token begins must agree for it to be the same one."""
        self._margin = margin
        self._lock = threading.Lock()
        # Never changed in place, so that it is read without the lock. The last one is the latest.
        self._prompts: tuple[EncodedPrompt, ...] = ()

    def best(self, text: str) -> tuple[EncodedPrompt | None, int]:
        """The prompt that shares most control tokens with a text, and their number."""
        found, most = None, 0
        for prompt in reversed(self._prompts):
            shared = prompt.shared_controls(text, self._margin)
            if shared > most:
                found, most = prompt, shared
        return found, most

    def keep(self, prompt: EncodedPrompt, outgrown: EncodedPrompt | None) -> None:
        """Keep a prompt; ``outgrown`` is one that it continues, and that need not be kept beside it."""
        if not prompt.text_at or len(prompt.text) > _MOST_CHARACTERS:
            return
        with self._lock:
            kept = [*(one for one in self._prompts if one is not outgrown), prompt][-_MOST_PROMPTS:]
            while sum(len(one.text) for one in kept) > _MOST_CHARACTERS:
                del kept[0]
            self._prompts = tuple(kept)
