"""A loaded ``librknnrt.so``, which runs vision encoders on the NPU.

Loading is for the worker process only, as that of ``librkllmrt.so`` is: a vendor's library may crash or leak.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any, Final

from rkllm_providers.errors import RknnError, UnsupportedRuntime
from rkllm_providers.runtime.discovery import Wanted, find_library
from rkllm_providers.runtime.library import load_shared_library
from rkllm_providers.vision.abi import error_name, functions, structs, value_of
from rkllm_providers.vision.abi_tables import ERROR_ADVICE

RKNN: Final = Wanted("librknnrt.so", "RKNN_LIB_PATH", "Rockchip's RKNN runtime")
"""The library's file, and the environment variable that names it or the folder it is in."""


class RknnLibrary:
    """The library with its functions typed; made by ``RknnLibrary.open``."""

    def __init__(self, path: Path, cdll: ctypes.CDLL) -> None:
        missing = [name for name in functions() if not hasattr(cdll, name)]
        if missing:
            raise UnsupportedRuntime(f"{path} is not an RKNN runtime: it lacks {', '.join(missing)}.")
        self.path = path
        self._functions: dict[str, Any] = {}
        for name, (argument_types, return_type) in functions().items():
            function = cdll[name]
            function.argtypes = argument_types
            function.restype = return_type
            self._functions[name] = function

    @classmethod
    def open(cls, path: Path | str | None = None) -> RknnLibrary:
        """Find and load the library.

        ``path``, else ``RKNN_LIB_PATH``, names the file or its folder; without either it is looked for where
        the dynamic linker looks.

        Raises:
            LibraryNotFound: There is none, or the loader refuses it.
            UnsupportedRuntime: It is another library.
        """
        file = find_library(path, RKNN)
        return cls(file, load_shared_library(file))

    def call(self, name: str, *arguments: object) -> None:
        """Call a function. The interpreter lock is released meanwhile.

        Raises:
            RknnError: It returned an error.
        """
        code = int(self._functions[name](*arguments))
        if code != 0:
            raise rknn_error(name, code)

    def query(self, context: int, command: str, struct: str, index: int = 0) -> Any:
        """What ``rknn_query`` tells: the filled struct. ``index`` is that of the input or output asked about.

        Raises:
            RknnError: It returned an error.
        """
        info: Any = structs()[struct]()
        if struct == "rknn_tensor_attr":
            info.index = index
        command_value = value_of("rknn_query_cmd", command)
        self.call("rknn_query", context, command_value, ctypes.addressof(info), ctypes.sizeof(info))
        return info

    def versions(self, context: int) -> tuple[str, str]:
        """The versions of the library and of the NPU's driver. The library tells them only with a model loaded.

        Raises:
            RknnError: It returned an error.
        """
        told = self.query(context, "RKNN_QUERY_SDK_VERSION", "rknn_sdk_version")
        return told.api_version.decode(errors="replace"), told.drv_version.decode(errors="replace")


def rknn_error(function: str, code: int) -> RknnError:
    """The error for what a function returned."""
    name = error_name(code)
    advice = ERROR_ADVICE.get(name, "")
    message = " ".join(filter(None, (f"{function} returned {code} ({name}).", advice)))
    return RknnError(message, code=code, name=name, function=function)
