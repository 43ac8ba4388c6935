"""Requests to one service, for threads and for event loops, and what can go wrong with them."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import ssl
import threading
import weakref
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NoReturn

# httpx imports these two when they are first needed, which takes longer than an event loop should wait.
import anyio  # noqa: F401
import httpcore  # noqa: F401
import httpx

from rkllm_providers.errors import (
    EngineClosed,
    GenerationError,
    InvalidRequest,
    RequestTimeout,
    RKLLMError,
    ServiceUnreachable,
)
from rkllm_providers.remote.answer_reader import error_of
from rkllm_providers.remote.event_source import EventParser, EventTooLarge
from rkllm_providers.remote.request_fields import encode_body

_CONNECT_SECONDS: Final = 10.0
# The service sends a comment every ten seconds in which there is nothing else to send.
_SILENCE_SECONDS: Final = 60.0
# More than a service takes with its own limits on queue, load and run; they come first.
_ANSWER_SECONDS: Final = 3600.0
_SEND_SECONDS: Final = 60.0
_SHOWN_CHARACTERS: Final = 200
_UNAUTHORISED: Final = (401, 403)
# The service bounds how many requests wait. It closes a connection that is idle for five seconds; one that is about
# to be closed is not used again.
_THREAD_LIMITS: Final = httpx.Limits(max_connections=None, max_keepalive_connections=4, keepalive_expiry=2.0)
_LOOP_LIMITS: Final = httpx.Limits(max_connections=None, max_keepalive_connections=0)


class ServiceConnection:
    """What one ``RemoteModel`` talks through. Thread-safe; connections are made when they are first needed.

    Event loops end without notice, and connections that still belong to one would outlive it: in the asynchronous
    way each request has a connection of its own.
    """

    def __init__(self, base_url: str, api_key: str | None = None) -> None:
        """Does no I/O.

        Raises:
            InvalidRequest: ``base_url`` is none, or the key cannot be sent.
        """
        url = checked_url(base_url)
        self.base_url = str(url).rstrip("/")
        # The model is to answer what it is given, as a model of this machine does.
        headers = {"Content-Type": "application/json", "User-Agent": "rkllm-providers", "X-RKLLM-Plain": "1"}
        if api_key is not None:
            if not api_key.isascii() or not api_key.isprintable():
                raise InvalidRequest("api_key holds characters that no header can carry.", "api_key")
            headers["Authorization"] = f"Bearer {api_key}"
        self._settings: dict[str, Any] = {
            "headers": headers,
            "follow_redirects": False,
            # A proxy is for other machines; one set for all programs must not come between two of this one.
            "trust_env": not is_loopback(url.host),
            # Reading the certificates takes longer than an event loop should wait.
            "verify": ssl.create_default_context() if url.scheme == "https" else False,
        }
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None
        self._process = os.getpid()
        self._active = 0
        self._loop_clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = (
            weakref.WeakKeyDictionary()
        )
        self.closed = False

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON that the service answers.

        Raises:
            RKLLMError: It answers an error, or does not answer.
        """
        content = None if body is None else encode_body(body)
        with self._lent() as client, self._told_errors(_ANSWER_SECONDS):
            response = client.request(method, self._url(path), content=content, timeout=_timeout(_ANSWER_SECONDS))
            return self._answer(response.status_code, response.headers, response.content)

    async def aask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The asynchronous twin of ``ask``. Cancelling its task closes the connection."""
        content = None if body is None else encode_body(body)
        client, timeout = self._loop_client(), _timeout(_ANSWER_SECONDS)
        with self._told_errors(_ANSWER_SECONDS):
            response = await client.request(method, self._url(path), content=content, timeout=timeout)
            return self._answer(response.status_code, response.headers, response.content)

    def events(self, path: str, body: Mapping[str, Any]) -> Generator[str, None, None]:
        """The data of the events that the service streams. Closing it closes the connection.

        Raises:
            RKLLMError: It answers an error, or the connection breaks.
        """
        content, parser = encode_body(body), EventParser()
        with (
            self._lent() as client,
            self._told_errors(_SILENCE_SECONDS),
            client.stream("POST", self._url(path), content=content, timeout=_timeout(_SILENCE_SECONDS)) as response,
        ):
            if not _is_stream(response):
                self._refuse(response.status_code, response.headers, response.read())
            for piece in response.iter_bytes():
                self._check_open()
                yield from parser.feed(piece)

    async def aevents(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[str, None]:
        """The asynchronous twin of ``events``."""
        # A body with pictures has megabytes.
        content = await asyncio.to_thread(encode_body, body)
        parser, client = EventParser(), self._loop_client()
        with self._told_errors(_SILENCE_SECONDS):
            request = client.stream("POST", self._url(path), content=content, timeout=_timeout(_SILENCE_SECONDS))
            async with request as response:
                if not _is_stream(response):
                    self._refuse(response.status_code, response.headers, await response.aread())
                async for piece in response.aiter_bytes():
                    self._check_open()
                    for payload in parser.feed(piece):
                        yield payload

    def close(self) -> None:
        """Close for good; streams that are under way end with the next thing they hear."""
        with self._lock:
            self.closed = True
            client = self._give_up_client()
            loop_clients = list(self._loop_clients.items())
            self._loop_clients.clear()
        if client is not None:
            client.close()
        for loop, loop_client in loop_clients:
            if loop.is_running():
                asyncio.run_coroutine_threadsafe(loop_client.aclose(), loop)

    def _give_up_client(self) -> httpx.Client | None:
        """The client, if it is there and nobody uses it any more. Called under the lock."""
        if not self.closed or self._active:
            return None
        client, self._client = self._client, None
        return client

    @contextmanager
    def _lent(self) -> Iterator[httpx.Client]:
        """The client of threads. After ``close`` the last who uses it closes it: a socket that is closed while
        another thread reads from it may be somebody else's by then.
        """
        self._check_open()
        with self._lock:
            if self._client is None or self._process != os.getpid():
                # Connections of the process that this one was forked from are that one's.
                self._process, self._active = os.getpid(), 0
                self._client = httpx.Client(limits=_THREAD_LIMITS, **self._settings)
            client = self._client
            self._active += 1
        try:
            yield client
        finally:
            with self._lock:
                self._active -= 1
                unused = self._give_up_client()
            if unused is not None:
                unused.close()

    def _loop_client(self) -> httpx.AsyncClient:
        self._check_open()
        loop = asyncio.get_running_loop()
        with self._lock:
            client = self._loop_clients.get(loop)
            if client is None:
                client = self._loop_clients[loop] = httpx.AsyncClient(limits=_LOOP_LIMITS, **self._settings)
            return client

    def _check_open(self) -> None:
        if self.closed:
            raise EngineClosed(f"The model at {self.base_url} was released; open it again to use it.")

    def _url(self, path: str) -> str:
        return f"{self.base_url}/{path}"

    @contextmanager
    def _told_errors(self, seconds: float) -> Iterator[None]:
        """What httpx raises, as errors of this package; ``seconds`` is how long it may wait for more."""
        try:
            yield
        except httpx.ReadTimeout as error:
            if seconds == _SILENCE_SECONDS:
                raise self._unreachable(f"sent nothing for {seconds:.0f} s") from error
            message = f"{self.base_url} gave no answer within {seconds:.0f} s. Ask for less at a time."
            raise RequestTimeout(message, "run", seconds) from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ServiceUnreachable(
                f"Nothing answers at {self.base_url} ({error or type(error).__name__}). Start a service there with "
                f"`rkllm serve`, or correct the base URL.",
                self.base_url,
            ) from error
        except EventTooLarge as error:
            raise self._unreachable(f"sent an event without end ({error})") from error
        except httpx.HTTPError as error:
            self._check_open()
            raise self._unreachable(f"broke the connection ({error or type(error).__name__})") from error

    def _unreachable(self, what: str) -> ServiceUnreachable:
        return ServiceUnreachable(f"{self.base_url} {what}. See whether the service still runs there.", self.base_url)

    def _answer(self, status: int, headers: Mapping[str, str], content: bytes) -> Any:
        if status != 200:
            self._refuse(status, headers, content)
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            raise self._stranger(status, content) from None

    def _refuse(self, status: int, headers: Mapping[str, str], content: bytes) -> NoReturn:
        """Raise what an answer that is no success says."""
        if 300 <= status < 400:
            target = headers.get("location", "nowhere")[:_SHOWN_CHARACTERS]
            raise ServiceUnreachable(
                f"{self.base_url} redirects to {target!r}, which is not followed. Give the final base URL.",
                self.base_url,
            )
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            body = None
        told = body.get("error") if isinstance(body, dict) else None
        if status >= 400 and isinstance(told, dict) and "detail" in told:
            raise error_of(body, f"{self.base_url} answered {status}.")
        if status in _UNAUTHORISED:
            raise InvalidRequest(f"{self.base_url} answered {status}: it wants another API key.", "api_key")
        raise self._stranger(status, content)

    def _stranger(self, status: int, content: bytes) -> RKLLMError:
        shown = content[:_SHOWN_CHARACTERS].decode(errors="replace")
        message = f"{self.base_url} answered {status}, and not as a service of this package does: {shown!r}."
        if status >= 500:
            return GenerationError(message)
        return ServiceUnreachable(f"{message} Correct the base URL.", self.base_url)


def checked_url(base_url: str) -> httpx.URL:
    """A base URL.

    Raises:
        InvalidRequest: It is none, or holds more than one should.
    """
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, TypeError) as error:
        raise InvalidRequest(f"The base URL cannot be read: {error}.", "base_url") from error
    if url.userinfo:
        raise InvalidRequest("The base URL holds a name or a password: give a key as api_key.", "base_url")
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        raise InvalidRequest(
            f"{base_url!r} is no base URL; one looks like http://127.0.0.1:8000/v1.",
            "base_url",
        )
    return url


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or address alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_stream(response: httpx.Response) -> bool:
    kind = response.headers.get("content-type", "")
    return response.status_code == 200 and kind.partition(";")[0].strip() == "text/event-stream"


def _timeout(silence: float) -> httpx.Timeout:
    return httpx.Timeout(connect=_CONNECT_SECONDS, read=silence, write=_SEND_SECONDS, pool=_CONNECT_SECONDS)
