"""A loaded ``librkllmrt.so`` with the layouts of its version.

Loading is for the worker process only: the vendor's library may crash or leak, and cannot be unloaded.
"""

from __future__ import annotations

import ctypes
import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rkllm_providers.errors import LibraryNotFound, UnsupportedRuntime
from rkllm_providers.runtime import features
from rkllm_providers.runtime.abi import VERSION_VARIABLE, Layout, group_of, layout, rank
from rkllm_providers.runtime.abi_tables import FUNCTIONS
from rkllm_providers.runtime.discovery import find_library
from rkllm_providers.runtime.features import Feature
from rkllm_providers.runtime.identity import RuntimeIdentity, identify_file

RAW_SIZE = 1024
"""Bytes set aside for a struct the library fills or reads: more than any version needs (208 at most)."""

TOP_P_DEFAULT = 0.9

SYMBOL_FAMILIES: dict[frozenset[str], tuple[str, ...]] = {
    frozenset(): ("1.1.0",),
    frozenset({"rkllm_set_chat_template"}): ("1.2.0",),
    frozenset({"rkllm_set_chat_template", "rkllm_set_function_tools"}): ("1.2.1", "1.3.0"),
}
"""Telling symbols that are exported → oldest version of each ABI group that exports just these."""

DEFAULTS_SIGNATURES: dict[str, tuple[tuple[int, int], ...]] = {
    "1.2.1": ((93, 4), (100, 1)),
    "1.3.0": ((65, 4), (72, 1)),
}
"""Version → (offset, byte) of enabled_cpus_num 4 and n_batch 1 in its default parameters (64-bit)."""

LOAD_HINTS: tuple[tuple[str, str], ...] = (
    (r"libgomp", "It needs the OpenMP runtime: install libgomp1 (Debian, Ubuntu) or libgomp."),
    (r"libomp", "It needs the OpenMP runtime: install libomp."),
    (r"libstdc\+\+|GLIBCXX", "It needs a (newer) C++ library: install or update libstdc++6."),
    (r"GLIBC_", "It needs a newer C library than this system has: use a newer board image."),
)
"""Pattern in the loader's message → what helps."""

ELF_MACHINES: dict[int, str] = {3: "x86 (32-bit)", 40: "armhf (32-bit)", 62: "x86_64", 183: "aarch64"}


class _RawParam(ctypes.Structure):
    """An oversized return value: whatever the library's struct is, it is returned by hidden pointer."""

    _fields_ = (("raw", ctypes.c_uint8 * RAW_SIZE),)


class RuntimeLibrary:
    """The library, its identity and its layout; made by ``RuntimeLibrary.open``."""

    def __init__(self, identity: RuntimeIdentity, types: Layout, cdll: ctypes.CDLL) -> None:
        self.identity = identity
        self.layout = types
        self._cdll = cdll
        self._functions: dict[str, Any] = {}
        for name, (argument_types, return_type) in types.functions.items():
            function = cdll[name]
            function.argtypes = argument_types
            function.restype = _RawParam if issubclass(return_type, ctypes.Structure) else return_type
            self._functions[name] = function

    @classmethod
    def open(cls, path: str | os.PathLike[str] | None = None, version: str | None = None) -> RuntimeLibrary:
        """Find, identify and load the library, and check that it is what it says.

        ``path`` and ``version`` are as in ``find_library`` and ``identify``. The exported symbols and
        the library's default parameters must agree with the version chosen, also where it was chosen
        by override. Raises ``LibraryNotFound`` if there is none or the loader refuses it, and
        ``UnsupportedRuntime`` if its version is unknown or contradicted.
        """
        file = find_library(path)
        identity = identify_file(file, version)
        cdll = load_shared_library(file)
        family = _symbol_family(cdll, file)
        raw = _raw_defaults(cdll)
        if identity is None:
            identity = _identify_by_defaults(file, family, raw)
        _check_symbols(identity, cdll)
        _check_defaults(identity, family, raw)
        return cls(identity, layout(identity.version), cdll)

    @property
    def version(self) -> str:
        """Runtime version, such as ``1.2.3``."""
        return self.identity.version

    def supports(self, feature: Feature) -> bool:
        """Whether this version has a feature."""
        return features.supports(self.version, feature)

    def require(self, feature: Feature) -> None:
        """Raise ``UnsupportedFeature``, naming the version to have, unless this one has the feature."""
        features.require(self.version, feature)

    def call(self, name: str, *arguments: object) -> Any:
        """Call an exported function of this version; ``KeyError`` if the version has none of that name.

        Return codes are handed back unchecked. The interpreter lock is released meanwhile.
        """
        return self._functions[name](*arguments)

    def default_parameters(self) -> ctypes.Structure:
        """A fresh ``RKLLMParam`` with the library's defaults.

        Only named members are taken over: the library leaves the others unwritten, and what is there
        then comes from the stack. ``model_path`` is left out for the same reason. The struct lies in a
        larger, zero-filled buffer.
        """
        raw = bytes(self._functions["rkllm_createDefaultParam"]().raw)
        param_type = self.layout.structs["RKLLMParam"]
        buffer = bytearray(RAW_SIZE)
        for offset, size in _written_by_defaults(param_type):
            buffer[offset : offset + size] = raw[offset : offset + size]
        return param_type.from_buffer(buffer)


