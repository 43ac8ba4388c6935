"""The servers under measurement: our service, and one that sends ready-made chunks."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import uvicorn

from rag_service.logs import configure_logging
from rag_service.server import run_server
from rag_service.settings import ServiceSettings

CHUNK = (
    b'data: {"id":"chatcmpl-0123456789abcdef0123456789abcdef","object":"chat.completion.chunk",'
    b'"created":1700000000,"model":"pace-0","choices":[{"index":0,"delta":{"content":" la"},'
    b'"finish_reason":null}]}\n\n'
)


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that only sends; the requested model is the pace in milliseconds."""
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    order = json.loads(body)
    pause = float(order["model"]) / 1000
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    for _ in range(order["max_tokens"]):
        if pause:
            await asyncio.sleep(pause)
        await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
    await send({"type": "http.response.body", "body": b"data: [DONE]\n\n", "more_body": False})


def main(what: str, port: int, models: Path) -> None:
    if what == "nothing":
        uvicorn.run(
            nothing,
            port=port,
            http="httptools",
            loop="uvloop",
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
        )
    else:
        settings = ServiceSettings(port=port, models_dir=models)
        configure_logging(settings)
        run_server(settings)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
