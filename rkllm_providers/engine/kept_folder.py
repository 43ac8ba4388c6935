"""The folder of kept states: private, bounded, and gone with its engine unless it is to stay."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import os
import shutil
import stat
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

_INDEX: Final = "index.json"
_LOCK: Final = "lock"
_WEAR: Final = "written.json"
_DAY_SECONDS: Final = 86_400
# Another file or runtime has a folder of its own, and the one before may never be asked for again.
_UNWANTED_SECONDS: Final = 30 * _DAY_SECONDS
_PROBE_BYTES: Final = 16 << 20  # less measures how long one write takes, and not how fast many are
_TRIES: Final = 4
# What a disk must have left, whatever the bound on the states is.
_FREE_BYTES: Final = 1 << 30


@dataclass(slots=True, eq=False)
class KeptState:
    """A prompt-cache file, and what it holds: the keys and values of these tokens (int32 ``[n_tokens]``)."""

    path: Path
    tokens: NDArray[np.int32]
    n_bytes: int
    used_at: float = field(default_factory=time.time)
    # Whether this conversation has come back before.
    came_back: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether its file is there, as long as it was."""
        try:
            return self.path.stat().st_size == self.n_bytes
        except OSError:
            return False


def default_folder() -> Path:
    """The folder for all models' states, where nobody names one.

    Raises:
        RuntimeError: The user has no home.
    """
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "rkllm-providers" / "states"


def file_stamp(path: Path) -> str:
    """What changes when another file takes a file's place: its length and times.

    Raises:
        OSError: There is no such file.
    """
    about = path.stat()
    return f"{about.st_size} {about.st_mtime_ns} {about.st_ctime_ns}"


