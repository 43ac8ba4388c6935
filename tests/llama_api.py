"""llama.cpp's own low-level Python interface, for tests that compare with it."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import pytest


def _ignore(level: int, text: bytes, data: object) -> None:
    """Drop a line of llama.cpp's log."""


@functools.cache
def llama_api() -> Any:
    """The interface, made silent once for the whole process: llama.cpp keeps the callback for good."""
    api = pytest.importorskip("llama_cpp.llama_cpp")
    streams = pytest.importorskip("llama_cpp._utils")
    streams.outnull_file.close()  # the package leaves these two open
    streams.errnull_file.close()
    api.rkllm_tests_silence = api.llama_log_callback(_ignore)
    api.llama_log_set(api.rkllm_tests_silence, ctypes.c_void_p(0))
    api.llama_backend_init()
    return api
