"""What can go wrong between a program and a service, and what is sent."""

from __future__ import annotations

import asyncio
import gc
import http.server
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from rkllm_providers.chat import ChatMessage, TextDelta
from rkllm_providers.engine import ModelAddress
from rkllm_providers.errors import (
    EngineClosed,
    GenerationError,
    InvalidRequest,
    QueueFull,
    RKLLMError,
    ServiceUnreachable,
)
from rkllm_providers.remote import RemoteModel
from rkllm_providers.remote.connection import ServiceConnection, is_loopback
from rkllm_providers.remote.error_details import describe_error
from tests.conftest import WriteModel, needs_llama
from tests.service.conftest import StartService

HI = [ChatMessage("user", "Hi")]
FACTS = {
    "id": "talker",
    "context_length": 64,
    "capabilities": ["tools", "flying"],
    "counts_tokens": True,
    "forces_tool_calls": True,
}
KEY = "sk-very-secret"


@contextmanager
def released(model: RemoteModel) -> Iterator[RemoteModel]:
    """Release a model in the end."""
    try:
        yield model
    finally:
        model.release()


Handle = Callable[[http.server.BaseHTTPRequestHandler], None]
Serve = Callable[[Handle], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A server that answers everything in one way; gives its base URL."""
    servers: list[http.server.ThreadingHTTPServer] = []

    def start(handle: Handle) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                handle(self)

            do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *arguments: Any) -> None:
                return

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}/v1"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def answering(status: int, body: bytes, kind: str = "application/json", **headers: str) -> Handle:
    def handle(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Type", kind)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return handle


def streaming(*chunks: bytes) -> Handle:
    """A stream that ends with its connection."""

    def handle(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/event-stream; charset=utf-8")
        request.end_headers()
        for chunk in chunks:
            request.wfile.write(chunk)

    return handle


def both(model: RemoteModel) -> list[RKLLMError]:
    """The errors of an answer for threads and of one for event loops."""
    with pytest.raises(RKLLMError) as here:
        model.complete(HI)
    with pytest.raises(RKLLMError) as there:
        asyncio.run(model.acomplete(HI))
    model.release()
    return [here.value, there.value]


def test_where_nothing_answers_the_base_url_is_named() -> None:
    for error in both(RemoteModel("talker", "http://127.0.0.1:9/v1", KEY)):
        assert isinstance(error, ServiceUnreachable)
        assert isinstance(error, ConnectionError)
        assert error.base_url == "http://127.0.0.1:9/v1"
        assert "Nothing answers at http://127.0.0.1:9/v1" in str(error)
        assert KEY not in str(error)


@pytest.mark.parametrize(
    ("handle", "kind", "words"),
    [
        (answering(307, b"", Location="http://elsewhere/"), ServiceUnreachable, "redirects to 'http://elsewhere/'"),
        (answering(200, b"<html>Hello</html>", "text/html"), ServiceUnreachable, "<html>Hello"),
        (answering(404, b'{"detail": "Not Found"}'), ServiceUnreachable, "answered 404"),
        (answering(400, b'{"error": {"message": "Some other server."}}'), ServiceUnreachable, "Some other server"),
        (answering(502, b"Bad Gateway", "text/plain"), GenerationError, "answered 502"),
        (answering(401, b"{}"), InvalidRequest, "wants another API key"),
        (answering(400, b'{"error": {"message": "Odd.", "detail": {"class": "Odd"}}}'), GenerationError, "Odd."),
        (streaming(b": hello\n\n", b"data: {", b'"x": 1}\n\n'), GenerationError, "no part of an answer"),
        (streaming(b'data: {"choices": []}\n\n'), ServiceUnreachable, "before the answer was complete"),
        (streaming(b"data: [DONE]\n\n"), GenerationError, "without saying how"),
        (lambda request: request.connection.close(), ServiceUnreachable, "broke the connection"),
    ],
)
def test_what_is_no_service_of_ours(serve: Serve, handle: Handle, kind: type[RKLLMError], words: str) -> None:
    for error in both(RemoteModel("talker", serve(handle))):
        assert type(error) is kind
        assert words in str(error)


def test_an_answer_that_is_cut_off(serve: Serve) -> None:
    whole = b'data: {"choices": [{"index": 0, "delta": {"content": "so far"}}]}\n\n'

    def handle(request: http.server.BaseHTTPRequestHandler) -> None:
        request.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 100000\r\n\r\n" + whole
        )

    model = RemoteModel("talker", serve(handle))
    events = model.stream(HI)
    assert next(events) == TextDelta("so far")
    with pytest.raises(ServiceUnreachable, match="broke the connection"):
        next(events)
    model.release()


def test_an_error_with_its_numbers(serve: Serve) -> None:
    error = QueueFull(5, 5, 7.5)
    body = json.dumps({"error": {"message": str(error), "detail": describe_error(error)}}).encode()
    for raised in both(RemoteModel("talker", serve(answering(429, body)))):
        assert isinstance(raised, QueueFull)
        assert (raised.waiting, raised.bound, raised.retry_after) == (5, 5, 7.5)


@pytest.mark.parametrize(
    "use",
    [
        lambda model: model.facts,
        lambda model: model.tokenize("x"),
        lambda model: model.detokenize([1]),
        lambda model: model.count_tokens(HI),
        lambda model: model.embed(["x"]),
        lambda model: model.rerank("q", ["x"]),
        lambda model: asyncio.run(model.aembed(["x"])),
        lambda model: asyncio.run(model.arerank("q", ["x"])),
    ],
)
@pytest.mark.parametrize("body", [b"[]", b"{}", b"7", b'{"data": [{"embedding": 5}], "usage": {}, "tokens": 3}'])
def test_answers_of_another_form(serve: Serve, use: Callable[[RemoteModel], object], body: bytes) -> None:
    url = serve(answering(200, body))
    told = pytest.raises(ServiceUnreachable, match="does not answer as a service of this package")
    with released(RemoteModel("talker", url)) as model, told:
        use(model)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "talker",
        "ftp://host/",
        "http://",
        "http://host/?x=1",
        "http://host/#x",
        "http://a:b@host/",
        "http://[::1",
        None,
    ],
)
def test_what_is_no_base_url(url: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        RemoteModel("talker", url)
    assert caught.value.param == "base_url"
    assert "a:b" not in str(caught.value)


@pytest.mark.parametrize("key", ["a\nb", "schlüssel"])
def test_a_key_that_no_header_can_carry(key: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        RemoteModel("talker", "http://127.0.0.1:9", key)
    assert caught.value.param == "api_key"
    assert key not in str(caught.value)


def test_the_key_is_sent_and_told_to_nobody(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str | None] = []

    def handle(request: http.server.BaseHTTPRequestHandler) -> None:
        seen.append(request.headers.get("authorization"))
        answering(200, json.dumps(FACTS).encode())(request)

    caplog.set_level(logging.DEBUG)
    url = serve(handle)
    for key in (KEY, None):
        model = RemoteModel.open("talker", url, key)
        assert model.facts.context_length == 64
        assert model.facts.capabilities.tools
        assert KEY not in repr(model)
        assert KEY not in repr(ModelAddress("talker", base_url=url, api_key=key))
        model.release()
    assert seen == [f"Bearer {KEY}", None]
    assert KEY not in caplog.text


def test_the_folders_of_a_name_stay_in_it(serve: Serve) -> None:
    paths: list[str] = []

    def handle(request: http.server.BaseHTTPRequestHandler) -> None:
        paths.append(request.path)
        answering(200, json.dumps(FACTS).encode())(request)

    RemoteModel.open("../a b?c", serve(handle)).release()
    assert paths == ["/v1/models/..%2Fa%20b%3Fc"]


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "127.0.0.1", "127.8.9.1", "::1"])
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["192.168.1.5", "localhost.com", "example.org", "1.127.0.0", "board.local"])
def test_other_machines(host: str) -> None:
    assert not is_loopback(host)


def test_a_proxy_does_not_come_between_two_programs_of_a_machine(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxied: list[str] = []

    def proxy(request: http.server.BaseHTTPRequestHandler) -> None:
        proxied.append(request.path)
        answering(200, json.dumps(FACTS).encode())(request)

    address = serve(proxy).removesuffix("/v1")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, address)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    RemoteModel.open("talker", serve(answering(200, json.dumps(FACTS).encode()))).release()
    assert proxied == []
    RemoteModel.open("talker", "http://board.example/v1").release()
    assert proxied == ["http://board.example/v1/models/talker"]


def test_once_released_it_is_closed() -> None:
    model = RemoteModel("talker", "http://127.0.0.1:9")
    model.release()
    model.release()
    assert model.closed
    for error in both(model):
        assert isinstance(error, EngineClosed)


@needs_llama
def test_released_while_it_answers(start_service: StartService, write_model: WriteModel) -> None:
    write_model('word " la"\nrule *\n  forever " la"\nend\n', "talker")
    url = start_service()
    model = RemoteModel("talker", url)
    events = model.stream(HI)
    assert next(events) == TextDelta(" la")
    model.release()
    with pytest.raises(EngineClosed):
        list(events)

    async def awaited() -> None:
        model = RemoteModel("talker", url)
        stream = model.astream(HI)
        assert await anext(stream) == TextDelta(" la")
        model.release()
        with pytest.raises(EngineClosed):
            [event async for event in stream]

    asyncio.run(awaited())


@needs_llama
def test_loops_that_ended_leave_nothing_behind(start_service: StartService, write_model: WriteModel) -> None:
    write_model('rule *\n  text "Hello"\nend\n', "talker")
    with released(RemoteModel("talker", start_service())) as model:
        for _ in range(3):
            assert asyncio.run(model.acomplete(HI)).text == "Hello"
            gc.collect()  # what was left open would warn, and warnings are errors here
        assert len(model._connection._loop_clients) == 0


def test_a_connection_does_nothing_until_it_is_asked() -> None:
    connection = ServiceConnection("https://board.example/v1/", KEY)
    assert connection.base_url == "https://board.example/v1"
    assert connection._client is None
    connection.close()


def test_without_httpx_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['httpx'] = sys.modules['anyio'] = None\n"
        "from rkllm_providers.engine import ModelAddress\n"
        "try: ModelAddress('x', base_url='http://127.0.0.1:9').open()\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "A model behind a base URL needs httpx: pip install 'rkllm-providers[remote]'"
