"""Requests that are refused: which part is named, and what was given there."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import needs_llama
from tests.service.conftest import serving

pytestmark = needs_llama


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("models"), talker='rule *\n  text "Hello"\nend\n') as url:
        yield url


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": "talker"}, "messages"),
        ({"model": "talker", "messages": []}, "messages"),
        ({"model": "talker", "messages": [{"role": "wizard", "content": "Hi"}]}, "messages[0].role"),
        ({"model": "talker", "messages": [{"role": "user", "content": "Hi"}], "temperature": "hot"}, "temperature"),
        ({"model": "talker", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 0}, "max_tokens"),
        ({"model": "talker", "messages": [{"role": "user", "content": "Hi"}], "n": 2}, "n"),
        ({"messages": [{"role": "user", "content": "Hi"}]}, "model"),
        (
            {"model": "talker", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content[0].image_url",
        ),
        ({"model": "talker", "messages": [{"role": "user"}]}, "messages[0].content"),
        ({"model": "talker", "messages": [{"role": "system", "content": None}]}, "messages[0].content"),
        (
            {"model": "talker", "messages": [{"role": "user", "content": "Hi"}, {"role": "tool"}]},
            "messages[1].content",
        ),
    ],
)
def test_a_bad_body_is_a_clear_400(url: str, body: dict[str, object], param: str) -> None:
    response = httpx.post(f"{url}/v1/chat/completions", json=body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert error["message"]


def test_an_assistants_message_may_have_no_content(url: str) -> None:
    hi = {"role": "user", "content": "Hi"}
    body = {"model": "talker", "messages": [hi, {"role": "assistant", "content": None}, hi]}
    response = httpx.post(f"{url}/v1/chat/completions", json=body)
    assert response.json()["choices"][0]["message"]["content"] == "Hello"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("temperature", "hot", '(given: "hot")'),
        ("temperature", 2.5, "(given: 2.5)"),
        ("stream", None, "(given: null)"),
        ("temperature", "ä" * 1000, f'(given: "{"ä" * 59}…)'),
        ("temperature", "\ud800", '(given: "\\ud800")'),
        ("temperature", [1, 2], "(given: a list of 2)"),
        ("model", {"x": 1}, "(given: an object)"),
    ],
)
def test_a_value_that_is_wrong_is_named(url: str, name: str, value: object, shown: str) -> None:
    body = {"model": "talker", "messages": [{"role": "user", "content": "Hi"}], name: value}
    headers = {"Content-Type": "application/json"}
    response = httpx.post(f"{url}/v1/chat/completions", content=json.dumps(body), headers=headers)
    assert response.status_code == 400
    assert response.json()["error"]["message"].endswith(shown)
    undeclared = httpx.post(f"{url}/v1/chat/completions", content=json.dumps(body))
    assert undeclared.status_code == 400
    assert "bytes; is the Content-Type application/json?" in undeclared.json()["error"]["message"]
