"""The service through the real OpenAI client."""

import asyncio
import json
import re
import threading
import time

import httpx
import openai
import pytest

from rag_service.app import create_app
from tests.conftest import WriteModel, needs_llama
from tests.service.conftest import StartService

pytestmark = needs_llama

SCRIPT = """
word " la"
word " tick"
context 512
decode_ms 1
rule "endless"
  forever " la"
end
rule "slow"
  repeat 400 " tick"
end
rule "drag"
  repeat 20 " tick"
  sleep 60000
  text "done"
end
rule "crash now"
  crash
end
rule "crash"
  text "so far "
  crash
end
rule "request {name}"
  text "This is the answer to {name}."
end
rule *
  text "Hello, \\"wörld\\"\\n你好 👋"
end
"""
HELLO = 'Hello, "wörld"\n你好 👋'


@pytest.fixture
def url(start_service: StartService, write_model: WriteModel) -> str:
    write_model(SCRIPT, "talker")
    write_model(SCRIPT, "Other_Model")
    return start_service()


@pytest.fixture
def client(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=30)


def complete(client: openai.OpenAI, text: str, **options: object) -> openai.types.chat.ChatCompletion:
    created: openai.types.chat.ChatCompletion = client.chat.completions.create(  # type: ignore[call-overload]
        model="talker", messages=[{"role": "user", "content": text}], **options
    )
    return created


def test_models_are_listed(client: openai.OpenAI) -> None:
    listed = client.models.list().data
    assert {"talker", "other-model"} <= {model.id for model in listed}
    assert client.models.retrieve("talker").owned_by == "rkllm"


def test_an_unknown_model_names_those_there_are(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("nobody")
    assert "talker" in caught.value.message
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError, match="other-model"):
        client.chat.completions.create(model="../talker", messages=[{"role": "user", "content": "Hi"}])


def test_a_whole_answer(client: openai.OpenAI) -> None:
    answer = complete(client, "Hi!")
    assert answer.object == "chat.completion"
    assert answer.choices[0].message.content == HELLO
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    again = complete(client, "Hi!")
    assert again.id != answer.id
    assert again.usage is not None
    assert again.usage.prompt_tokens_details is not None
    assert again.usage.prompt_tokens_details.cached_tokens == answer.usage.prompt_tokens


def test_a_streamed_answer(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="talker",
            messages=[{"role": "user", "content": "Hi!"}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert all(chunk.choices[0].delta.role is None for chunk in chunks[1:-1])
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1]) == HELLO
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None] * (len(chunks) - 2) + ["stop"]
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_a_stream_on_the_wire(url: str) -> None:
    body = {"model": "talker", "stream": True, "messages": [{"role": "user", "content": "Hi!"}]}
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=body) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in response.iter_lines() if line]
    assert lines[-1] == "data: [DONE]"
    events = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    assert all("usage" not in event for event in events)
    assert {event["object"] for event in events} == {"chat.completion.chunk"}


def test_the_limit_on_tokens(client: openai.OpenAI) -> None:
    for name in ("max_tokens", "max_completion_tokens"):
        answer = complete(client, "endless", **{name: 5})
        assert answer.choices[0].message.content == " la" * 5
        assert answer.choices[0].finish_reason == "length"
        assert answer.usage is not None
        assert answer.usage.completion_tokens == 5


def test_a_stop_sequence(client: openai.OpenAI) -> None:
    answer = complete(client, "Hi!", stop=['"wör'])
    assert answer.choices[0].message.content == "Hello, "
    assert answer.choices[0].finish_reason == "stop"


def test_content_parts_and_the_developer_role(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="talker",
        messages=[
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "content": [{"type": "text", "text": "request "}, {"type": "text", "text": "p12"}]},
        ],
    )
    assert answer.choices[0].message.content == "This is the answer to p12."


def test_eight_at_once_and_one_cancelled(url: str) -> None:
    async def ask(client: openai.AsyncOpenAI, number: int) -> str:
        answer = await client.chat.completions.create(
            model="talker", messages=[{"role": "user", "content": f"request n{number}"}]
        )
        return answer.choices[0].message.content or ""

    async def cancelled(client: openai.AsyncOpenAI) -> None:
        stream = await client.chat.completions.create(
            model="talker", messages=[{"role": "user", "content": "drag"}], stream=True
        )
        async for _ in stream:
            break
        await stream.close()

    async def everybody() -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
            dropped = asyncio.create_task(cancelled(client))
            answers = await asyncio.gather(*(ask(client, number) for number in range(8)))
            await dropped
            return answers

    started = time.monotonic()
    assert asyncio.run(everybody()) == [f"This is the answer to n{number}." for number in range(8)]
    assert time.monotonic() - started < 45  # the cancelled one was not waited for: it takes a minute


