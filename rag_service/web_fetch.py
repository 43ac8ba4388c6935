"""Pages of the web, fetched for clients: from public addresses alone, in bounded time and size."""

from __future__ import annotations

import asyncio
import socket
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

# httpx imports these two when they are first needed, which takes longer than an event loop should wait.
import anyio  # noqa: F401
import httpcore  # noqa: F401
import httpx

from rag_service.fetch_limits import FetchLimits, PageNotLoaded, is_allowed, is_near, may_fetch
from rkllm_providers import __version__

MOST_REDIRECTS: Final = 5
_CONNECT_SECONDS: Final = 5.0
_READ_SECONDS: Final = 10.0
# Of the addresses of a name so many are tried.
_MOST_TRIED: Final = 3
_RESOLVING: Final = 4
_LONGEST_ADDRESS: Final = 4096
_LAST_PORT: Final = 65_535
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PACKED: Final = frozenset({"gzip", "x-gzip", "deflate"})
_PAGES: Final = "text/html,application/xhtml+xml,text/*;q=0.9,application/pdf;q=0.8,*/*;q=0.5"
_HEADERS: Final = {
    "User-Agent": f"Mozilla/5.0 (compatible; rkllm-providers/{__version__})",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "close",
}

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a name, for a port. Blocks."""


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """What an address gave: its bytes, and what its server says of them."""

    body: bytes
    media_type: str = ""
    charset: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class _Target:
    """An address to call: the URL, and where its host is."""

    url: httpx.URL
    addresses: tuple[str, ...]


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, as the system's resolver has them.

    Raises:
        OSError: There are none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _make_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
        # A kept connection would be known by its address, whoever's certificate was checked on it.
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
    )


@dataclass(slots=True)
class WebFetcher:
    """Fetches pages. One for a service; ``close`` ends its threads. Making one reads the system's certificates.

    ``accept`` is what servers are told of the media types that are wanted.

    Each name is resolved once, checked, and what was checked is called: a name that gives another address when it is
    asked again gains nothing by it. No proxy of the environment is used, no cookie is kept, no key sent.
    """

    limits: FetchLimits = field(default_factory=FetchLimits)
    resolve: Resolve = resolve
    accept: str = _PAGES
    is_near: Callable[[str], bool] = is_near
    _client: httpx.AsyncClient = field(default_factory=_make_client)
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_RESOLVING, thread_name_prefix="resolve")
    )

    async def fetch(self, address: str) -> FetchedPage:
        """The page at an address.

        Raises:
            PageNotLoaded: It may not be fetched, could not be, took too long or is too large.
        """
        try:
            async with asyncio.timeout(self.limits.seconds):
                return await self._follow(self._client, address)
        except TimeoutError as error:
            raise PageNotLoaded(f"took more than {self.limits.seconds:g} s") from error
        # httpx reads where a redirect leads although it does not follow it, and a host may be no text.
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError) as error:
            raise PageNotLoaded(f"could not be fetched ({type(error).__name__})") from error

    async def close(self) -> None:
        """End what is under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self._client.aclose()

    async def _follow(self, client: httpx.AsyncClient, address: str) -> FetchedPage:
        url = _checked(address)
        for _ in range(MOST_REDIRECTS + 1):
            response = await _send(client, await self._target(url), self.accept)
            try:
                if response.status_code in _REDIRECTS and "location" in response.headers:
                    url = _checked(str(url.join(response.headers["location"])))
                    continue
                if not response.is_success:
                    raise PageNotLoaded(f"HTTP {response.status_code}")
                media_type, _, rest = response.headers.get("content-type", "").partition(";")
                charset = rest.lower().partition("charset=")[2].partition(";")[0].strip(" \"'")
                body = await _read(response, self.limits.size)
                return FetchedPage(body, media_type.strip().lower(), charset, url.path)
            finally:
                await response.aclose()
        raise PageNotLoaded(f"more than {MOST_REDIRECTS} redirects")

    async def _target(self, url: httpx.URL) -> _Target:
        """Where a URL leads, if one may go there."""
        host, port = url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)
        loop = asyncio.get_running_loop()
        try:
            addresses = await loop.run_in_executor(self._threads, self._allowed_addresses, host.strip("[]"), port)
        except (OSError, UnicodeError) as error:
            raise PageNotLoaded("its host is not known") from error
        if not addresses:
            raise PageNotLoaded("its host is not on the public internet (RKLLM_WEB_LOADER_NETWORKS)")
        return _Target(url, tuple(addresses[:_MOST_TRIED]))

    def _allowed_addresses(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a name; none where one of them may not be called. Blocks."""
        addresses, allowed = self.resolve(host, port), self.limits.allowed
        for one in addresses:
            if not may_fetch(one, allowed) or (self.is_near(one) and not is_allowed(one, allowed)):
                return ()
        return addresses


def _checked(address: str) -> httpx.URL:
    """A URL that may be fetched, as far as its words tell."""
    if len(address) > _LONGEST_ADDRESS:
        raise PageNotLoaded(f"its address has {len(address)} characters, more than {_LONGEST_ADDRESS}")
    try:
        url = httpx.URL(address.strip())
        host, port = url.host, url.port  # a host that is no text is met when it is read
    except (httpx.InvalidURL, ValueError) as error:
        raise PageNotLoaded("its address is no URL") from error
    if url.scheme not in ("http", "https") or not host:
        raise PageNotLoaded("its address is not of http or https")
    if port is not None and not 0 < port <= _LAST_PORT:
        raise PageNotLoaded(f"its address has the port {port}, and ports are 1 to {_LAST_PORT}")
    return url.copy_with(userinfo=b"", fragment=None)


async def _send(client: httpx.AsyncClient, target: _Target, accept: str) -> httpx.Response:
    """Ask the first of the addresses that answers; the name goes into the request and the certificate's check."""
    host = target.url.raw_host.decode("ascii")
    for number, address in enumerate(target.addresses, 1):
        # A client's cookies would go from one user to another, and into a request when it is made.
        client.cookies.clear()
        headers = {**_HEADERS, "Accept": accept, "Host": target.url.netloc.decode("ascii")}
        request = client.build_request(
            "GET", target.url.copy_with(host=address), headers=headers, extensions=_extensions(host)
        )
        try:
            return await client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            if number == len(target.addresses):
                raise
    raise PageNotLoaded("its host has no address")


def _extensions(host: str) -> dict[str, Any]:
    timeout = httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS).as_dict()
    return {"sni_hostname": host, "timeout": timeout}


async def _read(response: httpx.Response, most: int) -> bytes:
    """A response's body, unpacked as it comes, so that little that unpacks to much is noticed in time."""
    announced = response.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > most:
        raise PageNotLoaded(f"has {announced} bytes, more than {most}")
    packing = response.headers.get("content-encoding", "identity").strip().lower() or "identity"
    if packing != "identity" and packing not in _PACKED:
        raise PageNotLoaded(f"came packed as {packing[:20]!r}, which was not asked for")
    unpack = None if packing == "identity" else _Unpacking()
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk if unpack is None else unpack.feed(chunk, most + 1 - len(body))
        if len(body) > most:
            raise PageNotLoaded(f"has more than {most} bytes")
    return bytes(body)


class _Unpacking:
    """Unpacks gzip and deflate, never more at once than asked for."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def feed(self, chunk: bytes, most: int) -> bytes:
        try:
            return self._inflate.decompress(chunk, most)
        except zlib.error as error:
            raise PageNotLoaded("came packed, and cannot be unpacked") from error
