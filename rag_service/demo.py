"""``rkllm demo``: the service, one question, and what to type next."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
import sys
from collections.abc import Iterator
from typing import Final

from rich.console import Console
from rich.markup import escape

from rag_service.addresses import base_url
from rag_service.server import listen, make_server
from rag_service.settings import ServiceSettings
from rkllm_providers.errors import GenerationError

QUESTION: Final = "What is the capital of France? Answer in one sentence."
_ANSWER_SECONDS: Final = 900.0
_POLL_SECONDS: Final = 0.05


def run_demo(settings: ServiceSettings, *, once: bool) -> int:
    """Serve, ask, and go on serving unless ``once``. Returns 0 if there was an answer.

    Raises:
        AddressInUse: The address cannot be had.
    """
    # The answer is written to the same terminal: only what went wrong may come between.
    for name in ("rkllm_providers", "rag_service", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        return asyncio.run(_demo(settings, once=once))
    except KeyboardInterrupt:
        return 0


async def _demo(settings: ServiceSettings, *, once: bool) -> int:
    console = Console()
    with listen(settings) as listener:
        port: int = listener.getsockname()[1]
        url = base_url(settings.host, port)
        server = make_server(settings, url)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            # uvicorn has no event to wait for, only this flag.
            while not server.started and not serving.done():  # noqa: ASYNC110
                await asyncio.sleep(_POLL_SECONDS)
            console.print(
                f"\nThe service runs at {url} with the model [bold]{escape(str(settings.model))}[/].",
                soft_wrap=True,
            )
            console.print(f"Question: {QUESTION}\nAnswer:   ", end="")
            try:
                answered = await asyncio.to_thread(_ask, settings.host, port, str(settings.model))
            except (OSError, http.client.HTTPException, GenerationError) as error:
                console.print(f"\n[bold red]No answer:[/] {escape(str(error))}", highlight=False)
                answered = False
            if not once and answered:
                _print_next_steps(console, url, str(settings.model))
                await serving
        finally:
            server.should_exit = True
            await serving
    return 0 if answered else 1


def _ask(host: str, port: int, model: str) -> bool:
    """Stream the answer to the terminal; whether there was one."""
    connection = http.client.HTTPConnection(host, port, timeout=_ANSWER_SECONDS)
    body = {
        "model": model,
        "messages": [{"role": "user", "content": QUESTION}],
        "stream": True,
        "temperature": 0,
        "max_tokens": 80,
    }
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        if response.status != 200:
            raise GenerationError(f"The service answered {response.status}: {response.read().decode()}")
        length = 0
        for text in _texts(response):
            length += len(text.strip())
            sys.stdout.write(text)
            sys.stdout.flush()
        sys.stdout.write("\n")
        return length > 0
    finally:
        connection.close()


def _texts(response: http.client.HTTPResponse) -> Iterator[str]:
    for line in response:
        if not line.startswith(b"data: ") or line.startswith(b"data: [DONE]"):
            continue
        event = json.loads(line[len(b"data: ") :])
        if "error" in event:
            raise GenerationError(event["error"]["message"])
        for choice in event["choices"]:
            yield choice["delta"].get("content", "")


def _print_next_steps(console: Console, url: str, model: str) -> None:
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello!"}]})
    console.print(f"\nOpen WebUI: add an OpenAI connection with the base URL {url}", soft_wrap=True)
    console.print("Ask it something yourself:", soft_wrap=True)
    console.print(
        f"curl {url}/chat/completions -H 'Content-Type: application/json' -d '{body}'",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )
    console.print("\nCtrl-C ends the service.")
