"""The run that is under way in the worker."""

from __future__ import annotations

import socket
import time

from rkllm_providers.engine import frames
from rkllm_providers.runtime import ErrorEvent, FinishEvent, ModelHandle, PerfStat, RuntimeEvent, TokenEvent


class WorkerRun:
    """Counts the run's tokens, passes them on, and ends it at its limit."""

    def __init__(
        self,
        channel: socket.socket,
        handle: ModelHandle,
        run_id: int,
        end_tokens: frozenset[int],
        *,
        self_limiting: bool,
        quiet: bool = False,
    ) -> None:
        """``quiet`` keeps its tokens here: it is run for what it leaves in the KV cache."""
        self.id = run_id
        self.max_tokens = 0
        self.ended = False
        self.started = False
        self.aborted = False
        self.generated: list[int] = []
        self.said: list[bytes] = []
        self.keeps_text = False
        self.lora: str | None = None
        self.cache_cleared = False
        self.n_tokens = 0
        self.failed = False
        self.cancelled = False
        self.perf: PerfStat | None = None
        self.first_token_at = 0.0
        self._quiet = quiet
        self._send = channel.sendall
        self._abort = handle.abort
        self._end_tokens = end_tokens
        # A runtime that was told the limit ends by itself; aborting it then could hit an idle library.
        self._abort_at_limit = not self_limiting

    def on_event(self, event: RuntimeEvent) -> None:
        """Pass a token on. Called by the library, from inside ``rkllm_run``."""
        if isinstance(event, TokenEvent):
            self.generated.append(event.token_id)
            if self.cancelled or self.ended or self.n_tokens >= self.max_tokens:
                # Nothing the library does after its abort, or after an end it does not know, belongs to
                # the answer.
                self.aborted = True
                self._abort()
                return
            self.n_tokens += 1
            if self.n_tokens == 1:
                self.first_token_at = time.monotonic()
            token_id, text, waiting = event
            if self._quiet:
                pass
            elif waiting:
                self._send(frames.pack_waiting(self.id, token_id))
            else:
                self._send(frames.pack_token(self.id, token_id, text))
                if self.keeps_text:
                    self.said.append(text)
            self.ended = token_id in self._end_tokens
            if self._abort_at_limit and self.n_tokens >= self.max_tokens:
                self.aborted = True
                self._abort()
        elif isinstance(event, FinishEvent):
            self.perf = event.perf
        elif isinstance(event, ErrorEvent):
            self.failed = True

    @property
    def ended_by_itself(self) -> bool:
        """Whether the model chose the end; nothing tells so but that nothing else did."""
        return not (self.cancelled or self.aborted or self.failed) and 0 < self.n_tokens < self.max_tokens
