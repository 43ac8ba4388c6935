"""Parts are imported when they are first used, and say which extra brings what they lack."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Final

_OURS: Final = ("rag_service", "rkllm_providers")


def import_part(package: str, module: str, extra: str) -> ModuleType:
    """The module of ``package``, which needs ``extra`` and the retrieval extra.

    Raises:
        ModuleNotFoundError: A library is not installed; the message names the extras.
    """
    try:
        return importlib.import_module(f"{package}.{module}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] in _OURS:
            raise
        raise ModuleNotFoundError(
            f"{package} needs {error.name}: pip install 'rkllm-providers[{extra},retrieval]'", name=error.name
        ) from error
