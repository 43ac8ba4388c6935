"""What other servers for these boards were seen to do wrong, by number: runs, caches and queues.

Numbers 9 and 14 are in ``test_shutdown``, those about what is said in ``test_peer_failures_content``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rkllm_providers.engine.process import WorkerProcess
from tests.conftest import WriteModel, needs_llama
from tests.service.chat_client import ChatClient, Message, assistant, connected, user
from tests.service.conftest import StartService, serving

pytestmark = needs_llama

CONTEXT = 1024
SCRIPT = f"""
context {CONTEXT}
words alpha beta gamma delta one two three four five six seven
word " la"
rule "song"
  repeat 300 " la"
  sleep 60000
  text " over."
end
rule "endless"
  forever " la"
end
rule "Say {{name}}"
  text "{{name}}"
end
rule "Count"
  text "one two three four five six seven"
end
rule "I am {{name}}"
  text "You are {{name}}."
end
rule "number is {{name}}"
  text "It is {{name}}."
end
rule "letters"
  text "alpha be"
  text "ta gamma delta"
end
rule "break"
  text "alpha"
  error
end
rule "refuse"
  fail
end
rule *
  text "Hello there."
end
"""
VERSIONS = ("1.2.3", "1.3.0")
"""Before 1.3.0 an answer is ended at its limit by an abort."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatClient]:
    with serving(tmp_path_factory.mktemp("models"), talker=SCRIPT) as url, connected(url) as client:
        yield client


def worker_deaths(client: ChatClient) -> float:
    lines = client.http.get("/metrics").text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("rkllm_worker_deaths_total")))


def test_failure_01_a_cancelled_stream_costs_nobody_anything(client: ChatClient) -> None:
    for number in range(10):
        stream = client.pieces(user("A song"))
        for _ in range(1 + number * 29):
            assert next(stream) == " la"
        stream.close()  # it would go on for a minute
        assert client.say(user(f"Say n{number}")) == f"n{number}"
    assert worker_deaths(client) == 0


def test_failure_01_a_request_that_ends_does_not_race_the_next(client: ChatClient) -> None:
    def say(number: int) -> str:
        fields = {"max_tokens": 20} if number % 3 else {}
        message = user(f"Say n{number}")
        return "".join(client.pieces(message, **fields)) if number % 2 else client.say(message, **fields)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(say, range(120))) == [f"n{number}" for number in range(120)]
    assert worker_deaths(client) == 0


