"""A model in the library, from ``rkllm_init`` to ``rkllm_destroy``: who may use it, and that it is freed.

Everything the library was given a pointer to at initialisation (strings, callback, structs) lives as long as the
model: whether it copies them is undocumented.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from rkllm_providers.errors import EngineClosed, GenerationError, InvalidRequest, ModelLoadError, RKLLMError
from rkllm_providers.runtime.library import RuntimeLibrary, oversized
from rkllm_providers.runtime.parameters import INIT_FEATURES, InitParams, encode_text, store

RETURN_CODES: dict[int, str] = {0: "success", -1: "failure"}
"""All return codes the vendor documents; reasons are only in the library's log."""


class LibraryModel:
    """A model that does one thing at a time, for one thread; any may destroy it."""

    def __init__(self, library: RuntimeLibrary, params: InitParams, callback: Any) -> None:
        """Load it. ``callback`` is the C function that the library tells of tokens."""
        self.library = library
        self._lock = threading.Lock()
        self._busy: str | None = None
        self._closed = False
        self._kept: dict[str, object] = {}
        self._handle = ctypes.c_void_p()
        self._param: Any = self._make_param(params)
        self._init(params, callback)

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
            raise RKLLMError(f"rkllm_destroy returned {meaning_of(code)}; the model may still take up memory.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.destroy()

    def _make_param(self, params: InitParams) -> Any:
        for name, feature in INIT_FEATURES.items():
            if getattr(params, name) is not None:
                self.library.require(feature)
        path = encode_path(params.model_path, "model_path")
        param: Any = self.library.default_parameters()
        self._kept["model_path"] = path
        param.model_path = path
        store(param, params.sampling)
        store(param, params)
        store(param.extend_param, params)
        param.is_async = False
        if params.markers is not None and hasattr(param, "img_start"):
            texts = tuple(
                encode_text(getattr(params.markers, part), f"markers.{part}") for part in ("start", "end", "content")
            )
            self._kept["markers"] = texts
            param.img_start, param.img_end, param.img_content = texts
        if hasattr(param.extend_param, "n_batch"):
            param.extend_param.n_batch = 1
        return param

    def _init(self, params: InitParams, function: Any) -> None:
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
        what = f"returned {meaning_of(code)}" if code != 0 else "returned success, but no handle"
        readable = "" if os.access(path, os.R_OK) else " The file does not exist or cannot be read."
        raise ModelLoadError(
            f"Runtime {self.library.version} could not load {path}: rkllm_init {what}.{readable} "
            "The library's log says more."
        )

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
            raise GenerationError(f"{name} returned {meaning_of(code)}. The library's log says more.")


def encode_path(path: str | os.PathLike[str], param: str) -> bytes:
    """A path for a C string; raises ``InvalidRequest`` for none."""
    encoded = os.fsencode(path)
    if b"\0" in encoded or not encoded:
        raise InvalidRequest(f"{param} is empty or holds a NUL character.", param=param)
    return encoded


def meaning_of(code: int) -> str:
    """A return code in words."""
    return f"{code} ({RETURN_CODES.get(code, 'not a documented code')})"
