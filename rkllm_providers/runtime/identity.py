"""Which runtime version a library file is, told without loading it.

The layout of every struct depends on the version, and a wrong one corrupts memory silently, so the
version must be known before anything is passed. An override counts most; then the banner that the
file holds; then the file's own hash. What no evidence tells is refused, not guessed.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from rkllm_providers.errors import LibraryNotFound, UnsupportedRuntime
from rkllm_providers.runtime.abi import VERSION_VARIABLE, group_of, unsupported_version
from rkllm_providers.runtime.abi_tables import UNOFFICIAL_VERSIONS, VERSIONS

Evidence = Literal["override", "banner", "sha256", "git blob", "default parameters"]


@dataclass(frozen=True)
class RuntimeIdentity:
    """What is known of a library file before it is used.

    ``evidence`` says what told the version. With ``default parameters`` only the ABI group is certain,
    and ``version`` is its oldest member. ``banner`` is the text the file holds about itself, if any;
    ``is_emulator`` is true for this package's CPU stand-in, whose banner says so.
    """

    path: Path
    version: str
    group: str
    evidence: Evidence
    banner: str | None = None
    is_emulator: bool = False


class KnownFile(NamedTuple):
    """A released ``librkllmrt.so``, recognised by hash."""

    version: str
    platform: str
    git_blob_sha1: str | None = None
    sha256: str | None = None


# Seen as "RKLLM SDK (version: 1.2.1b1 | target: Linux | build: 27637c95 2025-05-02 17:46:07)". A second
# string, "rknn llm lib version: 2.3.3b0", is the version of an inner library and never matches.
BANNER = re.compile(rb"RKLLM SDK \(version: ([0-9][0-9A-Za-z.+\-]{0,31})(?=[ )|])[^\x00\r\n]{0,160}")
_EMULATOR = re.compile(r"\bemulator\b", re.IGNORECASE)

KNOWN_FILES: tuple[KnownFile, ...] = (
    KnownFile("1.0.1", "Linux aarch64", "a026cbe60905af0ad6c07dfa2fcc339dd4b9fa10"),
    KnownFile("1.1.0", "Linux aarch64", "66dfdc7c25cdca9ccf9930798118e17abf7592ff"),
    KnownFile("1.1.1", "Linux aarch64", "bfca051375287d0f5aa754a7b8681b4ede52e259"),
    KnownFile("1.1.2", "Linux aarch64", "e8f4afc38c7394beeff83003dbc772412f649a44"),
    KnownFile("1.1.3", "Linux aarch64", "68e79327e82f675413956be615f48c62ccd0f16e"),
    KnownFile("1.1.4", "Linux aarch64", "3bb8cb6172c4c06e1c622c8f8c579888378784f4"),
    KnownFile("1.2.0", "Linux aarch64", "d45ee9b8dcb9ef27d7dd875ce3be3d5e6dfb654d"),
    KnownFile("1.2.1b1", "Linux aarch64", "db041c01bba5e0e8f624bb2ff50d48825dde1bfc"),
    KnownFile(
        "1.2.1",
        "Linux aarch64",
        "6b9439d59f2fe4bb8ef5ee2b09c102f1bf993da9",
        "a7e6f87f07bbb08058cad4871cc74e8069a054fe4f6259b43c29a4738b0affdd",
    ),
    KnownFile("1.2.2", "Linux aarch64", "8ed9cca16f8d5ad8f7cdd7d393de6561182b3395"),
    KnownFile(
        "1.2.3",
        "Linux aarch64",
        "0084abc34ab43359cfa9fd5d4c92ece34127dbd0",
        "bbcf28a8666b9fbf7361d6aad892b957920f6ea92400c074899b48f4c5b2c96f",
    ),
    KnownFile(
        "1.3.0",
        "Linux aarch64",
        "34167b32f99cb7ab19e21fb579fb750d96b878f1",
        "6a9e4fc5324c68921c3a900340361e107af7599fe34dc8fa7759b2c5ae22a6e6",
    ),
    KnownFile(
        "1.3.1",
        "Linux aarch64",
        sha256="f25e9b099db08aaacd0a3ac62b4697d3951d6ae61ae41ea09f6702cfa89eb32c",
    ),
    KnownFile("1.2.1", "Linux armhf", "7025f35825e04ad75d839d10392e3c02cc88e57a"),
    KnownFile("1.2.2", "Linux armhf", "d5953fdad6e60521f1dc696f6d638425c93ba08d"),
    KnownFile("1.2.3", "Linux armhf", "fe1ca6849603a770c54f82d26b826a120c79a01a"),
    KnownFile("1.3.0", "Linux armhf", "17c9063b46168c4e7d093d6fedb097874f92d076"),
)
"""Git-blob hashes come from the vendor's tags; SHA-256 sums from people who downloaded the same files."""


