"""Calls that are begun for a model: what it has to go on with, in each form that can be begun."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rkllm_providers.chat.forced_calls import beginning, can_be_begun
from rkllm_providers.chat.tool_formats import TOOL_FORMATS
from rkllm_providers.chat.types import Tool
from tests.chat.answers import TOOLS, read, tokens_of

FORMS = [name for name, form in TOOL_FORMATS.items() if can_be_begun(form)]
# What a model writes behind the beginning, with the first value and without it.
ENDS = {
    "hermes": ('{"city": "Lima"}}\n</tool_call>', 'Lima"}}\n</tool_call>'),
    "phi": ('{"city": "Lima"}}<|/tool_call|>', 'Lima"}}<|/tool_call|>'),
    "xml": (
        "<parameter=city>\nLima\n</parameter>\n</function>\n</tool_call>",
        "Lima\n</parameter>\n</function>\n</tool_call>",
    ),
    "minicpm": ('<param name="city">Lima</param></function>', "Lima</param></function>"),
}
WEATHER = next(tool for tool in TOOLS if tool.name == "get_weather")
CITY = {"city": {"type": "string"}, "days": {"type": "integer"}}


def calls_in(name: str, text: str) -> list[tuple[str, Any]]:
    answer = read(tokens_of(text), tool_format=TOOL_FORMATS[name], tools=TOOLS)
    assert (answer.invalid, answer.text) == ((), "")
    return [(called, json.loads(arguments)) for called, arguments in answer.calls]


def test_the_forms_that_can_be_begun() -> None:
    assert sorted(FORMS) == sorted(ENDS)


@pytest.mark.parametrize("name", FORMS)
def test_a_call_is_what_was_begun_and_what_the_model_writes(name: str) -> None:
    form, (end, further_end) = TOOL_FORMATS[name], ENDS[name]
    tool = Tool("get_weather", "", {"type": "object", "properties": CITY, "required": ["city"]})
    expected = [("get_weather", {"city": "Lima"})]
    assert calls_in(name, beginning(form, tool) + end) == expected
    assert calls_in(name, beginning(form, tool, further=True) + further_end) == expected


@pytest.mark.parametrize("name", FORMS)
def test_the_model_may_choose_the_tool(name: str) -> None:
    form, (end, _) = TOOL_FORMATS[name], ENDS[name]
    named = beginning(form, Tool("get_weather"))
    for further in (False, True):
        chosen = beginning(form, None, further=further)
        assert named.startswith(chosen)
        assert calls_in(name, chosen + named[len(chosen) :] + end) == [("get_weather", {"city": "Lima"})]


@pytest.mark.parametrize(
    ("parameters", "begun"),
    [
        ({"properties": CITY, "required": ["days", "city"]}, '{"days": '),
        ({"properties": CITY, "required": ["city"]}, '{"city": "'),
        (
            {"properties": {"city": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, "required": ["city"]},
            '{"city": ',
        ),
        ({"properties": CITY}, "{"),
        ({"properties": CITY, "required": ["other"]}, "{"),
        ({"properties": {}, "type": "object"}, "{}}"),
        ({}, "{}}"),
        ({"$ref": "#/$defs/Place"}, "{"),
        ({"properties": {}, "$ref": "#/$defs/Place"}, "{"),
        ({"properties": True, "required": "city"}, "{"),
    ],
)
def test_how_far_a_call_is_the_same_in_all(parameters: dict[str, Any], begun: str) -> None:
    tool = Tool("f", "", parameters)
    assert beginning(TOOL_FORMATS["hermes"], tool, further=True) == (
        '<tool_call>\n{"name": "f", "arguments": ' + begun
    )


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(name=NAMES, key=NAMES, value=st.text(max_size=20))
def test_any_name_is_read_back(name: str, key: str, value: str) -> None:
    tool = Tool(name, "", {"type": "object", "properties": {key: {"type": "string"}}, "required": [key]})
    form = TOOL_FORMATS["hermes"]
    text = beginning(form, tool, further=True) + json.dumps(value)[1:] + "}}\n</tool_call>"
    answer = read(tokens_of(text), tool_format=form, tools=(tool,))
    assert answer.invalid == ()
    assert [(called, json.loads(arguments)) for called, arguments in answer.calls] == [(name, {key: value})]
