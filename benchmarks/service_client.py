"""Chat requests at no more than a bare client's cost, so that what is measured is the service.

As a program it is a client that no other measurement holds up: ``python -m benchmarks.service_client health PORT
SECONDS`` or ``gaps PORT MODEL TOKENS`` prints times in milliseconds as JSON.
"""

from __future__ import annotations

import asyncio
import json
import math
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

PATIENCE: Final = 120.0
PROBE_SECONDS: Final = 0.02
_PIECE: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Response:
    """A whole response; ``headers`` have lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes


def chat_body(model: str, text: str, *, stream: bool, max_tokens: int | None = None) -> bytes:
    """The body of a chat completion of one message."""
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": text}], "stream": stream}
    if max_tokens is not None:
        body["max_tokens"] = max_tokens
    return json.dumps(body).encode()


async def post_chat(port: int, body: bytes) -> Response:
    """Ask, on a connection of its own, and wait for all of the answer.

    Raises:
        OSError: The connection failed.
        TimeoutError: The answer was not whole in time.
    """
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_PIECE)
        try:
            writer.write(_request("POST /v1/chat/completions", body, "close"))
            await writer.drain()
            return _parsed(await reader.read(-1))
        finally:
            writer.close()


def _request(line: str, body: bytes, connection: str) -> bytes:
    head = (
        f"{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: {connection}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _parsed(received: bytes) -> Response:
    head, _, body = received.partition(b"\r\n\r\n")
    if not head:
        raise ConnectionError("The service closed the connection without an answer.")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Response(int(first.split()[1]), headers, body)


def probe_health(port: int, seconds: float) -> list[float]:
    """How long ``/health`` takes, asked every 20 ms for so long on one connection."""
    request = _request("GET /health", b"", "keep-alive")
    times: list[float] = []
    ends = time.perf_counter() + seconds
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        while (asked := time.perf_counter()) < ends:
            connection.sendall(request)
            received = b""
            while not received.endswith(b"}"):
                piece = connection.recv(_PIECE)
                if not piece:
                    raise ConnectionError("The service closed the connection of a probe.")
                received += piece
            if not received.startswith(b"HTTP/1.1 200"):
                raise ConnectionError(f"/health answered {received[:60]!r}.")
            took = time.perf_counter() - asked
            times.append(took * 1000)
            time.sleep(max(0.0, PROBE_SECONDS - took))
    return times


def probe_gaps(port: int, model: str, tokens: int) -> list[float]:
    """The times between the tokens of one streamed answer; of tokens that come together all but the first are 0."""
    gaps: list[float] = []
    last: float | None = None
    body = chat_body(model, "Sing.", stream=True, max_tokens=tokens)
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(_request("POST /v1/chat/completions", body, "close"))
        while piece := connection.recv(_PIECE):
            now = time.perf_counter()
            came = piece.count(b'"content":" la"')
            if came and last is not None:
                gaps += [(now - last) * 1000, *[0.0] * (came - 1)]
            if came:
                last = now
    return gaps


@asynccontextmanager
async def probe(*arguments: str | float) -> AsyncIterator[list[float]]:
    """A client in a process of its own; the times it measured are there at the end.

    Raises:
        RuntimeError: It failed.
    """
    times: list[float] = []
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.service_client", *map(str, arguments), stdout=subprocess.PIPE
    )
    try:
        yield times
        told, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError(f"The client that measures ended with exit code {process.returncode}.")
    times += json.loads(told)


def percentiles(times: Sequence[float]) -> dict[str, float]:
    ordered = sorted(times)
    if not ordered:
        return {}
    return {
        "p50": round(ordered[len(ordered) // 2], 1),
        "p99": round(ordered[min(len(ordered) - 1, math.ceil(len(ordered) * 0.99) - 1)], 1),
        "max": round(ordered[-1], 1),
    }


def main(what: str, port: int, *rest: str) -> None:
    times = probe_health(port, float(rest[0])) if what == "health" else probe_gaps(port, rest[0], int(rest[1]))
    print(json.dumps([round(took, 3) for took in times]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
