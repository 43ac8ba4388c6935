"""Pages of the web and uploaded files as clean text, for clients that would read them worse themselves."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rag_service.fetch_limits import FetchLimits
from rag_service.retrieval.files import FilePage, RawFile, UnreadableFileError
from rag_service.retrieval.process import RetrievalProcess
from rkllm_providers.errors import InvalidRequest, QueueFull, RKLLMError

if TYPE_CHECKING:
    from rag_service.web_fetch import WebFetcher

logger = logging.getLogger(__name__)

MOST_PAGES: Final = 20
"""That one request may name."""

_MOST_REQUESTS: Final = 8
_AT_ONCE: Final = 4
_RETRY_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class LoadedPage:
    """A page of the web: the address that was asked for, and its text by pages, or why there is none."""

    url: str
    pages: tuple[FilePage, ...] = ()
    problem: str = ""


class PageLoader:
    """Fetches and reads. One for a service. What is read is read in a process of its own, with a limit of time."""

    def __init__(self, *, seconds: float, limits: FetchLimits | None = None) -> None:
        """``seconds`` is the limit of reading one page or file, ``limits`` those of fetching."""
        self._limits = limits or FetchLimits()
        self._fetcher: WebFetcher | None = None
        self._process = RetrievalProcess(seconds=seconds, queue=_MOST_REQUESTS * _AT_ONCE)
        self._requests = 0

    async def load(self, urls: Sequence[str]) -> list[LoadedPage]:
        """The pages at some addresses, in their order; one that cannot be had says why.

        Raises:
            InvalidRequest: There are too many.
            QueueFull: Too many requests are being answered already.
        """
        if len(urls) > MOST_PAGES:
            raise InvalidRequest(f"{len(urls)} addresses were given; at most {MOST_PAGES} are taken at once.", "urls")
        self._enter()
        try:
            fetcher = await self._open()
            gate = asyncio.Semaphore(_AT_ONCE)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._load(fetcher, url, gate)) for url in urls]
        finally:
            self._requests -= 1
        pages = [task.result() for task in tasks]
        problems = Counter(page.problem for page in pages if page.problem)
        logger.info("loaded %d of %d pages", len(pages) - problems.total(), len(pages))
        return pages

    async def read(self, file: RawFile) -> list[FilePage]:
        """The text of an uploaded file.

        Raises:
            InvalidRequest: There is none that can be read.
            QueueFull: Too many requests are being answered already.
            RequestTimeout: It took too long.
        """
        self._enter()
        try:
            return await self._process.read(file)
        except UnreadableFileError as error:
            raise InvalidRequest(str(error), "body") from error
        finally:
            self._requests -= 1

    async def close(self) -> None:
        """End what is under way."""
        if self._fetcher is not None:
            await self._fetcher.close()
        await self._process.close()

    async def _open(self) -> WebFetcher:
        if self._fetcher is None:
            made = await asyncio.to_thread(_make_fetcher, self._limits)
            self._fetcher = self._fetcher or made
        return self._fetcher

    def _enter(self) -> None:
        if self._requests >= _MOST_REQUESTS:
            raise QueueFull(self._requests, _MOST_REQUESTS, _RETRY_SECONDS)
        self._requests += 1

    async def _load(self, fetcher: WebFetcher, url: str, gate: asyncio.Semaphore) -> LoadedPage:
        """One page. What goes wrong with it is its own."""
        async with gate:
            try:
                page = await fetcher.fetch(url)
                file = RawFile(page.body, page.media_type, page.charset, page.path, "web")
                return LoadedPage(url, tuple(await self._process.read(file)))
            except (RKLLMError, UnreadableFileError) as error:
                return LoadedPage(url, problem=_first_line(error))


def _make_fetcher(limits: FetchLimits) -> WebFetcher:
    from rag_service.web_fetch import WebFetcher  # takes half a second

    return WebFetcher(limits)


def _first_line(error: RKLLMError | UnreadableFileError) -> str:
    return str(error).partition("\n")[0]