def test_a_stream_that_is_closed_frees_the_model(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="talker", messages=[{"role": "user", "content": "drag"}], stream=True
    )
    for number, _ in enumerate(stream):
        if number == 3:
            break
    stream.close()
    assert_not_kept_waiting(client)


def test_a_client_that_gives_up_frees_the_model(url: str, client: openai.OpenAI) -> None:
    complete(client, "Hi!")
    body = {"model": "talker", "messages": [{"role": "user", "content": "drag"}]}
    with pytest.raises(httpx.TimeoutException):
        httpx.post(f"{url}/v1/chat/completions", json=body, timeout=0.05)
    assert_not_kept_waiting(client)


def assert_not_kept_waiting(client: openai.OpenAI) -> None:
    """The other run was aborted: this request does not wait for its minute."""
    answer = complete(client, "Hi!")
    assert answer.choices[0].message.content == HELLO
    assert (answer.model_extra or {})["timings"]["queue_ms"] < 30_000


def test_health_answers_while_the_model_generates(url: str, client: openai.OpenAI) -> None:
    done = threading.Event()

    def generate() -> None:
        complete(client, "slow")
        done.set()

    thread = threading.Thread(target=generate)
    thread.start()
    answered = 0
    while not done.is_set():
        assert httpx.get(f"{url}/health", timeout=2).json()["status"] == "ok"
        answered += 1
    thread.join()
    assert answered > 5


def test_a_prompt_too_long_gives_both_numbers(client: openai.OpenAI) -> None:
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError, match=r"\d+ tokens.*512") as caught:
            complete(client, "word " * 1000, stream=stream)
        assert caught.value.code == "context_length_exceeded"


def test_a_body_that_is_no_json_is_a_clear_400(url: str) -> None:
    for content in (b"", b"{", b"\xff\xfe", b"[]"):
        response = httpx.post(
            f"{url}/v1/chat/completions", content=content, headers={"Content-Type": "application/json"}
        )
        assert response.status_code == 400, content
        assert response.json()["error"]["type"] == "invalid_request_error"


def test_an_unknown_route_has_an_openai_error(url: str) -> None:
    response = httpx.get(f"{url}/v1/nothing")
    assert response.status_code == 404
    assert response.json()["error"]["message"] == "Not Found"


def test_a_full_queue_says_when_to_come_back(start_service: StartService, write_model: WriteModel) -> None:
    write_model(SCRIPT, "talker")
    url = start_service(queue_limit=1)
    body = {"model": "talker", "messages": [{"role": "user", "content": "slow"}]}

    async def flood() -> list[httpx.Response]:
        async with httpx.AsyncClient(timeout=30) as client:
            return await asyncio.gather(*(client.post(f"{url}/v1/chat/completions", json=body) for _ in range(6)))

    responses = asyncio.run(flood())
    refused = [response for response in responses if response.status_code == 429]
    assert refused
    assert all(int(response.headers["retry-after"]) >= 1 for response in refused)
    assert refused[0].json()["error"]["code"] == "queue_full"
    assert any(response.status_code == 200 for response in responses)


def test_a_crash_before_and_after_the_first_token(client: openai.OpenAI) -> None:
    with pytest.raises(openai.InternalServerError, match="worker process") as caught:
        complete(client, "crash now", stream=True)
    assert caught.value.status_code == 503
    assert "retry-after" in caught.value.response.headers
    with pytest.raises(openai.APIError, match="worker process"):
        list(complete(client, "crash", stream=True))
    assert complete(client, "Hi!").choices[0].message.content == HELLO


def test_ignored_fields_are_named(url: str) -> None:
    body = {"model": "talker", "messages": [{"role": "user", "content": "Hi"}], "seed": 7, "user": "me"}
    response = httpx.post(f"{url}/v1/chat/completions", json=body)
    assert response.status_code == 200
    assert response.headers["x-rkllm-ignored-fields"] == "seed,user"


def test_names_that_no_header_can_carry_are_left_out(url: str) -> None:
    body = {"model": "talker", "messages": [{"role": "user", "content": "Hi"}], "温度": 1, "a\r\nb": 2, "seed": 3}
    for stream in (False, True):
        response = httpx.post(f"{url}/v1/chat/completions", json={**body, "stream": stream})
        assert response.status_code == 200
        assert response.headers["x-rkllm-ignored-fields"] == "seed"


def test_a_body_too_large_is_refused_before_it_is_read(start_service: StartService, write_model: WriteModel) -> None:
    write_model(SCRIPT, "talker")
    url = start_service(body_limit=2000)
    announced = httpx.post(f"{url}/v1/chat/completions", content=b"x" * 3000)
    chunked = httpx.post(f"{url}/v1/chat/completions", content=iter([b"x" * 1500, b"x" * 1500]))
    for response in (announced, chunked):
        assert response.status_code == 413
        assert response.json()["error"]["code"] == "body_too_large"
    assert httpx.get(f"{url}/health").status_code == 200


