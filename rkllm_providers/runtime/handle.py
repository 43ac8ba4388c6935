"""One loaded model, driven through the library's own functions.

A handle runs one input at a time. Everything the library was given a pointer to at initialisation
(strings, callback, structs) lives as long as the handle: whether it copies them is undocumented.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from types import TracebackType
from typing import Any

from rkllm_providers.errors import EngineClosed, GenerationError, InvalidRequest, ModelLoadError, RKLLMError
from rkllm_providers.runtime.events import RuntimeEvent
from rkllm_providers.runtime.features import Feature
from rkllm_providers.runtime.library import RuntimeLibrary, oversized
from rkllm_providers.runtime.parameters import (
    INIT_FEATURES,
    ROLES,
    InitParams,
    PromptInput,
    RunResult,
    SamplingParams,
    TokenInput,
    encode_text,
    store,
    token_array,
)
from rkllm_providers.runtime.reader import EventReader, ResultCallback

RETURN_CODES: dict[int, str] = {0: "success", -1: "failure"}
"""All return codes the vendor documents; reasons are only in the library's log."""

_MAX_BATCH = 100


class ModelHandle:
    """A model in the library, from ``rkllm_init`` to ``rkllm_destroy``.

    Use it as a context manager, or call ``destroy``. ``abort``, ``is_running`` and ``destroy`` may be
    called from any thread; ``abort`` also from inside the event handler.
    """

    def __init__(self, library: RuntimeLibrary, params: InitParams) -> None:
        """Load a model; takes seconds and blocks, with the interpreter lock released.

        Raises ``ModelLoadError`` if the library refuses, ``UnsupportedFeature`` if a parameter needs a
        newer runtime, and ``InvalidRequest`` if one does not fit its C type.
        """
        self.library = library
        self._lock = threading.Lock()
        self._busy: str | None = None
        self._closed = False
        self._reader: EventReader | None = None
        self._kept: dict[str, object] = {}
        self._handle = ctypes.c_void_p()
        self._result_callback = ResultCallback(library.layout, self._abort_unless_ended)
        self._param: Any = self._make_param(params)
        self._init(params)

    def run(
        self,
        input: PromptInput | TokenInput,
        on_event: Callable[[RuntimeEvent], object],
        *,
        keep_history: bool = False,
        max_new_tokens: int | None = None,
        sampling: SamplingParams | None = None,
    ) -> RunResult:
        """Generate from one input; blocks until the library is done.

        ``on_event`` is called on this thread with each token, then the end. What it raises ends the run
        and is raised here, after the library has returned. ``keep_history`` (runtime 1.2.0) continues
        the conversation held in the KV cache; without it the library still reuses the common prefix
        of what it holds. ``max_new_tokens`` and ``sampling`` (runtime 1.3.0) apply to this run only;
        members of ``sampling`` that are ``None`` are those the handle was made with.

        Raises ``InvalidRequest`` for an input that cannot be passed, ``UnsupportedFeature`` for what the
        version lacks, ``GenerationError`` if the library reports failure, or a run is active already,
        and ``EngineClosed`` after ``destroy``. A run that was aborted returns normally.
        """
        input_struct, kept = self._make_input(input)
        infer_param, kept_sampling = self._make_infer_param(keep_history, max_new_tokens, sampling)
        reader = EventReader(self.library.layout, on_event)
        with self._occupied("a run"):
            self._reader = reader
            self._result_callback.begin(reader.read)
            try:
                code = self.library.call(
                    "rkllm_run", self._handle, ctypes.byref(input_struct), ctypes.byref(infer_param), None
                )
            finally:
                exception = self._result_callback.end()
                with self._lock:
                    self._reader = None
        del kept, kept_sampling  # What the structs point to had to live until here.
        if exception is not None:
            raise exception
        if (code != 0 or reader.failed) and not reader.aborted:
            raise self._run_error(code, reader)
        return RunResult(
            finished=reader.finish is not None,
            perf=reader.finish.perf if reader.finish else None,
            aborted=reader.aborted,
        )

    def abort(self) -> bool:
        """End the active run soon; returns whether there was one.

        Returns at once; ``run`` returns once the library has ended, which during prefill may take until
        the prefill is done. Without an active run nothing is called, since what the library would do is
        undocumented.
        """
        with self._lock:
            self._check_open()
            reader = self._reader
            if reader is None or reader.ended:
                return False
            if not reader.aborted:
                reader.aborted = True
                self._abort_at_next_event(reader)
            self._abort_library()
            return True

    @property
    def is_running(self) -> bool:
        """Whether the library says that it prefills or decodes.

        True while it runs, in every version; the comment in headers before 1.3.0 has it the wrong way
        round, as the vendor confirmed (issue 502 of its repository).
        """
        with self._lock:
            self._check_open()
            return bool(self.library.call("rkllm_is_running", self._handle))

    def clear_kv_cache(self, keep_system_prompt: bool = False) -> None:
        """Forget what was computed, all of it or all but the system prompt (runtime 1.2.0)."""
        self.library.require(Feature.CLEAR_KV_CACHE)
        with self._occupied("clearing the KV cache"):
            self._checked_call("rkllm_clear_kv_cache", int(keep_system_prompt), None, None)

    def kv_cache_size(self) -> int:
        """Number of positions the KV cache holds, in tokens (runtime 1.2.1)."""
        self.library.require(Feature.KV_CACHE_SIZE)
        sizes = (ctypes.c_int * _MAX_BATCH)()
        with self._occupied("reading the KV cache size"):
            self._checked_call("rkllm_get_kv_cache_size", ctypes.byref(sizes))
        return int(sizes[0])

    def set_chat_template(self, system: str, prefix: str, postfix: str) -> None:
        """Replace the model's chat template for prompt inputs by system + prefix + text + postfix.

        Takes effect at once, clears the KV cache and disables ``enable_thinking``; three empty strings
        pass prompts as they are (runtime 1.2.0).
        """
        self.library.require(Feature.CHAT_TEMPLATE)
        parts = tuple(
            encode_text(text, name) for name, text in (("system", system), ("prefix", prefix), ("postfix", postfix))
        )
        with self._occupied("setting the chat template"):
            self._kept["chat_template"] = parts
            self._checked_call("rkllm_set_chat_template", *parts)

    def destroy(self) -> None:
        """Free the model; further calls do nothing.

        Raises ``GenerationError`` while a run is active, since the library would crash: abort it and
        wait until ``run`` has returned.
        """
        with self._lock:
            if self._closed:
                return
            if self._busy is not None:
                raise GenerationError(
                    f"The model cannot be destroyed during {self._busy}: abort it and wait for its end."
                )
            self._closed = True
            code = self.library.call("rkllm_destroy", self._handle)
        if code != 0:
            raise RKLLMError(f"rkllm_destroy returned {_meaning(code)}; the model may still take up memory.")

    def __enter__(self) -> ModelHandle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.destroy()

    def _make_param(self, params: InitParams) -> Any:
        for name, feature in INIT_FEATURES.items():
            if getattr(params, name) is not None:
                self.library.require(feature)
        path = os.fsencode(params.model_path)
        if b"\0" in path or not path:
            raise InvalidRequest("model_path is empty or holds a NUL character.", param="model_path")
        param: Any = self.library.default_parameters()
        self._kept["model_path"] = path
        param.model_path = path
        store(param, params.sampling)
        store(param, params)
        store(param.extend_param, params)
        param.is_async = False
        if hasattr(param.extend_param, "n_batch"):
            param.extend_param.n_batch = 1
        return param

    def _init(self, params: InitParams) -> None:
        function = self._result_callback.function
        callback: Any = function
        callback_type = self.library.layout.structs.get("RKLLMCallback")
        if callback_type is not None:
            struct: Any = oversized(callback_type)
            struct.result_callback = function
            self._kept["callback"] = struct
            callback = ctypes.byref(struct)
        code = self.library.call("rkllm_init", ctypes.byref(self._handle), ctypes.byref(self._param), callback)
        if code == 0 and self._handle.value is not None:
            return
        self._closed = True
        path = os.fspath(params.model_path)
        what = f"returned {_meaning(code)}" if code != 0 else "returned success, but no handle"
        readable = "" if os.access(path, os.R_OK) else " The file does not exist or cannot be read."
        raise ModelLoadError(
            f"Runtime {self.library.version} could not load {path}: rkllm_init {what}.{readable} "
            "The library's log says more."
        )

    def _make_input(self, given: PromptInput | TokenInput) -> tuple[ctypes.Structure, object]:
        """The input struct, and the data it points to."""
        layout = self.library.layout
        types = layout.enums["RKLLMInputType"]
        struct: Any = oversized(layout.structs["RKLLMInput"])
        has_role = self.library.supports(Feature.ROLE)
        role = b"user"
        kept: object
        if isinstance(given, TokenInput):
            tokens = token_array(given.ids)
            kept = tokens
            struct.input_type = types["RKLLM_INPUT_TOKEN"]
            struct.token_input.input_ids, struct.token_input.n_tokens = tokens.buffer_info()
        else:
            text, role = self._check_prompt(given)
            kept = text
            struct.input_type = types["RKLLM_INPUT_PROMPT"]
            struct.prompt_input = text
            if has_role:
                struct.enable_thinking = given.enable_thinking
        if has_role:
            struct.role = role
        return struct, (kept, role)

    def _check_prompt(self, given: PromptInput) -> tuple[bytes, bytes]:
        if given.role not in ROLES:
            raise InvalidRequest(f"The role of a prompt is {' or '.join(ROLES)}, not {given.role!r}.", param="role")
        if given.role != "user":
            self.library.require(Feature.ROLE)
        if given.enable_thinking:
            self.library.require(Feature.THINKING)
        if not given.text:
            raise InvalidRequest("The prompt is empty; a run needs some text.", param="prompt")
        return encode_text(given.text, "prompt"), given.role.encode()

    def _make_infer_param(
        self, keep_history: bool, max_new_tokens: int | None, sampling: SamplingParams | None
    ) -> tuple[ctypes.Structure, object]:
        """The inference parameters, and the struct they point to."""
        layout = self.library.layout
        struct: Any = oversized(layout.structs["RKLLMInferParam"])
        struct.mode = layout.enums["RKLLMInferMode"]["RKLLM_INFER_GENERATE"]
        if keep_history:
            self.library.require(Feature.KEEP_HISTORY)
            struct.keep_history = 1
        if max_new_tokens is not None:
            self.library.require(Feature.MAX_NEW_TOKENS_PER_RUN)
            if not 0 < max_new_tokens < 2**31:
                raise InvalidRequest(
                    f"max_new_tokens must be between 1 and {2**31 - 1}, not {max_new_tokens}.",
                    param="max_new_tokens",
                )
            struct.max_new_tokens = max_new_tokens
        if sampling is None:
            return struct, None
        self.library.require(Feature.SAMPLING_PER_RUN)
        # The struct replaces all nine values at once, so those not given are the handle's own.
        values: Any = oversized(layout.structs["RKLLMSamplingParam"])
        for field in fields(SamplingParams):
            setattr(values, field.name, getattr(self._param, field.name))
        store(values, sampling)
        struct.sampling_params = ctypes.addressof(values)
        return struct, values

    def _run_error(self, code: int, reader: EventReader) -> GenerationError:
        what = "reported an error" if code == 0 else f"returned {_meaning(code)}"
        why = (
            " It ended before the first token: most often the prompt is longer than the context window."
            if reader.silent
            else ""
        )
        return GenerationError(
            f"rkllm_run of runtime {self.library.version} {what}.{why} The library's log says more."
        )

    def _abort_at_next_event(self, reader: EventReader) -> None:
        """Abort once more from inside the run: one that came just before its start may be forgotten."""
        emit = reader.emit

        def emit_after_abort(event: RuntimeEvent) -> None:
            reader.emit = emit
            if not reader.ended:
                self._abort_library()
            emit(event)

        reader.emit = emit_after_abort

    def _abort_unless_ended(self) -> None:
        """For an exception in the event handler; an abort at the very end could hit the next run instead."""
        if self._reader is not None and not self._reader.ended:
            self._abort_library()

    def _abort_library(self) -> None:
        self.library.call("rkllm_abort", self._handle)

    @contextmanager
    def _occupied(self, action: str) -> Iterator[None]:
        """Have the handle for one action; another thread's is refused, not queued."""
        with self._lock:
            self._check_open()
            if self._busy is not None:
                raise GenerationError(
                    f"The handle is busy with {self._busy} and does one thing at a time. Wait until then."
                )
            self._busy = action
        try:
            yield
        finally:
            with self._lock:
                self._busy = None

    def _check_open(self) -> None:
        if self._closed:
            raise EngineClosed("The model was destroyed; nothing can be asked of its handle any more.")

    def _checked_call(self, name: str, *arguments: object) -> None:
        code = self.library.call(name, self._handle, *arguments)
        if code != 0:
            raise GenerationError(f"{name} returned {_meaning(code)}. The library's log says more.")


def _meaning(code: int) -> str:
    return f"{code} ({RETURN_CODES.get(code, 'not a documented code')})"
