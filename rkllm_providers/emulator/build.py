"""Compile the emulator: a ``librkllmrt.so`` for CPUs, built on first use and kept in a cache folder.

It links the llama.cpp that the ``llama-cpp-python`` package brings along, and needs ``g++``. A ``librknnrt.so``
for scripted vision encoders is built in the same way, without llama.cpp.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import shlex
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rkllm_providers.errors import LibraryNotFound, UnsupportedRuntime

#: The runtime versions that can be emulated, and the group of versions whose ABI each one has
#: (numbers of ``RKLLM_ABI`` in ``native/rkllm.h``).
VERSIONS: dict[str, int] = {
    "1.1.0": 1,
    "1.1.1": 1,
    "1.1.2": 1,
    "1.1.3": 1,
    "1.1.4": 1,
    "1.2.0": 2,
    "1.2.1b1": 3,
    "1.2.1": 4,
    "1.2.2": 4,
    "1.2.3": 4,
    "1.3.0": 5,
    "1.3.1": 6,
}
DEFAULT_VERSION = "1.3.0"
_VERSION_VARIABLE = "RKLLM_EMULATOR_VERSION"

_SOURCES = Path(__file__).parent / "native"
_ABI_SOURCE = "api.cpp"
_LIBRARY = "librkllmrt.so"
_COMPILE = ("-std=c++17", "-O1", "-fPIC", "-fvisibility=hidden", "-pthread")
_LINK = ("-shared", "-pthread", "-Wl,--no-undefined", "-Wl,-z,now")
# The sources of librknnrt.so have names of their own, and share one header with those of librkllmrt.so.
_VISION_PREFIX = "rknn"
_VISION_LIBRARY = "librknnrt.so"
_SHARED_HEADER = "crc32.h"
_LLAMA_LIBRARIES = ("-lllama", "-lggml", "-lggml-cpu", "-lggml-base")


def default_version() -> str:
    """The version to emulate where none is named: ``RKLLM_EMULATOR_VERSION`` or 1.3.0."""
    return os.environ.get(_VERSION_VARIABLE) or DEFAULT_VERSION


def library_path(version: str | None = None) -> Path:
    """Where ``build_library`` puts the library of a version; the file exists once it was built.

    Cheap: compiles nothing. Raises what ``build_library`` raises when llama-cpp-python is missing.
    """
    return _plan(version).library


def build_library(version: str | None = None) -> Path:
    """Return the path of an emulator library, compiling it first if that was not done before.

    ``version`` is the runtime version to emulate, one of ``VERSIONS``; see ``default_version``.
    Several processes may call this at once. ``LibraryNotFound`` says what is missing or carries
    the compiler's output; ``UnsupportedRuntime`` means that there is no such version.
    """
    plan = _plan(version)
    if plan.library.exists():
        return plan.library
    with _lock(plan.cache):
        if not plan.library.exists():
            _build(plan)
    return plan.library


def build_vision_library() -> Path:
    """Return the path of the ``librknnrt.so`` that plays scripted vision encoders, compiling it first if needed.

    Several processes may call this at once. ``LibraryNotFound`` says what is missing or carries the compiler's
    output.
    """
    sources = _sources(vision=True)
    key = _key([*_compiler(), *_COMPILE, *_LINK, platform.machine()], [*sources, _SOURCES / _SHARED_HEADER])
    cache = _cache_folder()
    library = cache / f"vision-{key}" / _VISION_LIBRARY
    if library.exists():
        return library
    with _lock(cache):
        if not library.exists():
            _need_compiler()
            library.parent.mkdir(mode=0o700, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cache) as scratch:
                built = Path(scratch) / _VISION_LIBRARY
                files = [str(source) for source in sources if source.suffix == ".cpp"]
                exports = f"-Wl,--version-script={_SOURCES / 'rknn_exports.map'}"
                _run([*_compiler(), *_COMPILE, *_LINK, exports, *files, "-o", str(built)])
                built.replace(library)
    return library


@dataclass(frozen=True)
class _Llama:
    include: Path
    lib: Path
    version: str


@dataclass(frozen=True)
class _Plan:
    version: str
    llama: _Llama
    cache: Path
    key: str

    @property
    def library(self) -> Path:
        return self.cache / f"{self.version}-{self.key}" / _LIBRARY

    @property
    def objects(self) -> Path:
        """What all versions share: everything but the one file that knows the ABI."""
        return self.cache / f"objects-{self.key}"


def _plan(version: str | None) -> _Plan:
    from_environment = version is None and bool(os.environ.get(_VERSION_VARIABLE))
    version = default_version() if version is None else version
    if version not in VERSIONS:
        named = f", which {_VERSION_VARIABLE} names" if from_environment else ""
        raise UnsupportedRuntime(
            f"The emulator has no runtime version {version!r}{named}. Choose one of: {', '.join(VERSIONS)}."
        )
    llama = _find_llama()
    parts = [repr(VERSIONS), llama.version, str(llama.lib), platform.machine(), *_compiler(), *_COMPILE, *_LINK]
    # The banner and the ABI follow from the version, which is in the folder's name.
    return _Plan(version, llama, _cache_folder(), _key(parts, _sources(vision=False)))


def _sources(*, vision: bool) -> list[Path]:
    """The files that one of the two libraries is made of, in order."""
    files = sorted(file for file in _SOURCES.iterdir() if file.is_file())
    return [file for file in files if file.name.startswith(_VISION_PREFIX) is vision]


def _key(parts: Iterable[str], sources: Iterable[Path]) -> str:
    """What tells one build from another."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() + b"\0")
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:16]