def test_a_stream_that_is_silent_sends_comments(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag_service.api.event_stream._KEEP_ALIVE_SECONDS", 0.02)
    body = {"model": "talker", "messages": [{"role": "user", "content": "drag"}], "stream": True}
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=body) as response:
        lines = (line for line in response.iter_lines() if line)
        seen: list[str] = []
        while seen[-1:] != [": keep-alive"] or len([line for line in seen if '" tick"' in line]) < 20:
            seen.append(next(lines))
    assert "[DONE]" not in seen[-1]


def test_a_long_prompt_tells_how_far_it_is_read(
    start_service: StartService, write_model: WriteModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag_service.api.event_stream._KEEP_ALIVE_SECONDS", 0.05)
    monkeypatch.setattr("rag_service.api.event_stream._STATUS_SECONDS", 0.05)
    write_model('context 8192\nprefill_ms 1\nrule *\n  text "Hello."\nend\n', "talker")
    url = start_service(prefill_chunk=100)
    body = {"model": "talker", "messages": [{"role": "user", "content": "tick " * 1000}], "stream": True}
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=body) as response:
        told = [line for line in response.iter_lines() if line.endswith("prompt tokens read")]
    assert told
    assert all(re.fullmatch(r": \d+00 of \d+ prompt tokens read", line) for line in told)


def test_there_is_a_description_of_all_routes() -> None:
    described = create_app().openapi()["paths"]
    assert {"/v1/chat/completions", "/v1/embeddings", "/v1/rerank", "/v1/tokenize"} <= set(described)
    assert "/chat/completions" not in described


def test_stops_have_a_bound(url: str) -> None:
    body = {"model": "talker", "messages": [{"role": "user", "content": "Hi"}]}
    for stops in (["x"] * 17, ["x" * 257]):
        response = httpx.post(f"{url}/v1/chat/completions", json={**body, "stop": stops})
        assert response.status_code == 400
        assert response.json()["error"]["param"] == "stop"


def test_a_model_file_that_is_replaced_is_loaded_anew(start_service: StartService, write_model: WriteModel) -> None:
    write_model(SCRIPT, "talker")
    url = start_service()
    body = {"model": "talker", "messages": [{"role": "user", "content": "Hi"}]}
    first = httpx.post(f"{url}/v1/chat/completions", json=body).json()
    write_model('rule *\n  text "I am new."\nend\n', "talker")
    second = httpx.post(f"{url}/v1/chat/completions", json=body).json()
    assert first["choices"][0]["message"]["content"] == HELLO
    assert second["choices"][0]["message"]["content"] == "I am new."


def test_all_names_of_a_model_share_one_engine(client: openai.OpenAI) -> None:
    names = ["other-model", "Other_Model", "other", "OTHER"]
    for name in names:
        answer = client.chat.completions.create(model=name, messages=[{"role": "user", "content": "Hi!"}])
        assert answer.choices[0].message.content == HELLO
        assert answer.model == "other-model"
        loaded = (answer.model_extra or {})["timings"]["load_ms"] > 0
        assert loaded is (name == names[0])


def test_what_is_written_beside_a_model_counts_at_once(start_service: StartService, write_model: WriteModel) -> None:
    path = write_model(SCRIPT, "talker")
    client = openai.OpenAI(base_url=f"{start_service()}/v1", api_key="none", max_retries=0, timeout=30)
    assert complete(client, "Hi!").choices[0].finish_reason == "stop"
    path.with_name("model.toml").write_text("context_length = 64\n")
    with pytest.raises(openai.BadRequestError, match="holds 64"):
        complete(client, "word " * 100)
    path.with_name("model.toml").write_text("context_lenght = 64\n")
    assert client.models.list().data == [] or "talker" not in {model.id for model in client.models.list().data}
    with pytest.raises(openai.InternalServerError, match="context_lenght"):
        complete(client, "Hi!")
    path.with_name("model.toml").unlink()
    assert complete(client, "Hi!").choices[0].message.content == HELLO


def test_a_model_of_its_own_is_loaded_at_start(start_service: StartService, write_model: WriteModel) -> None:
    write_model(SCRIPT, "talker")
    url = start_service(model="talker")
    response = httpx.post(f"{url}/v1/chat/completions", json={"messages": [{"role": "user", "content": "Hi"}]})
    assert response.json()["model"] == "talker"


def test_making_the_application_does_nothing() -> None:
    assert create_app().title == "RKLLM service"
