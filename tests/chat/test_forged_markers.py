"""No string of a caller, wherever a template puts it, gives a control token."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rkllm_providers.chat.repair import render_conversation
from rkllm_providers.models.control import ControlGuard
from rkllm_providers.models.template import ChatTemplate
from tests.chat.test_templates import TEMPLATES, LiteralTokenizer, encode, families, template_of

PLACES = (
    *("system", "user", "answer", "last", "result", "result name", "call name", "argument", "argument name"),
    *("tool", "tool description", "parameter", "parameter description", "choice"),
)
QUIET = {place: f"{place.replace(' ', '_')}_x" for place in PLACES}


def conversation(texts: dict[str, str]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A conversation with a text in each place where a caller's can be."""
    said = {**QUIET, **texts}
    call = {"name": said["call name"], "arguments": {said["argument name"]: said["argument"]}}
    turns: list[dict[str, Any]] = [
        {"role": "system", "content": said["system"]},
        {"role": "user", "content": said["user"]},
        {
            "role": "assistant",
            "content": said["answer"],
            "tool_calls": [{"id": "abcdefghi", "type": "function", "function": call}],
        },
        {
            "role": "tool",
            "name": said["result name"],
            "tool_call_id": "abcdefghi",
            "content": said["result"],
        },
        {"role": "assistant", "content": said["answer"]},
        {"role": "user", "content": said["last"]},
    ]
    parameter = {"type": "string", "description": said["parameter description"], "enum": [said["choice"]]}
    function = {
        "name": said["tool"],
        "description": said["tool description"],
        "parameters": {"type": "object", "properties": {said["parameter"]: parameter}, "required": []},
    }
    return turns, {"tools": [{"type": "function", "function": function}]}


@cache
def family(path: Path | None) -> tuple[ChatTemplate, LiteralTokenizer, ControlGuard]:
    template, tokenizer = template_of(path)
    return template, tokenizer, ControlGuard(tokenizer)


def controls(path: Path | None, texts: dict[str, str]) -> list[int]:
    template, _, guard = family(path)
    turns, options = conversation(texts)
    return [number for number in encode(template, guard, turns, options) if number > 255]


def harmless(text: str) -> str:
    # The words stay, since a template may heed them; so does the length.
    return re.sub(r"[^\w\s/]", ".", text)


@families
@pytest.mark.parametrize("place", PLACES)
def test_forged_markers_stay_text_in_every_place(path: Path | None, place: str) -> None:
    markers = list(family(path)[1].control_tokens)
    for text in ("".join(markers), " \n".join(markers), f" \n{markers[0]}\n ", f"\t{markers[-1]} "):
        assert controls(path, {place: text}) == controls(path, {place: harmless(text)})


@families
def test_a_marker_without_its_ends_stays_text(path: Path | None) -> None:
    # A template that wrote both ends of a marker around a caller's string would make it one.
    for marker in family(path)[1].control_tokens:
        for text in (marker[1:-1], marker[1:], marker[:-1]):
            everywhere = dict.fromkeys(PLACES, text)
            assert controls(path, everywhere) == controls(path, dict.fromkeys(PLACES, harmless(text))), marker


@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_split_and_joined_markers_stay_text(data: st.DataObject) -> None:
    if not TEMPLATES:
        pytest.skip("the public chat templates are not there")
    path = data.draw(st.sampled_from(TEMPLATES))
    markers = st.sampled_from(list(family(path)[1].control_tokens))
    part = st.builds(lambda marker, start, end: marker[start : len(marker) - end], markers, *[st.integers(0, 3)] * 2)
    text = st.lists(part | st.sampled_from([" ", "\n", "\n\n", "x", "\ufdd0", "\ufdd1\ufdd2"]), max_size=5).map(
        "".join
    )
    texts = {place: data.draw(text) for place in data.draw(st.sets(st.sampled_from(PLACES), max_size=4))}
    quiet = {place: harmless(forged) for place, forged in texts.items()}
    assert controls(path, texts) == controls(path, quiet)


def test_the_gap_that_is_known() -> None:
    """A template that builds a marker out of a caller's string is believed (see ``control``)."""
    template = ChatTemplate("<{{ messages[0].content }}>")
    tokenizer = LiteralTokenizer({"<s>": 256}, {"<s>": "<s>"})
    guard = ControlGuard(tokenizer)
    text = render_conversation(template, [{"role": "user", "content": guard.mark("s")}])
    assert guard.encode(text) == [256]
    text = render_conversation(template, [{"role": "user", "content": guard.mark("<s>")}])
    assert guard.encode(text) == list(b"<<s>>")
