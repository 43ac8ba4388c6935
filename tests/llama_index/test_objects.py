"""Objects: made without I/O, copied, pickled, closed; one engine for one model."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rkllm_providers.engine import Engine, ModelClient, shared_registry
from rkllm_providers.errors import EngineClosed, ModelNotFound
from rkllm_providers.llama_index import RKLLM, RKLLMEmbedding, RKLLMRerank
from tests.conftest import WriteModel, needs_llama
from tests.llama_index.conftest import HELLO, OpenLLM

pytestmark = needs_llama

CLASSES: tuple[type[Any], ...] = (RKLLM, RKLLMEmbedding, RKLLMRerank)


def engine_of(llm: RKLLM) -> Engine:
    client = llm._opened()
    assert isinstance(client, ModelClient)
    return client.engine


@pytest.mark.parametrize("cls", CLASSES)
def test_making_one_does_no_io(cls: type[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*args: object, **kwargs: object) -> Any:
        raise AssertionError("a file was opened")

    with monkeypatch.context() as patched:
        patched.setattr("builtins.open", refuse)
        patched.setattr(Path, "open", refuse)
        patched.setattr(Path, "iterdir", refuse)
        made = cls(model="nobody", models_dir=str(tmp_path))
        assert made.class_name() == cls.__name__
    with pytest.raises(ModelNotFound, match="nobody"):
        made.open()


@pytest.mark.parametrize("cls", CLASSES)
def test_no_secret_leaves_an_object(cls: type[Any]) -> None:
    made = cls(model="m", base_url="http://127.0.0.1:9/v1", api_key="s3cret")
    told = made.to_payload() if hasattr(made, "to_payload") else {}
    for text in (repr(made), str(made), json.dumps(told), made.to_json(), json.dumps(made.to_dict())):
        assert "s3cret" not in text
    assert made._address.api_key == "s3cret"
    with pytest.raises(ValueError, match="model") as caught:
        cls(api_key="s3cret")
    assert "s3cret" not in str(caught.value)
    again = cls.from_dict(made.to_dict())
    assert (again.model, again.base_url) == ("m", "http://127.0.0.1:9/v1")
    assert pickle.loads(pickle.dumps(made))._address == made._address


@pytest.mark.parametrize("cls", CLASSES)
def test_where_the_model_is_cannot_change_under_an_open_object(cls: type[Any]) -> None:
    made = cls(model="m")
    with pytest.raises(ValueError, match="frozen"):
        made.model = "other"


def test_a_payload_needs_no_model(tmp_path: Path) -> None:
    llm = RKLLM(model="nobody", models_dir=str(tmp_path), temperature=0.5, additional_kwargs={"top_k": 1})
    assert llm.to_payload() == {
        "class_name": "RKLLM",
        "model_name": "nobody",
        "temperature": 0.5,
        "keep_reasoning": "tool_turns",
        "priority": "chat",
        "volatile_system": "move",
    }


def test_one_engine_for_one_model(open_llm: OpenLLM) -> None:
    llm = open_llm(temperature=0.5)
    assert llm.complete("Hi!").text == HELLO
    copies = [pickle.loads(pickle.dumps(llm)), copy.copy(llm), copy.deepcopy(llm), llm.model_copy()]
    for copied in copies:
        assert copied.temperature == 0.5
        assert copied.complete("Hi!").text == HELLO
        assert engine_of(copied) is engine_of(llm)
        assert copied._opened() is not llm._opened()
        copied.close()
    assert llm.complete("Hi!").text == HELLO


def test_a_copy_opens_the_model_it_names(open_llm: OpenLLM, write_model: WriteModel) -> None:
    write_model('rule *\n  text "I am the other."\nend\n', "other")
    llm = open_llm()
    assert llm.complete("Hi!").text == HELLO
    assert llm.model_copy(update={"model": "other"}).complete("Hi!").text == "I am the other."
    assert llm.complete("Hi!").text == HELLO


def test_closing(open_llm: OpenLLM) -> None:
    llm, other = open_llm(), open_llm()
    with llm:
        engine = engine_of(llm)
        assert engine_of(other) is engine
    llm.close()
    assert other.complete("Hi!").text == HELLO
    with pytest.raises(EngineClosed):
        llm.complete("Hi!")
    shared_registry().close()
    assert other.complete("Hi!").text == HELLO


def test_a_forgotten_object_leaves_the_model_for_the_next(open_llm: OpenLLM) -> None:
    first = open_llm()
    engine = engine_of(first)
    del first
    gc.collect()
    second = open_llm()
    assert engine_of(second) is engine
    second.close()
    assert engine.closed


def test_imports() -> None:
    cheap = (
        "import sys, rkllm_providers.llama_index;"
        "assert not [name for name in sys.modules if name.startswith(('llama_index', 'langchain', 'pydantic'))]"
    )
    subprocess.run([sys.executable, "-c", cheap], check=True)
    alone = (
        "import sys; from rkllm_providers.llama_index import *;"
        "assert {'RKLLM', 'RKLLMEmbedding', 'RKLLMRerank'} <= set(globals());"
        "assert not [name for name in sys.modules if name.startswith(('langchain', 'rkllm_providers.langchain'))];"
        "assert not [name for name in sys.modules if name.startswith(('fastapi', 'llama_cpp', 'rag_service'))]"
    )
    subprocess.run([sys.executable, "-c", alone], check=True)
    missing = (
        "import sys; sys.modules['llama_index'] = None\n"
        "import rkllm_providers.llama_index as package\n"
        "try:\n"
        "    package.RKLLM\n"
        "except ModuleNotFoundError as error:\n"
        "    assert 'rkllm-providers[llama-index]' in str(error), error\n"
        "else:\n"
        "    raise AssertionError\n"
    )
    subprocess.run([sys.executable, "-c", missing], check=True)


def test_names() -> None:
    import rkllm_providers.llama_index as package

    assert package.__all__ == ["RKLLM", "RKLLMEmbedding", "RKLLMRerank"]
    with pytest.raises(AttributeError, match="no attribute 'RKLM'"):
        package.RKLM  # noqa: B018
