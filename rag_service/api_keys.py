"""The keys that clients send: where they are kept, how they are made, and whose one is."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rag_service.config_file import SettingsError, config_home
from rag_service.settings import ServiceSettings

logger = logging.getLogger(__name__)

_LEAST_CHARACTERS: Final = 16
_MOST_CHARACTERS: Final = 512
_MOST_KEYS: Final = 1000
_NAME: Final = re.compile(r"[A-Za-z0-9_.@-]{1,64}")
_HASHED: Final = re.compile(r"sha256:([0-9a-fA-F]{64})")
_MADE_BYTES: Final = 32
_OTHERS_MAY_READ: Final = 0o044


class KeyRing:
    """The keys of a service, by the names of those who have them. Only their hashes are kept."""

    def __init__(self, hashes: Mapping[str, bytes]) -> None:
        """``hashes`` are SHA-256 of the keys."""
        self._hashes = dict(hashes)

    def __len__(self) -> int:
        return len(self._hashes)

    def owner(self, key: bytes) -> str | None:
        """The name of who has this key, ``None`` if nobody does. All are compared, in a time that tells nothing."""
        presented = hashlib.sha256(key).digest()
        found: str | None = None
        for name, known in self._hashes.items():
            if hmac.compare_digest(presented, known):
                found = name
        return found


def default_keys_file() -> Path:
    """Where ``rkllm serve --lan`` keeps its key."""
    return config_home() / "api_keys"


def read_keys(settings: ServiceSettings) -> KeyRing:
    """The keys that the settings name.

    Raises:
        SettingsError: The file cannot be read, or a line of it is none. What a line holds is never told.
    """
    hashes: dict[str, bytes] = {}
    if settings.api_key is not None:
        hashes["api_key"] = _hash(settings.api_key.get_secret_value(), "api_key")
    if settings.api_keys_file is not None:
        hashes |= _read_file(settings.api_keys_file)
    return KeyRing(hashes)


def ensure_key(path: Path) -> str | None:
    """Make a key and a file for it that only its owner can read; the key, or ``None`` if the file was there.

    Raises:
        SettingsError: The file cannot be written.
    """
    key = f"rk-{secrets.token_urlsafe(_MADE_BYTES)}"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Nobody may read it, not even between its making and the next call.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return None
    except OSError as error:
        raise SettingsError([f"The file for API keys {path} cannot be written: {error.strerror}."]) from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"# Keys of clients, one a line: name = key, or name = sha256: and its hash.\nlan = {key}\n")
    return key


def _read_file(path: Path) -> dict[str, bytes]:
    try:
        mode = path.stat().st_mode
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SettingsError([f"The file of API keys {path} cannot be read: {error.strerror}."]) from error
    except UnicodeDecodeError as error:
        raise SettingsError([f"The file of API keys {path} is no UTF-8 text."]) from error
    if mode & _OTHERS_MAY_READ:
        logger.warning("%s can be read by other users of this machine: chmod 600 %s", path, path)
    hashes: dict[str, bytes] = {}
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, key = (part.strip() for part in line.partition("="))
        where = f"{path}, line {number}"
        if not equals or not _NAME.fullmatch(name):
            raise SettingsError([f"{where}: write `name = key`; a name has up to 64 of A-Z a-z 0-9 _ . @ -"])
        if name in hashes:
            raise SettingsError([f"{where}: there is a key with the name {name} already."])
        hashed = _HASHED.fullmatch(key)
        hashes[name] = bytes.fromhex(hashed[1]) if hashed else _hash(key, where)
    if not hashes:
        raise SettingsError([f"{path} holds no key; write `name = key` into it."])
    if len(hashes) > _MOST_KEYS:
        raise SettingsError([f"{path} holds {len(hashes)} keys; at most {_MOST_KEYS} are taken."])
    return hashes


def _hash(key: str, where: str) -> bytes:
    if (
        not _LEAST_CHARACTERS <= len(key) <= _MOST_CHARACTERS
        or not key.isascii()
        or not key.isprintable()
        or " " in key
    ):
        raise SettingsError(
            [
                f"{where}: a key has {_LEAST_CHARACTERS} to {_MOST_CHARACTERS} characters of ASCII without blanks; "
                f"this one has {len(key)} characters. `openssl rand -hex 32` makes one."
            ]
        )
    return hashlib.sha256(key.encode()).digest()
