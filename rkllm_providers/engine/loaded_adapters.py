"""LoRA adapters, in the worker: each is loaded by the first run that asks for it, and stays."""

from __future__ import annotations

from typing import Any

from rkllm_providers.engine.rows_runs import clear_cache
from rkllm_providers.runtime import ModelHandle


class LoadedAdapters:
    """Knows which adapter files the library holds, and by which names.

    The library cannot unload one, nor load another by the same name: a file that was replaced gets a new name.
    """

    def __init__(self, handle: ModelHandle) -> None:
        self._handle = handle
        self._names: dict[tuple[Any, ...], str] = {}
        self._last: str | None = None

    def use(self, order: dict[str, Any] | None) -> tuple[str | None, bool]:
        """Make ready for a run with this adapter, or without any: its name, and whether it is another than before.

        Raises:
            GenerationError: The library refuses the file.
        """
        name = None if order is None else self._loaded(order)
        changed = name != self._last
        if changed:
            # What the library does with keys and values that another adapter computed is not documented.
            clear_cache(self._handle)
        self._last = name
        return name, changed

    def _loaded(self, order: dict[str, Any]) -> str:
        key = (order["path"], order["scale"], *order["stamp"])
        if key not in self._names:
            name, taken = order["name"], set(self._names.values())
            while name in taken:
                name += "'"
            self._handle.load_lora(order["path"], name, order["scale"])
            self._names[key] = name
        return self._names[key]
