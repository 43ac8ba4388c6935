"""The built-in small model, for real text: on runtimes C and D in depth, on A and B a smoke test."""

from pathlib import Path

import pytest

from rkllm_providers.chat import ChatMessage, GenerateOptions, Sampling
from rkllm_providers.models import BUILT_IN_MODEL, Catalog
from tests.conftest import OpenModel

pytestmark = pytest.mark.real

GREEDY = Sampling(temperature=0.0)
FRANCE = [ChatMessage("user", "What is the capital of France?")]


@pytest.mark.parametrize("version", ["1.1.4", "1.2.0", "1.2.3", "1.3.0"])
def test_an_answer(open_model: OpenModel, real_model: Path, version: str) -> None:
    client = open_model(real_model, version, context_length=1024)
    result = client.complete(FRANCE, GenerateOptions(max_tokens=24, sampling=GREEDY))
    assert "Paris" in result.text
    assert result.finish.usage.prompt_tokens == client.count_tokens(FRANCE)
    assert "<|im" not in result.text


@pytest.mark.parametrize("version", ["1.2.3", "1.3.0"])
def test_the_next_turn_reuses_what_the_cache_holds(open_model: OpenModel, real_model: Path, version: str) -> None:
    client = open_model(real_model, version, context_length=1024)
    options = GenerateOptions(max_tokens=32, sampling=GREEDY)
    first = client.complete(FRANCE, options)
    conversation = [*FRANCE, ChatMessage("assistant", first.text), ChatMessage("user", "And of Italy?")]
    warm = client.complete(conversation, options)
    usage = warm.finish.usage
    assert usage.cached_tokens >= first.finish.usage.prompt_tokens
    assert usage.cached_tokens < usage.prompt_tokens == client.count_tokens(conversation)
    again = client.complete(conversation, options)
    assert again.text == warm.text
    assert again.finish.usage.cached_tokens == usage.prompt_tokens


@pytest.mark.parametrize("version", ["1.2.3", "1.3.0"])
def test_the_limit_on_tokens(open_model: OpenModel, real_model: Path, version: str) -> None:
    client = open_model(real_model, version, context_length=1024)
    question = [ChatMessage("user", "Tell me a long story about a dog.")]
    result = client.complete(question, GenerateOptions(max_tokens=12, sampling=GREEDY))
    assert result.finish.reason == "length"
    assert result.finish.usage.completion_tokens == 12
    whole = client.complete(question, GenerateOptions(max_tokens=20, sampling=GREEDY))
    assert whole.text.startswith(result.text)


def test_characters_of_other_scripts_arrive_whole(open_model: OpenModel, real_model: Path) -> None:
    client = open_model(real_model, context_length=1024)
    question = [ChatMessage("user", "Repeat exactly: 你好，世界 🙂 ünïcödé")]
    result = client.complete(question, GenerateOptions(max_tokens=40, sampling=GREEDY))
    assert "�" not in result.text
    assert any(not character.isascii() for character in result.text)


def test_it_is_in_the_catalog(real_model: Path, tmp_path: Path) -> None:
    assert Catalog(tmp_path).get(BUILT_IN_MODEL).path == real_model
