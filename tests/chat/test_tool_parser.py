import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rkllm_providers.chat.answer import AnswerStream
from rkllm_providers.chat.stream import Token
from rkllm_providers.chat.tool_calls import collect_tool_calls
from rkllm_providers.chat.tool_formats import TOOL_FORMATS, tool_format_of
from rkllm_providers.chat.types import InvalidToolCall, TextDelta, ToolCallDelta
from tests.chat.answers import END, TOOLS, Read, cut_tokens, events_of, read, tokens_of
from tests.chat.test_templates import TEMPLATES

LIMA = ("get_weather", '{"city": "Lima"}')
OSLO = ("get_weather", '{"city": "Oslo", "days": 3}')
TIME = ("get_time", "{}")
SEP = "<｜tool▁sep｜>"
DEEP_BEGIN, DEEP_END = "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>"
DEEP_ALL, DEEP_DONE = "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"
Q = '<|"|>'

# name: format, what is written, the text of it, its calls
WRITTEN: dict[str, tuple[str, str, str, list[tuple[str, str]]]] = {
    "hermes": (
        "hermes",
        'Let me see.\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Lima"}}\n</tool_call>',
        "Let me see.",
        [LIMA],
    ),
    "hermes, parallel": (
        "hermes",
        '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Lima"}}\n</tool_call>\n'
        '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo", "days": 3}}\n</tool_call>\nDone.',
        "Done.",
        [LIMA, OSLO],
    ),
    "hermes, arguments first": (
        "hermes",
        '<tool_call>{"arguments": {"city": "Lima"}, "id": 1, "name": "get_weather"}</tool_call>',
        "",
        [LIMA],
    ),
    "hermes, arguments in a string": (
        "hermes",
        '<tool_call>{"name": "get_weather", "arguments": "{\\"city\\": \\"Lima\\"}"}</tool_call>',
        "",
        [LIMA],
    ),
    "hermes, no arguments": ("hermes", '<tool_call>{"name": "get_time"}</tool_call>', "", [TIME]),
    "hermes, null arguments": ("hermes", '<tool_call>{"name":"get_time","arguments":null}</tool_call>', "", [TIME]),
    "hermes, the end tag left out": ("hermes", '<tool_call>{"name": "get_time"}', "", [TIME]),
    "hermes, a brace too many": ("hermes", '<tool_call>{"name": "get_time"}}\n</tool_call>!', "!", [TIME]),
    "hermes, its end tag in a string": (
        "hermes",
        '<tool_call>{"name": "get_weather", "arguments": {"city": "</tool_call>\'s \\"\\u00e9"}}</tool_call>',
        "",
        [("get_weather", '{"city": "</tool_call>\'s \\"\\u00e9"}')],
    ),
    "hermes, a line break in a string": (
        "hermes",
        '<tool_call>{"name": "get_weather", "arguments": {"city": "a\nb\tc"}}</tool_call>',
        "",
        [("get_weather", '{"city": "a\\nb\\tc"}')],
    ),
    "hermes, in XML": (
        "hermes",
        "<tool_call>\n<function=get_weather>\n<parameter=city>\nLima\n</parameter>\n</function>\n</tool_call>",
        "",
        [LIMA],
    ),
    "xml": (
        "xml",
        "Well.\n\n<tool_call>\n<function=get_weather>\n<parameter=city>\nOslo\n</parameter>\n<parameter=days>\n3\n"
        "</parameter>\n</function>\n</tool_call>\n<tool_call>\n<function=get_time>\n</function>\n</tool_call>",
        "Well.",
        [OSLO, TIME],
    ),
    "xml, without the outer tag": (
        "xml",
        "<function=get_weather>\n<parameter=city>\nLima\n</parameter>\n</function>\n</tool_call>\nSo.",
        "So.",
        [LIMA],
    ),
    "xml, in JSON": ("xml", '<tool_call>\n{"name": "get_time", "arguments": {}}\n</tool_call>', "", [TIME]),
    "xml, typed by the schema": (
        "xml",
        '<tool_call><function=save>\n<parameter=text>\n12\n\n"</parameter\n</parameter>\n<parameter=tags>\n'
        '["a", 1]\n</parameter>\n<parameter=draft>\nTrue\n</parameter>\n<parameter=limit>\nnull\n</parameter>\n'
        "<parameter=other>\n5\n</parameter></function></tool_call>",
        "",
        [
            (
                "save",
                '{"text": "12\\n\\n\\"</parameter", "tags": ["a", 1], "draft": true, "limit": null, "other": "5"}',
            )
        ],
    ),
    "minicpm": (
        "minicpm",
        '<function name="get_weather"><param name="city"><![CDATA[a<b]]></param><param name="days">2</param>'
        '</function>\n<function name="get_time"></function>',
        "",
        [("get_weather", '{"city": "a<b", "days": 2}'), TIME],
    ),
    "llama3": ("llama3", '{"name": "get_weather", "parameters": {"city": "Lima"}}', "", [LIMA]),
    "llama3, two": (
        "llama3",
        '\n{"type": "function", "name": "get_weather", "parameters": {"city": "Lima"}}; {"name": "get_time"}',
        "",
        [LIMA, TIME],
    ),
    "llama3, python tag": (
        "llama3",
        'So. <|python_tag|>{"name": "get_weather", "parameters": {"city": "Lima"}};{"name":"get_time"}',
        "So. ",
        [LIMA, TIME],
    ),
    "llama3, an answer in JSON": ("llama3", ' {"name": "Ann", "age": 3}\nSo.', ' {"name": "Ann", "age": 3}\nSo.', []),
    "llama3, a tool's name in JSON": (
        "llama3",
        '{"name": "get_time", "time": [1, {}]} {',
        '{"name": "get_time", "time": [1, {}]} {',
        [],
    ),
    "llama3, no JSON": ("llama3", "{a | a > 1}", "{a | a > 1}", []),
    "llama3, JSON that is cut off": ("llama3", '{"name": "get_wea', '{"name": "get_wea', []),
    "llama3, JSON later": ("llama3", 'As {"name": "get_time"}', 'As {"name": "get_time"}', []),
    "mistral": (
        "mistral",
        '[TOOL_CALLS] [{"name": "get_weather", "arguments": {"city": "Lima"}, "id": "abcdefghi"}, '
        '{"name": "get_time", "arguments": {}}]',
        "",
        [LIMA, TIME],
    ),
    "mistral, names and arguments": (
        "mistral",
        'I see.[TOOL_CALLS]get_weather[ARGS]{"city": "Lima"}[TOOL_CALLS]get_time[CALL_ID]abcdefghi[ARGS]{}',
        "I see.",
        [LIMA, TIME],
    ),
    "mistral, no marker before the arguments": ("mistral", '[TOOL_CALLS]get_weather{"city": "Lima"}', "", [LIMA]),
    "mistral, the bracket left out": ("mistral", '[TOOL_CALLS][{"name": "get_time"}', "", [TIME]),
    "deepseek": (
        "deepseek",
        f'Hm.\n{DEEP_ALL}{DEEP_BEGIN}function{SEP}get_weather\n```json\n{{"city": "Lima"}}\n```{DEEP_END}\n'
        f"{DEEP_BEGIN}function{SEP}get_time\n```json\n{{}}\n```{DEEP_END}{DEEP_DONE}",
        "Hm.",
        [LIMA, TIME],
    ),
    "deepseek, 3.1": (
        "deepseek",
        f'{DEEP_ALL}{DEEP_BEGIN}get_weather{SEP}{{"city": "Lima"}}{DEEP_END}{DEEP_DONE}',
        "",
        [LIMA],
    ),
    "phi": ("phi", '<|tool_call|>[{"name": "get_time", "arguments": {}}]<|/tool_call|>', "", [TIME]),
    "gemma": ("gemma", '{"name": "get_weather", "parameters": {"city": "Lima"}}', "", [LIMA]),
    "gemma, fenced": ("gemma", 'So:\n```json\n{"name": "get_time", "parameters": {}}\n```\nOr.', "So:Or.", [TIME]),
    "gemma, tool code": ("gemma", '```tool_code\n[{"name": "get_time"}]\n```', "", [TIME]),
    "gemma, other code": (
        "gemma",
        'A\n```json\n{"a": 1}\n```\n```py\nx\n```',
        'A\n```json\n{"a": 1}\n```\n```py\nx\n```',
        [],
    ),
    "gemma4": (
        "gemma4",
        f"<|tool_call>call:get_weather{{city:{Q}Oslo{Q},days:3}}<tool_call|><|tool_call>call:get_time{{}}<tool_call|>",
        "",
        [OSLO, TIME],
    ),
    "gemma4, nested": (
        "gemma4",
        f'<|tool_call>call:save{{draft:true,tags:[{Q}a "b"\n{Q},{{x:null}},[]],text:{Q}{{,:}}{Q}}}<tool_call|>',
        "",
        [("save", '{"draft": true, "tags": ["a \\"b\\"\\n", {"x": null}, []], "text": "{,:}"}')],
    ),
}
written = pytest.mark.parametrize(("name", "text", "shown", "calls"), WRITTEN.values(), ids=WRITTEN)


