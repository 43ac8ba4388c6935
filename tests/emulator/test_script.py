from __future__ import annotations

import dataclasses
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2.sandbox import ImmutableSandboxedEnvironment

from rkllm_providers.emulator import Script, ScriptError, is_script, load_script
from rkllm_providers.errors import RKLLMError
from tests.emulator.clib import LOGITS, Library, RefusedError
from tests.emulator.conftest import WriteScript

quick = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def plain(write_script: WriteScript) -> Script:
    return load_script(write_script(""))


def test_defaults(plain: Script) -> None:
    assert (plain.name, plain.context_length, plain.bos_id) == ("scripted", 4096, None)
    assert plain.tokens[:256] == tuple(bytes([byte]) for byte in range(256))
    assert plain.controls == {"<|endoftext|>": 256, "<|im_start|>": 257, "<|im_end|>": 258}
    assert list(plain.markers) == [
        "<think>",
        "</think>",
        "<tool_call>",
        "</tool_call>",
        "<tool_response>",
        "</tool_response>",
    ]
    assert plain.eos_ids == (258, 256)
    assert len(set(plain.tokens)) == len(plain.tokens)
    assert b" hello" in plain.tokens


def test_is_script() -> None:
    assert is_script(b"#!rkllm-script 1\nname x")
    assert not is_script(b"GGUF")
    assert not is_script(b"#!rkllm")


def test_everything_a_header_can_say(write_script: WriteScript) -> None:
    body = """
    name "my model"     # a comment
    context 128
    prefill_ms 0.5
    prefill_base_ms 10
    decode_ms 1.25
    npu_cores 3
    raw_utf8 yes
    control "<s>" "</s>"
    marker "<x>"
    words zebra
    word "two words"
    word "\\xff\\"\\\\\\n"
    bos "<s>"
    eos "</s>"
    template <<STOP
  {{ messages[0].content }}

STOP
    rule "zebra {a} and {b_2}"
      text "x" # another
      piece "\\xe4\\xbd"
      piece "zebra"
      sleep 1
      repeat 2 " y"
      no_eos
      forever "z"
    end
    rule *
      error
      fail
      hang
      crash
    end
    """
    script = load_script(write_script(body))
    assert (script.name, script.context_length) == ("my model", 128)
    assert script.chat_template == "  {{ messages[0].content }}\n"
    assert script.bos_id == script.controls["<s>"]
    assert script.eos_ids == (script.controls["</s>"],)
    assert set(script.markers) > {"<x>"}
    ids = script.encode("zebra zebra!two words")
    assert [script.tokens[i] for i in ids] == [b"zebra", b" zebra", b"!", b"two words"]
    assert b'\xff"\\\n' in script.tokens
    assert script.tokens[-1] == b"\xe4\xbd"


MALFORMED = {
    "unknown 1": "unknown keyword 'unknown'",
    '"name" x': "a line must begin with a keyword",
    "name": "'name' takes one value",
    "name a\nname b": "'name' is given twice",
    'name "\\xff"': "a name must be UTF-8 text",
    "context 0": "a whole number from 16 to 1048576 is needed",
    "context 1e3": "a whole number from 16 to 1048576 is needed",
    "decode_ms -1": "a number of milliseconds such as 20 or 0.5 is needed",
    "decode_ms 1.": "a number of milliseconds such as 20 or 0.5 is needed",
    "npu_cores 9": "a whole number from 1 to 8 is needed",
    "raw_utf8 maybe": "'yes' or 'no' is needed",
    "words": "'words' takes at least one word",
    'words "a"': "'words' takes bare words",
    'word ""': "a token cannot be empty",
    "control x": "'control' takes names in double quotes",
    'control "the"': "'the' is a token of another kind already",
    'word "<think>"': "'<think>' is a token of another kind already",
    'eos "<nope>"': "'<nope>' is no control token",
    'bos "<think>"': "'<think>' is no control token",
    "eos": "'eos' takes names in double quotes",
    "template": "'template' takes one value",
    "template x": "'template' takes '<<END'",
    "template <<END\nx": "the template has no line 'END' at its end",
    'name "a': "a closing quote is missing",
    'name "a\\': "unknown escape",
    'name "\\q"': "unknown escape",
    'name "\\x1"': "two hexadecimal digits",
    'name "\\x00"': "cannot be delivered",
    'name "a"b': "a blank is missing after a closing quote",
    'name b"a"': "a blank is missing before an opening quote",
    "end": "unknown keyword 'end'",
    "rule": "takes one text in double quotes",
    "rule x": "takes one text in double quotes",
    'rule ""': "a pattern cannot be empty",
    'rule "{a}b"': "a pattern needs text before each {name}",
    'rule "a{a}{b}"': "a pattern needs text before each {name}",
    'rule "a{a}b{a}"': "{a} cannot be captured here",
    'rule "a{n_prompt}"': "{n_prompt} cannot be captured here",
    "rule *": "the last rule has no 'end'",
    "rule *\nend\nrule *": "no rule after 'rule *' can match",
    'rule "a"\nend\nname x': "'name' must come before the first rule",
    "rule *\ntext": "takes one text in double quotes",
    "rule *\ntext a": "takes one text in double quotes",
    "rule *\nsay x": "unknown action 'say'",
    'rule *\npiece ""': "needs at least one byte",
    'rule *\nforever ""': "needs at least one byte",
    'rule *\nforever "a"\ntext "b"': "nothing after 'forever' is reached",
    'rule *\nrepeat "b"': "'repeat' takes a number and a text",
    'rule *\nrepeat 0 "b"': "a whole number from 1 to",
    "rule *\nsleep x": "a whole number from 0 to",
    "rule *\ncrash now": "takes no value",
    "rule *\nend now": "'end' takes no value",
}