def identify(path: str | os.PathLike[str], override: str | None = None) -> RuntimeIdentity:
    """Tell the version of a library file without loading it.

    ``override``, else the environment variable ``RKLLM_RUNTIME_VERSION``, is believed outright; then
    the banner in the file, then its hash. Raises ``UnsupportedRuntime`` if several banners disagree,
    if the version has no official layout here, or if nothing tells it; ``LibraryNotFound`` if the
    file cannot be read.
    """
    identity = identify_file(path, override)
    if identity is None:
        raise UnsupportedRuntime(
            f"{path} does not say which RKLLM runtime it is: it holds no version banner, and its hash is "
            f"none of the {len(KNOWN_FILES)} known releases. Is it librkllmrt.so? If its version is known, "
            f"set {VERSION_VARIABLE} to it."
        )
    return identity


def identify_file(path: str | os.PathLike[str], override: str | None = None) -> RuntimeIdentity | None:
    """As ``identify``, but ``None`` where neither override nor banner nor hash tells the version."""
    file = Path(path)
    try:
        banners = read_banners(file)
    except OSError as error:
        raise LibraryNotFound(f"{file} cannot be read: {error.strerror or error}.") from error
    banner = next(iter(banners.values()), None)
    chosen = override or os.environ.get(VERSION_VARIABLE) or None
    if chosen is not None:
        if chosen not in VERSIONS:
            raise unsupported_version(chosen)
        return _identity(file, chosen, "override", banner)
    if len(banners) > 1:
        raise UnsupportedRuntime(
            f"{file} holds banners of several RKLLM runtimes: {', '.join(sorted(banners))}. "
            f"Set {VERSION_VARIABLE} to the right one."
        )
    for version, text in banners.items():
        return _identity(file, version, "banner", text)
    known = _by_hash(file)
    return None if known is None else _identity(file, known[0], known[1], None)


def read_banners(path: Path) -> dict[str, str]:
    """The banners a file holds, by version; the file is mapped, not read into memory."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return {}
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            banners: dict[str, str] = {}
            for match in BANNER.finditer(data):
                text = match[0].decode("ascii", "replace")
                banners.setdefault(match[1].decode("ascii"), text[: text.find(")") + 1] or text)
            return banners


def _identity(path: Path, version: str, evidence: Evidence, banner: str | None) -> RuntimeIdentity:
    if version not in VERSIONS or (version in UNOFFICIAL_VERSIONS and evidence != "override"):
        raise unsupported_version(version, str(path))
    return RuntimeIdentity(
        path=path,
        version=version,
        group=group_of(version),
        evidence=evidence,
        banner=banner,
        is_emulator=banner is not None and _EMULATOR.search(banner) is not None,
    )


def _by_hash(path: Path) -> tuple[str, Evidence] | None:
    """Version and kind of hash, if the file is a known release."""
    sha256 = hashlib.sha256()
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            # As git does it; SHA-1 is used to recognise a file, not to trust it.
            git_blob = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
            while chunk := file.read(1 << 20):
                sha256.update(chunk)
                git_blob.update(chunk)
    except OSError as error:
        raise LibraryNotFound(f"{path} cannot be read: {error.strerror or error}.") from error
    for known in KNOWN_FILES:
        if known.sha256 == sha256.hexdigest():
            return known.version, "sha256"
        if known.git_blob_sha1 == git_blob.hexdigest():
            return known.version, "git blob"
    return None
