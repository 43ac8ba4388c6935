"""Bodies are JSON whatever they are called: most examples for Ollama's API have ``curl`` call them a form."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute

_TYPE: Final = b"content-type"


class AnyTypeRoute(APIRoute):
    """A route whose body is read as JSON, unless a page of some web site sent it.

    A browser lets any page send bodies that are not called JSON, and asks first for those that are: what comes from
    a page (it has an ``Origin``) keeps its type, so that only pages that ``cors_origins`` names get through.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if "origin" in request.headers:
                return await answer(request)
            headers = [(name, value) for name, value in request.scope["headers"] if name != _TYPE]
            scope = {**request.scope, "headers": [*headers, (_TYPE, b"application/json")]}
            return await answer(Request(scope, request.receive))

        return handle
