"""The C standard output of this process, in which the library writes its log.

When standard output is a pipe, C collects it in blocks, and what is not written yet is lost with a
process that crashes: just the lines that would have said why.
"""

from __future__ import annotations

import ctypes

_IOLBF = 1  # From stdio.h; the same in glibc and musl.


def line_buffer_stdout() -> None:
    """Write C's standard output at every line's end from now on; raises ``OSError`` if it cannot be set.

    To be called before anything was written, thus before the library is loaded.
    """
    libc = ctypes.CDLL(None)
    stream = ctypes.c_void_p.in_dll(libc, "stdout")
    if libc.setvbuf(stream, None, ctypes.c_int(_IOLBF), ctypes.c_size_t(0)) != 0:
        raise OSError("setvbuf refused line buffering for standard output.")


def flush() -> None:
    """Write out everything C's output streams still hold; raises ``OSError`` if that fails."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.fflush(None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, "fflush could not write out C's output streams")
