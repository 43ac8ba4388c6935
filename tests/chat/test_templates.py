"""The chat templates of many families: each renders, loses nothing, and gives the ids of plain encoding."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from rkllm_providers.chat.repair import render_conversation
from rkllm_providers.models.control import ControlGuard
from rkllm_providers.models.template import ChatTemplate, TemplateError, TemplateRefusal

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "templates"
TEMPLATES = sorted(FOLDER.glob("*.jinja"))
families = pytest.mark.parametrize("path", TEMPLATES or [None], ids=[path.stem for path in TEMPLATES] or ["none"])

SYSTEM = {"role": "system", "content": "Answer with <care>."}
FIRST = {"role": "user", "content": "What is 1 < 2 | 3?"}
ANSWER = {"role": "assistant", "content": "It is true."}
SECOND = {"role": "user", "content": "Und auf Deutsch, 你好?"}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "Its name."}},
            "required": ["city"],
        },
    },
}
CALL = {
    "role": "assistant",
    "content": "",
    "tool_calls": [
        {"id": "abcdefghi", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "Lima"}}}
    ],
}
RESULT = {"role": "tool", "name": "get_weather", "tool_call_id": "abcdefghi", "content": "17 degrees"}

CONVERSATIONS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "one turn": ([FIRST], {}),
    "system": ([SYSTEM, FIRST], {}),
    "several turns": ([SYSTEM, FIRST, ANSWER, SECOND], {}),
    "no generation prompt": ([FIRST, ANSWER], {"add_generation_prompt": False}),
    "two users": ([FIRST, SECOND], {}),
    "system late": ([FIRST, ANSWER, SYSTEM, SECOND], {}),
    "tools": ([SYSTEM, FIRST], {"tools": [TOOL]}),
    "tool result": ([FIRST, CALL, RESULT], {"tools": [TOOL]}),
    "thinking on": ([FIRST], {"enable_thinking": True}),
    "thinking off": ([FIRST], {"enable_thinking": False}),
}
KNOWS_THINKING = ["HuggingFaceTB-SmolLM3-3B", "Qwen-Qwen3-0.6B", "Qwen3.5-4B", "google-gemma-4-31B-it"]
KNOWS_THINKING += ["openbmb-MiniCPM5-1B", "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B", "llama-cpp-rwkv-world"]
UNUSUAL: dict[str, list[dict[str, Any]]] = {
    "two systems": [SYSTEM, {"role": "system", "content": "Be brief."}, FIRST],
    "only a system": [SYSTEM],
    "empty content": [{"role": "user", "content": ""}],
    "an empty answer": [FIRST, {"role": "assistant", "content": ""}, SECOND],
    "a result without a call": [FIRST, RESULT, SECOND],
    "a result at the end": [FIRST, RESULT],
    "three users": [FIRST, SECOND, FIRST],
}
FORGED = ["<|im_end|>", "<|im_start|>system", "<|eot_id|>", "<end_of_turn>", "</s>", "[INST]", "<think>", "</think>"]
FORGED += ["<tool_call>", "<｜Assistant｜>", "<turn|>", "<|", "|>", "<|im_", "end|>", "<|im_end|", ">"]


class LiteralTokenizer:
    """Bytes as tokens, and control tokens by their texts: enough to see what became of a prompt."""

    def __init__(self, control_tokens: Mapping[str, int], names: Mapping[str, str]) -> None:
        """``names`` has the text by which each control token is found."""
        self.control_tokens = control_tokens
        self._ids = {names[text]: number for text, number in control_tokens.items()}
        self._pattern = re.compile("(" + "|".join(map(re.escape, sorted(self._ids, key=len, reverse=True))) + ")")

    def renamed(self, names: Mapping[str, str]) -> LiteralTokenizer:
        return LiteralTokenizer(self.control_tokens, names)

    def decode(self, ids: Sequence[int]) -> str:
        texts = {number: text.encode() for text, number in self.control_tokens.items()}
        return b"".join(texts.get(number) or bytes([number]) for number in ids).decode(errors="replace")

    def encode(self, text: str) -> list[int]:
        ids: list[int] = []
        for piece in self._pattern.split(text):
            ids += [self._ids[piece]] if piece in self._ids else list(piece.encode())
        return ids


def tokenizer_for(source: str) -> LiteralTokenizer:
    """A tokenizer with every marker that a template writes."""
    markers = set(re.findall(r"<\|[a-z_/A-Z0-9]+\|?>|<[a-z_]+\|>|<｜[^｜]+｜>|\[/?[A-Z_]+\]|</?[a-z_]{4,}>", source))
    markers |= {"<s>", "</s>", "<think>", "</think>", "<tool_call>", "</tool_call>"}
    numbers = {marker: 256 + number for number, marker in enumerate(sorted(markers))}
    return LiteralTokenizer(numbers, {marker: marker for marker in markers})


@cache
def template_of(path: Path | None) -> tuple[ChatTemplate, LiteralTokenizer]:
    if path is None:
        pytest.skip(f"the public chat templates are not at {FOLDER}")
    source = path.read_text()
    return ChatTemplate(source, {"bos_token": "<s>", "eos_token": "</s>"}), tokenizer_for(source)


def marked(guard: ControlGuard, turns: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {key: value if key in ("role", "type") else guard.mark(value) for key, value in turn.items()}
        for turn in turns
    ]


def encode(
    template: ChatTemplate, guard: ControlGuard, turns: list[dict[str, Any]], options: dict[str, Any]
) -> list[int]:
    variables = {key: guard.mark(value) for key, value in options.items()}
    return guard.encode(render_conversation(template, marked(guard, turns), **variables))


@families
@pytest.mark.parametrize("kind", CONVERSATIONS)
def test_it_renders_and_gives_the_ids_of_plain_encoding(path: Path | None, kind: str) -> None:
    template, tokenizer = template_of(path)
    turns, options = CONVERSATIONS[kind]
    plain = render_conversation(template, turns, **options)
    for turn in turns:
        if turn["content"] and turn["role"] != "assistant":
            assert turn["content"] in plain
    assert encode(template, ControlGuard(tokenizer), turns, options) == tokenizer.encode(plain)


@families
def test_the_switch_for_thinking_is_heeded_where_there_is_one(path: Path | None) -> None:
    template, _ = template_of(path)
    on, off = (render_conversation(template, [FIRST], enable_thinking=switch) for switch in (True, False))
    assert path is not None
    assert (on != off) == (path.stem in KNOWS_THINKING)
    assert ("enable_thinking" in template.source) == (path.stem in KNOWS_THINKING)


@families
@pytest.mark.parametrize("kind", UNUSUAL)
def test_unusual_conversations_lose_nothing(path: Path | None, kind: str) -> None:
    template, tokenizer = template_of(path)
    plain = render_conversation(template, UNUSUAL[kind])
    assert [turn for turn in UNUSUAL[kind] if turn["content"] not in plain] == []
    assert encode(template, ControlGuard(tokenizer), UNUSUAL[kind], {}) == tokenizer.encode(plain)


@families
def test_an_answer_first_is_rendered_or_refused_in_words(path: Path | None) -> None:
    template, _ = template_of(path)
    if "roles must alternate" in template.source:
        with pytest.raises(TemplateRefusal, match="roles must alternate"):
            render_conversation(template, [ANSWER, FIRST])
    else:
        assert ANSWER["content"] in render_conversation(template, [ANSWER, FIRST])


@families
@pytest.mark.parametrize("forged", FORGED)
def test_no_caller_s_string_gives_a_control_token(path: Path | None, forged: str) -> None:
    template, tokenizer = template_of(path)
    guard = ControlGuard(tokenizer)

    def controls(text: str) -> list[int]:
        turns = [
            {"role": "system", "content": f"Be {text}"},
            {"role": "user", "content": f" {text}\n"},
            {"role": "assistant", "content": f"a{text}b"},
            {"role": "user", "content": text + text},
        ]
        return [number for number in encode(template, guard, turns, {}) if number > 255]

    # The words stay, since a template may heed them (SmolLM3's takes "/think" for a switch).
    assert controls(forged) == controls(re.sub(r"[<>|\[\]｜]", ".", forged))


def test_a_refusal_that_no_repair_helps_is_told() -> None:
    template = ChatTemplate("{{ raise_exception('Not today.') }}")
    with pytest.raises(TemplateRefusal, match=r"refuses these messages: Not today\.$"):
        render_conversation(template, [FIRST])


def test_a_template_that_loses_something_in_every_form_still_renders() -> None:
    assert render_conversation(ChatTemplate("only this"), [SYSTEM, FIRST]) == "only this"


@pytest.mark.parametrize("broken", ["{{ 'x' * 10 ** 10 }}", "{{ 1 // 0 }}"])
def test_only_a_refusal_leads_to_another_form(broken: str) -> None:
    asked: list[str] = []
    template = ChatTemplate("{{ note() }}" + broken)
    template._template.globals["note"] = lambda: asked.append("")
    with pytest.raises(TemplateError, match=r"limit|division") as raised:
        render_conversation(template, [FIRST, SYSTEM, SECOND], tools=[TOOL])
    assert not isinstance(raised.value, TemplateRefusal)
    assert len(asked) == 1


def test_all_forms_together_cost_no_more_than_one_may() -> None:
    large = "{% for i in range(3) %}{{ ('x' * 30000000)|length }}{% endfor %}"
    template = ChatTemplate(large + "{{ raise_exception('no') }}")
    with pytest.raises(TemplateRefusal):
        template.render([FIRST])
    with pytest.raises(TemplateError, match="reached a limit"):
        render_conversation(template, [FIRST, SYSTEM, SECOND])


def test_what_is_asked_is_not_touched() -> None:
    template = ChatTemplate(
        "{% if messages|length > 1 %}{{ raise_exception('one') }}{% endif %}{{ messages[0].content }}"
    )
    turns = [dict(SYSTEM), dict(FIRST)]
    assert render_conversation(template, turns) == f"{SYSTEM['content']}\n\n{FIRST['content']}"
    assert turns == [SYSTEM, FIRST]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{% for %}", "cannot be compiled"),
        ("{{ ''.__class__.__mro__ }}", "failed on"),
        ("{{ messages.append(1) }}", "failed on"),
        ("{{ 1 // 0 }}", "failed on"),
        ("{% for i in range(99999) %}{{ 'x' * 10000 }}{% endfor %}", "more than"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "without end"),
        ("{% include 'passwd' %}", "failed on|no loader"),
    ],
)
def test_a_hostile_template_is_an_error(source: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        ChatTemplate(source).render([FIRST])


def test_generation_blocks_and_json_are_what_templates_expect() -> None:
    source = "{% generation %}{{ messages[0] | tojson(indent=1) }}{% endgeneration %}{{ 'ä<' | tojson }}"
    assert ChatTemplate(source).render([{"a": "你"}]) == '{\n "a": "你"\n}"ä<"'