@pytest.mark.parametrize(("body", "problem"), MALFORMED.items())
def test_malformed_files_are_refused_with_path_and_line(body: str, problem: str, write_script: WriteScript) -> None:
    path = write_script(body)
    with pytest.raises(ScriptError) as caught:
        load_script(path)
    assert problem in str(caught.value)
    assert caught.value.path == str(path)
    assert 2 <= caught.value.line <= 2 + body.count("\n")
    assert str(caught.value).startswith(f"{path}:{caught.value.line}: ")


@pytest.mark.parametrize("first_line", ["", "#!rkllm-script", "#!rkllm-script 2", " #!rkllm-script 1"])
def test_the_first_line_is_checked(tmp_path: Path, first_line: str) -> None:
    path = tmp_path / "x"
    path.write_text(first_line)
    with pytest.raises(ScriptError, match="the first line must be"):
        load_script(path)


def test_errors_are_of_both_families_and_pickle(write_script: WriteScript) -> None:
    with pytest.raises(ScriptError) as caught:
        load_script(write_script("bad"))
    assert isinstance(caught.value, RKLLMError)
    assert isinstance(caught.value, ValueError)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.line) == (str(caught.value), 2)


def test_a_copy_with_renamed_tokens_encodes_by_those(plain: Script) -> None:
    renamed = tuple(b"\xf0\x9f" if t == b"<think>" else t for t in plain.tokens)
    copy = dataclasses.replace(plain, tokens=renamed)
    assert plain.encode("<think>") == [plain.markers["<think>"]]
    assert copy.encode("<think>") != plain.encode("<think>")
    assert copy.encode(b"\xf0\x9f") == [plain.markers["<think>"]]


def tricky_text() -> st.SearchStrategy[bytes]:
    parts = st.sampled_from(
        [b"<|im_start|>", b"<|im_", b"<think>", b"</", b" hello", b"hello", b"world", b"\xe4", b" "]
    )
    return st.lists(st.one_of(parts, st.binary(max_size=4)), max_size=12).map(b"".join)


