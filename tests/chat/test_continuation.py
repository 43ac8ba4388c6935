"""A last turn of the assistant is continued: its prompt ends where its text does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rkllm_providers.chat.repair import render_conversation
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.models.control import ControlGuard
from rkllm_providers.models.template import ChatTemplate, TemplateError
from tests.chat.test_templates import ANSWER, CALL, FIRST, SECOND, SYSTEM, families, marked, template_of

# It holds the answers, so that their place is not found by their text alone.
QUESTION = {"role": "user", "content": "Say: It is, The user, assistant, a < b |, x, or yes  "}


def rendered(template: ChatTemplate, text: str, **options: Any) -> str:
    turns = [SYSTEM, FIRST, ANSWER, QUESTION, {"role": "assistant", "content": text}]
    return render_conversation(template, turns, continue_final_message=True, **options)


@families
@pytest.mark.parametrize("text", ["It is", "The user", "assistant", "a < b |", "x"])
def test_the_prompt_ends_with_the_text(path: Path | None, text: str) -> None:
    template, _ = template_of(path)
    prompt = rendered(template, text)
    assert prompt.endswith(text)
    assert SYSTEM["content"] in prompt
    assert rendered(template, text, add_generation_prompt=True) == prompt
    assert rendered(template, f"{text} so") == f"{prompt} so"


@families
@pytest.mark.parametrize("text", ["yes  ", " yes\n\n", "\n yes \t"])
def test_blanks_at_the_end_are_those_that_the_template_writes(path: Path | None, text: str) -> None:
    template, _ = template_of(path)
    prompt = rendered(template, text)
    turns = [SYSTEM, FIRST, ANSWER, QUESTION, {"role": "assistant", "content": text}]
    whole = render_conversation(template, turns, add_generation_prompt=False)
    assert whole.startswith(prompt)
    assert prompt.rstrip().endswith("yes")
    assert prompt[len(prompt.rstrip()) :] in text


@families
def test_its_ids_are_those_of_the_whole_up_to_there(path: Path | None) -> None:
    template, tokenizer = template_of(path)
    guard = ControlGuard(tokenizer)
    turns = [FIRST, {"role": "assistant", "content": "It is </s> <|im_end|> <end_of_turn> so"}]
    prompt = render_conversation(template, marked(guard, turns), continue_final_message=True)
    ids = guard.encode(prompt)
    whole = render_conversation(template, marked(guard, turns), add_generation_prompt=False)
    assert guard.encode(whole)[: len(ids)] == ids
    assert bytes(number for number in ids if number < 256).endswith(b"It is </s> <|im_end|> <end_of_turn> so")


def test_a_template_that_drops_the_text_is_an_error() -> None:
    with pytest.raises(TemplateError, match="does not write the last message's text"):
        render_conversation(ChatTemplate("{{ messages[0].content }}"), [FIRST, ANSWER], continue_final_message=True)


def test_a_template_that_writes_another_text_is_an_error() -> None:
    template = ChatTemplate("{{ messages[-1].content|length }}{{ messages[-1].content }}")
    turns = [FIRST, {"role": "assistant", "content": "yes  "}]
    with pytest.raises(TemplateError, match="in a way that cannot be continued"):
        render_conversation(template, turns, continue_final_message=True)


@pytest.mark.parametrize(
    "turns", [[], [FIRST], [FIRST, CALL], [ANSWER, SECOND], [{"role": "assistant", "content": None}]]
)
def test_only_an_assistant_s_text_is_continued(turns: list[dict[str, Any]]) -> None:
    with pytest.raises(InvalidRequest, match="can be continued"):
        render_conversation(ChatTemplate("{{ messages }}"), turns, continue_final_message=True)
