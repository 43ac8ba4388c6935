"""Open WebUI's external loaders of web pages and of documents: what they load arrives as clean text.

By itself Open WebUI takes all text of a page, menus included, without even a blank between two elements.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import unquote

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from rag_service.api.event_stream import unless_disconnected
from rag_service.api.openai.fields import WireRequest
from rag_service.api.wire_lists import WireList
from rag_service.chat_desk import HINT_HEADER
from rag_service.page_loader import MOST_PAGES, LoadedPage, PageLoader
from rag_service.retrieval.files import FilePage, RawFile
from rkllm_providers.errors import InvalidRequest

router = APIRouter()

_LONGEST_NAME: Final = 300
_MOST_REASONS: Final = 5
# Open WebUI writes the identifier of a file before its name.
_IDENTIFIER: Final = re.compile(r"\A[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}_", re.IGNORECASE)
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class WebPagesRequest(WireRequest):
    """Pages to load."""

    urls: WireList[str] = Field(max_length=MOST_PAGES)


@router.post("/v1/loaders/web", response_model=None)
@router.post("/loaders/web", response_model=None, include_in_schema=False)
async def load_web_pages(request: Request, body: WebPagesRequest) -> Response:
    """The text of web pages, without menus and footers; those that cannot be had are left out."""
    if not request.app.state.settings.web_loader:
        raise InvalidRequest("This service loads no pages: RKLLM_WEB_LOADER is off.", "urls")
    pages = await unless_disconnected(request, _loader(request).load(body.urls))
    told = [_told(one, {"source": page.url}) for page in pages for one in page.pages]
    return JSONResponse(told, headers={**body.headers(), **_problems(pages)})


@router.put("/v1/loaders/documents/process", response_model=None, openapi_extra=_BODY)
@router.put("/loaders/documents/process", response_model=None, include_in_schema=False)
async def load_document(request: Request) -> Response:
    """The text of an uploaded file, which is the request's body; of a PDF each page's."""
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.lower().partition("charset=")[2].partition(";")[0].strip(" \"'")
    name = _IDENTIFIER.sub("", unquote(request.headers.get("x-filename", "")))[-_LONGEST_NAME:]
    file = RawFile(await request.body(), media_type.strip().lower(), charset, name)
    pages = await unless_disconnected(request, _loader(request).read(file))
    told = [_told(page, {"source": name} if name else {}) for page in pages]
    return JSONResponse(told[0] if len(told) == 1 else told)


def _loader(request: Request) -> PageLoader:
    loader: PageLoader = request.app.state.loader
    return loader


def _told(page: FilePage, metadata: dict[str, Any]) -> dict[str, Any]:
    about = metadata | ({"title": page.title} if page.title else {})
    return {"page_content": page.text, "metadata": about | ({} if page.page is None else {"page": page.page})}


def _problems(pages: Sequence[LoadedPage]) -> dict[str, str]:
    """A header that says why pages are missing, without their addresses."""
    problems = Counter(page.problem for page in pages if page.problem)
    if not problems:
        return {}
    reasons = "; ".join(f"{count} x {problem}" for problem, count in problems.most_common(_MOST_REASONS))
    text = f"{problems.total()} of {len(pages)} pages were not loaded: {reasons}"
    return {HINT_HEADER: text.encode("ascii", "replace").decode()}
