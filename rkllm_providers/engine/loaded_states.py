"""States that the worker loads into the KV cache from prompt-cache files."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Final

from rkllm_providers.engine.rows_runs import clear_cache
from rkllm_providers.errors import GenerationError
from rkllm_providers.runtime import ModelHandle

logger = logging.getLogger(__name__)

_IDLE_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.005


class LoadedStates:
    """The state that is loaded in one library."""

    def __init__(self, handle: ModelHandle) -> None:
        self._handle = handle
        self._is_loaded = False

    def restore(self, path: str) -> bool:
        """Have the KV cache as it was when this file was written; if it cannot be, it is empty."""
        # Loading right after a run that was aborted has been seen to crash.
        if not self._wait_until_idle():
            return False
        try:
            if self._is_loaded:
                self._is_loaded = False
                self._handle.release_prompt_cache()
            self._handle.load_prompt_cache(path)
            self._is_loaded = True
        except GenerationError as error:
            logger.warning("A kept state could not be loaded: %s", error)
            clear_cache(self._handle)
        return self._is_loaded

    def _wait_until_idle(self) -> bool:
        until = time.monotonic() + _IDLE_SECONDS
        while self._handle.is_running:
            if time.monotonic() >= until:
                return False
            time.sleep(_LOOK_SECONDS)
        return True


def size_of(path: str | None) -> int | None:
    """Bytes of a file that was to be written; ``None`` if it was not."""
    try:
        return Path(path).stat().st_size if path is not None else None
    except OSError:
        return None
