"""Pictures by their addresses: refused unless a setting allows it, and then fetched within limits."""

from __future__ import annotations

import asyncio
import ipaddress
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from rag_service.fetch_limits import FetchLimits
from rag_service.picture_reader import PictureReader
from rkllm_providers.chat import ImagePart
from rkllm_providers.chat.openai_forms import data_url
from rkllm_providers.errors import InvalidRequest, QueueFull
from rkllm_providers.vision import PictureLimits
from tests.conftest import WriteModel, needs_llama
from tests.engine.pictures import GREEN, RED, seen, write_seeing_model
from tests.service.conftest import StartService

LOCAL = (ipaddress.ip_network("127.0.0.0/8"),)


class Album(BaseHTTPRequestHandler):
    """Pictures of a test: by path, their media type and bytes."""

    asked: list[tuple[str, str]]
    files: dict[str, tuple[str, bytes]]
    waits: threading.Event
    arrived: threading.Semaphore

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Accept", "")))
        if self.path == "/slow.png":
            self.arrived.release()
            self.waits.wait(30)
        kind, data = self.files.get(self.path, ("", b""))
        self.send_response(200 if kind else 404)
        if kind != "none":
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def serving_album() -> Iterator[str]:
    Album.asked, Album.waits, Album.arrived = [], threading.Event(), threading.Semaphore(0)
    Album.files = {
        "/red.png": ("image/png", RED.data),
        "/green.png": ("IMAGE/PNG; x=y", GREEN.data),
        "/page": ("text/html", b"<p>Hello</p>"),
        "/bare": ("none", RED.data),
        "/large.png": ("image/png", b"x" * 5000),
        "/slow.png": ("image/png", RED.data),
        "/broken.png": ("image/png", b"nothing"),
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), Album)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        Album.waits.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def album() -> Iterator[str]:
    with serving_album() as url:
        yield url


def shown(*urls: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}} for url in urls]}]


@contextmanager
def reading(**limits: Any) -> Iterator[PictureReader]:
    given: dict[str, Any] = {"allowed": LOCAL, "seconds": 30.0, "size": 4000} | limits
    yield PictureReader(PictureLimits(max_pictures=3), FetchLimits(**given), 9000)


async def pictures(reader: PictureReader, *urls: str) -> list[ImagePart]:
    try:
        (message,) = await reader.read(shown(*urls))
    finally:
        await reader.close()
    return [part["image_url"]["url"] for part in message["content"]]


async def test_each_address_is_fetched_once(album: str) -> None:
    with reading() as reader:
        read = await pictures(reader, f"{album}/red.png", f"{album}/green.png", f"{album}/red.png")
    assert [one.data for one in read] == [RED.data, GREEN.data, RED.data]
    assert [one.media_type for one in read] == ["image/png", "image/png", "image/png"]
    assert sorted(path for path, _ in Album.asked) == ["/green.png", "/red.png"]
    assert all(accept.startswith("image/") for _, accept in Album.asked)


async def test_messages_stay_as_they_are(album: str) -> None:
    plain: list[dict[str, Any]] = [{"role": "user", "content": "x"}, {"role": "assistant", "content": None}]
    messages = [*plain, *shown(data_url(RED))]
    with reading() as reader:
        read = await reader.read(messages)
    assert read[:2] == plain
    assert read[2]["content"][0]["image_url"]["url"] == RED
    assert messages[2] == shown(data_url(RED))[0]
    assert Album.asked == []


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/nothing.png", "HTTP 404"),
        ("/page", "it is text/html, and no picture"),
        ("/bare", "it is without a media type"),
        ("/large.png", "5000 bytes, more than 4000"),
    ],
)
async def test_what_is_not_fetched(album: str, path: str, why: str) -> None:
    with reading() as reader, pytest.raises(InvalidRequest, match=why) as caught:
        await pictures(reader, data_url(RED), f"{album}{path}")
    assert caught.value.param == "messages[0].content[1].image_url"


async def test_addresses_within_the_network_are_not_called(album: str) -> None:
    with reading(allowed=()) as reader, pytest.raises(InvalidRequest, match="not on the public internet"):
        await pictures(reader, f"{album}/red.png")
    assert Album.asked == []


async def test_their_bytes_are_bounded_together(album: str) -> None:
    Album.files |= {f"/{number}.png": ("image/png", bytes(3500)) for number in range(3)}
    with reading() as reader, pytest.raises(InvalidRequest, match="more than 9000 bytes"):
        await pictures(reader, *(f"{album}/{number}.png" for number in range(3)))


async def test_their_number_is_bounded_before_any_is_fetched(album: str) -> None:
    with reading() as reader, pytest.raises(InvalidRequest, match="4 pictures"):
        await pictures(reader, *(f"{album}/red.png" for _ in range(4)))
    assert Album.asked == []


async def test_their_time_is_bounded_together(album: str) -> None:
    with reading(seconds=0.3) as reader, pytest.raises(InvalidRequest, match=r"took more than 0\.3 s"):
        await pictures(reader, f"{album}/slow.png")


async def test_so_many_requests_fetch_at_once(album: str) -> None:
    with reading() as reader:
        waiting = [asyncio.create_task(reader.read(shown(f"{album}/slow.png"))) for _ in range(4)]
        assert await asyncio.to_thread(lambda: all(Album.arrived.acquire(timeout=30) for _ in range(4)))
        with pytest.raises(QueueFull):
            await reader.read(shown(f"{album}/red.png"))
        Album.waits.set()
        assert [one[0]["content"][0]["image_url"]["url"].data for one in await asyncio.gather(*waiting)] == [
            RED.data
        ] * 4
        assert [one.data for one in await pictures(reader, f"{album}/red.png")] == [RED.data]


@needs_llama
def test_all_formats_that_have_addresses(start_service: StartService, write_model: WriteModel, album: str) -> None:
    write_seeing_model(write_model)
    allowed = start_service(picture_urls=True, web_loader_networks="127.0.0.0/8")
    refused = start_service()
    url = f"{album}/red.png"
    part = {"type": "image", "source": {"type": "url", "url": url}}
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("/v1/chat/completions", {"messages": shown(url)}),
        ("/v1/chat/completions/input_tokens", {"messages": shown(url)}),
        ("/v1/messages", {"messages": [{"role": "user", "content": [part]}], "max_tokens": 500}),
    ]
    for path, body in bodies:
        told = httpx.post(f"{allowed}{path}", json={"model": "qwen2-vl-2b", **body}, timeout=60)
        assert told.status_code == 200, told.text
        if path == "/v1/chat/completions":
            assert seen(told.json()["choices"][0]["message"]["content"]) == ["255,0,0"]
        elif path == "/v1/messages":
            assert seen(told.json()["content"][0]["text"]) == ["255,0,0"]
        told = httpx.post(f"{refused}{path}", json={"model": "qwen2-vl-2b", **body}, timeout=60)
        assert told.status_code == 400
        assert "RKLLM_PICTURE_URLS" in told.json()["error"]["message"]
    broken = httpx.post(
        f"{allowed}/v1/chat/completions", json={"model": "qwen2-vl-2b", "messages": shown(f"{album}/broken.png")}
    )
    assert (broken.status_code, "no format that is read" in broken.json()["error"]["message"]) == (400, True)
