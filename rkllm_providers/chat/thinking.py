"""Thinking, split off from the answer as it streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rkllm_providers.chat.markers import Spelling, first_characters, possible_beginning


@dataclass(frozen=True, slots=True)
class ThinkingFormat:
    """The tags a family puts around its thinking.

    ``label`` follows the opening tag where the family names the channel it opens.
    """

    open: str
    close: str
    label: str = ""


# Sources: the families' chat templates and tokenizer files.
THINKING_FORMATS: Final[dict[str, ThinkingFormat]] = {
    "think": ThinkingFormat("<think>", "</think>"),  # Qwen3, Qwen3.5, DeepSeek-R1, SmolLM3, MiniCPM, RWKV
    "mistral": ThinkingFormat("[THINK]", "[/THINK]"),  # Magistral
    "seed": ThinkingFormat("<seed:think>", "</seed:think>"),  # Seed-OSS
    "gemma4": ThinkingFormat("<|channel>", "<channel|>", "thought"),
}


def thinking_format_of(template_source: str) -> ThinkingFormat | None:
    """The format that a chat template writes; ``None`` where it knows no thinking."""
    for thinking in THINKING_FORMATS.values():
        if thinking.close in template_source:
            return thinking
    return None


class ThinkingSplitter:
    """Tells reasoning from text.

    Newlines behind the opening tag and around the closing one belong to neither. Thinking that is not
    closed at the end stays reasoning. A tag known by its id counts wherever it comes. One known by its text
    alone opens thinking only where nothing but blanks was said before, so that an answer about such tags
    does not vanish into reasoning.

    A closing tag without an opening one says that the template had opened the thinking and the caller did
    not know (``starts_in_reasoning``). What was sent as text by then stays text; the tag itself is dropped.
    """

    def __init__(self, thinking: ThinkingFormat, spelling: Spelling, starts_in_reasoning: bool = False) -> None:
        self._open = spelling.of(thinking.open)
        self._close = spelling.of(thinking.close)
        self._label = thinking.label
        self._opens_anywhere = spelling.is_sign(thinking.open)
        self._closes_anywhere = spelling.is_sign(thinking.close)
        self._calm_reasoning = first_characters([self._close], "\n").search
        self._held = ""
        self._beginning = True  # nothing but blanks since the answer began, or thinking began or ended
        self._label_due = False
        self._closed = starts_in_reasoning  # or never opened: a closing tag may still come
        self.in_reasoning = starts_in_reasoning
        self._watch_text()

    def feed(self, text: str) -> list[tuple[bool, str]]:
        """Take more text; return pieces, and of each whether it is reasoning."""
        if not self._held and not self._beginning:
            disturbed = self._calm_reasoning if self.in_reasoning else self._calm_text
            if disturbed(text) is None:
                return [(self.in_reasoning, text)]
        self._held += text
        pieces: list[tuple[bool, str]] = []
        while self._held and (not self._beginning or self._begun()):
            reasoning = self.in_reasoning
            piece, at_marker = self._next_reasoning() if reasoning else self._next_text()
            if piece:
                pieces.append((reasoning, piece))
            if not at_marker:
                break
        return pieces

    def flush(self) -> list[tuple[bool, str]]:
        """What is still held back, once no more will come."""
        held, self._held = self._held, ""
        return [(self.in_reasoning, held)] if held else []

    def _begun(self) -> bool:
        """Take what may stand where reasoning or text begins; whether it is over."""
        while True:
            if self._label_due:
                if self._is_cut(self._label, self._held):
                    return False
                self._held = self._held.removeprefix(self._label)
                self._label_due = False
            if self._closed:
                self._held = self._held.lstrip("\n")
            visible = self._held.lstrip()
            if not visible or self._is_cut(self._open, visible):
                return False
            if not visible.startswith(self._open):
                self._beginning = False
                return True
            # In reasoning: the model repeats the tag that the template wrote.
            self._held = visible[len(self._open) :]
            self._enter()

    def _enter(self) -> None:
        self.in_reasoning = self._closed = self._beginning = True
        self._label_due = bool(self._label)

    def _leave(self) -> None:
        self.in_reasoning = False
        self._closed = self._beginning = True
        self._watch_text()

    def _next_reasoning(self) -> tuple[str, bool]:
        held = self._held
        at = held.find(self._close)
        if at >= 0:
            self._held = held[at + len(self._close) :]
            self._leave()
            return held[:at].rstrip("\n"), True
        shown = held[: len(held) - possible_beginning(held, (self._close,))].rstrip("\n")
        self._held = held[len(shown) :]
        return shown, False

    def _next_text(self) -> tuple[str, bool]:
        held = self._held
        found = [(at, marker) for marker in self._text_markers if (at := held.find(marker)) >= 0]
        if found:
            at, marker = min(found)
            self._held = held[at + len(marker) :]
            if marker == self._open:
                self._enter()
            else:
                self._leave()
            return held[:at], True
        shown = len(held) - possible_beginning(held, self._text_markers)
        self._held = held[shown:]
        return held[:shown], False

    def _watch_text(self) -> None:
        """Choose the markers that count within text."""
        markers = [self._open] if self._opens_anywhere else []
        if self._closes_anywhere or not self._closed:
            markers.append(self._close)
        self._text_markers = tuple(markers)
        self._calm_text = first_characters(markers).search

    @staticmethod
    def _is_cut(marker: str, text: str) -> bool:
        return len(text) < len(marker) and marker.startswith(text)
