"""The profile of a model: true, and read only when it is asked for."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models.model_profile import ModelProfile

from rkllm_providers.engine.leases import ModelLeases
from rkllm_providers.errors import InvalidRequest, ModelNotFound
from rkllm_providers.langchain import ChatRKLLM
from tests.conftest import WriteModel


def test_a_profile_says_what_the_model_can(write_model: WriteModel) -> None:
    thinker = write_model("context 2048\n", "thinker")
    simple = write_model("context 4096\ntemplate <<END\n{{ messages[0].content }}\nEND\n", "simple")
    with ChatRKLLM(model=str(thinker)) as chat, ChatRKLLM(model=str(simple), context_length=1024) as other:
        profile, poor = chat.profile, other.profile
    assert profile is not None
    assert poor is not None
    assert set(profile) <= set(ModelProfile.__annotations__)
    assert (profile["max_input_tokens"], poor["max_input_tokens"]) == (2048, 1024)
    for what in ("reasoning_output", "tool_calling", "tool_choice", "tool_call_streaming"):
        assert profile[what] is True
        assert poor[what] is False
    assert profile["structured_output"] is True
    assert profile["image_inputs"] is False
    assert poor["reasoning_effort_levels"] == []


LLAMA3 = "{{ messages[0].content }}{% if tools %}{{ tools }}<|python_tag|>{% endif %}"


def test_a_profile_tells_whether_calls_can_be_forced(write_model: WriteModel) -> None:
    with ChatRKLLM(model=str(write_model(f"template <<END\n{LLAMA3}\nEND\n", "llama3"))) as chat:
        profile = chat.profile or {}
        assert (profile["tool_calling"], profile["tool_choice"]) == (True, False)
        forced = chat.bind_tools([{"title": "f", "description": "", "type": "object"}], tool_choice="f")
        with pytest.raises(InvalidRequest, match="cannot be begun"):
            forced.invoke("Hi")


def test_nothing_is_read_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    taken: list[str] = []
    take = ModelLeases.take

    def noted(leases: ModelLeases, address: Any) -> Any:
        taken.append(address.model)
        return take(leases, address)

    monkeypatch.setattr(ModelLeases, "take", noted)
    chat = ChatRKLLM(model="nobody", models_dir=str(tmp_path))
    copies = [copy.copy(chat), copy.deepcopy(chat), pickle.loads(pickle.dumps(chat)), chat.bind(stop=["x"]).bound]
    assert repr(copies)
    assert taken == []
    with pytest.raises(ModelNotFound):
        chat.profile  # noqa: B018
    assert taken == ["nobody"]


def test_it_follows_the_model(write_model: WriteModel) -> None:
    small, large = write_model("context 1024\n", "small"), write_model("context 2048\n", "large")
    with ChatRKLLM(model=str(small)) as chat:
        assert (chat.profile or {})["max_input_tokens"] == 1024
        with chat.model_copy(update={"model": str(large)}) as other:
            assert (other.profile or {})["max_input_tokens"] == 2048
    given = ChatRKLLM(model="nobody", profile={"max_input_tokens": 7})
    for one in (given, given.model_copy()):
        assert one.profile == {"max_input_tokens": 7}
    given.profile = {"max_input_tokens": 8}
    assert given.profile == {"max_input_tokens": 8}
