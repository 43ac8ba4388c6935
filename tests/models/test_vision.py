"""How a model sees: the encoder beside it, its family, and what is missing."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from rkllm_providers.emulator import write_vision_encoder
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.models import Catalog, ModelCard, read_card
from rkllm_providers.models.encoders import find_encoder
from rkllm_providers.models.overrides import parse_model_toml
from rkllm_providers.models.side_files import SideFileError
from rkllm_providers.models.vision_families import (
    VISION_FAMILIES,
    VisionFamily,
    decoder_domain,
    find_vision_family,
)
from rkllm_providers.runtime import VERSIONS
from tests.models.conftest import MakeCard

SCRIPT = "#!rkllm-script 1\n"
DOCS = (Path(__file__).parents[2] / "docs" / "vision.md").read_text()


def put(folder: Path, *names: str) -> None:
    for name in names:
        if name.endswith(".rknn"):
            write_vision_encoder(folder / name)
        else:
            (folder / name).write_text(SCRIPT)


def card_of(folder: Path, name: str) -> ModelCard:
    return read_card(Catalog(folder).find(folder / name))


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("qwen2-vl-2b-w8a8-rk3588", "qwen2-vl"),
        ("Qwen2.5-VL-3B_w8a8", "qwen2.5-vl"),
        ("qwen2_5_vl", "qwen2.5-vl"),
        ("Qwen3-VL-2B-Instruct", "qwen3-vl"),
        ("Qwen3.5-0.8B", "qwen3.5"),
        ("InternVL3-1B", "internvl3"),
        ("MiniCPM-V-2_6", "minicpm-v"),
        ("DeepSeek-OCR", "deepseek-ocr"),
        ("deepseekocr_w8a8", "deepseek-ocr"),
        ("SmolVLM-256M", "smolvlm"),
        ("qwen2.5-3b", None),
        ("my-qwen2-vl", None),
        ("llava", None),
    ],
)
def test_families_by_name(name: str, family: str | None) -> None:
    if family is None:
        with pytest.raises(InvalidRequest, match=r"not known to which family .* write family = one of qwen2-vl, "):
            find_vision_family(name)
    else:
        assert find_vision_family(name).name == family


def test_what_beats_what() -> None:
    assert find_vision_family("smolvlm", architectures=["llama", "QWEN2_VL"]).name == "qwen2-vl"
    assert find_vision_family("smolvlm", {"family": "minicpm-v"}, architectures=["qwen2_vl"]).name == "minicpm-v"
    found = find_vision_family("smolvlm", {"start": "<s>", "content": "<c>"})
    assert (found.name, found.markers.start, found.markers.end, found.markers.content) == (
        "smolvlm",
        "<s>",
        "",
        "<c>",
    )
    own = find_vision_family("llava", {"start": "a", "end": "", "content": "c"})
    assert (own.name, own.start, own.end, own.content, own.image_size) == ("own", "a", "", "c", None)


def test_what_is_not_known_is_asked_for() -> None:
    with pytest.raises(
        InvalidRequest, match=r"'llava'.*Into \[vision\] of x\.toml .*: end = \"…\", content = \"…\" \("
    ):
        find_vision_family("llava", {"start": "a"}, toml="x.toml")
    with pytest.raises(InvalidRequest, match=r"markers of the family janus are not published.*start = .*end = .*con"):
        find_vision_family("janus-pro-1b")
    markers = {"start": "<a>", "end": "<b>", "content": "<c>"}
    assert find_vision_family("janus-pro-1b", markers).content == "<c>"


def test_families_are_whole() -> None:
    names = [family.name for family in VISION_FAMILIES]
    hints = [hint for family in VISION_FAMILIES for hint in family.name_hints]
    architectures = [word for family in VISION_FAMILIES for word in family.architectures]
    for words in (names, hints, architectures):
        assert len(set(words)) == len(words)
    for family in VISION_FAMILIES:
        assert {family.several_images, family.since or VERSIONS[0]} <= set(VERSIONS)
        assert family.unknown in ((), ("start", "end", "content"))


def test_domains() -> None:
    assert [decoder_domain(chip) for chip in ("RK3588", "rk3576", "rk3562", "rv1126b", None)] == [1, 1, 0, 0, 1]


@pytest.mark.parametrize(
    ("model", "others", "chosen", "source"),
    [
        ("a.rkllm", ["a.rknn", "a_vision.rknn", "b.rkllm"], "a.rknn", "its name"),
        (
            "Qwen2-VL-2B_w8a8_rk3588.rkllm",
            ["qwen2-vl-2b_vision_rk3588.rknn", "qwen3-vl-2b_vision.rknn", "b.rkllm"],
            "qwen2-vl-2b_vision_rk3588.rknn",
            "its name",
        ),
        ("a-llm.rkllm", ["x.rknn"], "x.rknn", "the only one beside the model"),
        ("a.rkllm", ["x.rknn", "b.rkllm"], None, ""),
        ("a.rkllm", ["x.rknn", "y.rknn"], None, ""),
        ("a.rkllm", ["a_vision_rk3588.rknn", "a_vision_rk3576.rknn"], None, ""),
        ("a.rkllm", [".a.rknn"], None, ""),
        ("a.rkllm", [], None, ""),
    ],
)
def test_which_encoder(model: str, others: list[str], chosen: str | None, source: str, tmp_path: Path) -> None:
    put(tmp_path, model, *others)
    choice = find_encoder(tmp_path / model, {})
    assert choice.path == (tmp_path / chosen if chosen else None)
    assert choice.source == source
    seen = [name for name in others if name.endswith(".rknn") and not name.startswith(".")]
    assert (choice.problem is not None) == (chosen is None and bool(seen))
    if choice.problem is not None:
        assert all(name in choice.problem for name in seen)
        assert 'write encoder = "…" into [vision] of' in choice.problem


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "is no file"), (b"", "is empty"), (b"version https://git-lfs.github.com/spec/v1", "Git LFS pointer")],
)
def test_encoders_that_cannot_be(content: bytes | None, told: str, tmp_path: Path, make_card: MakeCard) -> None:
    if content is not None:
        (tmp_path / "e.rknn").write_bytes(content)
    card = make_card(model__toml='[vision]\nencoder = "e.rknn"\nfamily = "smolvlm"')
    assert card.vision is None
    assert not card.capabilities.vision
    assert any(told in note for note in card.missing)


def test_an_encoder_of_the_models_own_that_is_broken_is_told(tmp_path: Path, make_card: MakeCard) -> None:
    (tmp_path / "m.rknn").touch()
    card = make_card()
    assert card.vision is None
    assert f"{tmp_path / 'm.rknn'} is empty." in card.missing


def test_a_card_with_an_encoder(tmp_path: Path, make_card: MakeCard) -> None:
    put(tmp_path, "m_vision.rknn")
    card = make_card(
        {"general.architecture": ("str", "qwen2_vl")},
        m__toml='[vision]\nstart = "<go>"\nwidth = 300\ncores = 3',
    )
    vision = card.vision
    assert vision is not None
    assert vision.family is not None
    assert (vision.encoder, vision.problem) == (tmp_path / "m_vision.rknn", None)
    assert (vision.family.name, vision.family.start, vision.family.end) == ("qwen2-vl", "<go>", "<|vision_end|>")
    assert (vision.width, vision.height, vision.n_cores) == (300, None, 3)
    assert card.capabilities.vision
    assert card.facts["vision"].source == "the encoder m_vision.rknn"
    assert (card.facts["vision encoder"].value, card.facts["vision family"].value) == ("m_vision.rknn", "qwen2-vl")
    assert (card.facts["vision encoder"].source, card.facts["vision family"].source) == (
        "its name",
        "the architecture qwen2_vl",
    )


def test_a_named_encoder_and_family(tmp_path: Path, make_card: MakeCard) -> None:
    put(tmp_path, "m.rknn", "other.rknn")
    card = make_card(model__toml='[vision]\nencoder = "other.rknn"\nfamily = "internvl3"')
    assert card.vision is not None
    assert card.vision.encoder.name == "other.rknn"
    assert (card.facts["vision encoder"].source, card.facts["vision family"].source) == ("model.toml", "model.toml")


def test_an_encoder_of_no_known_family(tmp_path: Path, make_card: MakeCard) -> None:
    put(tmp_path, "m.rknn")
    card = make_card()
    assert card.vision is not None
    assert card.vision.family is None
    assert not card.capabilities.vision
    assert card.vision.problem is not None
    assert f"[vision] of {tmp_path / 'm.toml'} write family = one of" in card.vision.problem
    assert card.vision.problem in card.missing
    assert card.facts["vision family"].value == "unknown"


def test_the_owner_may_say_that_it_does_not_see(tmp_path: Path, make_card: MakeCard) -> None:
    put(tmp_path, "m.rknn")
    card = make_card(model__toml='capabilities = ["tools"]\n[vision]\nfamily = "smolvlm"')
    assert card.vision is None
    assert not card.capabilities.vision


def test_text_models_in_a_folder_with_encoders_hear_nothing_of_them(tmp_path: Path, make_card: MakeCard) -> None:
    put(tmp_path, "x.rknn", "y.rknn")
    assert not any("encoder" in note for note in make_card().missing)
    seeing = make_card({"rkllm.vision.spatial_merge_size": ("u32", 2)})
    assert any("encoders x.rknn, y.rknn" in note for note in seeing.missing)


def test_an_encoder_makes_a_scripted_model_see(tmp_path: Path) -> None:
    put(tmp_path, "smolvlm.rkllm", "smolvlm.rknn")
    card = card_of(tmp_path, "smolvlm.rkllm")
    assert card.vision is not None
    assert card.facts["vision family"].source == "the file's name"
    assert card.capabilities.vision


def test_encoders_that_come_change_and_go_are_noticed(tmp_path: Path) -> None:
    put(tmp_path, "smolvlm.rkllm", "text.rkllm")
    catalog = Catalog(tmp_path)
    blind, text = catalog.get("smolvlm"), catalog.get("text")
    assert blind.is_unchanged()
    put(tmp_path, "smolvlm.rknn")
    assert not blind.is_unchanged()
    seeing = catalog.get("smolvlm")
    assert seeing.encoder == tmp_path / "smolvlm.rknn"
    assert seeing.is_unchanged()
    os.utime(tmp_path / "smolvlm.rknn", ns=(5, 5))
    assert not seeing.is_unchanged()
    touched = catalog.get("smolvlm")
    assert touched != seeing
    (tmp_path / "smolvlm.rknn").unlink()
    assert not touched.is_unchanged()
    assert catalog.get("smolvlm").encoder is None
    # The other model of the folder was never another one.
    assert text.is_unchanged()
    assert catalog.get("text") == text


def test_a_named_encoder_that_changes_is_noticed(tmp_path: Path) -> None:
    put(tmp_path, "m.rkllm", "e.rknn", "f.rknn")
    (tmp_path / "m.toml").write_text('[vision]\nencoder = "e.rknn"')
    entry = Catalog(tmp_path).get("m")
    assert entry.is_unchanged()
    os.utime(tmp_path / "f.rknn", ns=(5, 5))
    assert entry.is_unchanged()
    os.utime(tmp_path / "e.rknn", ns=(5, 5))
    assert not entry.is_unchanged()


def test_a_file_that_is_named_as_an_encoder_is_no_model(tmp_path: Path) -> None:
    put(tmp_path, "m.rkllm", "mmproj.gguf")
    assert {"m", "mmproj"} <= {entry.id for entry in Catalog(tmp_path).entries()}
    (tmp_path / "m.toml").write_text('[vision]\nencoder = "mmproj.gguf"\nfamily = "qwen2-vl"')
    catalog = Catalog(tmp_path)
    assert "mmproj" not in {entry.id for entry in catalog.entries()}
    assert catalog.get("m").encoder == tmp_path / "mmproj.gguf"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('encoder = "../e.rknn"', "leaves the model's folder"),
        ('family = "llava"', "must be one of qwen2-vl, qwen2.5-vl"),
        ("width = 0", "a whole number from 1 to 16384, and is 0"),
        ("height = true", "a whole number"),
        ("cores = 4", "from 1 to 3, and is 4"),
        ("start = 1", "must be a text"),
        ('markers = "x"', "unknown key 'markers'; known are encoder, family, start"),
    ],
)
def test_mistakes(written: str, told: str) -> None:
    with pytest.raises(SideFileError, match=re.escape(told)):
        parse_model_toml(f"[vision]\n{written}".encode(), "model.toml")


def row(family: VisionFamily) -> str:
    def shown(value: Any) -> str:
        if value is None:
            return "unknown"
        return "none" if value == "" else f"`{value}`".replace("|", "\\|").replace("\n", "\\n")

    cells = [f"`{family.name}`", *(shown(text) for text in (family.start, family.end, family.content))]
    return f"| {' | '.join(cells)} | {family.image_size or 'unknown'} | {family.several_images} |"


def test_the_documentation_has_every_family_and_its_example_is_right() -> None:
    for family in VISION_FAMILIES:
        assert row(family) in DOCS
    example = re.search(r"```toml\n(.*?)```", DOCS, re.DOTALL)
    assert example is not None
    written = parse_model_toml(example[1].encode(), "model.toml")["vision"]
    assert find_vision_family("any", written).content == "<image_soft>"
