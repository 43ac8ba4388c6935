"""How a model embeds and ranks: model.toml, the original model's files, the head and the family, in this order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rkllm_providers.models.families_table import FAMILY_BY_NAME
from rkllm_providers.models.head import Head, believed
from rkllm_providers.models.overrides import Overrides, parse_model_toml, read_overrides
from rkllm_providers.models.recipes import EmbeddingRecipe, choose_embedding, choose_reranking
from rkllm_providers.models.recipes_table import EMBEDDING_RECIPES, RERANKING_RECIPES
from rkllm_providers.models.side_files import SideFileError
from rkllm_providers.models.text_frame import TextFrame, find_frame

PROMPTS = {"query": "Instruct: Find it\nQuery:", "document": "D: "}


def embedding(
    folder: Path, family: str | None = None, head: Head | None = None
) -> tuple[EmbeddingRecipe, str | None, list[str]]:
    notes: list[str] = []
    known = FAMILY_BY_NAME[family] if family else None
    overrides = read_overrides(folder / "m.rkllm")
    recipe, evidence = choose_embedding(overrides, folder, head or Head(), known, EMBEDDING_RECIPES, notes)
    return recipe, evidence, notes


def write(folder: Path, name: str, content: Any) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))


def test_nothing_known_is_the_mean(tmp_path: Path) -> None:
    recipe, evidence, notes = embedding(tmp_path)
    assert (recipe.pooling, recipe.query_prefix, recipe.normalize, evidence, notes) == ("mean", "", True, None, [])


def test_each_source_over_the_one_before(tmp_path: Path) -> None:
    recipe, evidence, _ = embedding(tmp_path, "qwen3-embedding")
    assert (recipe.pooling, recipe.end, evidence) == ("last", "<|endoftext|>", "family qwen3-embedding")
    head = believed({"general.architecture": "qwen3", "qwen3.pooling_type": 1}, is_gguf=True)
    recipe, _, _ = embedding(tmp_path, "qwen3-embedding", head)
    assert (recipe.pooling, recipe.source) == ("mean", "qwen3.pooling_type in the model's head")
    write(tmp_path, "config_sentence_transformers.json", {"prompts": PROMPTS})
    write(tmp_path, "1_Pooling/config.json", {"pooling_mode_lasttoken": True, "pooling_mode_mean_tokens": False})
    recipe, evidence, notes = embedding(tmp_path, None, head)
    assert recipe.pooling == "last"
    assert recipe.query_prefix == "Instruct: {instruction}\nQuery:"
    assert (recipe.instruction, recipe.document_prefix, recipe.takes_instruction) == ("Find it", "D: ", True)
    assert evidence == "config_sentence_transformers.json and 1_Pooling/config.json"
    assert notes == []
    write(tmp_path, "model.toml", '[embedding]\npooling = "mean"\nquery_prefix = "q: "\n')
    recipe, _, _ = embedding(tmp_path)
    assert (recipe.pooling, recipe.query_prefix, recipe.document_prefix) == ("mean", "q: ", "D: ")
    assert (recipe.takes_instruction, recipe.source) == (False, "model.toml")


@pytest.mark.parametrize(
    ("name", "content", "note"),
    [
        ("1_Pooling/config.json", {"pooling_mode_cls_token": True}, "neither of the last token nor of the mean"),
        ("1_Pooling/config.json", "{", "is not JSON"),
        ("config_sentence_transformers.json", "[]", "holds no JSON object"),
    ],
)
def test_files_that_cannot_be_used_are_noted(tmp_path: Path, name: str, content: Any, note: str) -> None:
    write(tmp_path, name, content)
    recipe, evidence, notes = embedding(tmp_path)
    assert (recipe, evidence) == (EmbeddingRecipe(), None)
    assert len(notes) == 1
    assert note in notes[0]


def test_files_that_say_nothing_change_nothing(tmp_path: Path) -> None:
    write(tmp_path, "config_sentence_transformers.json", {"prompts": {"query": 3}, "similarity_fn_name": "cosine"})
    assert embedding(tmp_path) == (EmbeddingRecipe(), None, [])


def test_ranking_is_known_from_the_family_or_written_down() -> None:
    family = FAMILY_BY_NAME["qwen3-reranker"]
    assert choose_reranking(Overrides(), None, RERANKING_RECIPES) is None
    known = choose_reranking(Overrides(), family, RERANKING_RECIPES)
    assert known is not None
    written = Overrides(reranking={"instruction": "I"}, sources={"reranking.instruction": "m.toml"})
    changed = choose_reranking(written, family, RERANKING_RECIPES)
    assert changed is not None
    assert (changed.prompt, changed.instruction, changed.source) == (known.prompt, "I", "m.toml")
    assert choose_reranking(written, None, RERANKING_RECIPES) is None


def test_every_recipe_has_its_family_its_places_and_its_source() -> None:
    for name, recipe in EMBEDDING_RECIPES.items():
        assert FAMILY_BY_NAME[name].capabilities.embedding
        assert recipe.takes_instruction == bool(recipe.instruction)
        assert recipe.end in FAMILY_BY_NAME[name].control_texts
        assert recipe.source
    for name, ranking in RERANKING_RECIPES.items():
        assert FAMILY_BY_NAME[name].capabilities.reranking
        assert ranking.prompt.count("{query}") == ranking.prompt.count("{document}") == 1
        assert ranking.source


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("embedding = 3", "embedding must be a table of pooling, query_prefix"),
        ('[embedding]\npooling = "cls"', "embedding has pooling, which must be one of last, mean, and is 'cls'"),
        ("[embedding]\nnormalize = 1", "must be true or false"),
        ("[embedding]\nprefix = ''", "unknown key 'prefix'"),
        ('[reranking]\nprompt = "{query}"', "it has 0 of {document}"),
        ('[reranking]\nprompt = "{query}{query}{document}"', "it has 2 of {query}"),
        ("[reranking]\nyes = true", "the text or the id of a token"),
        ("[reranking]\nno = -1", "the id of a token"),
        ("lora = 1", "[lora.name]"),
        ('[lora.x]\nfile = "../y"', "lora has x, which has file, which must be a path in the model's folder"),
        ("[lora.x]\nscale = nan", "must be a number"),
        ('[lora."\\n"]\nscale = 1', "which nobody can ask for"),
    ],
)
def test_a_mistake_names_table_key_and_what_is_allowed(content: str, message: str) -> None:
    with pytest.raises(SideFileError) as raised:
        parse_model_toml(content.encode(), "model.toml")
    assert message in str(raised.value)


TEMPLATE = {
    "type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "</s>"}}],
    "special_tokens": {"<s>": {"ids": [1]}, "</s>": {"ids": [2]}},
}


@pytest.mark.parametrize(
    ("config", "processor", "values", "frame"),
    [
        ({}, TEMPLATE, {}, TextFrame((1,), (2,))),
        ({}, {"type": "Sequence", "processors": [{"type": "ByteLevel"}, TEMPLATE]}, {}, TextFrame((1,), (2,))),
        ({}, {"type": "RobertaProcessing", "cls": ["<s>", 1], "sep": ["</s>", 2]}, {}, TextFrame((1,), (2,))),
        ({}, {"type": "ByteLevel"}, {}, TextFrame()),
        # An end token that only tokenizer.json adds, as embedding models have it.
        ({"add_bos_token": False, "add_eos_token": False}, TEMPLATE, {}, TextFrame((), (2,))),
        ({"add_bos_token": True, "add_eos_token": True}, None, {}, TextFrame((1,), (2,))),
        ({}, None, {"tokenizer.ggml.model": "llama"}, TextFrame((1,))),
        ({}, None, {"tokenizer.ggml.model": "gpt2"}, TextFrame()),
        ({}, None, {"tokenizer.ggml.model": "llama", "tokenizer.ggml.add_bos_token": False}, TextFrame()),
        ({}, None, {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.add_eos_token": True}, TextFrame((), (2,))),
        ({}, {"type": "TemplateProcessing", "single": [3], "special_tokens": None}, {}, TextFrame()),
        ({}, {"type": "TemplateProcessing", "single": 3}, {}, TextFrame()),
        ({}, {**TEMPLATE, "single": [{"SpecialToken": {"id": []}}, {"SpecialToken": 3}]}, {}, TextFrame()),
        ({}, {"type": "Sequence", "processors": 3}, {}, TextFrame()),
        ({}, {"type": "RobertaProcessing", "cls": "x"}, {}, TextFrame()),
    ],
)
def test_what_a_tokenizer_puts_around_a_text(config: Any, processor: Any, values: Any, frame: TextFrame) -> None:
    head = Head({**values, "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2}, vocabulary_size=9)
    special = {"bos_token": "<s>", "eos_token": "</s>"}
    assert find_frame(config, processor, head, special, {"<s>": 1, "</s>": 2}, 9) == frame
    assert find_frame(config, processor, head, special, {"<s>": 1, "</s>": 2}, 1) == TextFrame()
