"""Pictures of requests: read out of data URLs, and fetched from the web where the owner allows it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rag_service.fetch_limits import FetchLimits, PageNotLoaded
from rkllm_providers.chat import ImagePart
from rkllm_providers.chat.openai_forms import read_image_url
from rkllm_providers.errors import InvalidRequest, QueueFull
from rkllm_providers.vision import PictureLimits

if TYPE_CHECKING:
    from rag_service.web_fetch import WebFetcher

logger = logging.getLogger(__name__)

Message = Mapping[str, Any]
"""A message as the OpenAI API has it."""

_ACCEPT: Final = "image/webp,image/png,image/jpeg,image/*;q=0.8"
_MOST_REQUESTS: Final = 4
_AT_ONCE: Final = 4
_RETRY_SECONDS: Final = 10.0


class PictureReader:
    """Reads the pictures of requests, each once, whichever API they came by. One for a service."""

    def __init__(
        self, limits: PictureLimits, fetching: FetchLimits | None = None, most_fetched: int = 1 << 24
    ) -> None:
        """``fetching`` are the limits of fetching pictures, ``None`` where addresses are refused.

        ``fetching.seconds`` is for all pictures of a request together, and ``most_fetched`` their bytes together.
        """
        self._limits = limits
        self._fetching = fetching
        self._most_fetched = most_fetched
        self._fetcher: WebFetcher | None = None
        self._requests = 0

    async def read(self, messages: Sequence[Message]) -> list[Message]:
        """The same messages with an ``ImagePart`` in place of each picture's URL. Nothing is done on the event loop.

        Raises:
            InvalidRequest: One is no picture, an address that is not fetched, or could not be; or they are too many.
            QueueFull: Pictures are being fetched for too many requests already.
        """
        places = list(_places(messages))
        if not places:
            return list(messages)
        self._limits.check_count(len(places))
        pictures = await asyncio.to_thread(
            lambda: [read_image_url(part.get("image_url"), where) for _, _, where, part in places]
        )
        wanted = {
            picture.url: where for picture, (_, _, where, _) in zip(pictures, places, strict=True) if picture.url
        }
        fetched = await self._fetch(wanted) if wanted else {}
        read: list[Message] = list(messages)
        for (number, position, _, part), picture in zip(places, pictures, strict=True):
            content = list(read[number]["content"])
            content[position] = {**part, "image_url": {"url": fetched[picture.url] if picture.url else picture}}
            read[number] = {**read[number], "content": content}
        return read

    async def close(self) -> None:
        """End what is under way."""
        if self._fetcher is not None:
            await self._fetcher.close()

    async def _fetch(self, wanted: Mapping[str, str]) -> dict[str, ImagePart]:
        """The pictures at some addresses, each with the name of its field."""
        if self._fetching is None:
            where = next(iter(wanted.values()))
            raise InvalidRequest(
                f"{where} is the address of a picture, and pictures are not fetched from the network here "
                f"(RKLLM_PICTURE_URLS=true allows it). Send it in the request itself: data:image/png;base64,… with "
                f"its bytes.",
                where,
            )
        if self._requests >= _MOST_REQUESTS:
            raise QueueFull(self._requests, _MOST_REQUESTS, _RETRY_SECONDS)
        self._requests += 1
        try:
            async with asyncio.timeout(self._fetching.seconds):
                return await self._fetch_all(wanted, self._fetching)
        except TimeoutError:
            where = next(iter(wanted.values()))
            raise _not_loaded(where, f"took more than {self._fetching.seconds:g} s") from None
        finally:
            self._requests -= 1

    async def _fetch_all(self, wanted: Mapping[str, str], limits: FetchLimits) -> dict[str, ImagePart]:
        fetcher = await self._open(limits)
        gate, room = asyncio.Semaphore(_AT_ONCE), self._most_fetched
        pictures: dict[str, ImagePart] = {}

        async def fetch(url: str, where: str) -> None:
            nonlocal room
            async with gate:
                try:
                    page = await fetcher.fetch(url)
                except PageNotLoaded as error:
                    raise _not_loaded(where, str(error)) from error
            if not page.media_type.startswith("image/"):
                raise _not_loaded(where, f"it is {page.media_type[:60] or 'without a media type'}, and no picture")
            room -= len(page.body)
            if room < 0:
                raise _not_loaded(where, f"the pictures of the request have more than {self._most_fetched} bytes")
            pictures[url] = ImagePart(page.body, page.media_type)

        tasks = [asyncio.create_task(fetch(url, where)) for url, where in wanted.items()]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        logger.info("fetched %d pictures", len(pictures))
        return pictures

    async def _open(self, limits: FetchLimits) -> WebFetcher:
        if self._fetcher is None:
            made = await asyncio.to_thread(_make_fetcher, limits)
            self._fetcher = self._fetcher or made
        return self._fetcher


def _places(messages: Sequence[Message]) -> Iterator[tuple[int, int, str, Mapping[str, Any]]]:
    """Where pictures are: the numbers of message and part, the field's name, and the part."""
    for number, message in enumerate(messages):
        content = message.get("content")
        for position, part in enumerate(content if isinstance(content, list) else ()):
            if isinstance(part, Mapping) and part.get("type") == "image_url":
                yield number, position, f"messages[{number}].content[{position}].image_url", part


def _not_loaded(where: str, problem: str) -> InvalidRequest:
    return InvalidRequest(
        f"{where}: the picture was not loaded: {problem}. Send its bytes in the request: data:image/png;base64,…",
        where,
    )


def _make_fetcher(limits: FetchLimits) -> WebFetcher:
    from rag_service.web_fetch import WebFetcher  # takes half a second

    return WebFetcher(limits, accept=_ACCEPT)
