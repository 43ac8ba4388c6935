"""Who may call: keys, and how often each client may."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterable
from typing import Final

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from rag_service.api_keys import read_keys
from rag_service.config_file import SettingsError
from rag_service.errors import ErrorAnswer, rate_limited, unauthorised
from rag_service.rate_limit import RateLimit
from rag_service.settings import ServiceSettings

logger = logging.getLogger(__name__)

OPEN_PATHS: Final = frozenset({"/health", "/v1/health", "/ready"})
"""What is answered without a key, and as often as anybody asks: it says only whether the service is well."""

OWNER: Final = "rkllm.key_owner"
"""Where a request's scope has the name of its key; ``None`` where the service has no keys."""

_KEY_HEADERS: Final = (b"api-key", b"x-api-key")
_BEARER: Final = b"bearer "


class Access:
    """The keys and the rate limit of a service."""

    def __init__(self, settings: ServiceSettings) -> None:
        """Read the keys.

        Raises:
            SettingsError: They cannot be read.
        """
        self._settings = settings
        self._keys = read_keys(settings)
        per_minute = settings.requests_per_minute
        self._limit = None if per_minute is None else RateLimit(per_minute)

    @property
    def needs_key(self) -> bool:
        """Whether clients must send a key."""
        return len(self._keys) > 0

    def reload(self) -> None:
        """Read the keys anew. Where that fails, those there are go on counting, and the log says why."""
        try:
            keys = read_keys(self._settings)
        except SettingsError as error:
            logger.error("the API keys stay as they are: %s", error)
            return
        self._keys = keys
        logger.info("read %d API keys", len(keys))

    def owner(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """Whose key a request carries, ``None`` if it is nobody's."""
        found: str | None = None
        for key in _presented(headers):
            found = self._keys.owner(key) or found
        return found

    def refusal(self, scope: Scope) -> ErrorAnswer | None:
        """Why a request is refused; ``None`` if it is not. Notes whose key it has in its scope."""
        owner = self.owner(scope["headers"]) if self.needs_key else None
        scope[OWNER] = owner
        if scope["path"] in OPEN_PATHS:
            return None
        if self._limit is not None:
            # Who has no key is known by the address, so that keys cannot be tried out at any pace.
            address = (scope.get("client") or ("",))[0]
            wait = self._limit.take(f"key {owner}" if owner is not None else f"address {address}")
            if wait > 0:
                return rate_limited(self._settings.requests_per_minute or 0, wait)
        if self.needs_key and owner is None:
            return unauthorised(any(_presented(scope["headers"])))
        return None


class AccessCheck:
    """ASGI middleware that lets nobody through whom ``Access`` refuses."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        answer = self._access.refusal(scope) if scope["type"] == "http" else None
        if answer is None:
            await self._app(scope, receive, send)
            return
        await JSONResponse(answer.body(scope["path"]), answer.status, answer.headers())(scope, receive, send)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address to listen on."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_exposure(settings: ServiceSettings, access: Access) -> None:
    """Refuse to listen where other machines can call without a key, unless the settings allow just that.

    Raises:
        SettingsError: With what to do.
    """
    if is_loopback(settings.host) or access.needs_key or settings.allow_no_key:
        return
    raise SettingsError(
        [
            f"Other machines can reach {settings.host or 'all addresses'}, and there is no API key. Start with "
            f"--lan, which makes one, or name a file of keys (--api-keys-file, RKLLM_API_KEYS_FILE), or set "
            f"RKLLM_API_KEY. To serve everybody who can reach it, say so: --no-key (RKLLM_ALLOW_NO_KEY=true)."
        ]
    )


def _presented(headers: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    """The keys in a request's headers."""
    keys: list[bytes] = []
    for name, value in headers:
        if name == b"authorization" and value[: len(_BEARER)].lower() == _BEARER:
            keys.append(value[len(_BEARER) :].strip())
        elif name in _KEY_HEADERS:
            keys.append(value.strip())
    return [key for key in keys if key]
