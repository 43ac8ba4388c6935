"""model.toml and the older server's model_config.json: what they may say, and how mistakes are told."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rkllm_providers.models.overrides import (
    CAPABILITIES,
    Overrides,
    parse_model_config,
    parse_model_toml,
    read_overrides,
)
from rkllm_providers.models.side_files import MOST_CONFIG_BYTES, SideFileError, read_side_file

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["context_length", "capabilities", "sampling", "id", "end_tokens", "chat_template", "other"])


def write(folder: Path, name: str, content: str) -> Path:
    (folder / name).write_text(content)
    return folder / "m.rkllm"


def test_everything_that_may_be_written(tmp_path: Path) -> None:
    model = write(
        tmp_path,
        "model.toml",
        """
        id = "x"
        aliases = ["y", "z"]
        family = "Qwen3"
        context_length = 1048576
        end_tokens = [5, "<|end|>"]
        tokenizer = "t.json"
        chat_template = "c.jinja"
        keep_alive = "1h"
        base_domain_id = 3
        [capabilities]
        thinking = true
        tools = false
        [sampling]
        temperature = 0
        top_p = 0.5
        top_k = 3
        repeat_penalty = 1.1
        frequency_penalty = -1
        presence_penalty = 1.5
        """,
    )
    found = read_overrides(model)
    assert (found.id, found.aliases, found.family, found.context_length) == ("x", ("y", "z"), "qwen3", 1048576)
    assert (found.end_tokens, found.file_names()) == ((5, "<|end|>"), ("t.json", "c.jinja"))
    assert (found.keep_alive, found.base_domain_id) == ("1h", 3)
    assert found.capabilities == {"thinking": True, "tools": False}
    assert found.sampling["top_k"] == 3
    assert found.sources["sampling.top_k"] == "model.toml"


def test_a_list_of_capabilities_is_all_there_are() -> None:
    checked = parse_model_toml(b'capabilities = ["tools"]', "f")
    assert checked["capabilities"] == {name: name == "tools" for name in CAPABILITIES}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("no toml", "is not TOML"),
        ("contxt = 1", "unknown key 'contxt'; known are id, aliases, family, context_length"),
        ("id = 3", "id must be a text, and is 3"),
        ('id = "a/b"', "without slashes"),
        ('aliases = "a"', "aliases must be a list of names"),
        ('family = "gpt"', "family must be one of qwen2, qwen3"),
        ("context_length = true", "context_length must be a whole number from 16 to 1048576"),
        ("context_length = 2000000", "1048576, and is 2000000"),
        ('capabilities = ["flying"]', "out of thinking, tools, vision, embedding, reranking, and has 'flying'"),
        ("capabilities = {thinking = 1}", "true or false"),
        ("sampling = {heat = 1}", "unknown key 'heat'; known are temperature"),
        ("sampling = {top_k = 1.5}", "top_k, which must be a whole number"),
        ("sampling = {temperature = nan}", "must be from 0 to 100"),
        ("sampling = {temperature = 101}", "temperature, which must be from 0 to 100, and is 101"),
        ("sampling = {top_k = 0}", "top_k, which must be from 1 to 1000000, and is 0"),
        ("sampling = {top_p = 0}", "top_p, which must be from 1e-06 to 1, and is 0"),
        ("sampling = {repeat_penalty = 0}", "repeat_penalty, which must be from 0.01 to 100, and is 0"),
        ("sampling = {presence_penalty = 3}", "presence_penalty, which must be from -2 to 2, and is 3"),
        ("end_tokens = [-1]", "token ids or texts, and has -1"),
        ("end_tokens = []", "token ids or texts"),
        ("keep_alive = true", "seconds, a time"),
        ("keep_alive = 'soon'", "seconds, a time"),
        ("base_domain_id = -1", "from 0 to 255"),
        ("base_domain_id = 1.5", "a whole number"),
        ('tokenizer = "../t.json"', "leaves the model's folder"),
        ('chat_template = "/etc/passwd"', "leaves the model's folder"),
        ('tokenizer = ".."', "is no file name"),
    ],
)
def test_a_mistake_names_file_key_and_what_is_allowed(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(SideFileError) as raised:
        read_overrides(write(tmp_path, "model.toml", content))
    assert str(tmp_path / "model.toml") in str(raised.value)
    assert message in str(raised.value)


def test_the_older_servers_file_is_read(tmp_path: Path) -> None:
    old = {
        "context_length": 8192,
        "capabilities": ["thinking", "VL", "instruct", "flying"],
        "sampling": {"top_k": 20, "temperature": 0.6},
        "port": 8000,
    }
    model = write(tmp_path, "model_config.json", json.dumps(old))
    found = read_overrides(model)
    assert (found.context_length, found.sampling) == (8192, {"top_k": 20, "temperature": 0.6})
    assert found.capabilities == {"thinking": True, "vision": True}
    assert ["flying" in note or "port" in note for note in found.notes] == [True, True]
    assert read_overrides(write(tmp_path, "model.toml", "context_length = 99")).context_length == 99


def test_what_is_right_of_the_older_servers_sampling_is_kept(tmp_path: Path) -> None:
    sampling = {"temperature": 0.3, "foo": 1, "top_k": 1.5, "top_p": 0.9}
    found = read_overrides(write(tmp_path, "model_config.json", json.dumps({"sampling": sampling})))
    assert found.sampling == {"temperature": 0.3, "top_p": 0.9}
    assert found.sources["sampling.top_p"] == "model_config.json"
    assert "unknown key 'foo'" in found.notes[0]
    assert found.notes[0].endswith("; 'foo' alone is left out.")
    assert "top_k, which must be a whole number" in found.notes[1]
    assert len(found.notes) == 2


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000, '{"context_length": "many"}', '{"sampling": 1}'])
def test_a_mistake_in_the_older_servers_file_is_noted(tmp_path: Path, content: str) -> None:
    found = read_overrides(write(tmp_path, "model_config.json", content))
    assert found.context_length is None
    assert len(found.notes) == 1
    assert "model_config.json" in found.notes[0]


def test_files_are_read_up_to_a_bound(tmp_path: Path) -> None:
    with pytest.raises(SideFileError, match=f"more than {MOST_CONFIG_BYTES} bytes"):
        read_overrides(write(tmp_path, "model.toml", "#" * (MOST_CONFIG_BYTES + 1)))
    (tmp_path / "model.toml").unlink()
    (tmp_path / "model.toml").mkdir()
    with pytest.raises(SideFileError, match="no regular file"):
        read_overrides(tmp_path / "m.rkllm")
    assert read_side_file(tmp_path, "nothing") is None
    assert read_overrides(tmp_path / "nowhere" / "m.rkllm") == Overrides()


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_text_raises_anything_else(content: bytes) -> None:
    with contextlib.suppress(SideFileError):
        parse_model_toml(content, "model.toml")
    with contextlib.suppress(SideFileError):
        parse_model_config(content, "model_config.json", [])


@given(st.dictionaries(KEYS, JSON, max_size=4))
def test_no_value_raises_anything_else(content: dict[str, object]) -> None:
    raw = json.dumps(content).encode()
    parse_model_config(raw, "model_config.json", [])
    lines = "\n".join(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in content.items())
    with contextlib.suppress(SideFileError):
        parse_model_toml(lines.encode(errors="replace"), "model.toml")