def options(name: str, ids: bool = False) -> dict[str, Any]:
    tool_format = TOOL_FORMATS[name]
    markers = {10 + number: text for number, text in enumerate(dict.fromkeys(tool_format.markers))}
    return {"tool_format": tool_format, "tools": TOOLS, **({"marker_ids": markers} if ids else {})}


@written
@given(st.data())
def test_calls_are_read_however_they_are_cut(
    name: str, text: str, shown: str, calls: list[tuple[str, str]], data: st.DataObject
) -> None:
    result = read(cut_tokens(text, data), **options(name))
    assert result == Read("", shown, tuple(calls), ())
    for _, arguments in result.calls:
        assert isinstance(json.loads(arguments), dict)


@written
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_calls_are_read_with_markers_known_by_id(
    name: str, text: str, shown: str, calls: list[tuple[str, str]], size: int
) -> None:
    if "end tag in a string" in text or "'s" in text:
        return  # by its id, an end tag ends a call wherever it comes
    tokens = tokens_of(text, size, options(name, ids=True)["marker_ids"])
    result = read(tokens, **options(name, ids=True))
    assert result == Read("", shown, tuple(calls), ())


def test_the_name_comes_first_and_arguments_as_they_form() -> None:
    stream = AnswerStream({END}, 100, **options("hermes"))
    assert stream.feed([(9, b'<tool_call>\n{"name": "get_wea')]) == []
    [head] = stream.feed([(9, b'ther"')])
    assert isinstance(head, ToolCallDelta)
    assert (head.index, head.name, head.arguments) == (0, "get_weather", "")
    assert head.id is not None
    assert head.id.isalnum()
    assert len(head.id) == 9
    assert stream.feed([(9, b', "arguments": {"ci')]) == [ToolCallDelta(0, arguments='{"ci')]
    assert stream.feed([(9, b'ty": "Li'), (9, b'ma"}')]) == [
        ToolCallDelta(0, arguments='ty": "Li'),
        ToolCallDelta(0, arguments='ma"}'),
    ]
    assert stream.feed([(9, b"}\n</tool_call>"), (END, b"")]) == []
    assert stream.close() == []
    assert stream.finish_reason == "tool_calls"