@quick
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_decode_of_encode_is_the_text(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    script = default_script(tmp_path_factory)
    assert script.decode(script.encode(text)).decode() == text


@quick
@given(data=tricky_text())
def test_decode_of_encode_is_the_bytes_and_encoding_is_stable(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    script = default_script(tmp_path_factory)
    ids = script.encode(data)
    assert script.decode(ids) == data
    assert script.encode(script.decode(ids)) == ids


_defaults: list[Script] = []


def default_script(factory: pytest.TempPathFactory) -> Script:
    if not _defaults:
        path = factory.mktemp("script") / "x"
        path.write_text("#!rkllm-script 1\n")
        _defaults.append(load_script(path))
    return _defaults[0]


WORDS = [
    "name",
    "context",
    "words",
    "word",
    "control",
    "marker",
    "eos",
    "bos",
    "template",
    "rule",
    "end",
    "text",
    "piece",
    "repeat",
    "forever",
    "sleep",
    "error",
    "no_eos",
    "*",
    "1",
    "0.5",
    "64",
    "<<END",
    "END",
    "#",
    '"{a}"',
    '"a{b}c"',
    '"\\xe4"',
    '"<think>"',
    '"<|im_end|>"',
    '""',
    '"\\q"',
    '"a',
    "yes",
    "\\",
]


def script_lines() -> st.SearchStrategy[bytes]:
    line = st.one_of(
        st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join).map(str.encode), st.binary(max_size=12)
    )
    return st.lists(line, max_size=12).map(b"\n".join)


@quick
@given(body=script_lines())
def test_both_parsers_accept_the_same_files(
    body: bytes, tmp_path: Path, newest: Library, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "fuzzed"
    path.write_bytes(b"#!rkllm-script 1\n" + body)
    try:
        script = load_script(path)
    except ScriptError as error:
        line = error.line
    else:
        line = 0
    if line:
        with pytest.raises(RefusedError):
            newest.open(path)
        assert f"E rkllm: {path}:{line}: " in capfd.readouterr().out
        return
    with newest.open(path) as model:
        run = model.run([97], mode=LOGITS)
    assert run.events[0].logits is not None
    assert run.events[0].logits[0] == len(script.tokens)


@quick
@given(data=tricky_text().filter(lambda data: data and b"\0" not in data))
def test_both_encoders_agree(data: bytes, tmp_path: Path, newest: Library) -> None:
    path = tmp_path / "echo"
    path.write_text('#!rkllm-script 1\nwords world worlds\nword "\xe4<"\nrule "[[{x}]]"\n  text "{x}"\nend\n')
    script = load_script(path)
    with newest.open(path) as model:
        model.set_chat_template("", "", "")
        echoed = model.run(b"[[" + data + b"]]")
        counted = model.run(data, mode=LOGITS)
    if b"]]" not in data + b"]":
        assert echoed.tokens[:-1] == script.encode(data)
    assert counted.events[0].logits is not None
    assert counted.events[0].logits[1] == len(script.encode(data))


def test_words_of_a_reply_are_single_tokens(library: Library, write_script: WriteScript) -> None:
    path = write_script('words zebra\nrule *\n  text "zebra zebra<tool_call>"\nend\n')
    script = load_script(path)
    with library.open(path) as model:
        assert model.run("?").tokens[:-1] == script.encode("zebra zebra<tool_call>")
        assert len(model.run("?").tokens) == 4


def render(script: Script, messages: list[dict[str, Any]], **options: Any) -> str:
    """Render with the settings of transformers, and check that they make no difference."""
    texts = {
        ImmutableSandboxedEnvironment(trim_blocks=trim, lstrip_blocks=trim)
        .from_string(script.chat_template)
        .render(messages=messages, **options)
        for trim in (True, False)
    }
    assert len(texts) == 1
    return texts.pop()


def test_the_default_template(plain: Script) -> None:
    system = {"role": "system", "content": "Be brief."}
    user = {"role": "user", "content": "Hi"}
    assert render(plain, [system, user], add_generation_prompt=True) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    )
    assert render(plain, [user], add_generation_prompt=True, enable_thinking=False).endswith(
        "<|im_start|>assistant\n<think>\n\n</think>\n\n"
    )
    assert render(plain, [user], add_generation_prompt=True, enable_thinking=True).endswith("assistant\n")
    assert render(plain, [user]).endswith("Hi<|im_end|>\n")


def test_the_default_template_renders_tools(plain: Script) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    call = {"type": "function", "function": {"name": "f", "arguments": {"a": 1}}}
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "S"},
        {"role": "user", "content": "U"},
        {"role": "assistant", "content": "", "reasoning_content": "R", "tool_calls": [call, call]},
        {"role": "tool", "content": "1"},
        {"role": "tool", "content": "2"},
        {"role": "assistant", "content": "A", "tool_calls": [{"name": "g", "arguments": "{}"}]},
        {"role": "tool", "content": "3"},
    ]
    text = render(plain, messages, tools=[tool], add_generation_prompt=True)
    assert text.startswith("<|im_start|>system\nS\n\n# Tools\n")
    assert '<tools>\n{"function": {"name": "f", "parameters": {}}, "type": "function"}\n</tools>' in text
    block = '<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>'
    assert f"<|im_start|>assistant\n<think>\nR\n</think>\n\n{block}\n{block}<|im_end|>\n" in text
    assert (
        "<|im_start|>user\n<tool_response>\n1\n</tool_response>\n<tool_response>\n2\n</tool_response><|im_end|>\n"
    ) in text
    assert text.endswith(
        'A\n<tool_call>\n{"name": "g", "arguments": {}}\n</tool_call><|im_end|>\n'
        "<|im_start|>user\n<tool_response>\n3\n</tool_response><|im_end|>\n<|im_start|>assistant\n"
    )


def test_the_library_renders_a_turn_as_the_template_does(
    chat_library: Library, write_script: WriteScript, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_script("")
    script = load_script(path)
    rendered = render(script, [{"role": "user", "content": "Hi you"}], add_generation_prompt=True)
    os.environ["RKLLM_LOG_LEVEL"] = "2"
    with chat_library.open(path) as model:
        model.run("Hi you")
    assert f"tokens: {script.encode(rendered)}, count:" in capfd.readouterr().out


def test_scripts_need_no_library(write_script: WriteScript, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert load_script(write_script("name x")).name == "x"
