"""One loaded model, driven through the library's own functions. A handle runs one input at a time."""

from __future__ import annotations

import ctypes
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rkllm_providers.errors import GenerationError, InvalidRequest
from rkllm_providers.runtime.events import Action, RunMode, RuntimeEvent
from rkllm_providers.runtime.features import Feature
from rkllm_providers.runtime.infer import InferParam
from rkllm_providers.runtime.inputs import InputBuilder, RunInput, n_tokens_of
from rkllm_providers.runtime.library import RuntimeLibrary, oversized
from rkllm_providers.runtime.library_model import LibraryModel, encode_path, meaning_of
from rkllm_providers.runtime.parameters import (
    InitParams,
    RunResult,
    SamplingParams,
    encode_text,
)
from rkllm_providers.runtime.reader import EventReader, ResultCallback
from rkllm_providers.runtime.rows import DEFAULT_MAX_BYTES, RowsReader, check_size

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MAX_BATCH = 100


class ModelHandle(LibraryModel):
    """A model in the library, from ``rkllm_init`` to ``rkllm_destroy``.

    Use it as a context manager, or call ``destroy``. ``abort``, ``is_running`` and ``destroy`` may be
    called from any thread; ``abort`` also from inside the event handler.
    """

    def __init__(self, library: RuntimeLibrary, params: InitParams) -> None:
        """Load a model; takes seconds and blocks, with the interpreter lock released.

        Raises ``ModelLoadError`` if the library refuses, ``UnsupportedFeature`` if a parameter needs a
        newer runtime, and ``InvalidRequest`` if one does not fit its C type.
        """
        self._reader: EventReader | None = None
        self._adapters: dict[str, object] = {}
        self._result_callback = ResultCallback(library.layout, self._abort_unless_ended, self._act)
        self._inputs = InputBuilder(library, params.markers, params.embedding_size)
        self._widths: dict[RunMode, int] = {}
        super().__init__(library, params, self._result_callback.function)

    def run(
        self,
        input: RunInput,
        on_event: Callable[[RuntimeEvent], object],
        *,
        keep_history: bool = False,
        max_new_tokens: int | None = None,
        sampling: SamplingParams | None = None,
        lora: str | None = None,
        prompt_cache: str | os.PathLike[str] | None = None,
    ) -> RunResult:
        """Generate from one input; blocks until the library is done.

        ``on_event`` is called on this thread with each token, then the end. What it raises ends the run
        and is raised here, after the library has returned; returning ``Action.PAUSE`` for a token (runtime
        1.2.1) ends the run and keeps its KV cache. ``keep_history`` (runtime 1.2.0) continues
        the conversation held in the KV cache; without it the library still reuses the common prefix
        of what it holds. ``max_new_tokens`` and ``sampling`` (runtime 1.3.0) apply to this run only;
        members of ``sampling`` that are ``None`` are those the handle was made with. ``lora`` names a
        loaded adapter; ``prompt_cache`` is a file to which the KV cache is written at the end.

        Raises ``InvalidRequest`` for an input that cannot be passed, ``UnsupportedFeature`` for what the
        version lacks, ``GenerationError`` if the library reports failure, or a run is active already,
        and ``EngineClosed`` after ``destroy``. A run that was aborted returns normally.
        """
        infer = self._infer_param(RunMode.GENERATE, lora)
        self._set_run_options(infer, keep_history, max_new_tokens, sampling)
        if prompt_cache is not None:
            infer.save_to(encode_path(prompt_cache, "prompt_cache"))
        reader = EventReader(self.library.layout, on_event)
        self._run(input, infer, reader)
        return RunResult(
            finished=reader.finish is not None,
            perf=reader.finish.perf if reader.finish else None,
            aborted=reader.aborted,
            paused=reader.paused,
        )

    def hidden_states(
        self,
        input: RunInput,
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        lora: str | None = None,
        last_only: bool = False,
    ) -> NDArray[np.float32]:
        """The last layer's output for every position of an input: float32 ``[n_tokens, n_embd]``.

        A prompt's template and beginning token count as tokens. A result above ``max_bytes`` is refused with
        ``InvalidRequest`` before the run where its size is known (token and embedding input, from the second
        run on), and with ``GenerationError`` before it is copied where it is not. An aborted run raises
        ``GenerationError``. ``last_only`` copies the last position's row alone, and ``max_bytes`` is about that:
        the library itself holds all of them. Otherwise as ``run``.
        """
        return self._rows(RunMode.HIDDEN_STATES, input, max_bytes, None, lora, last_only=last_only)

    def logits(
        self,
        input: RunInput,
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        vocab_size: int | None = None,
        lora: str | None = None,
        last_only: bool = False,
    ) -> NDArray[np.float32]:
        """The scores of every next token at every position: float32 ``[n_tokens, n_vocab]`` (runtime 1.2.0).

        ``max_bytes`` and ``last_only`` are as for ``hidden_states``. The vocabulary's size is learned from the
        first run; ``vocab_size`` has that checked before the run as well.
        """
        self.library.require(Feature.LOGITS)
        return self._rows(RunMode.LOGITS, input, max_bytes, vocab_size, lora, last_only=last_only)

    def _rows(
        self, mode: RunMode, input: RunInput, max_bytes: int, width: int | None, lora: str | None, *, last_only: bool
    ) -> NDArray[np.float32]:
        n_rows = 1 if last_only else n_tokens_of(input)
        check_size(mode, n_rows, width or self._widths.get(mode), max_bytes)
        releases = self.library.supports(Feature.RELEASE)
        reader = RowsReader(self.library.layout, mode, max_bytes, releases=releases, last_only=last_only)
        self._run(input, self._infer_param(mode, lora), reader)
        if reader.aborted:
            raise GenerationError(f"The run was aborted before its {mode.words} were complete.")
        rows = reader.array()
        self._widths[mode] = rows.shape[1]
        return rows

    def _run(self, input: RunInput, infer: InferParam, reader: EventReader) -> None:
        input_struct, kept = self._inputs.build(input)
        with self._occupied("a run"):
            self._reader = reader
            self._result_callback.begin(reader.read)
            try:
                code = self.library.call(
                    "rkllm_run", self._handle, ctypes.byref(input_struct), ctypes.byref(infer.struct), None
                )
            finally:
                exception = self._result_callback.end()
                with self._lock:
                    self._reader = None
        del kept  # What the struct points to had to live until here.
        if exception is not None:
            raise exception
        if (code != 0 or reader.failed) and not reader.aborted:
            raise self._run_error(code, reader)

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

    def clear_kv_cache(self, keep_system_prompt: bool = False, span: tuple[int, int] | None = None) -> None:
        """Forget what was computed, all of it or all but the system prompt (runtime 1.2.0).

        ``span`` (runtime 1.2.1) forgets only the positions from its first number up to, not including, its
        second, after a run without ``keep_history``; it overrides ``keep_system_prompt``.
        """
        self.library.require(Feature.CLEAR_KV_CACHE)
        bounds: tuple[Any, Any] = (None, None)
        if span is not None:
            self.library.require(Feature.KV_CACHE_RANGE)
            if not 0 <= span[0] < span[1] < 2**31:
                raise InvalidRequest(f"A span of positions must be 0 <= start < end, not {span}.", param="span")
            bounds = (ctypes.byref(ctypes.c_int(span[0])), ctypes.byref(ctypes.c_int(span[1])))
        with self._occupied("clearing the KV cache"):
            self._checked_call("rkllm_clear_kv_cache", int(keep_system_prompt), *bounds)

    def load_lora(self, path: str | os.PathLike[str], name: str, scale: float = 1.0) -> None:
        """Load an adapter, which runs then choose by its name; there is no way to unload it.

        Raises ``GenerationError`` if the library refuses the file.
        """
        if not name or name in self._adapters:
            raise InvalidRequest(f"An adapter needs a name no other has, not {name!r}.", param="name")
        if not math.isfinite(scale):
            raise InvalidRequest(f"The scale of an adapter must be finite, not {scale}.", param="scale")
        struct: Any = oversized(self.library.layout.structs["RKLLMLoraAdapter"])
        parts = (encode_path(path, "path"), encode_text(name, "name"))
        struct.lora_adapter_path, struct.lora_adapter_name = parts
        struct.scale = scale
        with self._occupied("loading an adapter"):
            self._checked_call("rkllm_load_lora", ctypes.byref(struct))
            self._adapters[name] = (struct, parts)

    def load_prompt_cache(self, path: str | os.PathLike[str]) -> None:
        """Fill the KV cache from a file that ``run`` wrote; inputs that begin the same reuse it.

        Raises ``GenerationError`` if the library refuses the file. Release it before loading another.
        """
        file = encode_path(path, "path")
        with self._occupied("loading a prompt cache"):
            self._checked_call("rkllm_load_prompt_cache", file)

    def release_prompt_cache(self) -> None:
        """Forget the prompt cache that was loaded."""
        with self._occupied("releasing a prompt cache"):
            self._checked_call("rkllm_release_prompt_cache")

    def set_function_tools(
        self, system: str, tools: str | Sequence[Mapping[str, Any]], response_tag: str = "tool_response"
    ) -> None:
        """Put functions a model may call, in OpenAI's form, into the system text of prompts (runtime 1.2.1).

        ``system`` replaces the system text. The results go into a prompt of the role ``tool``, as a JSON
        array; ``response_tag`` is the tag the model knows them by. ``set_chat_template`` cancels this.
        """
        self.library.require(Feature.FUNCTION_TOOLS)
        listed = tools if isinstance(tools, str) else json.dumps(list(tools), ensure_ascii=False)
        texts = {"system": system, "tools": listed, "response_tag": response_tag}
        parts = tuple(encode_text(text, name) for name, text in texts.items())
        with self._occupied("setting function tools"):
            self._kept["function_tools"] = parts
            self._checked_call("rkllm_set_function_tools", *parts)

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

    def _infer_param(self, mode: RunMode, lora: str | None) -> InferParam:
        infer = InferParam(self.library.layout, mode)
        if lora is not None:
            if lora not in self._adapters:
                known = ", ".join(self._adapters) or "none"
                raise InvalidRequest(f"No adapter named {lora!r} is loaded. Loaded: {known}.", param="lora")
            infer.use_lora(encode_text(lora, "lora"))
        return infer

    def _set_run_options(
        self, infer: InferParam, keep_history: bool, max_new_tokens: int | None, sampling: SamplingParams | None
    ) -> None:
        if keep_history:
            self.library.require(Feature.KEEP_HISTORY)
            infer.struct.keep_history = 1
        if max_new_tokens is not None:
            self.library.require(Feature.MAX_NEW_TOKENS_PER_RUN)
            if not 0 < max_new_tokens < 2**31:
                raise InvalidRequest(
                    f"max_new_tokens must be between 1 and {2**31 - 1}, not {max_new_tokens}.",
                    param="max_new_tokens",
                )
            infer.struct.max_new_tokens = max_new_tokens
        if sampling is not None:
            self.library.require(Feature.SAMPLING_PER_RUN)
            infer.sample(sampling, self._param)

    def _act(self, action: Action) -> int:
        if action is Action.PAUSE:
            self.library.require(Feature.PAUSE)
            if self._reader is not None:
                self._reader.paused = True
        else:
            self.library.require(Feature.RELEASE)
        return int(action)

    def _run_error(self, code: int, reader: EventReader) -> GenerationError:
        what = "reported an error" if code == 0 else f"returned {meaning_of(code)}"
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

        def emit_after_abort(event: RuntimeEvent) -> object:
            reader.emit = emit
            if not reader.ended:
                self._abort_library()
            return emit(event)

        reader.emit = emit_after_abort

    def _abort_unless_ended(self) -> None:
        """For an exception in the event handler; an abort at the very end could hit the next run instead."""
        if self._reader is not None and not self._reader.ended:
            self._abort_library()

    def _abort_library(self) -> None:
        self.library.call("rkllm_abort", self._handle)
