"""What is done for a run before its prompt is run: states are kept and loaded, long prompts are read in pieces."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any

import numpy as np

from rkllm_providers.chat.prompt_types import TextPrompt
from rkllm_providers.engine.kept_folder import KeptState
from rkllm_providers.engine.kept_states import KeptStates
from rkllm_providers.engine.ledger import CacheLedger, CacheUse, common_length
from rkllm_providers.engine.run import Order, Run
from rkllm_providers.models.adapters import Adapter


class Steps:
    """Says which order comes next for the run that is under way. Belongs to the engine's thread."""

    def __init__(self, ledger: CacheLedger, states: KeptStates, chunk: int | None, ids: Iterator[int]) -> None:
        """Prompts are read in pieces of ``chunk`` tokens, or in one."""
        self.order: Order | None = None
        self._ledger = ledger
        self._states = states
        self._chunk = chunk
        self._ids = ids
        self._keeps = False
        self._restores: KeptState | None = None
        self._read_to = 0
        self._held_adapter: Adapter | None = None

    @property
    def is_keeping(self) -> bool:
        """Whether the order under way only keeps another conversation's state."""
        return self._keeps

    def begin(self, run: Run, context_length: int) -> Order:
        """The first order of a run."""
        self._restores, self._read_to = None, 0
        prompt = run.request.prompt
        self._keeps = False
        if not isinstance(prompt, TextPrompt) and run.request.rows is None and run.request.lora is None:
            plan = self._states.plan(prompt)
            self._restores = plan.restore
            held = self._ledger.held if self._held_adapter is None else None
            if plan.save_to is not None and held is not None and len(held) < context_length - 1:
                # A file is only written by a run: what is held is run again, up to its first token.
                self._keeps = True
                self.order = Order(next(self._ids), array("i", held.astype(np.int32).tobytes()), plan.save_to)
                return self.order
        return self.next(run)

    def next(self, run: Run) -> Order:
        """The next order of a run: a piece of its prompt, or the run itself."""
        self._keeps = False
        path = self._restores.path if self._restores is not None else None
        prompt = run.request.prompt
        end = None if isinstance(prompt, TextPrompt) or run.request.rows is not None else self._end_of_piece(prompt)
        if isinstance(prompt, TextPrompt) or end is None:
            self.order = Order(run.id, restore=path)
        else:
            self._read_to = end
            self.order = Order(next(self._ids), prompt[:end], restore=path, n_prompt=len(prompt))
        return self.order

    def _end_of_piece(self, prompt: array[int]) -> int | None:
        """Where the next piece of a prompt ends; ``None`` if the rest is read by the run itself."""
        if self._chunk is None or not self._ledger.reuses_prefixes:
            return None  # each piece would be read from the beginning
        if self._restores is not None:
            begin = common_length(np.frombuffer(prompt, np.int32), self._restores.tokens)
        else:
            begin = self._ledger.common(prompt) or 0
        end = begin + self._chunk
        return None if end >= len(prompt) or end <= self._read_to else end

    def note_end(self, run: Run, content: dict[str, Any]) -> CacheUse:
        """Enter what an order did into the accounts, before it is known what comes next."""
        order, self.order = self.order, None
        restored, self._restores = (None, self._restores) if self._keeps else (self._restores, None)
        prompt = run.request.prompt if order is None or order.prompt is None else order.prompt
        use = self._note_cache(run, prompt, content, restored)
        self._held_adapter = run.request.lora
        self._states.note_run(content)
        if self._keeps and order is not None and order.prompt is not None and order.save_to is not None:
            run.kept_ms += content["prefill_ms"] + content["decode_ms"]
            self._states.note_saved(order.save_to, order.prompt, content)
        elif order is not None and order.is_step:
            run.first_use = run.first_use or use
            run.computed += content["prefill_tokens"] or 0
            run.prefill_ms += content["prefill_ms"] + content["decode_ms"] + content["restore_ms"]
        return use

    def rest_of(self, run: Run, content: dict[str, Any]) -> dict[str, Any]:
        """What is left of a step's report for the end of its run, once ``note_end`` has counted it."""
        # A step that was aborted before it began tells nothing.
        told = content["prefill_tokens"] is not None or run.computed > 0
        counted = {"prefill_tokens": 0 if told else None, "prefill_ms": 0.0, "decode_ms": 0.0, "restore_ms": 0.0}
        return content | counted | {"n_tokens": 0, "generated": []}  # its token is nobody's

    def note_lost(self) -> None:
        """The worker was lost, or did not come back, over the order under way."""
        order, self.order = self.order, None
        if order is not None and order.save_to is not None:
            self._states.note_unsaved(order.save_to)
        elif order is not None and order.restore is not None and self._restores is not None:
            self._states.note_failed(self._restores)

    def _note_cache(
        self, run: Run, prompt: array[int] | TextPrompt, content: dict[str, Any], restored: KeptState | None
    ) -> CacheUse:
        nothing = CacheUse(None, False, None)
        if content["cache_cleared"]:
            self._ledger.clear()
        if not content["started"]:
            return nothing
        expected = 0
        if restored is not None and not isinstance(prompt, TextPrompt):
            expected = common_length(np.frombuffer(prompt, np.int32), restored.tokens)
            if content["restored"]:
                self._ledger.hold(restored.tokens)
            if content["error"] is not None:
                self._states.note_failed(restored)
        if isinstance(prompt, TextPrompt) or content["error"] is not None or not content["generated"]:
            self._ledger.forget()
            return nothing
        use = self._ledger.note_run(
            prompt, content["generated"], content["prefill_tokens"], restored=restored is not None
        )
        if restored is not None:
            self._states.note_restored(restored, use, expected, content)
        return use
