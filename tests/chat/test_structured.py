"""JSON found in what models write, and schemas that it is checked by."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rkllm_providers.chat import (
    ChatMessage,
    GenerateOptions,
    ReasoningDelta,
    ResponseFormat,
    TextDelta,
    Tool,
    ToolCallDelta,
)
from rkllm_providers.chat.json_finder import MOST_CHARACTERS, JSONFinder
from rkllm_providers.chat.output_schema import MOST_BYTES, output_schema
from rkllm_providers.chat.schema_check import MOST_STEPS, SchemaFault, problem_of
from rkllm_providers.chat.structured import JSONAnswer, with_correction, with_instruction
from rkllm_providers.errors import InvalidRequest

CONTAINERS = frozenset({"object", "array"})
ALL = CONTAINERS | {"string", "number", "integer", "boolean", "null"}


def find(text: str, kinds: frozenset[str] | set[str] = CONTAINERS, begun: str = "") -> JSONFinder:
    finder = JSONFinder(kinds, begun)
    finder.feed(text)
    finder.finish()
    return finder


# Finding ----------------------------------------------------------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
containers = st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=6), values, max_size=4)
prose = st.lists(
    st.sampled_from(["Sure!", "\n", " ", "{name}", "[see above]", "(1)", "é", '"so"', "a: b,", "\\frac{x}{y}", "“”"]),
    max_size=6,
).map("".join)
fences = st.sampled_from([("", ""), ("```json\n", "\n```"), ("```\n", "```"), ("``` json\n", "\n```"), ("`", "`")])
styles = st.sampled_from([{}, {"indent": 1}, {"ensure_ascii": False}, {"separators": (",", ":")}])


@settings(deadline=None)
@given(containers, styles, prose, fences, prose, st.integers(1, 9))
def test_any_object_or_array_is_found_in_noise(
    value: Any, style: dict[str, Any], before: str, fence: tuple[str, str], after: str, step: int
) -> None:
    text = json.dumps(value, **style)
    noise = f"{before}{fence[0]}{text}{fence[1]}{after}"
    finder = JSONFinder(CONTAINERS)
    for at in range(0, len(noise), step):
        finder.feed(noise[at : at + step])
    assert finder.value == text


@settings(deadline=None)
@given(scalars, styles, prose.filter(lambda text: not text.strip().startswith('"')), prose)
def test_any_scalar_is_found_in_a_fence(value: Any, style: dict[str, Any], before: str, after: str) -> None:
    text = json.dumps(value, **style)
    assert find(f"{before}\n```json\n{text}\n```\n{after}", ALL).value == text
    assert find(f" {text}\n", ALL).value == text


@settings(deadline=None)
@given(containers)
def test_what_was_begun_belongs_to_it(value: Any) -> None:
    text = json.dumps(value)
    assert find(text[1:], begun=text[0]).value == text
    # A model may begin anew all the same. A value of another type is not searched for one of this.
    assert find(f"\n```json\n{text}\n```", {"object"}, "{").value == (text if isinstance(value, dict) else None)


@settings(deadline=None)
@given(
    st.text() | st.lists(st.sampled_from([*'{}[]",:\\`1atn ', "```", '{"a":', "\ud800"])).map("".join), st.booleans()
)
def test_no_text_makes_it_fail(text: str, begun: bool) -> None:
    for kinds in (CONTAINERS, ALL, frozenset({"object"}), frozenset({"string"})):
        finder = JSONFinder(kinds, "{" if begun else "")
        for character in text:
            finder.feed(character)
        finder.finish()
        assert (finder.value is None) is (finder.problem is not None)
        if finder.value is not None:
            json.loads(finder.value)


@settings(deadline=None)
@given(values, st.data())
def test_a_part_is_never_taken_for_the_whole(value: Any, data: st.DataObject) -> None:
    text = json.dumps({"a": value, "b": {"c": 1}})
    cut = data.draw(st.integers(1, len(text) - 1))
    assert find(text[:cut]).value is None


@pytest.mark.parametrize(
    ("text", "kinds", "problem"),
    [
        ("Hello.", {"object"}, "there is no JSON object"),
        ('[{"a": 1}]', {"object"}, "there is no JSON object"),
        ('{a: {"b": 1}}', {"object"}, "there is no JSON object"),
        ('{a: "}", b: {"c": 1}}', {"object"}, "there is no JSON object"),
        ('{"a": 1', {"object"}, "not complete"),
        ('{"a": {"b": 1}, x}', {"object"}, "not valid JSON"),
        ('{"a": NaN}', {"object"}, "'NaN' is no JSON value"),
        ('[[1], oops, {"a": 1}]', {"array"}, "not valid JSON"),
        ("five", {"integer"}, "there is no JSON integer"),
        ('"a" and "b"', {"string"}, "there is no JSON string"),
    ],
)
def test_what_is_none_is_named(text: str, kinds: set[str], problem: str) -> None:
    finder = find(text, kinds)
    assert finder.value is None
    assert problem in (finder.problem or "")


def test_brackets_in_a_string_are_no_value() -> None:
    assert find('"a {} b"', ALL).value == '"a {} b"'


def test_control_characters_in_strings_become_escapes() -> None:
    assert find('{"a": "one\ntwo"}').value == '{"a": "one\\ntwo"}'


def test_a_text_without_end_is_given_up() -> None:
    finder = JSONFinder(CONTAINERS)
    for _ in range(MOST_CHARACTERS // 1000 + 1):
        finder.feed("x" * 1000)
    assert finder.done
    assert str(MOST_CHARACTERS) in (finder.problem or "")


# Checking ---------------------------------------------------------------------------------------

PERSON: dict[str, Any] = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}


@pytest.mark.parametrize(
    ("schema", "text", "problem"),
    [
        (PERSON, '{"age": 1}', None),
        (PERSON, '{"age": "x"}', "at $.age: 'x' is not of type 'integer'"),
        (PERSON, "{}", "at $: 'age' is a required property"),
        (PERSON, '{"age": 1, "age": 2}', 'it is not valid JSON: the key "age" is there more than once'),
        (PERSON, '{"age": 1e999}', "it is not valid JSON: the number 1e999 is too large"),
        (PERSON, '{"age": Infinity}', "it is not valid JSON: Infinity is no JSON value"),
        (None, "[1]", "at $: [1] is not of type 'object'"),
        ({"properties": {"$ref": {"type": "string"}}}, '{"$ref": "x"}', None),
        ({"properties": {"a": {"format": "date"}}}, '{"a": "no date"}', None),
        ({"properties": {"a": {"pattern": "^b+$"}}}, '{"a": "bb"}', None),
        ({"properties": {"a": {"pattern": "^b+$"}}}, '{"a": "c"}', "at $.a: 'c' does not match '^b+$'"),
        ({"$defs": {"a": {"const": 1}}, "items": {"$ref": "#/$defs/a"}}, "[1, 2]", "at $[1]: 1 was expected"),
        # Draft 7 has no prefixItems: a list under items is positional.
        (
            {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "null"}]},
            "[1]",
            "at $[0]: 1 is not of type 'null'",
        ),
        (
            {"$defs": {"a": {"$id": "https://example.org/a", "type": "null"}}, "$ref": "https://example.org/a"},
            "1",
            "at $: 1 is not of type 'null'",
        ),
    ],
)
def test_a_text_is_checked_by_its_schema(schema: dict[str, Any] | None, text: str, problem: str | None) -> None:
    assert output_schema(schema).problem_of(text) == problem


# fmt: off
keywords = st.sampled_from(
    [
        "$ref", "$dynamicRef", "$recursiveRef", "$id", "id", "$schema", "$anchor", "$dynamicAnchor", "$defs",
        "definitions", "type", "properties", "items", "prefixItems", "allOf", "anyOf", "not", "if", "then",
        "required", "const", "enum", "additionalProperties", "unevaluatedProperties", "multipleOf", "minimum",
        "minLength", "maxItems", "uniqueItems", "contains", "dependentRequired", "dependencies", "extends",
        "propertyNames", "a",
    ]
)
words = st.sampled_from(
    [
        "object", "array", "string", "integer", "#", "#/$defs/a", "#a", "a", "https://example.org/a",
        "http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-07/schema#", "http://[",
        "urn:x",
    ]
)
# fmt: on
anything = st.recursive(
    words | st.booleans() | st.integers(-2, 2) | st.floats(0, 1) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keywords, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(keywords, anything, max_size=4), values)
def test_any_schema_checks_or_is_refused(schema: dict[str, Any], value: Any) -> None:
    try:
        output_schema(schema)
    except InvalidRequest:
        return
    try:
        # Here and not in a process of its own, which some would need.
        problem = problem_of(schema, json.dumps(value))
    except SchemaFault as fault:
        problem = str(fault)
    assert problem is None or problem.startswith(
        ("at $", "it is not valid JSON", "it refers to itself", "a part of it")
    )


def nested(depth: int) -> dict[str, Any]:
    return {"not": nested(depth - 1)} if depth else {}


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"type": "objekt"}, r"at \$\.type: 'objekt'"),
        ({"properties": {"a": {"minimum": "x"}}}, r"at \$\.properties\.a\.minimum"),
        (
            {"properties": {"a": {"$ref": "https://example.org/x"}}},
            r"\$ref 'https://example.org/x' at \$.properties.a",
        ),
        ({"$ref": "file:///etc/passwd"}, "Nothing is fetched"),
        ({"$ref": "#/$defs/none"}, r"put what it refers to under \$defs"),
        ({"$ref": "#/type", "type": "object"}, "refers to what is not in it"),
        (
            {"properties": {"a": {"pattern": "("}}},
            r"no regular expression of Python's, at \$\.properties\.a\.pattern",
        ),
        ({"patternProperties": {"[": {}}}, "no regular expression"),
        ({"$schema": "https://example.org/own"}, "dialect that is not known"),
        ({"description": "x" * MOST_BYTES}, f"and {MOST_BYTES} is the most"),
        (nested(70), "nested more than 64 deep"),
        (nested(900), "nested more than 64 deep"),
        ({"const": object()}, "cannot be written as JSON"),
        ({"const": float("nan")}, "cannot be written as JSON"),
        ({"const": "\ud800"}, "cannot be written as JSON"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(schema: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidRequest, match=problem) as caught:
        output_schema(schema)
    assert caught.value.param == "response_format"


def test_a_schema_without_end_is_refused_when_it_shows() -> None:
    with pytest.raises(InvalidRequest, match="refers to itself without end"):
        output_schema({"$ref": "#"}).problem_of("1")
    doubling: dict[str, Any] = {
        f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n - 1}"}] * 2} if n else {} for n in range(40)
    }
    with pytest.raises(InvalidRequest, match=f"more than {MOST_STEPS} steps"):
        output_schema({"$defs": doubling, "$ref": "#/$defs/a39"}).problem_of("{}")
    # The same where parts of the schema name a dialect of their own, whose steps are not counted here.
    with pytest.raises(SchemaFault):
        problem_of({"$ref": "#"}, "1")


@pytest.mark.parametrize(
    ("schema", "kinds"),
    [
        (None, {"object"}),
        ({"type": "array"}, {"array"}),
        ({"type": ["object", "null"]}, {"object", "null"}),
        ({"properties": {}}, {"object"}),
        ({"$defs": {"a/b": {"type": "array"}}, "$ref": "#/$defs/a~1b"}, {"array"}),
        ({"enum": [1]}, ALL),
        ({"$ref": "#"}, ALL),
    ],
)
def test_the_types_that_a_schema_allows(schema: dict[str, Any] | None, kinds: set[str]) -> None:
    assert output_schema(schema).kinds == kinds


# What the model is told -------------------------------------------------------------------------


def test_the_newest_turn_of_the_user_is_told() -> None:
    messages = [ChatMessage("system", "Be kind."), ChatMessage("user", "Hi"), ChatMessage("tool", "17", name="a")]
    told = with_instruction(messages, GenerateOptions(response_format=ResponseFormat(PERSON, "person", "Who.")))
    assert [told[0], told[2]] == [messages[0], messages[2]]
    assert told[1].text.startswith("Hi\n\n")
    assert told[1].text.endswith(json.dumps(PERSON, separators=(",", ":")))
    assert "(person)" in told[1].content
    assert "Who." in told[1].content
    alone = with_instruction(messages[:1], GenerateOptions(response_format=ResponseFormat()))
    assert [message.role for message in alone] == ["system", "user"]
    assert with_instruction(messages, GenerateOptions()) is messages


def test_a_forced_call_is_told_nothing() -> None:
    options = GenerateOptions(response_format=ResponseFormat(PERSON), tools=(Tool("a"),), tool_choice="required")
    messages = [ChatMessage("user", "Hi")]
    assert with_instruction(messages, options) is messages


def test_a_correction_says_what_was_wrong() -> None:
    messages = with_correction([ChatMessage("user", "Hi")], "{}", "at $: {braces} stay")
    assert [message.role for message in messages] == ["user", "assistant", "user"]
    assert messages[1].content == "{}"
    assert "at $: {braces} stay" in messages[2].content


# Holding back -----------------------------------------------------------------------------------


def test_text_is_held_back_and_reasoning_is_not() -> None:
    answer = JSONAnswer(output_schema(PERSON))
    assert answer.take([ReasoningDelta("Hm."), TextDelta('So: {"age"')]) == [ReasoningDelta("Hm.")]
    assert answer.take([TextDelta(": 1")]) == []
    before = answer.done
    assert answer.take([TextDelta("} and")]) == []
    assert (before, answer.done) == (False, True)
    assert answer.read() == ('{"age": 1}', None)
    assert answer.written == 'So: {"age": 1} and'


def test_a_call_lets_everything_pass() -> None:
    answer = JSONAnswer(output_schema(PERSON))
    assert answer.take([TextDelta("I {look}.")]) == []
    call = ToolCallDelta(0, "1", "a")
    assert answer.take([call, TextDelta("!")]) == [TextDelta("I {look}."), call, TextDelta("!")]
    assert answer.passes
    assert not answer.done
