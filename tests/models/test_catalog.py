"""The models folder: ids, aliases, what is beside a model, and broken files."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rkllm_providers.errors import ModelLoadError, ModelNotFound
from rkllm_providers.models import BUILT_IN_MODEL, Catalog, ModelEntry, ModelFormat, read_card
from rkllm_providers.models.aliases import claims, derived_aliases, unambiguous
from tests.models import gguf_files

SCRIPT = "#!rkllm-script 1\ncontext 512\n"


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(tmp_path)


def put(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SCRIPT)


def listed(catalog: Catalog) -> dict[str, ModelEntry]:
    return {entry.id: entry for entry in catalog.entries() if entry.id != BUILT_IN_MODEL}


def test_models_are_found_without_a_restart(catalog: Catalog, tmp_path: Path) -> None:
    assert listed(catalog) == {}
    put(tmp_path, "One.rkllm")
    assert list(listed(catalog)) == ["one"]
    (tmp_path / "One.rkllm").unlink()
    assert listed(catalog) == {}


def test_two_files_in_one_folder_are_two_models(catalog: Catalog, tmp_path: Path) -> None:
    put(tmp_path, "a/x one.rkllm", "a/y.rkllm", "a/y.gguf", "b/y.rkllm", ".hidden/z.rkllm", "a/readme.txt")
    assert sorted(listed(catalog)) == ["a-y", "a-y-2", "b-y", "x-one"]


@pytest.mark.parametrize(
    ("model", "aliases"),
    [
        ("qwen3-4b-instruct-2507", ["qwen3-4b-instruct", "qwen3-4b", "qwen3", "qwen"]),
        ("qwen2.5-0.5b", ["qwen2.5", "qwen2", "qwen"]),
        ("qwen", []),
        ("7b-chat", ["7b"]),
    ],
)
def test_every_beginning_of_an_id_is_an_alias(model: str, aliases: list[str]) -> None:
    assert derived_aliases(model) == aliases


def test_only_unambiguous_aliases_count(catalog: Catalog, tmp_path: Path) -> None:
    put(tmp_path, "Qwen3-4B-Instruct.rkllm", "Qwen3-8B.rkllm", "Gemma_2b.rkllm", "gemma.rkllm")
    found = listed(catalog)
    assert found["qwen3-4b-instruct"].aliases == ("qwen3-4b",)
    assert found["gemma-2b"].aliases == ()
    assert catalog.get("QWEN3_4b").id == "qwen3-4b-instruct"
    assert catalog.get("gemma").id == "gemma"
    with pytest.raises(
        ModelNotFound, match=r"^Model 'qwen' could be qwen3-4b-instruct or qwen3-8b: name one of them\. Known"
    ):
        catalog.get("qwen")
    with pytest.raises(ModelNotFound, match=r"Known models: gemma, gemma-2b"):
        catalog.get("llama")


def test_files_of_one_name_in_several_folders_are_named(catalog: Catalog, tmp_path: Path) -> None:
    put(tmp_path, "a/chat-v2.gguf", "b/chat_v2.gguf", "c/other.gguf")
    for name in ("chat-v2", "Chat_V2", "chat", "chat-v2.rkllm", "chat.gguf"):
        with pytest.raises(ModelNotFound, match="could be a-chat-v2 or b-chat-v2: name one of them"):
            catalog.get(name)
    assert catalog.get("a-chat-v2").aliases == ("a-chat", "a")
    (tmp_path / "a" / "chat-v2.gguf").write_bytes(b"")
    assert catalog.get("chat-v2").id == "b-chat-v2"
    put(tmp_path, "chat-v2.gguf")
    assert catalog.get("chat-v2").path == catalog.get("chat").path == tmp_path / "chat-v2.gguf"


def test_a_file_name_is_a_name(catalog: Catalog, tmp_path: Path) -> None:
    put(tmp_path, "SmolLM3 3B.gguf", "y.rkllm", "y.gguf", "z/weights.gguf")
    (tmp_path / "z" / "weights.toml").write_text('id = "house.v2"')
    assert catalog.get("SmolLM3-3B.gguf").id == catalog.get("smollm3.GGUF").id == "smollm3-3b"
    assert {catalog.get(f"y.{suffix}").path.suffix for suffix in ("gguf", "rkllm")} == {".gguf", ".rkllm"}
    assert catalog.get("weights.gguf").id == catalog.get("house.v2.gguf").id == "house.v2"
    for name in ("y.txt", ".gguf", "nobody.gguf"):
        with pytest.raises(ModelNotFound, match="was not found"):
            catalog.get(name)


def test_of_many_models_those_are_named_that_the_name_is_like(catalog: Catalog, tmp_path: Path) -> None:
    put(tmp_path, *(f"m{number}/model-{number:02}.gguf" for number in range(30)), "talker.gguf")
    with pytest.raises(ModelNotFound) as raised:
        catalog.get("Talkerr" * 1000)
    assert len(str(raised.value)) < 1000
    with pytest.raises(ModelNotFound) as raised:
        catalog.get("talkr")
    known = str(raised.value).partition("Known models: ")[2]
    assert known.startswith("talker, ")
    assert f" and {len(raised.value.known) - 20} more." in known
    assert known.count(", ") == 20  # one of them is in the sentence behind


def test_who_finds_no_model_is_told_of_broken_ones(catalog: Catalog, tmp_path: Path) -> None:
    put(tmp_path, "over.gguf")
    (tmp_path / "over.toml").write_text('id = "house-model"\ncontxt_length = 5')
    with pytest.raises(ModelNotFound) as raised:
        catalog.get("house-model")
    assert f"Not usable: over ({tmp_path / 'over.gguf'}): {tmp_path / 'over.toml'} has" in str(raised.value)
    assert not str(raised.value).endswith("..")
    for number in range(5):
        (tmp_path / f"n{number}.rkllm").write_bytes(b"")
    with pytest.raises(ModelNotFound, match=r"n2\.rkllm is empty; and 3 more\.$"):
        catalog.get("house-model")


def test_what_is_written_counts_more_than_what_is_derived() -> None:
    claimed = claims([("a-1", ("a",), True), ("a-2", (), True), ("b-1", (), True), ("b-2", (), False)])
    assert unambiguous(claimed) == {"a-1": ("a",), "b-1": ("b",)}


@given(st.lists(st.from_regex(r"[a-z0-9.]{1,4}(-[a-z0-9.]{1,3}){0,3}", fullmatch=True), unique=True, max_size=6))
def test_no_alias_is_an_id_or_means_two_models(ids: list[str]) -> None:
    aliases = unambiguous(claims((model, (), True) for model in ids))
    names = [alias for model in ids for alias in aliases.get(model, ())]
    assert len(names) == len(set(names))
    assert not set(names) & set(ids)


def test_model_toml_gives_an_id_and_aliases(catalog: Catalog, tmp_path: Path) -> None:
    put(tmp_path, "m/weights-v7.rkllm")
    (tmp_path / "m" / "model.toml").write_text('id = "My Model"\naliases = ["Home"]\n')
    entry = catalog.get("home")
    assert (entry.id, entry.aliases) == ("my-model", ("home", "my"))
    assert Catalog.find(catalog, entry.path).id == "my-model"


def test_an_id_for_several_models_at_once_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    put(tmp_path, "a.rkllm", "b.rkllm")
    (tmp_path / "model.toml").write_text('id = "x"')
    assert {entry.problem is None for entry in listed(catalog).values()} == {False}
    (tmp_path / "model.toml").unlink()
    (tmp_path / "a.toml").write_text('id = "x"')
    assert list(listed(catalog)) == ["b", "x"]


def test_the_file_for_one_model_has_the_last_word(catalog: Catalog, tmp_path: Path) -> None:
    put(tmp_path, "a.rkllm", "b.rkllm")
    (tmp_path / "model.toml").write_text("context_length = 64\n[sampling]\ntop_k = 5\ntop_p = 0.5\n")
    (tmp_path / "a.toml").write_text("context_length = 128\n[sampling]\ntop_k = 7\n")
    card = read_card(catalog.get("a"))
    assert (card.context_length, card.sampling) == (128, {"top_k": 7, "top_p": 0.5})
    assert card.facts["context window"].source == "a.toml"
    assert card.facts["sampling defaults"].source == "model.toml, a.toml"
    assert read_card(catalog.get("b")).context_length == 64


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("m.rkllm", b"", "is empty"),
        ("m.rkllm", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
        ("m.gguf", b"\n <!DOCTYPE html><html>", "web page"),
        ("m.gguf", b"\0something", "not a GGUF file"),
        ("m.rkllm", b"PK\x03\x04", "ZIP archive"),
        ("m.gguf", gguf_files.head({"general.name": ("str", "x" * 99)})[:60], "announced"),
        ("m.gguf", gguf_files.head({"general.architecture": ("str", "clip")}), "picture encoder"),
        ("m.rkllm", b"hi", r"is too small to be a model \(2 bytes\)"),
        ("m.rkllm", SCRIPT.encode() + b"contxt 5\n", r"m\.rkllm:3: "),
        ("m.gguf", SCRIPT.encode() + b"\xff\n", r"m\.gguf:3: this is not UTF-8 text\."),
    ],
)
def test_broken_files_are_listed_with_what_is_wrong(
    catalog: Catalog, tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    (tmp_path / name).write_bytes(content)
    entry = listed(catalog)["m"]
    assert entry.problem is not None
    assert re.search(problem, entry.problem)
    with pytest.raises(ModelLoadError, match=problem):
        catalog.get("m")
    with pytest.raises(ModelLoadError, match=problem):
        catalog.find(tmp_path / name)
    with pytest.raises(ModelLoadError, match=problem):
        read_card(ModelEntry("m", tmp_path / name, entry.format, 0, problem=entry.problem))
    (tmp_path / name).write_text(SCRIPT)
    assert catalog.get("m").problem is None


def test_files_that_cannot_be_read_are_listed(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "gone.rkllm").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.gguf")
    found = listed(catalog)
    assert "cannot be read: No such file" in str(found["gone"].problem)
    assert "no regular file" in str(found["pipe"].problem)


def test_a_broken_model_takes_no_alias_from_one_that_works(catalog: Catalog, tmp_path: Path) -> None:
    put(tmp_path, "qwen-a.rkllm")
    (tmp_path / "qwen-b.rkllm").write_bytes(b"")
    assert catalog.get("qwen").id == "qwen-a"


def test_a_broken_model_toml_is_a_broken_model(catalog: Catalog, tmp_path: Path) -> None:
    put(tmp_path, "m.rkllm")
    (tmp_path / "model.toml").write_text("contxt_length = 5")
    assert "unknown key 'contxt_length'; known are id, aliases" in str(listed(catalog)["m"].problem)
    with pytest.raises(ModelLoadError, match="contxt_length"):
        read_card(ModelEntry("m", tmp_path / "m.rkllm", ModelFormat.SCRIPT, 0))


def test_a_change_beside_a_model_is_a_change_of_the_model(catalog: Catalog, tmp_path: Path) -> None:
    put(tmp_path, "m.rkllm")
    bare = catalog.get("m")
    assert bare.is_unchanged()
    toml = tmp_path / "model.toml"
    toml.write_text("context_length = 100\nchat_template = 'own.jinja'")
    os.utime(toml, ns=(5, 5))  # older than the model: still noticed
    assert not bare.is_unchanged()
    written = catalog.get("m")
    assert written != bare
    assert read_card(written).context_length == 100
    assert written.is_unchanged()
    (tmp_path / "own.jinja").write_text("{{ messages }}")
    assert not written.is_unchanged()
    named = catalog.get("m")
    assert named != written
    assert hash(named) != hash(written)
    toml.unlink()
    assert not named.is_unchanged()
    assert catalog.get("m").is_unchanged()
    (tmp_path / "m.rkllm").unlink()
    assert not bare.is_unchanged()


def test_a_file_is_looked_at_once(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "m.rkllm")
    first = listed(catalog)

    def never(path: Path) -> None:
        raise AssertionError(f"{path} is looked at again")

    monkeypatch.setattr("rkllm_providers.models.catalog._look_at", never)
    assert listed(catalog) == first
    (tmp_path / "m.rkllm").write_text(SCRIPT + "name other\n")
    with pytest.raises(AssertionError, match="looked at again"):
        listed(catalog)


@given(st.text(max_size=30))
def test_no_name_reaches_the_disk(name: str) -> None:
    with contextlib.suppress(ModelNotFound):
        assert Catalog("/nowhere").get(name).id == BUILT_IN_MODEL
