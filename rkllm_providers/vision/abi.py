"""ctypes types of ``librknnrt.so``, made from ``abi_tables``. Importing this module loads no library."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from rkllm_providers.runtime.abi import ctype
from rkllm_providers.vision.abi_tables import ENUMS, ERROR_CODES, FUNCTIONS, STRUCTS

# The header makes a context 32 bits wide on 32-bit ARM, and 64 bits elsewhere.
CONTEXT: Final[Any] = ctypes.c_uint32 if ctypes.sizeof(ctypes.c_void_p) == 4 else ctypes.c_uint64
_NAMED: Final[Mapping[str, Any]] = {"rknn_context": CONTEXT, **dict.fromkeys(ENUMS, ctypes.c_uint32)}
_ERROR_NAMES: Final = {code: name for name, code in ERROR_CODES.items()}


@cache
def structs() -> Mapping[str, type[ctypes.Structure]]:
    """The structs by their names in C."""
    return MappingProxyType(
        {
            struct.name: type(
                struct.name,
                (ctypes.Structure,),
                {
                    "_fields_": [(field.name, ctype(field.type, _NAMED)) for field in struct.fields],
                    "__module__": __name__,
                },
            )
            for struct in STRUCTS
        }
    )


@cache
def functions() -> Mapping[str, tuple[tuple[Any, ...], Any]]:
    """Argument types and return type of each function, by symbol."""
    return MappingProxyType(
        {
            function.name: (
                tuple(ctype(type_.replace("[]", " *"), _NAMED) for _, type_ in function.arguments),
                ctype(function.returns, _NAMED),
            )
            for function in FUNCTIONS
        }
    )


def value_of(enum: str, member: str) -> int:
    """A value of an enum."""
    return ENUMS[enum][member]


def error_name(code: int) -> str:
    """What the header calls a return code."""
    return _ERROR_NAMES.get(code, "an unknown error")
