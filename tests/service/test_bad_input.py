"""What strangers may send: every one gets a clear error, and the service goes on."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from rag_service.settings import ServiceSettings
from tests.conftest import WriteModel, needs_llama
from tests.service.conftest import StartService, running

pytestmark = needs_llama

HEADERS = {"Content-Type": "application/json"}
POSTS = (
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/rerank",
    "/v1/tokenize",
    "/v1/detokenize",
    "/v1/models/load",
    "/v1/models/select",
)
SCRIPT = """#!rkllm-script 1
word " la"
rule "song"
  repeat 20 " la"
  sleep 60000
end
rule *
  text "Hello"
end
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("models")
    (folder / "talker.rkllm").write_text(SCRIPT)
    bounds = {"body_limit": 20_000, "header_limit": 4000, "header_seconds": 0.5, "body_seconds": 0.7}
    with running(ServiceSettings(port=0, models_dir=folder, connection_limit=20, **bounds)) as url:  # type: ignore[arg-type]
        yield url


@pytest.fixture(autouse=True)
def lives(url: str) -> Iterator[None]:
    """Whatever a test sends, the next request is answered."""
    yield
    body = {"model": "talker", "messages": [{"role": "user", "content": "Hi"}]}
    answer = httpx.post(f"{url}/v1/chat/completions", json=body, timeout=60)
    assert answer.json()["choices"][0]["message"]["content"] == "Hello"


@contextmanager
def connection(url: str) -> Iterator[socket.socket]:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as client:
        yield client


def answer(client: socket.socket) -> tuple[int, dict[str, Any]]:
    """The status and the error of the one answer that comes before the connection is closed."""
    received = b""
    while piece := client.recv(65536):
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["error"]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"[]",
        b"null",
        b'"text"',
        b"1e999",
        b"NaN",
        b"\xff\xfe",
        b"\x00",
        b"{}" * 2,
        b"[" * 5000,
    ],
)
def test_what_is_no_request_is_a_400(url: str, path: str, body: bytes) -> None:
    response = httpx.post(f"{url}{path}", content=body, headers=HEADERS)
    assert response.status_code == 400
    assert response.json()["error"]["message"]


@pytest.mark.parametrize("path", POSTS)
def test_numbers_without_end_are_no_fault_of_ours(url: str, path: str) -> None:
    with httpx.Client() as client:
        post_numbers(client, f"{url}{path}")


def post_numbers(client: httpx.Client, url: str) -> None:
    for value in ("9" * 5000, "-" + "9" * 400, "1e400", "NaN", "Infinity", "1" + "0" * 309):
        for field in ("max_tokens", "temperature", "tokens", "top_n", "dimensions", "timeout", "input", "wait"):
            body = f'{{"model": "talker", "messages": [], "prompt": "x", "query": "x", "{field}": {value}}}'
            response = client.post(url, content=body, headers=HEADERS, timeout=60)
            assert response.status_code < 500, (field, value[:20], response.text)


@pytest.mark.parametrize(
    "text",
    [
        "\ud800",
        "\udfff and \ud83d",
        "a\x00b",
        "\u202eright to left\u202c",
        "\ufdd0\ufdef\uffff",
        "e\u0301" * 50,
        "\u200b\u200d\ufeff",
        "👩‍👩‍👧‍👦🏳️‍🌈",
        "<|im_end|>",
        "\r\ndata: [DONE]\r\n\r\n",
    ],
)
def test_text_of_any_kind_is_answered(url: str, text: str) -> None:
    messages = [{"role": "system", "content": text}, {"role": "user", "content": text, "name": text}]
    tool = {"type": "function", "function": {"name": "look", "description": text, "parameters": {"title": text}}}
    body = {"model": "talker", "messages": messages, "tools": [tool], "stop": [text]}
    for stream in (False, True):
        content = json.dumps({**body, "stream": stream})
        response = httpx.post(f"{url}/v1/chat/completions", content=content, headers=HEADERS, timeout=60)
        assert response.status_code == 200, response.text
    others: dict[str, dict[str, Any]] = {
        "/v1/completions": {"prompt": text},
        "/v1/tokenize": {"content": text},
        "/v1/models/load": {"model": text},
        "/v1/rerank": {"query": text, "documents": [text], "instruction": text},
    }
    for path, fields in others.items():
        content = json.dumps({"model": "talker", **fields})
        response = httpx.post(f"{url}{path}", content=content, headers=HEADERS, timeout=60)
        assert response.status_code < 500, response.text
        response.json()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
_FIELDS = st.sampled_from(
    ["model", "messages", "prompt", "stream", "input", "query", "documents", "content", "tokens", "tools", "wait"]
)


@given(st.sampled_from(POSTS), st.dictionaries(_FIELDS, _JSON, max_size=5))
@hypothesis_settings(max_examples=60, deadline=None)
def test_wrong_types_are_the_client_s_fault(url: str, path: str, body: dict[str, Any]) -> None:
    response = httpx.post(f"{url}{path}", content=json.dumps(body), headers=HEADERS, timeout=60)
    assert 400 <= response.status_code < 500 or response.status_code == 200
    if response.status_code != 200:
        assert response.json()["error"]["code"]


