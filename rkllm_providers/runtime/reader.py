"""From the library's result callback to events: the hot path, one call per token.

The callback runs on the thread that called ``rkllm_run``. The text pointer is valid only meanwhile, so
the text is copied there. The library hands over the same address from token to token, so the view on
the struct is kept until the address changes; making one anew doubles the cost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rkllm_providers.errors import GenerationError
from rkllm_providers.runtime.abi import Layout
from rkllm_providers.runtime.events import Action, ErrorEvent, FinishEvent, PerfStat, RuntimeEvent, TokenEvent

EventHandler = Callable[[RuntimeEvent], object]

CONTINUE = 0
"""Return value of the result callback: go on."""

_new_tuple = tuple.__new__


class EventReader:
    """Turns result callbacks of text generation into events for one handler.

    ``read`` returns what the handler returned for a token: an ``Action``, or whatever else to go on.

    Hidden states and logits, which come in other modes, are not touched: in group A they have a state
    of their own, which is passed over, later they arrive beside a token. A state the headers do not
    know means that this is not the library it was taken for, and raises ``GenerationError``.
    """

    def __init__(self, layout: Layout, emit: EventHandler) -> None:
        states = layout.enums["LLMCallState"]
        self._normal = states["RKLLM_RUN_NORMAL"]
        self._waiting = states["RKLLM_RUN_WAITING"]
        self._finish = states["RKLLM_RUN_FINISH"]
        self._error = states["RKLLM_RUN_ERROR"]
        self._passed_over = states.get("RKLLM_RUN_GET_LAST_HIDDEN_LAYER")
        self._result_type = layout.structs["RKLLMResult"]
        self._has_perf = "RKLLMPerfStat" in layout.structs
        self._address: int | None = -1
        self._view: Any = None
        self.emit = emit
        self.finish: FinishEvent | None = None
        self.failed = False
        self.aborted = False
        """Set by the handle when the run is to end early."""
        self.paused = False

    @property
    def ended(self) -> bool:
        """Whether the library reported the end of the run, or its failure."""
        return self.finish is not None or self.failed

    @property
    def silent(self) -> bool:
        """Whether no token, end or failure was reported."""
        return self._view is None and not self.ended

    def read(self, address: int | None, state: int) -> object:
        """Emit the event of one callback; what the handler raises passes through."""
        if state == self._normal:
            if address != self._address:
                self._look_at(address)
            view = self._view
            # tuple.__new__ skips the Python-level constructor of the named tuple: 0.2 µs per token.
            return self.emit(_new_tuple(TokenEvent, (view.token_id, view.text or b"", False)))
        return self._read_rare(address, state)

    def _read_rare(self, address: int | None, state: int) -> object:
        if state == self._waiting:
            # Part of a character: its bytes come with a later token, and the text pointer is not read.
            self._look_at(address)
            return self.emit(TokenEvent(self._view.token_id, b"", True))
        if state == self._finish:
            self.finish = FinishEvent(self._perf(address))
            self.emit(self.finish)
        elif state == self._error:
            self.failed = True
            self.emit(ErrorEvent())
        elif state != self._passed_over:
            raise GenerationError(
                f"The library reported the call state {state}, which its version does not have. "
                "Is it really the version it was taken for?"
            )
        return None

    def _look_at(self, address: int | None) -> None:
        if address is None:
            raise GenerationError("The library reported a token without a result.")
        self._view = self._result_type.from_address(address)
        self._address = address

    def _perf(self, address: int | None) -> PerfStat | None:
        if not self._has_perf or address is None:
            return None
        perf = self._result_type.from_address(address).perf
        return PerfStat(
            prefill_ms=perf.prefill_time_ms,
            prefill_tokens=perf.prefill_tokens,
            generate_ms=perf.generate_time_ms,
            generate_tokens=perf.generate_tokens,
            memory_mb=perf.memory_usage_mb,
        )


class ResultCallback:
    """The C function that a handle gives the library once, passing on to the reader of the current run.

    No exception crosses the C frame: what a reader or handler raises is kept in ``exception``, and
    ``on_exception`` is called once, to abort the run. ``on_action`` tells the value to return to the library
    for an ``Action``.
    """

    def __init__(self, layout: Layout, on_exception: Callable[[], None], on_action: Callable[[Action], int]) -> None:
        self.exception: BaseException | None = None
        self._on_action = on_action
        self._on_exception = on_exception
        self._read: Callable[[int | None, int], object] = _ignore
        self.function = layout.callbacks["LLMResultCallback"](self._make())

    def begin(self, read: Callable[[int | None, int], object]) -> None:
        """Pass the following results to ``read``."""
        self.exception = None
        self._read = read

    def end(self) -> BaseException | None:
        """Pass on nothing any more; returns what was raised since ``begin``."""
        self._read = _ignore
        exception, self.exception = self.exception, None
        return exception

    def _make(self) -> Callable[[int | None, int | None, int], int]:
        def on_result(address: int | None, _userdata: int | None, state: int) -> int:
            try:
                answer = self._read(address, state)
                if answer is not None and type(answer) is Action:
                    return self._on_action(answer)
            except BaseException as exception:  # noqa: BLE001 - raised again by run(), once C has returned
                self._remember(exception)
            return CONTINUE

        return on_result

    def _remember(self, exception: BaseException) -> None:
        self._read = _ignore
        self.exception = exception
        self._on_exception()


def _ignore(_address: int | None, _state: int) -> None:
    """Results nobody waits for, such as those that still come after an abort by exception."""
