"""Token events to chat events: UTF-8 put together, stop sequences, the reason it ended."""

from __future__ import annotations

import codecs
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from rkllm_providers.chat.stops import StopFilter
from rkllm_providers.chat.types import FinishReason, TextDelta

# A sampled token: its id and the bytes it gave. ``None`` for a token that ends inside a UTF-8
# character whose bytes come with a later one; empty for a special token.
Token = tuple[int, bytes | None]

_UTF8: Final = codecs.getincrementaldecoder("utf-8")


class TokenStream:
    """What every way to read an answer's tokens shares: how many there were, and why they ended.

    ``n_tokens`` counts every sampled token. ``stopped`` is set once a stop sequence was met: what
    the model still generates is of no use, and the caller should abort the run.
    """

    def __init__(
        self,
        end_tokens: Collection[int],
        max_tokens: int | None,
        stops: Sequence[str] = (),
        silent_tokens: Collection[int] = frozenset(),
    ) -> None:
        """``silent_tokens`` have no text in an answer; ``max_tokens`` of ``None`` is learned at the end."""
        self._end_tokens = end_tokens
        self._silent_tokens = silent_tokens
        self.max_tokens = max_tokens
        self._decoder = _UTF8(errors="replace")
        self._stops = StopFilter(stops) if stops else None
        self._last_token = -1
        self._last_was_silent = False
        self._waiting = False
        self.n_tokens = 0

    @property
    def stopped(self) -> bool:
        """Whether a stop sequence was met."""
        return self._stops is not None and self._stops.stopped

    @property
    def stop(self) -> str | None:
        """The stop sequence that was met."""
        return self._stops.found if self._stops is not None else None

    @property
    def finish_reason(self) -> FinishReason:
        """Why the answer ended; the runtime does not tell (it sends FINISH in every case)."""
        if self.stopped or self._last_token in self._end_tokens:
            return "stop"
        if not self._end_tokens and self._last_was_silent:
            # Without the model's end tokens: the end token is the last event, and has no text.
            return "stop"
        return "length" if self.max_tokens is not None and self.n_tokens >= self.max_tokens else "stop"

    def _decode_end(self) -> str:
        """The replacement for a character that was not completed."""
        self._waiting = False
        text = self._decoder.decode(b"", final=True)
        self._decoder.reset()
        return text


class TextStream(TokenStream):
    """Decodes the tokens of one answer that is nothing but text."""

    def feed(self, tokens: Iterable[Token]) -> list[TextDelta]:
        """Take sampled tokens; return a delta for each that gave text."""
        deltas: list[TextDelta] = []
        if self.stopped:
            return deltas
        decode = self._decoder.decode
        stops = self._stops
        silent = self._silent_tokens
        for token_id, raw in tokens:
            self.n_tokens += 1
            self._last_token = token_id
            self._last_was_silent = raw == b""
            if not raw or token_id in silent:
                continue
            if raw.isascii() and not self._waiting:
                text = raw.decode("ascii")
            else:
                text = decode(raw)
                self._waiting = self._decoder.getstate()[0] != b""
            if stops is not None:
                text = stops.feed(text)
            if text:
                deltas.append(TextDelta(text))
            if stops is not None and stops.stopped:
                break
        return deltas

    def close(self) -> list[TextDelta]:
        """Return what was held back, once no more tokens will come."""
        if self.stopped:
            return []
        text = self._decode_end()
        if self._stops is not None:
            text = self._stops.feed(text)
            text += self._stops.flush()
        return [TextDelta(text)] if text else []