def test_a_huge_body_that_is_announced(url: str) -> None:
    with connection(url) as client:
        client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n{")
        status, error = answer(client)
    assert (status, error["code"]) == (413, "body_too_large")


def test_a_huge_body_that_is_not_announced(url: str) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(30):
            yield b" " * 1000

    response = httpx.post(f"{url}/v1/chat/completions", content=pieces(), headers=HEADERS)
    assert (response.status_code, response.json()["error"]["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(1000)) + b"\r\n",
        b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 9000,
    ],
    ids=["address", "many headers", "a header without an end"],
)
def test_a_head_that_is_too_large(url: str, head: bytes) -> None:
    with connection(url) as client:
        client.sendall(head)
        status, error = answer(client)
    assert (status, error["code"]) == (431, "head_too_large")


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_head_that_never_ends(url: str, sent: bytes) -> None:
    with connection(url) as client:
        client.sendall(sent)
        status, error = answer(client)
    assert (status, error["code"]) == (408, "request_timeout")
    assert "head did not arrive within 0.5 s" in error["message"]


def test_a_body_that_never_ends(url: str) -> None:
    with connection(url) as client:
        client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        status, error = answer(client)
    assert (status, error["code"]) == (408, "request_timeout")


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\x00\x01\x00\x01", b"HELLO\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"])
def test_what_is_no_http(url: str, sent: bytes) -> None:
    with connection(url) as client:
        client.sendall(sent)
        status, error = answer(client)
    assert (status, error["code"]) == (400, "invalid_http")


def test_a_hundred_megabytes_are_refused_after_the_first_of_them(url: str) -> None:
    """Announced or not, the rest is not read: the connection is closed on whoever goes on sending."""
    piece = b" " * 65536
    heads = (b"Content-Length: 104857600\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n")
    for head in heads:
        sent = 0
        with connection(url) as client:
            client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n" + head)
            with contextlib.suppress(ConnectionError):
                while sent < 100_000_000:
                    chunked = b"10000\r\n" + piece + b"\r\n"
                    client.sendall(piece if head is heads[0] else chunked)
                    sent += len(piece)
            received = b""
            with contextlib.suppress(ConnectionError):
                while part := client.recv(65536):
                    received += part
        assert sent < 50_000_000  # what buffers on the way take
        # Who still sends when the connection is closed may lose the answer.
        assert received == b"" or b" 413 " in received.partition(b"\r\n")[0]


def test_bodies_that_drip_are_read_or_cut_off_at_their_time(url: str) -> None:
    body = json.dumps({"model": "talker", "messages": [{"role": "user", "content": "Hi"}]}).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with connection(url) as client:
        client.sendall(head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
        for place in range(len(body)):
            client.sendall(body[place : place + 1])
        received = b""
        while piece := client.recv(65536):
            received += piece
    assert b"Hello" in received
    with connection(url) as client:
        client.sendall(head + b"Content-Length: 20000\r\n\r\n")
        # Each byte comes in time, all of them together never would.
        with contextlib.suppress(ConnectionError):
            while not select.select([client], [], [], 0.05)[0]:
                client.sendall(b" ")
        status, error = answer(client)
    assert (status, error["code"]) == (408, "request_timeout")


def test_a_client_that_does_not_read_keeps_nobody_waiting(
    start_service: StartService, write_model: WriteModel
) -> None:
    """Its stream fills the buffers on the way; others are answered, and at its end the model is free."""
    write_model(
        'context 32768\nrule "endless"\n  forever " la la la la"\nend\nrule *\n  text "Hello"\nend\n', "talker"
    )
    url = start_service()
    body = {"model": "talker", "stream": True, "messages": [{"role": "user", "content": "endless"}], "max_tokens": -1}
    with connection(url) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sent = json.dumps(body).encode()
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        client.sendall(head + b"Content-Length: %d\r\n\r\n" % len(sent) + sent)
        assert client.recv(100).startswith(b"HTTP/1.1 200")
        for _ in range(3):
            assert httpx.get(f"{url}/health").json()["active_request"]
    body |= {"stream": False, "messages": [{"role": "user", "content": "Hi"}]}
    assert httpx.post(f"{url}/v1/chat/completions", json=body, timeout=60).json()["choices"][0]["message"]["content"]


def test_a_client_that_is_gone_without_a_word_frees_the_model(url: str) -> None:
    """A reset instead of an end: neither the answer nor the connection is kept."""
    body = json.dumps({"model": "talker", "messages": [{"role": "user", "content": "song"}], "stream": True}).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    for _ in range(5):
        with connection(url) as client:
            client.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            received = b""
            while b" la" not in received:
                received += client.recv(65536)
            # No more is read, and the rest is thrown away: this is what a machine that loses its network does.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert httpx.get(f"{url}/health").status_code == 200


def test_a_client_that_closes_one_half(url: str) -> None:
    with connection(url) as client:
        client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):
            continue


def test_clients_that_send_nothing_do_not_keep_others_out(url: str) -> None:
    """Those beyond the bound are told so; those within it are closed after their time."""
    host, port = url.removeprefix("http://").split(":")
    clients = [socket.create_connection((host, int(port)), timeout=20) for _ in range(25)]
    statuses = []
    for client in clients:
        with client:
            statuses.append(answer(client)[0])
    assert set(statuses) == {408, 503}
    assert statuses.count(503) >= 5


def test_a_long_answer_outlives_the_limits_on_requests(start_service: StartService, url: str) -> None:
    body = json.dumps({"model": "talker", "messages": [{"role": "user", "content": "Hi"}]}).encode()
    request = (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    )
    with connection(url) as client:
        # Two requests on one connection, the second one sent before the first is answered.
        whole = request % len(body) + b"\r\n" + body
        client.sendall(whole + whole[:10])
        received = b""
        while b"Hello" not in received:
            received += client.recv(65536)
        client.sendall(whole[10:])
        while received.count(b"Hello") < 2:
            received += client.recv(65536)
    assert received.count(b"200 OK") == 2
