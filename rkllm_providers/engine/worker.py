"""The process that holds one loaded model: ``python -m rkllm_providers.engine.worker FD``.

The only process that loads the runtime library. It is driven by frames (see ``frames``) over the
socket whose descriptor it is given. The main thread loads and runs; a second one reads frames, so
that an abort is seen while the library runs, and ends the process when the other side is gone.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from queue import SimpleQueue
from typing import Any, Final

from rkllm_providers.engine import frames
from rkllm_providers.engine.frames import Frame, FrameKind
from rkllm_providers.engine.loaded_adapters import LoadedAdapters
from rkllm_providers.engine.loaded_states import LoadedStates, size_of
from rkllm_providers.engine.picture_runs import PictureRun, PictureRuns
from rkllm_providers.engine.rows_runs import RowsWanted, run_rows
from rkllm_providers.engine.text_runs import TextRun, TextRuns
from rkllm_providers.engine.worker_load import NotAlone, check_tokenizer, load, picture_runs, sampling_params
from rkllm_providers.engine.worker_run import WorkerRun
from rkllm_providers.errors import ContextLengthExceeded, RKLLMError, UnsupportedFeature
from rkllm_providers.runtime import (
    Feature,
    ModelHandle,
    PromptInput,
    RunInput,
    TokenInput,
    line_buffer_stdout,
)

# How long a run may take to end after its owner is gone, before the process ends regardless.
_ORPHAN_GRACE_SECONDS: Final = 2.0
_ALARM_SECONDS: Final = 4
_RECEIVE_BYTES: Final = 1 << 18


class Worker:
    """Answers the frames of one engine."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._inbox: SimpleQueue[Frame | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._current: WorkerRun | None = None
        self._aborted_early: set[int] = set()
        self._handle: ModelHandle | None = None
        self._texts: TextRuns | None = None
        self._pictures: PictureRuns | None = None
        self._adapters: LoadedAdapters | None = None
        self._caches: LoadedStates | None = None
        self._has_template = False
        self._end_tokens: frozenset[int] = frozenset()

    def serve(self) -> int:
        """Load, then run until told to close or left alone. Returns the exit code."""
        threading.Thread(target=self._read, name="frames", daemon=True).start()
        first = self._inbox.get()
        if first is None or first.kind != FrameKind.LOAD:
            return 0
        if not self._load(frames.unpack_json(first.body)):
            return 1
        while (frame := self._inbox.get()) is not None and frame.kind == FrameKind.RUN:
            self._run(*frames.unpack_run(frame.body))
        if self._handle is not None:
            self._handle.destroy()
        if self._pictures is not None:
            self._pictures.close()
        return 0

    def _load(self, order: dict[str, Any]) -> bool:
        started = time.monotonic()
        try:
            self._handle = handle = load(order)
            checked = check_tokenizer(handle, order)
            self._texts = TextRuns(handle, order["context_length"], raw=order["raw"])
            self._pictures = picture_runs(handle, self._texts, order)
        except RKLLMError as error:
            self._log_mark()
            found = error.version if isinstance(error, NotAlone) else None
            self._send(FrameKind.FAILED, {"error": type(error).__name__, "message": str(error), "version": found})
            return False
        self._end_tokens = frozenset(order["end_tokens"])
        self._adapters = LoadedAdapters(handle)
        self._caches = LoadedStates(handle)
        self._has_template = handle.library.supports(Feature.CHAT_TEMPLATE) and not order["raw"]
        self._log_mark()
        identity = handle.library.identity
        self._send(
            FrameKind.READY,
            {
                "version": identity.version,
                "group": identity.group,
                "emulated": identity.is_emulator,
                "library": str(identity.path),
                "per_run_sampling": handle.library.supports(Feature.SAMPLING_PER_RUN),
                "context_length": order["context_length"],
                "tokenizer_checked": checked,
                "load_ms": (time.monotonic() - started) * 1000,
            },
        )
        return True

    def _run(self, order: dict[str, Any], prompt: bytes) -> None:
        handle = self._handle
        if handle is None:
            raise RuntimeError("A run was ordered before a model was loaded.")
        self_limiting = handle.library.supports(Feature.MAX_NEW_TOKENS_PER_RUN)
        run = WorkerRun(
            self._channel,
            handle,
            order["run"],
            self._end_tokens,
            self_limiting=self_limiting,
            quiet=order["quiet"],
        )
        with self._lock:
            self._current = run
            run.cancelled = run.id in self._aborted_early
            self._aborted_early.discard(run.id)
        outcome: dict[str, Any] = {"run": run.id, "error": None, "message": None}
        restored, restore_ms = False, 0.0
        started = time.monotonic()
        counting: TextRun | None = None
        seen: PictureRun | None = None
        n_rows: int | None = None
        try:
            self._prepare(run, order)
            # After that, since another adapter than before empties the cache.
            restored, restore_ms = self._restore(run, order["restore"])
            started = time.monotonic()
            if order["rows"] is not None:
                n_rows = self._run_rows(handle, run, order, prompt)
            elif order["input"] == "tokens":
                run.max_tokens = order["max_tokens"]
                self._generate(handle, run, order, TokenInput(prompt))
            elif order["input"] == "pictures":
                seen = self._run_pictures(handle, run, order, prompt)
            else:
                counting = self._run_text(handle, run, order, prompt.decode())
        except ContextLengthExceeded as error:
            outcome |= {
                "error": type(error).__name__,
                "message": str(error),
                "n_prompt_tokens": error.n_prompt_tokens,
                "n_ctx": error.n_ctx,
            }
        except RKLLMError as error:
            outcome |= {"error": type(error).__name__, "message": str(error)}
        ended = time.monotonic()
        with self._lock:
            self._current = None
        if run.failed and outcome["error"] is None:
            outcome |= {"error": "GenerationError", "message": "The library reported that the run failed."}
        if outcome["error"] is not None:
            self._log_mark()
        first = run.first_token_at or ended
        perf = run.perf
        if seen is not None:
            started += (seen.load_ms + seen.encode_ms) / 1000
            counting = seen.counting
        counting_ms = counting.counting_ms if counting else 0.0
        outcome |= {
            "n_tokens": run.n_tokens,
            "max_tokens": run.max_tokens,
            "started": run.started,
            "generated": run.generated,
            "cache_cleared": run.cache_cleared,
            "prefill_ms": perf.prefill_ms + counting_ms if perf else (first - started) * 1000,
            "decode_ms": (ended - first) * 1000,
            "prefill_tokens": perf.prefill_tokens + (counting.counted_tokens if counting else 0) if perf else None,
            "kv_size": self._kv_size(handle),
            "restored": restored,
            "restore_ms": restore_ms,
            "saved_bytes": size_of(order["save_to"]),
            "known_pictures": self._pictures.encoder.known if self._pictures else [],
            "pictures": seen.account() if seen else None,
        }
        if n_rows is not None:
            outcome["prefill_tokens"] = n_rows
        self._send(FrameKind.DONE, outcome)

    def _prepare(self, run: WorkerRun, order: dict[str, Any]) -> None:
        """Make ready what a run needs besides its prompt.

        Raises:
            UnsupportedFeature: The runtime would put its template around a text that is to go without.
            GenerationError: The library refuses the adapter.
        """
        if order["plain"] and order["input"] == "text" and self._has_template:
            raise UnsupportedFeature(
                "The runtime puts its chat template around every text of this model, and without a tokenizer there "
                "is no way past it: put the model's tokenizer.json beside its file."
            )
        if self._adapters is None or self._texts is None or run.cancelled:
            return
        run.lora, cleared = self._adapters.use(order["lora"])
        run.cache_cleared = run.cache_cleared or cleared
        if run.cache_cleared or order["rows"] is not None:
            self._texts.forget()  # the history, if there is one, is not of this model and these texts
        if self._pictures is not None and (run.cache_cleared or order["input"] != "pictures"):
            self._pictures.forget()

    def _restore(self, run: WorkerRun, path: str | None) -> tuple[bool, float]:
        """Load a state before a run; whether it was, and the milliseconds that took."""
        if path is None or self._caches is None or run.cancelled:
            return False, 0.0
        started = time.monotonic()
        restored = self._caches.restore(path)
        if self._texts is not None:
            self._texts.forget()  # what the cache holds now is no history of texts
        if not restored:
            run.cache_cleared = True
        return restored, (time.monotonic() - started) * 1000

    def _run_rows(self, handle: ModelHandle, run: WorkerRun, order: dict[str, Any], prompt: bytes) -> int | None:
        if run.cancelled:
            return None
        content = TokenInput(prompt) if order["input"] == "tokens" else PromptInput(prompt.decode())
        run.started = True
        values, n_rows = run_rows(handle, RowsWanted(**order["rows"]), content)
        self._channel.sendall(frames.pack_vector(run.id, values))
        return n_rows

    def _run_text(self, handle: ModelHandle, run: WorkerRun, order: dict[str, Any], text: str) -> TextRun | None:
        texts = self._texts
        if texts is None or run.cancelled:
            return None
        try:
            run.started = True  # counting a prompt fills the cache too
            how = texts.prepare(order, text, run.lora)
            run.max_tokens = how.limit
            run.keeps_text = how.keep_history
            self._generate(handle, run, order, how.content, keep_history=how.keep_history)
        except RKLLMError:
            texts.forget()
            raise
        texts.note_end(order, how, b"".join(run.said), run.n_tokens, natural=run.ended_by_itself)
        return how

    def _run_pictures(
        self, handle: ModelHandle, run: WorkerRun, order: dict[str, Any], blob: bytes
    ) -> PictureRun | None:
        pictures = self._pictures
        if pictures is None:
            raise UnsupportedFeature("The model was loaded without its vision encoder, so it takes no pictures.")
        run.started = True  # what comes before the run fills the cache too
        how = pictures.prepare(order, blob, lambda: run.cancelled, run.lora)
        if how is None:
            return None
        run.max_tokens = how.limit
        failed = True
        try:
            self._generate(handle, run, order, how.content)
            failed = run.failed
        finally:
            pictures.note_end(how, failed=failed)
        return how

    def _generate(
        self,
        handle: ModelHandle,
        run: WorkerRun,
        order: dict[str, Any],
        content: RunInput,
        *,
        keep_history: bool = False,
    ) -> None:
        if run.cancelled:
            return
        library = handle.library
        run.started = True
        handle.run(
            content,
            run.on_event,
            keep_history=keep_history,
            max_new_tokens=run.max_tokens if library.supports(Feature.MAX_NEW_TOKENS_PER_RUN) else None,
            sampling=sampling_params(order["sampling"]) if library.supports(Feature.SAMPLING_PER_RUN) else None,
            lora=run.lora,
            prompt_cache=order["save_to"],
        )

    def _kv_size(self, handle: ModelHandle) -> int | None:
        try:
            return handle.kv_cache_size()
        except UnsupportedFeature:
            return None

    def _read(self) -> None:
        """The second thread: takes frames until the other side is gone."""
        reader = frames.FrameReader()
        # A thread that is blocked in recv is also woken when the other side has read what we sent,
        # once per token; one that polls for input alone is not.
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        try:
            while poll.poll() and (data := self._channel.recv(_RECEIVE_BYTES)):
                for frame in reader.feed(data):
                    if frame.kind == FrameKind.ABORT:
                        self._abort(frame.run_id)
                    else:
                        self._inbox.put(frame)
        except ConnectionResetError:
            pass  # the other side died with frames of ours unread: it is gone like after an orderly end
        except Exception:  # noqa: BLE001 - printed here, since _leave ends the process without a trace
            traceback.print_exc()
        finally:
            self._leave()

    def _abort(self, run_id: int) -> None:
        with self._lock:
            run = self._current
            if run is None or run.id != run_id:
                # Its RUN frame waits in the inbox, or the run ended before this frame came.
                self._aborted_early.add(run_id)
                self._aborted_early = {known for known in self._aborted_early if known >= run_id}
                return
            run.cancelled = True
            # What an abort does to an idle library is not documented, so only a running one gets it;
            # should it start only now, the first event aborts it.
            if self._handle is not None and self._handle.is_running:
                self._handle.abort()

    def _leave(self) -> None:
        """End the process: in order where it is idle, at once where a run does not end."""
        # Ends the process without Python, should the library not come back from its abort.
        signal.alarm(_ALARM_SECONDS)
        with self._lock:
            run = self._current
        if run is not None:
            self._abort(run.id)
        self._inbox.put(None)
        time.sleep(_ORPHAN_GRACE_SECONDS)
        os._exit(1)

    def _send(self, kind: FrameKind, content: dict[str, Any]) -> None:
        self._channel.sendall(frames.pack_json(kind, content))

    def _log_mark(self) -> None:
        """Tell the engine that everything the library printed so far is before this line."""
        sys.stderr.flush()
        os.write(1, b"\n" + frames.LOG_MARK + b"\n")


def main(arguments: list[str]) -> int:
    """Serve the socket whose descriptor is the first argument; others are only held open."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    line_buffer_stdout()
    for descriptor in arguments:
        os.set_inheritable(int(descriptor), False)  # not for what the library may start
    channel = socket.socket(fileno=int(arguments[0]))
    channel.setblocking(True)
    try:
        return Worker(channel).serve()
    except (BrokenPipeError, ConnectionResetError):
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