def oversized(type_: type[ctypes.Structure]) -> ctypes.Structure:
    """A zeroed struct at the start of a zeroed buffer of ``RAW_SIZE`` bytes, which it keeps alive.

    A newer library that reads a few members more then finds zeros there, not its neighbour's memory.
    """
    return type_.from_buffer(bytearray(RAW_SIZE))


def _written_by_defaults(struct_type: Any, base: int = 0) -> Iterator[tuple[int, int]]:
    """Offset and size of the members that ``rkllm_createDefaultParam`` is known to write."""
    for name, type_ in struct_type._fields_:
        offset = base + getattr(struct_type, name).offset
        if issubclass(type_, ctypes.Structure):
            yield from _written_by_defaults(type_, offset)
        elif name not in {"model_path", "reserved"}:
            yield offset, ctypes.sizeof(type_)


def load_shared_library(path: Path) -> ctypes.CDLL:
    """Load a library that is there; raises ``LibraryNotFound``, with what helps, where the loader refuses it."""
    try:
        return ctypes.CDLL(str(path.resolve()), mode=os.RTLD_LOCAL | os.RTLD_NOW)
    except OSError as error:
        message = str(error)
        hints = [hint for pattern, hint in LOAD_HINTS if hint and re.search(pattern, message)]
        file_machine, own_machine = _machine(path), _machine(Path("/proc/self/exe"))
        if own_machine is not None and file_machine != own_machine:
            hints.append(
                f"The file is {f'for {file_machine}' if file_machine else 'not a shared library'}, "
                f"this Python is for {own_machine}."
            )
        raise LibraryNotFound(f"{path} is there but cannot be loaded: {message}. {' '.join(hints)}") from error


def _machine(path: Path) -> str | None:
    """The architecture an ELF file is for, by its header, or ``None`` if it is no (readable) ELF file."""
    try:
        with path.open("rb") as file:
            header = file.read(20)
    except OSError:
        return None  # Only a hint beside the loader's own message depends on it.
    if len(header) < 20 or header[:4] != b"\x7fELF":
        return None
    number: int = struct.unpack_from("<H" if header[5] == 1 else ">H", header, 18)[0]
    return ELF_MACHINES.get(number, f"ELF machine {number}")


def _exports(cdll: ctypes.CDLL, name: str) -> bool:
    return hasattr(cdll, name)


