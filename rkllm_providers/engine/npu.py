"""The NPU of this machine: one process owns it, and its workers divide its memory domains.

Two processes that load models on one NPU halve each other's speed at best and run out of memory at
worst, and neither sees why. So the first locks a file that all users of the machine share, and writes
into it who it is. The lock counts, not what the file holds: a file left by a dead process is no hindrance.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import json
import logging
import os
import re
import stat
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rkllm_providers.errors import ModelLoadError, NPUBusy
from rkllm_providers.models.vision_families import ENCODER_DOMAIN, decoder_domain

logger = logging.getLogger(__name__)

LOCK_VARIABLE: Final = "RKLLM_NPU_LOCK"
_OFF: Final = "off"
_FILE_NAME: Final = "rkllm-npu.lock"
# What every user of a machine sees and may write; a folder of one user's own would lock nobody else out.
_SHARED_FOLDERS: Final = ("/run/lock", "/var/lock", "/tmp")
_MOST_BYTES: Final = 4096
_MOST_TEXT: Final = 200
_ATTEMPTS: Final = 5
_DEVICE_TREE: Final = Path("/proc/device-tree/compatible")
_CHIP: Final = re.compile(r"rockchip,((?:rk|rv)\d+b?)(?![a-z0-9-])")


@dataclass(frozen=True, eq=False, slots=True)
class NPUPlace:
    """A worker's place on the NPU: its memory domain, and the locked file that it holds too.

    A worker may outlive its parent by seconds. It inherits the file, so that the NPU is not seen free
    before the last of them has ended. A model that sees has its encoder in ``encoder_domain``.
    """

    model: str
    domain_id: int
    lock_fd: int | None
    encoder_domain: int | None = None


class NPU:
    """This process's share in the NPU: locked while any of its workers runs. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: list[NPUPlace] = []
        self._fd: int | None = None
        self._base_url: str | None = None
        self._since = 0.0

    def announce(self, base_url: str | None) -> None:
        """Tell other processes where this one serves its models."""
        with self._lock:
            self._base_url = base_url
            self._describe()

    def enter(self, model: str, domain: int | None = None, *, sees: bool = False) -> NPUPlace:
        """A place for one more worker, in this memory domain, or in the lowest that is free.

        A model that ``sees`` has a vision encoder, which lies in the first domain whoever is there: the decoder
        gets another one, on chips that have several.

        Raises:
            NPUBusy: Another process owns the NPU.
            ModelLoadError: The lock file cannot be used.
        """
        with self._lock:
            if not self._places:
                path = lock_path()
                self._fd = _locked(path) if path is not None else None
                self._since = time.time()
            taken = {place.domain_id for place in self._places}
            taken |= {place.encoder_domain for place in self._places if place.encoder_domain is not None}
            if domain is None:
                least = decoder_domain(chip_name()) if sees else 0
                domain = next(number for number in itertools.count(least) if number not in taken)
            place = NPUPlace(model, domain, self._fd, ENCODER_DOMAIN if sees else None)
            self._places.append(place)
            self._describe()
            return place

    def leave(self, place: NPUPlace) -> None:
        """Give a place back, once its worker has ended; the last one unlocks the NPU."""
        with self._lock:
            if place not in self._places:
                return  # given out before this process was forked
            self._places.remove(place)
            if self._places:
                self._describe()
            elif self._fd is not None:
                # Closing, not unlocking: a worker that hangs in its driver keeps the lock it inherited.
                os.close(self._fd)
                self._fd = None

    def forget(self) -> None:
        """Let go of everything in a forked child: the NPU is the parent's, and unlocked when that one ends."""
        self._lock = threading.Lock()
        self._places.clear()
        self._base_url = None
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _describe(self) -> None:
        if self._fd is None or not fcntl.fcntl(self._fd, fcntl.F_GETFL) & os.O_RDWR:
            return
        content = {
            "pid": os.getpid(),
            "models": [place.model for place in self._places],
            "base_url": self._base_url,
            "started": self._since,
        }
        written = json.dumps(content).encode()[: _MOST_BYTES - 1] + b"\n"
        try:
            os.pwrite(self._fd, written, 0)  # a reader takes the first line, whatever is still behind it
            os.ftruncate(self._fd, len(written))
        except OSError as error:
            logger.warning("the NPU is locked, but who holds it could not be written down: %s", error)


