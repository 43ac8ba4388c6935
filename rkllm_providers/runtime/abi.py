"""ctypes types of ``librkllmrt.so``, made for one runtime version from ``abi_tables``.

Importing this module loads no library. The structs are declared by C type, so ctypes lays them out
for the data model of the running interpreter.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol, TypeVar, cast

from rkllm_providers.errors import UnsupportedRuntime
from rkllm_providers.runtime.abi_tables import (
    CALLBACKS,
    ENUMS,
    FUNCTIONS,
    GROUPS,
    STRUCTS,
    UNOFFICIAL_VERSIONS,
    VERSIONS,
)

VERSION_VARIABLE = "RKLLM_RUNTIME_VERSION"
"""Environment variable that says which version a library is, whatever the library says itself."""

_SCALARS: dict[str, Any] = {
    "bool": ctypes.c_bool,
    "char": ctypes.c_char,
    "int8_t": ctypes.c_int8,
    "uint8_t": ctypes.c_uint8,
    "int32_t": ctypes.c_int32,
    "uint32_t": ctypes.c_uint32,
    "int64_t": ctypes.c_int64,
    "uint64_t": ctypes.c_uint64,
    "int": ctypes.c_int,
    "size_t": ctypes.c_size_t,
    "float": ctypes.c_float,
    "const char *": ctypes.c_char_p,
    "LLMHandle": ctypes.c_void_p,
    **dict.fromkeys(ENUMS, ctypes.c_uint32),
}
_ARRAY = re.compile(r"(\w+)\[(\d+)\]")


class _Dated(Protocol):
    """A row that exists in a span of versions."""

    @property
    def since(self) -> str: ...
    @property
    def until(self) -> str | None: ...


_Row = TypeVar("_Row", bound=_Dated)


@dataclass(frozen=True)
class Layout:
    """All types of one runtime version.

    ``structs`` holds ctypes classes by C name (an unnamed struct ``b`` inside ``A`` is ``A.b``),
    ``enums`` values by name, ``callbacks`` ctypes function types, ``functions`` argument types and
    return type by symbol.
    """

    version: str
    group: str
    structs: Mapping[str, type[ctypes.Structure]]
    enums: Mapping[str, Mapping[str, int]]
    callbacks: Mapping[str, Any]
    functions: Mapping[str, tuple[tuple[Any, ...], Any]]

    def at_least(self, version: str) -> bool:
        """Whether this runtime is ``version`` or newer."""
        return rank(self.version) >= rank(version)


def rank(version: str) -> int:
    """Position of a known version in their order of release; raises ``UnsupportedRuntime`` for others."""
    try:
        return VERSIONS.index(version)
    except ValueError:
        raise unsupported_version(version) from None


def unsupported_version(version: str, where: str = "") -> UnsupportedRuntime:
    """The error for a version without a known layout, or with an unofficial one not asked for."""
    known = ", ".join(v for v in VERSIONS if v not in UNOFFICIAL_VERSIONS)
    unofficial = ", ".join(sorted(UNOFFICIAL_VERSIONS))
    what = "has only an unofficial layout here" if version in UNOFFICIAL_VERSIONS else "is not supported"
    return UnsupportedRuntime(
        f"RKLLM runtime {version}{' of ' + where if where else ''} {what}. Supported: {known}; on demand "
        f"only: {unofficial} (unofficial). To use a layout all the same, set {VERSION_VARIABLE} to one of "
        "these versions; a wrong one crashes the process that loads the library."
    )


def group_of(version: str) -> str:
    """ABI group of a version: A, B0, B1, C, D or D1."""
    return max((rank(first), group) for group, first in GROUPS if rank(first) <= rank(version))[1]


def in_version(rows: Iterable[_Row], version: str) -> list[_Row]:
    """The rows of a table that exist in ``version``, in the table's order."""
    at = rank(version)
    return [row for row in rows if rank(row.since) <= at and (row.until is None or at < rank(row.until))]


@cache
def layout(version: str) -> Layout:
    """Build (once) the types of a runtime version; raises ``UnsupportedRuntime`` for unknown ones."""
    callbacks = {
        name: ctypes.CFUNCTYPE(ctypes.c_int, *(ctype(argument, {}) for argument in arguments))
        for name, (arguments, since) in CALLBACKS.items()
        if rank(since) <= rank(version)
    }
    known: dict[str, Any] = dict(callbacks)
    structs: dict[str, type[ctypes.Structure]] = {}
    for struct in in_version(STRUCTS, version):
        fields = [(field.name or "_union", ctype(field.type, known)) for field in in_version(struct.fields, version)]
        base = ctypes.Union if struct.is_union else ctypes.Structure
        namespace: dict[str, Any] = {"_fields_": fields, "__module__": __name__}
        if any(not field.name for field in struct.fields):
            namespace = {"_anonymous_": ("_union",), **namespace}
        known[struct.name] = type(struct.name, (base,), namespace)
        if not struct.is_union:
            structs[struct.name] = cast("type[ctypes.Structure]", known[struct.name])
    functions = {
        function.name: (
            tuple(ctype(type_, known) for _, type_ in function.arguments),
            ctype(function.returns, known),
        )
        for function in FUNCTIONS
        if rank(function.since) <= rank(version)
    }
    return Layout(
        version=version,
        group=group_of(version),
        structs=MappingProxyType(structs),
        enums=MappingProxyType({name: _members(name, version) for name in ENUMS}),
        callbacks=MappingProxyType(callbacks),
        functions=MappingProxyType(functions),
    )


def _members(enum: str, version: str) -> Mapping[str, int]:
    return MappingProxyType({member.name: member.value for member in in_version(ENUMS[enum], version)})


def ctype(name: str, known: Mapping[str, Any]) -> Any:
    """The ctypes class for a C type; pointers to anything but text are plain addresses.

    ``known`` has those that are neither scalars nor pointers, by their names in C.
    """
    if name in _SCALARS:
        return _SCALARS[name]
    if name in known:
        return known[name]
    if name.endswith("*"):
        return ctypes.c_void_p
    array = _ARRAY.fullmatch(name)
    if array is None:
        raise KeyError(f"abi_tables names the type {name!r}, which is neither a scalar nor a struct above it")
    return _SCALARS[array[1]] * int(array[2])