def _symbol_family(cdll: ctypes.CDLL, path: Path) -> tuple[str, ...]:
    telling = frozenset(name for symbols in SYMBOL_FAMILIES for name in symbols if _exports(cdll, name))
    needed = [f.name for f in FUNCTIONS if rank(f.since) == 0 and not _exports(cdll, f.name)]
    if needed or telling not in SYMBOL_FAMILIES:
        lacks = ", ".join(needed) or "rkllm_set_chat_template, but has rkllm_set_function_tools"
        raise UnsupportedRuntime(f"{path} is not an RKLLM runtime of 1.1.0 or later: it lacks {lacks}.")
    return SYMBOL_FAMILIES[telling]


def _check_symbols(identity: RuntimeIdentity, cdll: ctypes.CDLL) -> None:
    """Every function of the version is exported, and none that came later."""
    at = rank(identity.version)
    missing = [f.name for f in FUNCTIONS if rank(f.since) <= at and not _exports(cdll, f.name)]
    later = [f.name for f in FUNCTIONS if rank(f.since) > at and _exports(cdll, f.name)]
    if missing or later:
        said = [f"lacks {', '.join(missing)}"] if missing else []
        said += [f"exports {', '.join(later)}, which came later"] if later else []
        raise _contradiction(identity, f"the file {' and '.join(said)}")


def _raw_defaults(cdll: ctypes.CDLL) -> bytes:
    function = cdll["rkllm_createDefaultParam"]
    function.argtypes = ()
    function.restype = _RawParam
    return bytes(function().raw)


def _top_p_at(raw: bytes, offset: int) -> bool:
    value: float = struct.unpack_from("=f", raw, offset)[0]
    return abs(value - TOP_P_DEFAULT) < 1e-4


def _top_p_offset(version: str) -> int:
    offset: int = getattr(layout(version).structs["RKLLMParam"], "top_p").offset  # noqa: B009
    return offset


def _signed(version: str, raw: bytes) -> bool:
    """Whether a version's telling default bytes are where its layout has them; true where none are known."""
    on_64_bit = ctypes.sizeof(ctypes.c_void_p) == 8
    return not on_64_bit or all(raw[offset] == byte for offset, byte in DEFAULTS_SIGNATURES.get(version, ()))


def _identify_by_defaults(path: Path, family: tuple[str, ...], raw: bytes) -> RuntimeIdentity:
    """Tell the ABI group of a file without banner or known hash from symbols and default parameters."""
    fitting = [v for v in family if _top_p_at(raw, _top_p_offset(v)) and _signed(v, raw)]
    if len(fitting) != 1:
        raise UnsupportedRuntime(
            f"{path} holds no version banner and is none of the known releases, and its default parameters "
            f"fit {'several versions' if fitting else 'no version'} ({', '.join(fitting or family)}). "
            f"If its version is known, set {VERSION_VARIABLE} to it."
        )
    version = fitting[0]
    return RuntimeIdentity(path, version, group_of(version), "default parameters")


def _check_defaults(identity: RuntimeIdentity, family: tuple[str, ...], raw: bytes) -> None:
    """Refuse a version whose default parameters evidently lie as those of another.

    Defaults that lie as no known version has them are no evidence either way.
    """
    chosen = _top_p_offset(identity.version)
    if not _top_p_at(raw, chosen):
        for version in ("1.1.0", "1.2.0"):
            offset = _top_p_offset(version)
            if _top_p_at(raw, offset):
                raise _contradiction(
                    identity, f"its default top_p is at offset {offset}, the layout has it at {chosen}"
                )
    own = max((v for v in family if rank(v) <= rank(identity.version)), key=rank, default=family[0])
    for version in family:
        if version != own and _signed(version, raw) and not _signed(own, raw):
            raise _contradiction(identity, f"its default parameters lie as those of {version}")


def _contradiction(identity: RuntimeIdentity, what: str) -> UnsupportedRuntime:
    return UnsupportedRuntime(
        f"{identity.path} counts as RKLLM runtime {identity.version} by its {identity.evidence}, but {what}. "
        f"Using it with that layout would corrupt memory. If the version is another one, set "
        f"{VERSION_VARIABLE} to it."
    )
