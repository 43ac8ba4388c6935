"""How fast a disk takes files, measured beside everything else: on a card that takes seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Final

_PATIENCE_SECONDS: Final = 1.0


class WriteProbe:
    """One measurement, begun at once on a thread of its own. Belongs to the engine's thread."""

    def __init__(self, measure: Callable[[], float]) -> None:
        """``measure`` gives bytes per second."""
        self._measured: Future[float] = Future()
        self._patience = _PATIENCE_SECONDS
        threading.Thread(target=self._run, args=(measure,), name="rkllm-probe", daemon=True).start()

    def rate(self) -> float | None:
        """Bytes per second; ``None`` while that is not known. Only the first look waits, a second at most.

        Raises:
            OSError: The disk could not be written to.
        """
        patience, self._patience = self._patience, 0.0
        return self._measured.result() if self.wait(patience) else None

    def wait(self, seconds: float) -> bool:
        """Whether the measurement has ended, in this time at the latest."""
        return bool(wait((self._measured,), seconds).done)

    def _run(self, measure: Callable[[], float]) -> None:
        try:
            self._measured.set_result(measure())
        except OSError as error:
            self._measured.set_exception(error)
