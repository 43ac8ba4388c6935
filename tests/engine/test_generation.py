"""Answers through the worker process, on emulators of all ABI groups."""

import asyncio

import pytest

from rkllm_providers.chat import ChatMessage, Finish, GenerateOptions, Sampling, TextDelta
from rkllm_providers.engine import collect
from rkllm_providers.errors import ContextLengthExceeded, InvalidRequest
from tests.conftest import ABI_VERSIONS, OpenModel, WriteModel, needs_llama

pytestmark = needs_llama

COUNTING = """
word " la"
rule "count"
  text "one two three four five six"
end
rule "split"
  piece "\\xe4\\xbd"
  piece "\\xa0"
  piece "\\xe5"
  piece "\\xa5\\xbd!"
end
rule "endless"
  forever " la"
end
rule *
  text "Hello there."
end
"""


def ask(text: str) -> list[ChatMessage]:
    return [ChatMessage("user", text)]


@pytest.fixture(params=ABI_VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_an_answer_with_its_usage(open_model: OpenModel, write_model: WriteModel, version: str) -> None:
    client = open_model(write_model(COUNTING), version)
    result = client.complete(ask("Hi!"))
    usage = result.finish.usage
    assert result.text == "Hello there."
    assert result.finish.reason == "stop"
    assert usage.prompt_tokens == client.count_tokens(ask("Hi!"))
    assert usage.completion_tokens > 2
    assert usage.cached_tokens == 0
    assert result.finish.timings.load_ms > 0
    assert client.engine.info is not None
    assert client.engine.info.version == version
    assert client.engine.info.emulated


def test_the_limit_on_tokens(open_model: OpenModel, write_model: WriteModel, version: str) -> None:
    client = open_model(write_model(COUNTING), version)
    events = list(client.stream(ask("endless"), GenerateOptions(max_tokens=7)))
    assert events[:-1] == [TextDelta(" la")] * 7
    assert isinstance(events[-1], Finish)
    assert events[-1].reason == "length"
    assert events[-1].usage.completion_tokens == 7
    # The next answer begins with its own first token, not with one left over.
    assert client.complete(ask("Hi!")).text == "Hello there."


def test_without_a_limit_the_window_is_the_limit(
    open_model: OpenModel, write_model: WriteModel, version: str
) -> None:
    client = open_model(write_model("context 128\n" + COUNTING), version)
    finish = client.complete(ask("endless")).finish
    assert finish.reason == "length"
    # Older runtimes are ended by an abort, which may come a token late.
    assert finish.usage.total_tokens == (128 if version == "1.3.0" else 127)


def test_characters_split_over_tokens(open_model: OpenModel, write_model: WriteModel, version: str) -> None:
    client = open_model(write_model(COUNTING), version)
    assert client.complete(ask("split")).text == "你好!"


def test_characters_split_by_a_library_that_does_not_wait(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model("raw_utf8 yes\n" + COUNTING))
    assert client.complete(ask("split")).text == "你好!"


def test_a_stop_sequence_ends_the_answer(open_model: OpenModel, write_model: WriteModel, version: str) -> None:
    client = open_model(write_model(COUNTING), version)
    result = client.complete(ask("count"), GenerateOptions(stop=("e f",)))
    assert (result.text, result.finish.reason) == ("one two thre", "stop")
    assert client.complete(ask("count")).text == "one two three four five six"


def test_a_second_turn_reuses_the_first(open_model: OpenModel, write_model: WriteModel, version: str) -> None:
    client = open_model(write_model(COUNTING), version)
    first = client.complete(ask("Hi!"))
    conversation = [*ask("Hi!"), ChatMessage("assistant", first.text), *ask("count")]
    second = client.complete(conversation)
    assert second.text == "one two three four five six"
    usage = second.finish.usage
    if version == "1.1.4":
        assert usage.cached_tokens == 0
    else:
        assert first.finish.usage.prompt_tokens <= usage.cached_tokens < usage.prompt_tokens
    # This runtime reuses what it holds, and does not say how much.
    assert usage.cached_estimated is (version == "1.2.0")


def test_a_prompt_too_long_is_refused_with_both_numbers(
    open_model: OpenModel, write_model: WriteModel, version: str
) -> None:
    client = open_model(write_model("context 64\n" + COUNTING), version)
    with pytest.raises(ContextLengthExceeded, match=r"has \d+ tokens.*holds 64") as caught:
        client.complete(ask("word " * 100))
    assert caught.value.n_ctx == 64
    assert caught.value.n_prompt_tokens > 64


def test_sampling_that_cannot_be_changed_is_told(
    open_model: OpenModel, write_model: WriteModel, version: str
) -> None:
    client = open_model(write_model(COUNTING), version)
    cold = GenerateOptions(sampling=Sampling(temperature=0.0))
    hot = GenerateOptions(sampling=Sampling(temperature=0.9))
    assert client.complete(ask("Hi!"), cold).finish.warnings == ()
    warnings = client.complete(ask("Hi!"), hot).finish.warnings
    if version == "1.3.0":
        assert warnings == ()
    else:
        assert len(warnings) == 1
        assert "temperature" in warnings[0]
        assert version in warnings[0]


def test_synchronous_and_asynchronous_give_the_same(
    open_model: OpenModel, write_model: WriteModel, version: str
) -> None:
    client = open_model(write_model(COUNTING), version)
    client.complete(ask("count"))
    waited = list(client.stream(ask("count")))

    async def stream() -> list[object]:
        return [event async for event in client.astream(ask("count"))]

    awaited = asyncio.run(stream())
    assert awaited[:-1] == waited[:-1]
    last, alast = waited[-1], awaited[-1]
    assert isinstance(last, Finish)
    assert isinstance(alast, Finish)
    assert (last.reason, last.usage) == (alast.reason, alast.usage)
    assert asyncio.run(client.acomplete(ask("count"))).text == collect(waited).text


def test_no_messages_are_refused(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(COUNTING))
    with pytest.raises(InvalidRequest, match="no messages"):
        client.complete([])


def test_a_limit_below_one_is_refused(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(COUNTING))
    with pytest.raises(InvalidRequest, match="max_tokens is 0"):
        client.complete(ask("Hi!"), GenerateOptions(max_tokens=0))