def _find_llama() -> _Llama:
    """Locate llama-cpp-python without importing it, which would load the library."""
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or not spec.submodule_search_locations:
        raise LibraryNotFound(
            "The emulator needs llama-cpp-python, which is not installed. "
            "Install it with: pip install 'rkllm-providers[cpu]'"
        )
    package = Path(spec.submodule_search_locations[0])
    lib = package / "lib"
    include = next((i for i in (package.parent / "include", package / "include") if (i / "llama.h").exists()), None)
    if include is None or not (lib / "libllama.so").exists():
        raise LibraryNotFound(
            f"llama-cpp-python is installed at {package}, but its libllama.so or llama.h is not there. "
            f"Reinstall it from source with: pip install --force-reinstall --no-binary llama-cpp-python "
            f"llama-cpp-python"
        )
    try:
        version = importlib.metadata.version("llama-cpp-python")
    except importlib.metadata.PackageNotFoundError:
        version = "unknown"
    return _Llama(include, lib, version)


def _cache_folder() -> Path:
    named = os.environ.get("RKLLM_EMULATOR_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "rkllm-providers" / "emulator"


def _compiler() -> list[str]:
    return shlex.split(os.environ.get("CXX", "")) or ["g++"]


@contextmanager
def _lock(cache: Path) -> Iterator[None]:
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Code from this folder is loaded into processes: nobody else may be able to put it there.
    status = cache.stat()
    if status.st_uid != os.getuid() or status.st_mode & stat.S_IWOTH:
        raise LibraryNotFound(
            f"The emulator's cache folder {cache} belongs to another user or is writable by everyone. "
            f"Set RKLLM_EMULATOR_CACHE to a folder of your own."
        )
    with (cache / "build.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _need_compiler() -> None:
    name = _compiler()[0]
    if shutil.which(name) is None:
        raise LibraryNotFound(
            f"The emulator is compiled on first use, and the compiler {name!r} was not found. "
            f"Install it with: apt install g++ (or set CXX)"
        )


def _build(plan: _Plan) -> None:
    _need_compiler()
    compiler = _compiler()
    plan.library.parent.mkdir(mode=0o700, exist_ok=True)
    plan.objects.mkdir(mode=0o700, exist_ok=True)
    compile_one = [*compiler, *_COMPILE, "-isystem", str(plan.llama.include), "-c"]
    defines = [
        f"-DRKLLM_ABI={VERSIONS[plan.version]}",
        f'-DRKLLM_VERSION="{plan.version}"',
        f'-DRKLLM_BUILD="emulator {plan.key} llama-cpp-python {plan.llama.version}"',
    ]
    with tempfile.TemporaryDirectory(dir=plan.cache) as scratch:
        commands = [[*compile_one, *defines, str(_SOURCES / _ABI_SOURCE), "-o", f"{scratch}/abi.o"]]
        shared = {
            source: plan.objects / f"{source.stem}.o"
            for source in _sources(vision=False)
            if source.suffix == ".cpp" and source.name != _ABI_SOURCE
        }
        missing = {source: target for source, target in shared.items() if not target.exists()}
        commands += [[*compile_one, str(source), "-o", f"{scratch}/{source.stem}.o"] for source in missing]
        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            list(pool.map(_run, commands))
        for target in missing.values():
            (Path(scratch) / target.name).replace(target)
        built = Path(scratch) / _LIBRARY
        inputs = [f"{scratch}/abi.o", *map(str, shared.values())]
        libraries = [f"-L{plan.llama.lib}", *_LLAMA_LIBRARIES, f"-Wl,-rpath,{plan.llama.lib}"]
        exports = f"-Wl,--version-script={_SOURCES / 'exports.map'}"
        _run([*compiler, *_LINK, exports, *inputs, "-o", str(built), *libraries])
        built.replace(plan.library)


def _run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if result.returncode != 0:
        raise LibraryNotFound(
            f"The emulator could not be compiled. Command: {shlex.join(command)}\n{result.stderr or result.stdout}"
        )
