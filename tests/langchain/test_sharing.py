"""Objects share one engine, and give it back."""

from __future__ import annotations

import copy
import gc
import pickle
from pathlib import Path
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.runnables import ConfigurableField
from pydantic import SecretStr

from rkllm_providers.engine import Engine, ModelClient
from rkllm_providers.errors import EngineClosed
from rkllm_providers.langchain import RKLLM, ChatRKLLM, RKLLMEmbeddings
from tests.conftest import needs_llama


def engine_of(chat: Any) -> Engine:
    model = chat._open()
    assert isinstance(model, ModelClient)
    return model.engine


@needs_llama
def test_one_engine_for_all(models_dir: Path) -> None:
    where: dict[str, Any] = {"model": "talker", "models_dir": str(models_dir)}
    chat = ChatRKLLM(**where)
    chat.invoke("Hi!")
    engine = engine_of(chat)
    configurable: Any = chat.configurable_fields(max_tokens=ConfigurableField(id="n"))
    others = [
        ChatRKLLM(**where, temperature=0.1),
        chat.model_copy(update={"max_tokens": 3}),
        copy.deepcopy(chat),
        pickle.loads(pickle.dumps(chat)),
        chat.bind(max_tokens=3).bound,
        configurable.prepare({"configurable": {"n": 3}})[0],
        RKLLM(**where),
        RKLLMEmbeddings(**where),
    ]
    for other in others:
        assert engine_of(other) is engine
    for other in others:
        if other is not chat and isinstance(other, ChatRKLLM | RKLLM | RKLLMEmbeddings):
            other.close()


@needs_llama
def test_forgotten_objects_keep_the_model_until_somebody_gives_it_back(models_dir: Path) -> None:
    where: dict[str, Any] = {"model": "talker", "models_dir": str(models_dir), "context_length": 2048}
    chat = ChatRKLLM(**where)
    runnable = chat.configurable_fields(max_tokens=ConfigurableField(id="n"))
    for n in range(1, 4):
        answer = runnable.with_config(configurable={"n": n}).invoke("endless")
        assert answer.content == " la" * n
    gc.collect()
    engine = engine_of(ChatRKLLM(**where))
    gc.collect()
    assert engine_of(chat) is engine
    assert not engine.closed
    chat.close()
    assert engine.closed


@needs_llama
async def test_use_after_close(models_dir: Path) -> None:
    where: dict[str, Any] = {"model": "talker", "models_dir": str(models_dir)}
    with ChatRKLLM(**where) as chat, RKLLM(**where) as llm:
        assert chat.invoke("Hi!").content
        assert llm.invoke("Hi!")
    async with RKLLMEmbeddings(**where) as embeddings:
        assert await embeddings.aembed_query("Hi!")
    chat.close()
    for ask in (lambda: chat.invoke("Hi!"), lambda: llm.invoke("Hi!"), lambda: embeddings.embed_query("Hi!")):
        with pytest.raises(EngineClosed, match="talker"):
            ask()
    with pytest.raises(EngineClosed):
        await chat.ainvoke("Hi!")
    assert copy.copy(chat).invoke("Hi!").content


@needs_llama
def test_a_call_for_another_model(models_dir: Path) -> None:
    with ChatRKLLM(model="talker", models_dir=str(models_dir)) as chat:
        message = chat.invoke("Hi!", model="other")
        assert message.content == "I am the other model."
        assert message.response_metadata["model_name"] == "other"
        assert chat.bind(model="other").invoke("Hi!").content == message.content
        assert chat.invoke("Hi!").response_metadata["model_name"] == "talker"


CHANGED: dict[str, Any] = {
    "output_version": "v1",
    "model": "other",
    "models_dir": "/elsewhere",
    "library": "/lib.so",
    "runtime_version": "1.2.0",
    "context_length": 17,
    "base_url": "http://localhost",
    "timeout": 3.0,
    "max_tokens": 3,
    "temperature": 0.5,
    "top_p": 0.5,
    "top_k": 3,
    "repeat_penalty": 1.5,
    "frequency_penalty": 0.5,
    "presence_penalty": 0.5,
    "stop": ["x"],
    "lora": "pirate",
    "priority": "bulk",
    "first_token_timeout": 3.0,
    "keep_alive": "5m",
    "reasoning": False,
    "reasoning_effort": "low",
    "thinking_budget": 3,
    "keep_reasoning": "all",
    "volatile_system": "keep",
    "streaming": True,
}
# What LangChain's own fields do is its own; a key opens a service and changes no answer.
NOT_PARAMETERS = {
    *("name", "cache", "verbose", "callbacks", "tags", "metadata", "custom_get_token_ids", "rate_limiter"),
    *("disable_streaming", "profile", "api_key"),
}


def test_every_setting_is_in_the_key_of_a_cache() -> None:
    assert set(ChatRKLLM.model_fields) == set(CHANGED) | NOT_PARAMETERS
    keys = {ChatRKLLM(model="one")._get_llm_string()}
    for name, value in CHANGED.items():
        keys.add(ChatRKLLM(**{"model": "one", name: value})._get_llm_string())
    assert len(keys) == len(CHANGED) + 1
    texts = {RKLLM(model="one").asdict().__str__(), RKLLM(model="one", parse_special=True).asdict().__str__()}
    assert len(texts) == 2
    assert len(RKLLM.model_fields.keys() - NOT_PARAMETERS) == len(RKLLM(model="one")._identifying_params)


@needs_llama
def test_a_cache_does_not_mix_settings_and_keeps_usage(models_dir: Path) -> None:
    where: dict[str, Any] = {"model": "talker", "models_dir": str(models_dir), "cache": InMemoryCache()}
    with ChatRKLLM(**where) as chat, ChatRKLLM(**where, reasoning=False) as silent:
        first, again = chat.invoke("Hi!"), chat.invoke("Hi!")
        assert first.content == again.content
        assert again.usage_metadata is not None
        assert again.usage_metadata["input_tokens"] > 0
        assert silent.invoke("Hi!").content != first.content


def test_keys_are_secret() -> None:
    chat = ChatRKLLM(model="one", base_url="http://localhost", api_key=SecretStr("hidden-key"))
    shown = f"{chat!r}{chat._get_llm_string()}{chat._address()}{chat._get_ls_params()}{chat.asdict()}"
    assert "hidden-key" not in shown
    assert chat._address().api_key == "hidden-key"
    assert chat._address().base_url == "http://localhost"


def test_tracing_names_the_model() -> None:
    chat = ChatRKLLM(model="one", stop=["x"], temperature=0.5)
    expected = {"ls_provider": "rkllm", "ls_model_name": "one", "ls_model_type": "chat", "ls_temperature": 0.5}
    assert chat._get_ls_params() == {**expected, "ls_stop": ["x"]}
    assert chat._get_ls_params(model="two", stop=["y"]) == {**expected, "ls_model_name": "two", "ls_stop": ["y"]}
    assert "rkllm-providers" in (chat.metadata or {})["lc_versions"]
    assert "langchain-core" in (chat.metadata or {})["lc_versions"]
    assert RKLLM(model="one")._get_ls_params()["ls_model_type"] == "llm"
