"""A model behind the base URL of a running service, used like one of this machine.

It needs httpx, which the ``remote`` extra brings. Nothing else here does: the service itself uses what this package
says of errors on the wire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rkllm_providers.remote.model import RemoteModel

# httpx, and what it brings.
_NEEDED: Final = ("anyio", "httpcore", "httpx")


def __getattr__(name: str) -> Any:
    if name != "RemoteModel":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from rkllm_providers.remote.model import RemoteModel
    except ModuleNotFoundError as error:
        if error.name not in _NEEDED:
            raise
        raise ModuleNotFoundError(
            "A model behind a base URL needs httpx: pip install 'rkllm-providers[remote]'", name="httpx"
        ) from error
    return RemoteModel


__all__ = ["RemoteModel"]
