"""What is beside a model and does not go with it: another model's tokenizer, or what a script has of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models

from rkllm_providers.models import Catalog, read_card
from rkllm_providers.models.template import TemplateError
from tests.models.conftest import MakeCard
from tests.models.test_cards import HEAD, tokenizer_json, without


def test_what_is_beside_a_scripted_model_counts_or_is_said_not_to(tmp_path: Path) -> None:
    (tmp_path / "s.gguf").write_text("#!rkllm-script 1\n")
    toml = tmp_path / "s.toml"
    toml.write_text(
        'family = "qwen3"\nend_tokens = [100]\ncapabilities = ["vision"]\nchat_template = "other.jinja"\n'
    )
    (tmp_path / "other.jinja").write_text("{{ bos_token }}{{ eos_token }}other")
    card = read_card(Catalog(tmp_path).get("s"))
    assert card.family is not None
    assert (card.family.name, card.facts["family"].source) == ("qwen3", "s.toml")
    assert card.sampling["top_k"] == 20
    assert 100 in card.end_tokens
    assert (card.capabilities.vision, card.capabilities.thinking) == (True, False)
    assert card.template is not None
    assert (card.template.render([]), card.facts["chat template"].source) == ("<|im_end|>other", "other.jinja")
    assert len(card.missing) == 1
    assert "writes the model's bos_token" in card.missing[0]

    toml.write_text('tokenizer = "mine.json"')
    (tmp_path / "chat_template.jinja").write_text("{{ tools }}beside")
    card = read_card(Catalog(tmp_path).get("s"))
    assert card.template is not None
    assert card.template.render([]) == "Nonebeside"
    assert (card.capabilities.tools, card.capabilities.thinking) == (True, False)
    assert card.missing == (f"{tmp_path / 'mine.json'} is not used: a scripted model has a vocabulary of its own.",)
    toml.unlink()
    (tmp_path / "tokenizer.json").write_text(tokenizer_json("<|im_end|>"))
    (tmp_path / "chat_template.jinja").write_text("{% for %}")
    card = read_card(Catalog(tmp_path).get("s"))
    assert card.facts["tokenizer"].source == "the script"
    assert card.facts["chat template"].source == "the script"
    assert f"{tmp_path / 'tokenizer.json'} is not used" in card.missing[0]
    assert "(chat_template.jinja beside the model) cannot be compiled" in card.missing[1]


def vocabulary_json(tokens: list[str], *special: str) -> str:
    inner = Tokenizer(models.BPE({token: at for at, token in enumerate(tokens)}, []))
    inner.add_special_tokens(list(special))
    return str(inner.to_str())


BASE = [*"abcdefghij", *(f"{left}{right}" for left in "abcdefghij" for right in "abcdefghij")]
OWN = {"tokenizer__huggingface__json": ("str", vocabulary_json(BASE, "<|im_end|>", "<s>"))}


@pytest.mark.parametrize(
    ("tokens", "special", "difference"),
    [
        (BASE, ["<|im_end|>"], None),
        (BASE, ["<|im_end|>", "<s>", "</s>"], None),
        ([*BASE[:-1], "zz"], ["<|im_end|>"], None),
        (BASE[::-1], ["<|im_end|>"], "109 of 110|110 of 110"),
        (
            BASE[:50],
            [],
            "60 of 110 tokens that were compared differ; it gives 'ea' no id, and",
        ),
        (BASE, ["<s>", "<|im_end|>"], r"it gives '<\|im_end\|>' the id 111, and the model's head the id 110"),
    ],
)
def test_a_tokenizer_beside_a_model_must_be_the_models(
    make_card: MakeCard, tokens: list[str], special: list[str], difference: str | None
) -> None:
    card = make_card(without(**OWN), tokenizer__json=vocabulary_json(tokens, *special))
    if difference is None:
        assert (card.facts["tokenizer"].source, card.missing) == ("tokenizer.json", ())
        return
    assert card.facts["tokenizer"].source == "tokenizer.huggingface.json in the model's head"
    assert "tokenizer.json is another model's and not used: " in card.missing[0]
    assert re.search(difference, card.missing[0])
    card = make_card(
        without(**OWN), model__toml='tokenizer = "own.json"', own__json=vocabulary_json(tokens, *special)
    )
    assert card.facts["tokenizer"].source == "own.json"
    assert "own.json looks like another model's" in card.missing[0]
    assert "It is used, because model.toml names it." in card.missing[0]


def test_a_tokenizer_beside_a_model_is_compared_with_a_vocabulary_of_tokens(make_card: MakeCard) -> None:
    card = make_card(HEAD, tokenizer__json=tokenizer_json())
    assert card.facts["tokenizer"].source == "tokenizer.ggml.* in the model's head"
    assert "it gives 'a' the id 0, and the model's head the id 5" in card.missing[0]


def test_where_prompts_come_from(make_card: MakeCard) -> None:
    assert make_card(HEAD, name="a.rkllm").facts["prompts"].source == "tokenizer and chat template"
    assert make_card(name="b.rkllm").facts["prompts"].source == "there is no chat template"
    assert make_card(chat_template__jinja="c").facts["prompts"].source == "there is no tokenizer"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("{{ raise_exception('Not today.') }}", r"refuses these messages: Not today\."),
        ("{{ messages[9].content.x }}", r"failed on these messages: .*[^.]\."),
        ("{{ range(1000000) }}", r"failed on these messages: .*[^.]\."),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", r".*[^.]\."),
    ],
)
def test_the_faults_of_a_template_name_it(make_card: MakeCard, source: str, problem: str) -> None:
    for place, card in {
        "chat_template.jinja beside the model": make_card(chat_template__jinja=source),
        "mine.jinja beside the model": make_card(
            model__toml='chat_template = "mine.jinja"', mine__jinja="{{ bos_token }}" + source
        ),
        "tokenizer.chat_template in the model's head": make_card(
            without(tokenizer__chat_template=("str", source)),
            name="sub.gguf",
            model__toml="",
            chat_template__jinja="",
        ),
    }.items():
        assert card.template is not None
        with pytest.raises(TemplateError) as raised:
            card.template.render([])
        assert re.fullmatch(rf"The model's chat template \({re.escape(place)}\) {problem}", str(raised.value))


def test_a_familys_template_is_named_too(make_card: MakeCard) -> None:
    template = make_card(model__toml='family = "qwen3"').template
    assert template is not None
    assert template.origin == "family qwen3"