def test_xml_parameters_come_one_by_one() -> None:
    stream = AnswerStream({END}, 100, **options("xml"))
    [head] = stream.feed([(9, b"<tool_call>\n<function=get_weather>\n<parameter=ci")])
    assert isinstance(head, ToolCallDelta)
    assert stream.feed([(9, b"ty>\nLima\n</parameter>\n")]) == [ToolCallDelta(0, arguments='{"city": "Lima"')]
    assert stream.feed([(9, b"</function>")]) == [ToolCallDelta(0, arguments="}")]


def test_ids_are_unique() -> None:
    text = "".join(WRITTEN["hermes"][1] for _ in range(50))
    calls, _ = collect_tool_calls(events_of(AnswerStream({END}, 9999, **options("hermes")), tokens_of(text, 50)))
    assert len({call.id for call in calls}) == 50


MALFORMED: dict[str, tuple[str, str, str, int | None]] = {
    "name left out": ("hermes", '<tool_call>{"arguments": {}}</tool_call>', "no name", None),
    "single quotes": ("hermes", "<tool_call>{'name': 'get_time'}</tool_call>", "name is due", None),
    "not closed": ("hermes", '<tool_call>{"name": "get_weather", "arguments": {"city": }}</tool_call>', "JSON", 0),
    "an array": ("hermes", '<tool_call>{"name": "get_weather", "arguments": []}</tool_call>', "arguments", 0),
    "a text": ("hermes", '<tool_call>{"name": "get_weather", "arguments": "Lima"}</tool_call>', "no JSON object", 0),
    "two names": ("hermes", '<tool_call>{"name": "save", "name": "get_time"}</tool_call>', "more than one", 0),
    "prose": ("hermes", "<tool_call>I would call get_time.</tool_call>", "JSON object is due", None),
    "empty": ("hermes", "<tool_call></tool_call>", "no call between", None),
    "unknown": (
        "hermes",
        '<tool_call>{"name": "fly", "arguments": {}}</tool_call>',
        "get_weather, get_time, save",
        None,
    ),
    "unknown in XML": ("xml", "<tool_call><function=fly></function></tool_call>", "no tool 'fly'", None),
    "twice in XML": (
        "xml",
        "<function=save><parameter=text>a</parameter><parameter=text>b</parameter></function>",
        "more than once",
        0,
    ),
    "text in XML": ("xml", "<function=save>text</function>", "is due", 0),
    "unknown, bare": ("llama3", '{"name": "fly", "parameters": {}}', "no tool 'fly'", None),
    "python": ("llama3", '<|python_tag|>get_time.call(a="b")', "JSON object is due", None),
    "mistral": ("mistral", "[TOOL_CALLS]get_weather[ARGS]Lima", "arguments is due", 0),
    "deepseek": ("deepseek", f"{DEEP_BEGIN}function{SEP}get_weather\n```json\n[]\n```{DEEP_END}", "is due", 0),
    "gemma4": ("gemma4", "<|tool_call>call:get_weather{city}<tool_call|>", "colon", 0),
    "no calls": ("mistral", "[TOOL_CALLS][]", "no call between", None),
    "cut off in a list": ("mistral", "[TOOL_CALLS][", "ended inside", None),
    "cut off behind a stale end": (
        "minicpm",
        '<function name="save"><param name="a</param><function name="get_time"></function>',
        "ended inside",
        0,
    ),
    "cut off in a name": ("hermes", '<tool_call>{"name": "get_wea', "ended inside", None),
    "cut off in arguments": ("hermes", '<tool_call>{"name": "get_weather", "arguments": {"ci', "ended inside", 0),
    "cut off in a parameter": ("xml", "<tool_call><function=save><parameter=text>a", "ended inside", 0),
    "cut off at its beginning": ("mistral", "[TOOL_CALLS]", "ended inside", None),
    "too deep": ("hermes", '<tool_call>{"name": "save", "arguments": {"tags": ' + "[" * 5000, "deep", 0),
}


