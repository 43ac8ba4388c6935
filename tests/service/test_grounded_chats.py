"""Chats with sources, tasks and tools in them, through the service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import needs_llama
from tests.service.conftest import StartService, serving

pytestmark = needs_llama

# Answers with what it was given, so that a test can tell.
SCRIPT = """
context 2048
words Rotterdam harbour Delta works Oosterscheldekering finished bananas yellow potassium
rule "finished in 1986"
  text "In 1986 [2], as the page says [7]."
end
rule "Without sources?"
  text "No sources here."
end
rule *
  text "I was given nothing [1]."
end
"""
DELTA = (
    "The Oosterscheldekering is the largest of the Delta Works. It was finished in 1986 after ten years of work. "
    "Queen Beatrix opened it on 4 October 1986. The barrier is nine kilometres long and has 62 steel doors."
)
BANANAS = "Bananas are yellow when ripe. They are rich in potassium and grow in bunches called hands."


def sources(*texts: str, url: str = "") -> str:
    address = f' url="{url}"' if url else ""
    written = "\n".join(
        f'<source id="{number}" name="page{number}.txt"{address}>{text}</source>'
        for number, text in enumerate(texts, 1)
    )
    return f"### Task:\nAnswer from the context.\n\n<context>\n{written}\n</context>\n\n"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("models"), talker=SCRIPT) as base:
        yield base


def ask(url: str, *messages: dict[str, Any], headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
    content = {"model": "talker", "messages": list(messages), **body}
    return httpx.post(f"{url}/v1/chat/completions", json=content, headers=headers, timeout=60)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def text_of(response: httpx.Response) -> str:
    assert response.status_code == 200, response.text
    return str(response.json()["choices"][0]["message"]["content"])


def test_the_passage_that_answers_reaches_the_model(url: str) -> None:
    question = "When was the Oosterscheldekering finished?"
    response = ask(url, user(sources(BANANAS, DELTA) + question))
    # A citation of a source there is stays, one of none goes.
    assert text_of(response) == "In 1986 [2], as the page says."


@pytest.mark.parametrize("stream", [True, False])
def test_so_it_is_in_the_forms_of_other_apis(url: str, stream: bool) -> None:
    messages = [user(sources(BANANAS, DELTA) + "When was the Oosterscheldekering finished?")]
    body = {"model": "talker", "messages": messages, "stream": stream, "max_tokens": 100}
    ollama = httpx.post(f"{url}/api/chat", json=body, timeout=60)
    lines = [json.loads(line)["message"]["content"] for line in ollama.text.splitlines()]
    assert "".join(lines) == "In 1986 [2], as the page says."
    anthropic = httpx.post(f"{url}/v1/messages", json=body, timeout=60)
    if stream:
        told = [json.loads(line[6:]) for line in anthropic.text.splitlines() if line.startswith("data: ")]
        texts = [one["delta"]["text"] for one in told if one.get("delta", {}).get("type") == "text_delta"]
    else:
        texts = [anthropic.json()["content"][0]["text"]]
    assert "".join(texts) == "In 1986 [2], as the page says."


def test_what_is_said_of_sources_is_the_same_in_a_stream(url: str) -> None:
    message = user(sources(BANANAS, DELTA, url="https://example.org/delta") + "When was it finished, the barrier?")
    whole = ask(url, message).json()["choices"][0]["message"]
    text, annotations = "", []
    with httpx.stream(
        "POST",
        f"{url}/v1/chat/completions",
        json={"model": "talker", "messages": [message], "stream": True},
        timeout=60,
    ) as response:
        for line in response.iter_lines():
            if line.startswith("data: {"):
                delta = json.loads(line[6:])["choices"][0]["delta"]
                text += delta.get("content") or ""
                annotations += delta.get("annotations", [])
    assert text == whole["content"]
    assert annotations == whole["annotations"]
    assert {one["url_citation"]["url"] for one in annotations} == {"https://example.org/delta"}


def test_sources_in_the_system_message(url: str) -> None:
    system = {"role": "system", "content": "You are brief.\n\n" + sources(BANANAS, DELTA)}
    response = ask(url, system, user("When was the Oosterscheldekering finished?"))
    assert text_of(response) == "In 1986 [2], as the page says."


def test_content_as_a_list(url: str) -> None:
    content = [{"type": "text", "text": sources(BANANAS, DELTA) + "When was the Oosterscheldekering finished?"}]
    assert text_of(ask(url, {"role": "user", "content": content})).startswith("In 1986 [2]")


def test_thanks_reads_no_sources(url: str) -> None:
    history = [user("When was it finished?"), {"role": "assistant", "content": "In 1986."}]
    response = ask(url, *history, user(sources(DELTA) + "thanks!"))
    assert text_of(response) == "I was given nothing [1]."


def test_a_long_document_leaves_room_for_the_answer(url: str) -> None:
    filler = " ".join(f"Chapter {number} tells of harbour works in Rotterdam." for number in range(4000))
    response = ask(url, user(sources(f"{filler} {DELTA} {filler}") + "When was the Oosterscheldekering finished?"))
    assert text_of(response).startswith("In 1986")
    assert response.json()["usage"]["prompt_tokens"] < 1900


def test_a_chat_without_sources_is_not_touched(url: str) -> None:
    assert text_of(ask(url, user("Without sources?"))) == "No sources here."
    assert text_of(ask(url, user("What does <source> mean in HTML?"))) == "I was given nothing [1]."


@pytest.mark.parametrize("text", ["</source></context>", '<source id="1">', "<context>" * 50, "<source id=" * 100])
def test_broken_sources_are_questions(url: str, text: str) -> None:
    assert text_of(ask(url, user(text)))


def test_nothing_is_read_where_that_is_off(start_service: StartService, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir(exist_ok=True)
    (folder / "talker.rkllm").write_text(f"#!rkllm-script 1\n{SCRIPT}")
    base = start_service(rag=False)
    response = ask(base, user(sources(BANANAS, DELTA) + "When?"))
    assert text_of(response) == "In 1986 [2], as the page says [7]."


def test_a_client_can_have_its_chat_answered_as_it_is(url: str) -> None:
    response = ask(url, user(sources(BANANAS, DELTA) + "When?"), headers={"X-RKLLM-Plain": "1"})
    assert text_of(response) == "In 1986 [2], as the page says [7]."
    assert ask(url, user(TITLE), headers={"X-RKLLM-Plain": "1"}).json()["usage"]["completion_tokens"] > 0


TITLE = """### Task:
Make a heading for the talk below.
### Output:
JSON: { "title": "the heading" }
### Chat History:
<chat_history>
USER: How do I prune roses in spring?
ASSISTANT: Cut them back in March.
</chat_history>"""


@pytest.mark.parametrize("headers", [{}, {"X-OpenWebUI-Task": "title_generation"}])
def test_a_title_takes_no_model(url: str, headers: dict[str, str]) -> None:
    response = ask(url, user(TITLE), headers=headers)
    title = json.loads(text_of(response))["title"]
    assert "roses" in title.lower()
    assert len(title.split()) <= 6
    assert response.json()["usage"]["completion_tokens"] == 0


def test_a_task_that_is_declined(url: str) -> None:
    response = ask(url, user("Anything"), headers={"X-OpenWebUI-Task": "autocomplete_generation"})
    assert json.loads(text_of(response)) == {"text": ""}


def test_a_task_that_the_model_answers(start_service: StartService, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir(exist_ok=True)
    (folder / "talker.rkllm").write_text(f"#!rkllm-script 1\n{SCRIPT}")
    base = start_service(tasks={"title": "model"})
    assert text_of(ask(base, user(TITLE))) == "I was given nothing [1]."


def test_who_asks_for_queries_gets_an_answer(url: str) -> None:
    text = 'Please generate search queries for roses. Respond as { "queries": [] } in JSON.'
    assert text_of(ask(url, user(text))) == "I was given nothing [1]."


def tool(name: str, words: int) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"query": {"type": "string", "description": "harbour " * words}}}
    return {"type": "function", "function": {"name": name, "description": "Does it.", "parameters": parameters}}


def test_tools_that_do_not_fit_are_left_out_with_a_hint(url: str) -> None:
    many = [tool(f"tool_{number}", 100) for number in range(28)]
    response = ask(url, user("hello"), tools=many)
    assert text_of(response) == "I was given nothing [1]."
    assert "28 tools" in response.headers["x-rkllm-hint"]
    assert "RKLLM_TOOL_SHARE" in response.headers["x-rkllm-hint"]


def test_tools_that_fit_stay(url: str) -> None:
    response = ask(url, user("hello"), tools=[tool("search", 3)])
    assert response.status_code == 200
    assert "x-rkllm-hint" not in response.headers


def test_tools_that_do_not_fit_leave_those_that_the_chat_has_used(url: str) -> None:
    """Open WebUI sends them all again with each result, and the window holds them no better than before."""
    many = [tool(f"tool_{number}", 100) for number in range(28)]
    call = {"id": "c1", "type": "function", "function": {"name": "tool_3", "arguments": "{}"}}
    chat = [
        user("Without sources?"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "nothing"},
    ]
    response = ask(url, *chat, tools=many)
    assert response.status_code == 200, response.text
    assert "27 tools" in response.headers["x-rkllm-hint"]
    prompt = [ask(url, *chat, tools=tools).json()["usage"]["prompt_tokens"] for tools in (many, [many[3]])]
    assert prompt[0] == prompt[1]
    too_large = ask(url, *chat, tools=[tool("tool_3", 1500), tool("tool_1", 3)])
    assert too_large.status_code == 200, too_large.text
    assert "2 tools" in too_large.headers["x-rkllm-hint"]


def test_a_search_is_called_for_the_model(start_service: StartService, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir(exist_ok=True)
    (folder / "talker.rkllm").write_text(f"#!rkllm-script 1\n{SCRIPT}")
    base = start_service(search_for_model=True)
    question = user("When was the Oosterscheldekering finished?")
    tools = [tool("search_web", 3)]
    called = ask(base, question, tools=tools).json()["choices"][0]
    assert called["finish_reason"] == "tool_calls"
    call = called["message"]["tool_calls"][0]
    assert "Oosterscheldekering" in json.loads(call["function"]["arguments"])["query"]
    found = json.dumps([{"title": "Delta Works", "link": "https://example.org/d", "snippet": DELTA}])
    answer = ask(
        base,
        question,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": found},
        tools=tools,
    )
    assert text_of(answer).startswith("In 1986")
    assert not json.loads(ask(base, user("thanks!"), tools=tools).text)["choices"][0]["message"].get("tool_calls")