def chip_name() -> str | None:
    """The chip by the device tree, such as ``rk3588``; ``None`` where that names none of Rockchip's."""
    try:
        said = _DEVICE_TREE.read_bytes()
    except OSError:
        return None
    found = _CHIP.findall(said.decode(errors="replace"))
    return str(found[-1]) if found else None  # boards come before the chip that they are made with


def lock_path() -> Path | None:
    """The lock file; ``None`` where locking is switched off."""
    named = os.environ.get(LOCK_VARIABLE, "").strip()
    if named:
        return None if named.lower() == _OFF else Path(named)
    for folder in _SHARED_FOLDERS:
        # The same for root and everybody else, who have to meet in one file.
        try:
            if os.stat(folder).st_mode & stat.S_IWOTH:
                return Path(folder, _FILE_NAME)
        except OSError:
            continue
    return Path(tempfile.gettempdir(), _FILE_NAME)


def _locked(path: Path) -> int:
    """A descriptor of the file, locked."""
    for _ in range(_ATTEMPTS):
        try:
            fd = _open(path)
        except FileNotFoundError:
            if not path.parent.is_dir():
                raise _unusable(path, "there is no such folder") from None
            continue  # it was deleted between two looks
        except OSError as error:
            raise _unusable(path, error.strerror or str(error)) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still(path, fd):
                return fd
        except BlockingIOError:
            with closing(os.fdopen(fd, "rb")) as file:
                content = file.read(_MOST_BYTES)
            raise _busy(content) from None
        except OSError as error:
            os.close(fd)
            raise _unusable(path, error.strerror or str(error)) from error
        os.close(fd)  # somebody deleted it meanwhile: a lock on it would keep nobody out
    raise _unusable(path, "it is deleted again and again")


def _open(path: Path) -> int:
    flags = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        fd = os.open(path, flags | os.O_RDWR)
    except FileNotFoundError:
        # Creating and opening are apart: systems refuse O_CREAT on a stranger's file in a shared folder.
        try:
            fd = os.open(path, flags | os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            raise FileNotFoundError(errno.ENOENT, "made by somebody else meanwhile", str(path)) from None
        os.fchmod(fd, 0o666)  # the umask would keep other users from it
    except PermissionError:
        fd = os.open(path, flags | os.O_RDONLY)  # enough to lock, not to say who we are
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(fd)  # somebody may have put another file of ours under this name
        raise OSError(errno.EINVAL, "it is not a regular file with one name")
    return fd


def _is_still(path: Path, fd: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(fd))
    except FileNotFoundError:
        return False


def _unusable(path: Path, why: str) -> ModelLoadError:
    return ModelLoadError(
        f"The lock file of the NPU, {path}, cannot be used: {why}. Name another one in {LOCK_VARIABLE}, or set it "
        f"to {_OFF} to do without."
    )


def _busy(content: bytes) -> NPUBusy:
    """The error for what the holder wrote. Anybody may have written anything."""
    said: Any
    try:
        said = json.loads(content.partition(b"\n")[0])
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        said = {}
    pid, url, models = said.get("pid"), said.get("base_url"), said.get("models")
    names = [_printable(name) for name in models if isinstance(name, str)] if isinstance(models, list) else []
    is_url = isinstance(url, str) and url.startswith(("http://", "https://"))
    is_pid = isinstance(pid, int) and not isinstance(pid, bool) and 0 < pid < 1 << 31
    return NPUBusy(
        holder_pid=pid if is_pid else None,
        base_url=_printable(url) if is_url else None,
        models=tuple(names),
        ended=is_pid and not _is_alive(pid),
    )


def _printable(text: str) -> str:
    return "".join(character for character in text[:_MOST_TEXT] if character.isprintable())


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


_shared = NPU()
os.register_at_fork(after_in_child=_shared.forget)


def shared_npu() -> NPU:
    """The NPU, as all engines of this process share it."""
    return _shared