@pytest.mark.parametrize(("name", "text", "problem", "index"), MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("size", [1, 1000])
def test_what_cannot_be_read_is_said(name: str, text: str, problem: str, index: int | None, size: int) -> None:
    result = read(tokens_of("So.\n" * (name != "llama3") + text, size), **options(name))
    [invalid] = result.invalid
    assert invalid.text == text or name == "xml"
    assert invalid.text in text
    assert problem in invalid.problem
    assert invalid.index == index
    assert result.calls == ()


def test_what_follows_a_broken_call_is_read_on() -> None:
    text = '<tool_call>{"name": get}</tool_call>\n' + WRITTEN["hermes"][1] + "So."
    result = read(tokens_of(text), **options("hermes"))
    assert result.calls == (LIMA,)
    assert result.text == "Let me see.So."
    assert [call.text for call in result.invalid] == ['<tool_call>{"name": get}</tool_call>']


def test_a_string_that_is_not_closed_does_not_take_the_next_call_along() -> None:
    text = '<tool_call>{"name": "get_weather", "arguments": {"city": "L}}</tool_call>\n' + WRITTEN["hermes"][1]
    for size in (1, 1000):
        result = read(tokens_of(text, size), **options("hermes"))
        assert result.calls == (LIMA,)
        assert [call.text for call in result.invalid] == [text[: text.index("\nLet")]]


def test_a_call_that_begins_within_another_breaks_that() -> None:
    markers = {7: "<tool_call>", 8: "</tool_call>"}
    text = '<tool_call>{"name": "get_weather", "arguments": {"city": "L' + WRITTEN["hermes"][1][12:]
    result = read(tokens_of(text, 1, markers), **options("hermes"), marker_ids=markers)
    assert result.calls == (LIMA,)
    [invalid] = result.invalid
    assert invalid.index == 0
    assert "not closed" in invalid.problem


def test_a_marker_spelled_out_is_text_where_it_has_an_id() -> None:
    tokens: list[Token] = [(9, bytes([byte])) for byte in WRITTEN["hermes"][1].encode()]
    result = read(tokens, **options("hermes"), marker_ids={7: "<tool_call>", 8: "</tool_call>"})
    assert result == Read("", WRITTEN["hermes"][1], (), ())


def test_without_tools_a_call_is_text() -> None:
    text = WRITTEN["hermes"][1]
    assert read(tokens_of(text), tool_format=TOOL_FORMATS["hermes"]) == Read("", text, (), ())


def test_the_limit_is_a_length_whatever_was_called() -> None:
    stream = AnswerStream({END}, 1, **options("hermes"))
    events_of(stream, [(9, WRITTEN["hermes"][1].encode())])
    assert stream.finish_reason == "length"


def test_an_invalid_call_alone_is_a_stop() -> None:
    stream = AnswerStream({END}, 9, **options("hermes"))
    events = events_of(stream, [(9, b"<tool_call>x</tool_call>"), (END, b"")])
    assert isinstance(events[0], InvalidToolCall)
    assert stream.finish_reason == "stop"


PIECES = (
    *(
        "<tool_call>",
        "</tool_call>",
        "<function=",
        "get_time",
        ">",
        "</function>",
        "{",
        "}",
        '"name": ',
        '"get_time"',
    ),
    *('"arguments": ', "[", "]", ",", ";", "\n", " ", "\\", '"', "é", "[TOOL_CALLS]", "[ARGS]", "<|python_tag|>"),
    *("```json", "```", "<parameter=a>", "</parameter>", DEEP_BEGIN, SEP, DEEP_END, "<|tool_call>", "call:", Q),
    *("<tool_call|>", "1", "-", "null", "<think>", "</think>", '{"name": "get_time", "parameters": {"a": 1}}', ":"),
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


@pytest.mark.parametrize("name", TOOL_FORMATS)
@given(TEXTS, st.data())
def test_any_cut_gives_what_the_whole_gives(name: str, text: str, data: st.DataObject) -> None:
    whole = read([(100, text.encode())], **options(name))
    assert read(cut_tokens(text, data), **options(name)) == whole
    for _, arguments in whole.calls:
        assert isinstance(json.loads(arguments), dict)
    if not whole.calls and not whole.invalid:
        silent = TOOL_FORMATS[name].silent
        if not any(marker in text for marker in silent):
            assert whole.text == text


@pytest.mark.parametrize("name", TOOL_FORMATS)
@given(st.lists(st.tuples(st.integers(8, 16), st.one_of(st.none(), st.binary(max_size=8), TEXTS.map(str.encode)))))
def test_no_tokens_break_it(name: str, tokens: list[Token]) -> None:
    stops = ["\n}", "get", "</tool_call>"]
    result = read(tokens, **options(name, ids=True), stops=stops)
    for piece in (
        result.text,
        *(call.text for call in result.invalid),
        *(text for call in result.calls for text in call),
    ):
        assert piece.encode().decode() == piece


@given(st.text(st.sampled_from("ab \n<>`{[t_é"), max_size=40), st.data())
@pytest.mark.parametrize("name", TOOL_FORMATS)
def test_an_answer_without_calls_loses_nothing(name: str, text: str, data: st.DataObject) -> None:
    stream = AnswerStream({END}, 1000, **options(name))
    events = events_of(stream, cut_tokens(text, data))
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == text


@pytest.mark.skipif(not TEMPLATES, reason="the public templates are not here")
def test_templates_tell_their_format() -> None:
    formats = {path.stem: tool_format_of(path.read_text()) for path in TEMPLATES}
    assert {stem: tool_format.name for stem, tool_format in formats.items() if tool_format is not None} == {
        "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use": "hermes",
        "Qwen-Qwen2.5-7B-Instruct": "hermes",
        "Qwen-Qwen3-0.6B": "hermes",
        "Qwen3.5-4B": "xml",
        "deepseek-ai-DeepSeek-R1-Distill-Llama-8B": "deepseek",
        "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B": "deepseek",
        "google-gemma-4-31B-it": "gemma4",
        "meta-llama-Llama-3.1-8B-Instruct": "llama3",
        "mistralai-Mistral-Nemo-Instruct-2407": "mistral",
        "openbmb-MiniCPM5-1B": "minicpm",
    }
