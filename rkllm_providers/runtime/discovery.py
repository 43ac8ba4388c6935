"""Where ``librkllmrt.so`` is, or another of the vendor's libraries. Nothing here loads it."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from rkllm_providers.errors import LibraryNotFound

LIBRARY_NAME = "librkllmrt.so"
PATH_VARIABLE = "RKLLM_LIB_PATH"
"""Environment variable that names the library, or the folder it is in."""

USUAL_FOLDERS: tuple[str, ...] = (
    "/usr/lib",
    "/usr/local/lib",
    "/lib",
    "/usr/lib64",
    "/lib64",
    "/usr/lib/aarch64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib/arm-linux-gnueabihf",
    "/lib/arm-linux-gnueabihf",
)
LINKER_CONFIGURATION = "/etc/ld.so.conf"


class Wanted(NamedTuple):
    """A library of the vendor's: its file, the variable that says where it is, and what to install."""

    name: str
    variable: str
    product: str


RKLLM: Final = Wanted(LIBRARY_NAME, PATH_VARIABLE, "Rockchip's RKLLM runtime")


def find_library(path: str | os.PathLike[str] | None = None, wanted: Wanted = RKLLM) -> Path:
    """The runtime library's path, unloaded.

    ``path``, else the environment variable ``RKLLM_LIB_PATH``, names the file or its folder, and then
    nothing else is tried. Without either come the dynamic linker's places: ``LD_LIBRARY_PATH``, the
    folders of ``/etc/ld.so.conf``, and the usual ones. Raises ``LibraryNotFound``, which lists what
    was tried. ``wanted`` is another library that is found in the same way.
    """
    if path is not None:
        return _named(Path(path), "the path given", wanted)
    variable = os.environ.get(wanted.variable)
    if variable:
        return _named(Path(variable), f"the environment variable {wanted.variable}", wanted)
    folders = dict.fromkeys(_linker_folders())
    for folder in folders:
        candidate = Path(folder, wanted.name)
        if candidate.is_file():
            return candidate
    raise LibraryNotFound(
        f"{wanted.name} was not found. Tried: {', '.join(folders)}. Install {wanted.product} there, "
        f"or set {wanted.variable} to the library or its folder."
    )


def _named(path: Path, origin: str, wanted: Wanted) -> Path:
    path = path.expanduser()
    candidate = path / wanted.name if path.is_dir() else path
    if candidate.is_file():
        return candidate
    raise LibraryNotFound(
        f"{candidate} does not exist or is not a file; {origin} led there. "
        f"Set {wanted.variable} to {wanted.name} or its folder."
    )


def _linker_folders() -> Iterator[str]:
    for folder in os.environ.get("LD_LIBRARY_PATH", "").replace(";", ":").split(":"):
        if folder:
            yield folder
    yield from _configured_folders(LINKER_CONFIGURATION, depth=0)
    yield from USUAL_FOLDERS


def _configured_folders(configuration: str, depth: int) -> Iterator[str]:
    """The folders an ``ld.so.conf`` lists; its ``include`` lines are followed a few levels deep."""
    try:
        lines = Path(configuration).read_text("utf-8", "replace").splitlines()
    except OSError:
        return  # Systems without this file (musl, some board images) have only the usual folders.
    for line in lines:
        words = line.partition("#")[0].split()
        if not words:
            continue
        if words[0] != "include":
            yield words[0]
        elif depth < 4:
            for pattern in words[1:]:
                base = os.path.join(os.path.dirname(configuration), pattern)
                for included in sorted(glob.glob(base)):
                    yield from _configured_folders(included, depth + 1)
