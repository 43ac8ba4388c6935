"""Thinking: apart from the answer, on and off, bounded, and in the history."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from rkllm_providers.errors import InvalidRequest
from rkllm_providers.langchain import ChatRKLLM
from rkllm_providers.langchain.messages import to_chat_messages
from rkllm_providers.langchain.options import chat_call
from tests.conftest import WriteModel, needs_llama
from tests.langchain.test_tools import joined

SILENT = "Straight to it."
ANSWER = "Hello there, 你好."


@needs_llama
def test_thinking_is_apart(talker: ChatRKLLM) -> None:
    whole = talker.invoke("Hi!")
    chunks = list(talker.stream("Hi!"))
    for message in (whole, joined(chunks)):
        assert message.content == message.text == ANSWER
        assert message.additional_kwargs == {"reasoning_content": "They say hi."}
        assert message.usage_metadata is not None
        spent = message.usage_metadata["output_token_details"]["reasoning"]
        assert 0 < spent < message.usage_metadata["output_tokens"]
    assert sum("reasoning_content" in chunk.additional_kwargs for chunk in chunks) > 1


@needs_llama
@pytest.mark.parametrize(
    ("own", "call", "thinks"),
    [
        ({}, {}, True),
        ({"reasoning": True}, {}, True),
        ({"reasoning": False}, {}, False),
        ({"reasoning": True}, {"reasoning": False}, False),
        ({"reasoning": False}, {"reasoning": True}, True),
        ({"reasoning": False}, {"reasoning": None}, True),
        ({"reasoning_effort": "none"}, {}, False),
        ({"reasoning_effort": "none"}, {"reasoning_effort": "high"}, True),
        ({"reasoning_effort": "high", "reasoning": False}, {}, False),
        ({"reasoning": False}, {"reasoning_effort": "high"}, False),
        ({}, {"reasoning_effort": "none", "reasoning": True}, False),
    ],
)
def test_switching_it(models_dir: Path, own: dict[str, Any], call: dict[str, Any], thinks: bool) -> None:
    with ChatRKLLM(model="talker", models_dir=str(models_dir), **own) as chat:
        message = chat.invoke("Hi!", **call)
        assert message.content == (ANSWER if thinks else SILENT)
        assert ("reasoning_content" in message.additional_kwargs) == thinks
        assert chat.bind(**call).invoke("Hi!").content == message.content


@needs_llama
def test_a_budget(talker: ChatRKLLM) -> None:
    free = talker.invoke("think hard").usage_metadata
    bounded = talker.invoke("think hard", thinking_budget=5).usage_metadata
    assert free is not None
    assert bounded is not None
    assert bounded["output_token_details"]["reasoning"] <= 5 < free["output_token_details"]["reasoning"]


@needs_llama
def test_a_model_that_does_not_think(write_model: WriteModel) -> None:
    path = write_model('template <<END\n{{ messages[0].content }}\nEND\nrule *\n  text "No."\nend\n', "simple")
    with ChatRKLLM(model=str(path), reasoning=True) as chat:
        with pytest.raises(InvalidRequest, match="does not think"):
            chat.invoke("Hi!")
        assert chat.invoke("Hi!", reasoning=False).content == "No."


def test_thinking_in_the_history() -> None:
    call = {"name": "look", "args": {"at": "it"}, "id": "1", "type": "tool_call"}
    kept = AIMessage("Yes.", additional_kwargs={"reasoning_content": "Hm."})
    blocks = AIMessage([{"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": "Yes."}])
    anthropic = AIMessage([{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Yes."}])
    used = AIMessage([{"type": "text", "text": "Yes."}, {"type": "tool_use", "id": "1"}], tool_calls=[call])
    translated = to_chat_messages([kept, blocks, anthropic, used, ToolMessage("dark", tool_call_id="1")])
    assert [one.reasoning for one in translated] == ["Hm.", "Hm.", "Hm.", None, None]
    assert [one.content for one in translated] == ["Yes.", "Yes.", "Yes.", "Yes.", "dark"]
    assert translated[3].tool_calls[0].arguments == '{"at": "it"}'


@pytest.mark.parametrize("policy", ["none", "tool_turns", "all"])
def test_the_policy_of_the_history(policy: Any) -> None:
    chat = ChatRKLLM(model="nobody")
    assert chat_call(chat, None, {"keep_reasoning": policy}).options.old_reasoning == policy
    assert chat_call(chat.model_copy(update={"keep_reasoning": policy}), None, {}).options.old_reasoning == policy


@needs_llama
def test_the_policy_reaches_the_model(write_model: WriteModel) -> None:
    template = "{% for m in messages %}<|im_start|>{{ m.role }} {{ m.reasoning_content }} {{ m.content }}<|im_end|>\n"
    script = (
        f'template <<END\n{template}{{% endfor %}}<|im_start|>assistant\n<think>\nEND\nrule *\n  text "ok"\nend\n'
    )
    said = AIMessage("Yes.", additional_kwargs={"reasoning_content": "Because of everything that was said before."})
    history = [HumanMessage("Is it?"), said, HumanMessage("Why?")]
    with ChatRKLLM(model=str(write_model(script, "plain"))) as chat:
        counts = {
            policy: chat.model_copy(update={"keep_reasoning": policy}).get_num_tokens_from_messages(history)
            for policy in ("none", "tool_turns", "all")
        }
    assert counts["none"] == counts["tool_turns"] < counts["all"]