def test_failure_02_parallel_first_requests_load_the_model_once(
    start_service: StartService, write_model: WriteModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[WorkerProcess] = []
    begin = WorkerProcess.__init__

    def counted(self: WorkerProcess, *args: Any, **kwargs: Any) -> None:
        started.append(self)
        begin(self, *args, **kwargs)

    monkeypatch.setattr(WorkerProcess, "__init__", counted)
    write_model(SCRIPT, "talker")
    together = threading.Barrier(4)
    with connected(start_service()) as client, ThreadPoolExecutor(4) as pool:

        def first(number: int) -> str:
            together.wait(30)
            return client.say(user(f"Say n{number}"))

        assert list(pool.map(first, range(4))) == ["n0", "n1", "n2", "n3"]
    assert len(started) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_failure_03_what_a_limit_cut_off_does_not_begin_the_next_answer(
    start_service: StartService, write_model: WriteModel, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setenv("RKLLM_EMULATOR_VERSION", version)
    write_model(SCRIPT, "talker")
    with connected(start_service()) as client:
        for limit in range(1, 8):
            cut = client.ask(user("Count"), max_tokens=limit).json()
            said = cut["choices"][0]["message"]["content"]
            assert (cut["choices"][0]["finish_reason"], cut["usage"]["completion_tokens"]) == ("length", limit)
            assert "one two three four five six seven".startswith(said)
            assert client.say(user("Hi")) == "Hello there."
            assert "".join(client.pieces(user("Count"), max_tokens=limit)) == said
            assert "".join(client.pieces(user("Hi"))) == "Hello there."


def test_failure_04_chats_that_open_alike_stay_apart(client: ChatClient) -> None:
    opening = [user("Hello"), assistant("Hello there.")]
    chats = {name: [*opening, user(f"I am {name}")] for name in ("Ada", "Bob", "Cy")}
    for name, chat in chats.items():
        chat.append(assistant(client.say(*chat)))
        assert chat[-1]["content"] == f"You are {name}."
    for _ in range(2):
        for name, chat in chats.items():
            chat.append(user("Who am I?"))
            chat.append(assistant(client.say(*chat)))
            assert chat[-1]["content"] == f"You are {name}."


def test_failure_05_an_edited_answer_counts(client: ChatClient) -> None:
    for number in ("7", "8", "9", "7"):
        chat = [user("What is it?"), assistant(f"The number is {number}"), user("Which one?")]
        assert client.say(*chat) == f"It is {number}."


# Slower servers waited 0.1 s before each token: half a minute for this song.
@pytest.mark.timeout(25)
def test_failure_06_tools_hold_no_token_back(client: ChatClient) -> None:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
    tools = [
        {"type": "function", "function": {"name": f"look_{number}", "parameters": parameters}} for number in range(2)
    ]
    assert "x-rkllm-hint" not in client.ask(user("Hi"), tools=tools).headers  # none was left out
    stream = client.pieces(user("A song"), tools=tools)
    sung = "".join(next(stream) for _ in range(290))  # the model goes on for a minute
    stream.close()
    assert sung == " la" * 290


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("stop", ["beta", "ta ga", " beta gamma", "a g"])
def test_failure_10_no_part_of_a_stop_is_shown_and_nothing_behind_it(
    client: ChatClient, stop: str, stream: bool
) -> None:
    wanted = "alpha beta gamma delta".partition(stop)[0]
    message = user("letters")
    said = "".join(client.pieces(message, stop=stop)) if stream else client.say(message, stop=[stop, "omega"])
    assert said == wanted


def test_failure_10_an_error_of_the_runtime_is_no_answer(client: ChatClient) -> None:
    for text in ("break", "refuse"):
        whole = client.ask(user(text))
        assert whole.status_code == 500
        assert whole.json()["error"]["code"] == "generation_failed"
    assert client.ask(user("refuse"), stream=True).status_code == 500
    *said, last = client.events(user("break"))
    assert "".join(event["choices"][0]["delta"].get("content") or "" for event in said) == "alpha"
    assert last["error"]["code"] == "generation_failed"


def test_failure_10_each_error_has_a_status_of_its_own(client: ChatClient) -> None:
    unknown, nothing = client.ask(user("Hi"), model="nobody"), client.ask()
    assert (unknown.status_code, nothing.status_code) == (404, 400)


@pytest.mark.parametrize("version", VERSIONS)
def test_failure_11_no_chat_grows_past_its_window(
    start_service: StartService, write_model: WriteModel, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setenv("RKLLM_EMULATOR_VERSION", version)
    write_model(SCRIPT, "talker")
    with connected(start_service()) as client:
        chat: list[Message] = []
        for turn in range(20):
            chat.append(user(f"Go on, for the turn {turn}: endless"))
            response = client.ask(*chat, max_tokens=100)
            if response.status_code != 200:
                break
            answer = response.json()
            assert answer["usage"]["total_tokens"] <= CONTEXT
            assert answer["usage"]["completion_tokens"] <= 100
            assert answer["choices"][0]["finish_reason"] == "length"
            chat.append(assistant(answer["choices"][0]["message"]["content"]))
        assert response.status_code == 400
        assert response.json()["error"]["code"] == "context_length_exceeded"
        assert str(CONTEXT) in response.json()["error"]["message"]
        assert len(chat) > 5
        assert client.say(user("Hi")) == "Hello there."


def test_the_numbers_are_all_there() -> None:
    """Each of the sixteen has a test that is named after it."""
    folder = Path(__file__).parent
    names = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("test_*.py")))
    assert [number for number in range(1, 17) if f"def test_failure_{number:02d}_" not in names] == []
