"""Stop sequences: found across the borders of deltas, held back until certain, never shown."""

from __future__ import annotations

from collections.abc import Sequence

from rkllm_providers.chat.markers import first_characters, possible_beginning


class StopFilter:
    """Passes text on up to the first stop sequence.

    Text that may turn out to be the beginning of a stop sequence is held back until it is known.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._may_begin = first_characters(self._stops).search
        self._held = ""
        self.found: str | None = None
        """The stop sequence that was met."""

    @property
    def stopped(self) -> bool:
        """Whether one was met."""
        return self.found is not None

    def feed(self, text: str) -> str:
        """Take more text; return what is certain to belong to the answer."""
        if self.stopped:
            return ""
        if not self._held and self._may_begin(text) is None:
            return text
        held = self._held + text
        # The one that is complete first counts, as it would if the text came a character at a time.
        found = [(at + len(stop), at, stop) for stop in self._stops if (at := held.find(stop)) >= 0]
        if found:
            _, at, self.found = min(found)
            self._held = ""
            return held[:at]
        keep = possible_beginning(held, self._stops)
        self._held = held[len(held) - keep :]
        return held[: len(held) - keep]

    def flush(self) -> str:
        """The text still held back, once no more will come."""
        held, self._held = self._held, ""
        return held
