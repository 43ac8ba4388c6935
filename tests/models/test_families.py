"""Families: their templates write what their makers' templates write, and evidence tells them apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rkllm_providers.models.families import Family, hinted_family, tell_family
from rkllm_providers.models.families_table import FAMILIES, FAMILY_BY_NAME
from rkllm_providers.models.template import ChatTemplate

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "templates"
SYSTEM = {"role": "system", "content": "Answer briefly."}
CHAT: list[dict[str, Any]] = [
    {"role": "user", "content": "What is 1 < 2?"},
    {"role": "assistant", "content": "It is true."},
    {"role": "user", "content": "Und auf Deutsch, 你好?"},
]
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "description": "Of a city.", "parameters": {"type": "object"}},
}
CALL = {"id": "abcdefghi", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "Lima"}}}
USE: list[dict[str, Any]] = [
    {"role": "user", "content": "Weather?"},
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "name": "get_weather", "tool_call_id": "abcdefghi", "content": "17 degrees"},
]
# What is not the format's: a default the family's own template puts in by itself.
DATES = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"
PUBLISHED = [
    ("qwen2", "Qwen-Qwen2.5-7B-Instruct", True, {}),
    ("qwen3", "Qwen-Qwen3-0.6B", True, {}),
    ("qwen3", "Qwen-Qwen3-0.6B", True, {"enable_thinking": True}),
    ("qwen3", "Qwen-Qwen3-0.6B", True, {"enable_thinking": False}),
    ("qwen3", "Qwen-Qwen3-0.6B", False, {}),
    ("qwen3.5", "Qwen3.5-4B", True, {}),
    ("qwen3.5", "Qwen3.5-4B", False, {"enable_thinking": False}),
    ("llama3", "meta-llama-Llama-3.1-8B-Instruct", True, {}),
    ("gemma", "google-gemma-2-2b-it", False, {}),
    ("gemma4", "google-gemma-4-31B-it", True, {}),
    ("gemma4", "google-gemma-4-31B-it", True, {"enable_thinking": True}),
    ("gemma4", "google-gemma-4-31B-it", False, {"enable_thinking": False}),
    ("phi3", "microsoft-Phi-3.5-mini-instruct", True, {}),
    ("mistral-nemo", "mistralai-Mistral-Nemo-Instruct-2407", True, {}),
    ("deepseek-r1", "deepseek-ai-DeepSeek-R1-Distill-Llama-8B", True, {}),
    ("deepseek-r1", "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B", True, {"enable_thinking": True}),
    ("deepseek-r1", "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B", True, {"enable_thinking": False}),
    ("smollm3", "HuggingFaceTB-SmolLM3-3B", True, {}),
    ("smollm3", "HuggingFaceTB-SmolLM3-3B", True, {"enable_thinking": False}),
    ("minicpm5", "openbmb-MiniCPM5-1B", True, {}),
    ("minicpm5", "openbmb-MiniCPM5-1B", True, {"enable_thinking": True}),
    ("minicpm5", "openbmb-MiniCPM5-1B", True, {"enable_thinking": False}),
]
TOOL_HISTORIES = [
    ("qwen2", "Qwen-Qwen2.5-7B-Instruct"),
    ("qwen3", "Qwen-Qwen3-0.6B"),
    ("qwen3.5", "Qwen3.5-4B"),
    ("minicpm5", "openbmb-MiniCPM5-1B"),
]


def published(name: str, special_tokens: Any) -> ChatTemplate:
    path = FOLDER / f"{name}.jinja"
    if not path.is_file():
        pytest.skip(f"{path.name} is not on this machine")
    return ChatTemplate(path.read_text(), special_tokens)


@pytest.mark.parametrize(("family", "name", "system", "variables"), PUBLISHED)
def test_a_plain_conversation_is_written_as_the_makers_template_writes_it(
    family: str, name: str, system: bool, variables: dict[str, Any]
) -> None:
    known = FAMILY_BY_NAME[family]
    messages = [SYSTEM, *CHAT] if system else CHAT
    theirs = published(name, known.special_tokens).render(messages, **variables).replace(DATES, "")
    assert ChatTemplate(known.template, known.special_tokens).render(messages, **variables) == theirs


@pytest.mark.parametrize(("family", "name"), TOOL_HISTORIES)
def test_calls_and_results_of_tools_are_written_as_the_makers_template_writes_them(family: str, name: str) -> None:
    known = FAMILY_BY_NAME[family]
    for messages in ([SYSTEM, *USE], [SYSTEM, *USE, USE[2], *CHAT[1:]]):
        theirs = published(name, known.special_tokens).render(messages)
        assert ChatTemplate(known.template, known.special_tokens).render(messages) == theirs


@pytest.mark.parametrize("family", FAMILIES, ids=[family.name for family in FAMILIES])
def test_a_family_agrees_with_itself(family: Family) -> None:
    template = ChatTemplate(family.template, family.special_tokens)
    rendered = template.render([SYSTEM, *CHAT])
    for message in [SYSTEM, *CHAT]:
        assert message["content"] in rendered
    assert set(family.end_texts) <= set(family.control_texts)
    assert family.source
    off = template.render(CHAT, enable_thinking=False)
    assert family.capabilities.thinking == (off != template.render(CHAT, enable_thinking=True))
    assert family.capabilities.tools == ("get_weather" in template.render(CHAT, tools=[TOOL]))
    if family.capabilities.tools:
        used = template.render(USE, tools=[TOOL])
        assert "17 degrees" in used
        assert "Lima" in used


@pytest.mark.parametrize(
    ("architecture", "vocabulary", "template", "family"),
    [
        ("qwen2", {"<|im_start|>"}, None, "qwen2"),
        ("qwen2", {"<｜User｜>", "<｜Assistant｜>"}, None, "deepseek-r1"),
        ("qwen2", None, None, None),
        ("qwen2", None, "{{ '<|im_start|>' }}", "qwen2"),
        ("qwen3", {"<|im_start|>", "<think>"}, None, "qwen3"),
        ("llama", {"<|start_header_id|>", "<|eot_id|>"}, None, "llama3"),
        ("llama", {"<|start_header_id|>", "<|eot_id|>", "<｜User｜>", "<｜Assistant｜>"}, None, "deepseek-r1"),
        ("llama", {"<|start_header_id|>", "<|eot_id|>"}, "{{ '<|im_start|>' }}", None),
        ("llama", {"<s>", "</s>"}, None, None),
        ("llama", None, None, None),
        ("gemma3_text", None, None, "gemma"),
        ("phi3", {"<s>"}, None, None),
        ("unheard-of", {"<|im_start|>"}, None, None),
        (None, {"<|im_start|>"}, None, None),
    ],
)
def test_a_family_is_told_by_architecture_and_control_tokens(
    architecture: str | None, vocabulary: set[str] | None, template: str | None, family: str | None
) -> None:
    told = tell_family(FAMILIES, architecture, vocabulary, template)
    assert (told.name if told else None) == family


def test_a_name_only_hints() -> None:
    hinted = hinted_family(FAMILIES, "qwen3.5-4b")
    assert hinted is not None
    assert hinted.name == "qwen3.5"
    assert hinted_family(FAMILIES, "my-model") is None