class KeptFolder:
    """The files of one engine's kept states. Belongs to the engine's thread."""

    def __init__(self, base: Path, model_key: str, *, persist: bool) -> None:
        """Make the folder, mode 0700, below ``base``; remove those that dead processes left.

        With ``persist`` it is one for ``model_key``, and what is in it from before is there again; where another
        process has that one, or without ``persist``, it is a new one that ``close`` removes.

        Raises:
            OSError: It cannot be made, or is not safe from others.
        """
        base.mkdir(parents=True, exist_ok=True, mode=0o700)
        if base.stat().st_mode & 0o022:
            raise PermissionError(errno.EPERM, "others may write to it: chmod go-w", str(base))
        self._base = base
        self._lock = -1
        self.states: list[KeptState] = []
        self.persists = persist and self._take(base / f"model-{model_key}")
        _sweep(base)
        if not self.persists:
            self._take_new()
        self._number = 0
        if self.persists:
            self._read_index()

    def new_path(self) -> Path:
        """Where the next state goes."""
        self._number += 1
        return self.path / f"{time.time_ns():x}-{self._number}.state"

    def add(self, state: KeptState) -> None:
        """Take in a file that was written."""
        os.chmod(state.path, 0o600)
        self.states.append(state)
        self._add_wear(state.n_bytes)
        self._write_index()

    def remove(self, state: KeptState) -> None:
        """Delete a state."""
        if state in self.states:
            self.states.remove(state)
        state.path.unlink(missing_ok=True)
        _tokens_path(state.path).unlink(missing_ok=True)
        self._write_index()

    def drop(self, path: Path, n_bytes: int) -> None:
        """Delete a file that was written in vain."""
        path.unlink(missing_ok=True)
        if n_bytes:
            self._add_wear(n_bytes)

    def empty(self) -> None:
        """Delete all states, as far as that is possible."""
        states, self.states = self.states, []
        with suppress(OSError):
            for state in states:
                state.path.unlink(missing_ok=True)
                _tokens_path(state.path).unlink(missing_ok=True)
            self._write_index()

    @property
    def n_bytes(self) -> int:
        """Bytes of all states."""
        return sum(state.n_bytes for state in self.states)

    @property
    def free_bytes(self) -> int:
        """Bytes that may still be written before the disk is too full."""
        return max(0, shutil.disk_usage(self.path).free - _FREE_BYTES)

    @property
    def written_today(self) -> int:
        """Bytes written in the last 24 hours, by all engines that use the base folder."""
        since = time.time() - _DAY_SECONDS
        return sum(size for when, size in self._wear() if when > since)

    def probe_write_rate(self) -> float:
        """Bytes per second that reach the disk, measured by writing 16 MiB. May be called from any thread."""
        path = self.path / "probe"
        block = os.urandom(_PROBE_BYTES)
        started = time.monotonic()
        try:
            with path.open("wb") as file:
                file.write(block)
                file.flush()
                os.fsync(file.fileno())
        finally:
            path.unlink(missing_ok=True)
        self._add_wear(_PROBE_BYTES)
        return _PROBE_BYTES / max(1e-3, time.monotonic() - started)

    def close(self) -> None:
        """Give the folder up: it is deleted, or left for the next engine."""
        if self._lock < 0:
            return
        if not self.persists:
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            try:
                self._write_index()
            except OSError as error:
                logger.warning("The index of kept states in %s could not be written: %s", self.path, error)
        os.close(self._lock)
        self._lock = -1

    def disown(self) -> None:
        """Let go of the folder in a forked child, without touching it."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _take(self, path: Path) -> bool:
        path.mkdir(exist_ok=True, mode=0o700)
        about = path.lstat()
        if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "it is no folder of this user's", str(path))
        path.chmod(0o700)
        try:
            lock = os.open(path / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:
            return False  # it was swept
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            (path / _LOCK).stat()
        except (BlockingIOError, FileNotFoundError):
            os.close(lock)
            return False
        self.path = path
        self._lock = lock
        return True

    def _take_new(self) -> None:
        for _ in range(_TRIES):
            if self._take(Path(tempfile.mkdtemp(prefix="engine-", dir=self._base))):
                return
        # Somebody who sweeps at this moment may take a new one for a dead engine's, but hardly again and again.
        raise OSError(errno.EBUSY, "new folders are removed at once", str(self._base))

    def _read_index(self) -> None:
        known = set()
        for about in _read_json(self.path / _INDEX, []):
            state = _state_of(self.path, about)
            if state is not None:
                self.states.append(state)
                known |= {state.path.name, _tokens_path(state.path).name}
        for file in self.path.iterdir():
            if file.name not in known | {_INDEX, _LOCK}:
                file.unlink()

    def _write_index(self) -> None:
        if not self.persists:
            return
        content = []
        for state in self.states:
            tokens = _tokens_path(state.path)
            if not tokens.exists():
                _write_private(tokens, state.tokens.tobytes())
            content.append(
                {
                    "file": state.path.name,
                    "n_bytes": state.n_bytes,
                    "used_at": state.used_at,
                    "came_back": state.came_back,
                    "sha256": hashlib.sha256(state.tokens.tobytes()).hexdigest(),
                }
            )
        _write_private(self.path / _INDEX, json.dumps(content).encode())

    def _wear(self) -> list[tuple[float, int]]:
        rows = _read_json(self._base / _WEAR, [])
        return [(float(row[0]), int(row[1])) for row in rows if _is_pair(row)]

    def _add_wear(self, n_bytes: int) -> None:
        since = time.time() - _DAY_SECONDS
        rows = [*((when, size) for when, size in self._wear() if when > since), (time.time(), n_bytes)]
        if len(rows) > 1000:
            rows = [(rows[-501][0], sum(size for _, size in rows[:-500])), *rows[-500:]]
        # Several engines may write at once; a budget that is a file's size off is still a budget.
        _write_private(self._base / _WEAR, json.dumps(rows).encode())


def _sweep(base: Path) -> None:
    """Remove folders of engines that died without doing so, and what no engine has wanted for long.

    The locks of dead engines went with them.
    """
    long_ago = time.time() - _UNWANTED_SECONDS
    for path in [*base.glob("engine-*"), *base.glob("model-*")]:
        try:
            if path.name.startswith("model-") and (path / _INDEX).stat().st_mtime > long_ago:
                continue
            lock = os.open(path / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            continue  # it is being made, or removed
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(lock)


def _state_of(folder: Path, about: Any) -> KeptState | None:
    """A state as the index has it, if its files are as they were."""
    try:
        path = folder / Path(about["file"]).name
        tokens = _tokens_path(path).read_bytes()
        if path.stat().st_size != about["n_bytes"] or hashlib.sha256(tokens).hexdigest() != about["sha256"]:
            return None
        ids = np.frombuffer(tokens, np.int32)
        return KeptState(path, ids, int(about["n_bytes"]), float(about["used_at"]), bool(about["came_back"]))
    except (OSError, KeyError, TypeError, ValueError):
        return None


def _tokens_path(path: Path) -> Path:
    return path.with_suffix(".tokens")


def _is_pair(row: Any) -> bool:
    return isinstance(row, list) and len(row) == 2 and all(isinstance(value, int | float) for value in row)


def _read_json(path: Path, default: list[Any]) -> list[Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return default
    return content if isinstance(content, list) else default


def _write_private(path: Path, content: bytes) -> None:
    # Of this thread alone: engines of one process write the same file of wear.
    scratch = path.with_name(f".{path.name}-{os.getpid()}-{threading.get_native_id()}")
    with suppress(FileNotFoundError):
        scratch.unlink()
    with os.fdopen(os.open(scratch, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
    scratch.replace(path)
