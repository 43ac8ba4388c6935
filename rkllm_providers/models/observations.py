"""What was seen of models at work, kept for `rkllm models show`, which runs none of them.

One small JSON file in the user's state folder (``XDG_STATE_HOME``), by model file. What is noted of a file holds
until the file changes. Losing the file loses nothing but these notes.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import threading
from pathlib import Path
from typing import Any, Final

logger = logging.getLogger(__name__)

_MOST_MODELS: Final = 200
_MOST_BYTES: Final = 1 << 20
_lock = threading.Lock()


def observations_path() -> Path:
    """Where the notes are."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "rkllm-providers" / "observations.json"


def observe(model: Path, kind: str, text: str | None) -> None:
    """Note something of a model file, or with ``None`` take it back. Never fails: a note is not worth that."""
    with _lock:
        try:
            noted = _read()
            key = str(model.resolve())
            state = _state(model)
            about = noted.pop(key, None) or {}
            notes: dict[str, str] = about.get("notes", {}) if about.get("state") == state else {}
            if notes.get(kind) == text:
                return
            if text is None:
                notes.pop(kind, None)
            else:
                notes[kind] = text
            noted[key] = {"state": state, "notes": notes}
            _write(dict(list(noted.items())[-_MOST_MODELS:]))
        except (OSError, RuntimeError) as error:  # no home folder is a RuntimeError
            logger.debug("What was seen of %s could not be noted: %s", model, error)


def observed(model: Path) -> list[str]:
    """What was noted of a model file as it is now."""
    try:
        about = _read().get(str(model.resolve())) or {}
        return [str(text) for text in about["notes"].values()] if about.get("state") == _state(model) else []
    except (OSError, RuntimeError):
        return []


def _state(model: Path) -> list[int]:
    about = model.stat()
    return [about.st_mtime_ns, about.st_size]


def _read() -> dict[str, Any]:
    path = observations_path()
    try:
        if path.stat().st_size > _MOST_BYTES:
            return {}
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {key: about for key, about in content.items() if isinstance(about, dict) and _is_sound(about)}


def _is_sound(about: dict[str, Any]) -> bool:
    return isinstance(about.get("notes"), dict) and isinstance(about.get("state"), list)


def _write(noted: dict[str, Any]) -> None:
    path = observations_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    # Other processes may write at the same time: the last one wins, and none reads half a file.
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".observations-", delete=False) as scratch:
        json.dump(noted, scratch)
    Path(scratch.name).replace(path)
