"""Cards: what is known of a model, from which place, and what is missing."""

from __future__ import annotations

import contextlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from rkllm_providers.errors import ModelLoadError
from rkllm_providers.models import Catalog, ModelCard, PromptForm, read_card
from rkllm_providers.models.context_window import named_context
from rkllm_providers.models.families_table import FAMILIES
from rkllm_providers.models.overrides import sampling_value
from rkllm_providers.models.template_facts import template_facts
from rkllm_providers.models.text_sources import parse_tokenizer_config
from rkllm_providers.models.tokenizer import gguf_tokenizer_problem, tokenizer_from_json
from tests.models import gguf_files
from tests.models.conftest import MakeCard

CONTROL, USER_DEFINED, NORMAL = 3, 4, 1
TEMPLATE = "{% for message in messages %}<|im_start|>{{ message.content }}<|im_end|>{% endfor %}"
TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "a", "b", "ab"]
HEAD: dict[str, tuple[str, Any]] = {
    "general.architecture": ("str", "qwen3"),
    "rkllm.version": ("str", "1.2.2"),
    "rkllm.max_context": ("u32", 8192),
    "rkllm.core_num": ("u32", 3),
    "rkllm.model_dtype": ("str", "w8a8"),
    "tokenizer.ggml.model": ("str", "gpt2"),
    "tokenizer.ggml.pre": ("str", "qwen2"),
    "tokenizer.ggml.tokens": ("str[]", TOKENS),
    "tokenizer.ggml.token_type": ("i32[]", [CONTROL] * 3 + [USER_DEFINED] * 2 + [NORMAL] * 3),
    "tokenizer.ggml.merges": ("str[]", ["a b"]),
    "tokenizer.ggml.eos_token_id": ("u32", 2),
    "tokenizer.chat_template": ("str", TEMPLATE),
}


def without(*keys: str, **values: tuple[str, Any]) -> dict[str, Any]:
    changed = {key.replace("__", "."): value for key, value in values.items()}
    return {**{key: value for key, value in HEAD.items() if key not in keys}, **changed}


def tokenizer_json(*special: str) -> str:
    inner = Tokenizer(models.BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")]))
    inner.add_special_tokens(list(special))
    return str(inner.to_str())


def test_an_npu_model_is_known_from_its_head(make_card: MakeCard) -> None:
    card = make_card(HEAD)
    assert (card.context_length, card.knows_context, card.prompt_form) == (8192, True, PromptForm.TOKENS)
    assert card.guard is not None
    assert card.guard.encode("<|im_start|>ab") == [1, 7]
    assert card.end_tokens == {0, 2}
    assert card.silent_tokens == {0, 1, 2}
    assert card.end_texts == ("<|im_end|>", "<|endoftext|>")
    assert card.family is not None
    assert card.family.name == "qwen3"
    assert not card.capabilities.thinking  # its template does not
    assert card.sampling["top_k"] == 20
    assert card.text_guard is not None
    assert "\u200b" in card.text_guard.to_text(card.text_guard.mark("<think>"))
    assert card.missing == ()
    shown = {name: fact.value for name, fact in card.facts.items()}
    assert (shown["toolkit version"], shown["NPU cores"], shown["data type"]) == ("1.2.2", "3", "w8a8")
    assert card.facts["context window"].source == "rkllm.max_context in the model's head"
    assert "family" not in str(card.facts["chat template"].source)


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"rkllm__max_context": ("u32", 0)}, "rkllm.max_context"),
        ({"rkllm__max_context": ("str", "8192")}, "rkllm.max_context"),
        ({"rkllm__core_num": ("u32", 4000)}, "rkllm.core_num"),
        ({"tokenizer__ggml__eos_token_id": ("u32", 8)}, "it is 8, and not the id of a token, from 0 to 7"),
        ({"tokenizer__ggml__token_type": ("i32[]", [1])}, "1 entries for 8 tokens"),
        ({"tokenizer__ggml__tokens": ("i32[]", [1])}, "tokenizer.ggml.tokens"),
        ({"tokenizer__ggml__merges": ("str[]", ["a z"])}, "its merge 'a z' is of tokens it does not have"),
        ({"tokenizer__ggml__pre": ("str", "unheard-of")}, "its rule for cutting text"),
        ({"tokenizer__chat_template": ("u32", 1)}, "tokenizer.chat_template"),
        ({"tokenizer__chat_template": ("str", "{% for %}")}, "cannot be compiled"),
        ({"tokenizer__huggingface__json": ("str", "{}")}, "tokenizer.huggingface.json in the model's head cannot"),
    ],
)
def test_what_does_not_add_up_is_left_out_and_said(make_card: MakeCard, change: dict[str, Any], note: str) -> None:
    card = make_card(without(**change))
    assert any(note in sentence for sentence in card.missing), card.missing


def test_a_model_that_says_nothing_says_how_to_add_it(make_card: MakeCard) -> None:
    card = make_card(name="Qwen3-4B.rkllm")
    assert (card.context_length, card.knows_context, card.family) == (4096, False, None)
    assert card.prompt_form is PromptForm.RUNTIME
    assert not card.capabilities.thinking
    text = "\n".join(card.missing)
    for hint in ("tokenizer.json", "chat_template.jinja", 'write family = "qwen3" into', "context_length = N"):
        assert hint in text
    assert "Qwen3-4B.toml" in text


def test_a_family_that_is_written_gives_its_format(make_card: MakeCard) -> None:
    card = make_card(name="x.rkllm", model__toml='family = "qwen3"')
    assert card.prompt_form is PromptForm.RAW
    assert (card.capabilities.thinking, card.capabilities.tools) == (True, True)
    assert card.end_texts == ("<|im_end|>", "<|endoftext|>")
    assert card.facts["family"].source == "model.toml"
    assert card.text_guard is not None
    assert "<|im_end|>" not in card.text_guard.to_text(card.text_guard.mark("<|im_end|>"))
    assert not any("family = " in sentence for sentence in card.missing)


def test_config_json_tells_the_family_where_it_is_not_ambiguous(make_card: MakeCard) -> None:
    gemma = make_card(config__json='{"model_type": "gemma3_text"}')
    assert (gemma.family and gemma.family.name, gemma.facts["family"].source[:27]) == (
        "gemma",
        "gemma3_text in config.json,",
    )
    assert make_card(config__json='{"model_type": "llama"}').family is None
    assert "config.json" in str(make_card(config__json="{").missing)


@pytest.mark.parametrize(
    ("name", "context"),
    [
        *(("qwen3-4b-4k", 4096), ("a_16k", 16384), ("m-ctx16384-w8a8", 16384), ("m-ctx4k", 4096)),
        *(("qwen2.5-1.5b", None), ("m-g128", None), ("m-c8192", 8192), ("8k", 8192), ("m4k", None)),
    ],
)
def test_the_context_in_a_name(name: str, context: int | None) -> None:
    assert named_context(name) == context


def test_where_the_context_comes_from(make_card: MakeCard) -> None:
    assert make_card(name="m-2k.rkllm").context_length == 2048
    assert make_card(name="m-128k.rkllm").context_length == 4096
    assert make_card(HEAD, name="n-2k.rkllm").context_length == 8192
    card = make_card(HEAD, model__toml="context_length = 9000")
    assert (card.context_length, card.knows_context) == (8192, True)
    assert "asks for 9000 tokens" in card.missing[0]


def test_a_gguf_model_gets_more_than_usual_only_if_asked(make_card: MakeCard) -> None:
    pairs = {"general.architecture": ("str", "llama"), "llama.context_length": ("u32", 131072)}
    assert make_card(pairs, name="g.gguf").context_length == 16384
    assert make_card(pairs, name="g.gguf", g__toml="context_length = 100000").context_length == 100000


def test_the_tokenizer_comes_from_the_first_place_that_has_a_good_one(make_card: MakeCard) -> None:
    inside = without(tokenizer__huggingface__json=("str", tokenizer_json("<|im_end|>", "<s>")))
    assert make_card(HEAD).facts["tokenizer"].source == "tokenizer.ggml.* in the model's head"
    assert make_card(inside).facts["tokenizer"].source == "tokenizer.huggingface.json in the model's head"
    assert make_card(inside).silent_tokens == {3, 4}
    beside = make_card(inside, tokenizer__json=tokenizer_json("<|im_end|>"))
    assert beside.facts["tokenizer"].source == "tokenizer.json"
    assert beside.end_tokens >= {3}
    broken = make_card(inside, tokenizer__json="{}")
    assert broken.facts["tokenizer"].source == "tokenizer.huggingface.json in the model's head"
    assert "tokenizer.json cannot be used" in broken.missing[0]
    own = make_card(HEAD, model__toml='tokenizer = "own.json"')
    assert "own.json is not there; model.toml names it" in str(own.missing)


def test_the_template_comes_from_the_first_place_that_has_a_good_one(make_card: MakeCard) -> None:
    def text(card: ModelCard) -> tuple[str, str]:
        assert card.template is not None
        return card.template.render([]), card.facts["chat template"].source

    assert text(make_card(without("tokenizer.chat_template")))[1] == "family qwen3"
    assert text(make_card(HEAD))[1] == "tokenizer.chat_template in the model's head"
    config = {"chat_template": [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]}
    card = make_card(HEAD, tokenizer_config__json=json.dumps(config))
    assert text(card) == ("d", "tokenizer_config.json")
    assert "other chat templates too, which are not used: tool_use" in str(card.missing)
    assert text(make_card(HEAD, chat_template__jinja="c")) == ("c", "chat_template.jinja")
    assert text(make_card(HEAD, chat_template__jinja="{{"))[0] == "d"
    named = make_card(HEAD, model__toml='chat_template = "mine"', mine="{{ bos_token }}")
    assert text(named) == ("", "mine")


def test_tokenizer_config_gives_the_variables_of_the_template(make_card: MakeCard) -> None:
    config = {"bos_token": {"content": "<s>"}, "eos_token": "<|im_end|>", "unk_token": 5}
    card = make_card(
        HEAD, chat_template__jinja="{{ bos_token }}{{ eos_token }}", tokenizer_config__json=json.dumps(config)
    )
    assert card.template is not None
    assert card.template.render([]) == "<s><|im_end|>"
    assert "unk_token is no text" in str(card.missing)


def test_special_tokens_of_a_template_come_from_the_family_or_are_missed(make_card: MakeCard) -> None:
    jinja = "{{ bos_token }}<start_of_turn>"
    card = make_card(chat_template__jinja=jinja)
    assert "writes the model's bos_token, and nothing tells it" in str(card.missing)
    card = make_card(chat_template__jinja=jinja, config__json='{"model_type": "gemma2"}')
    assert "bos_token" not in str(card.missing)
    assert card.template is not None
    assert card.template.render([]) == "<bos><start_of_turn>"


def test_all_end_tokens_count(make_card: MakeCard) -> None:
    pairs = without(tokenizer__ggml__eot_token_id=("u32", 5), tokenizer__ggml__eos_token_ids=("i32[]", [1]))
    generation = json.dumps({"eos_token_id": [6, 99, True]})
    config = json.dumps({"eos_token": "<|endoftext|>"})
    card = make_card(pairs, generation_config__json=generation, tokenizer_config__json=config)
    assert card.end_tokens == {0, 1, 2, 5, 6}
    assert "generation_config.json names the end token 99, and there are 8 tokens" in str(card.missing)
    written = make_card(pairs, model__toml='end_tokens = [7, "<think>", "nothing"]')
    assert written.end_tokens >= {7, 3}
    assert "'nothing', which is no control token" in str(written.missing)
    # A text that merely looks like an end token ends nothing.
    plain = without(tokenizer__ggml__token_type=("i32[]", [NORMAL] * 8))
    assert make_card(plain, name="plain.rkllm", model__toml="").end_tokens == {2, 6}


def test_sampling_defaults_and_who_said_so(make_card: MakeCard) -> None:
    generation = json.dumps({"temperature": 0.9, "repetition_penalty": 1.2, "top_p": "high"})
    card = make_card(HEAD, generation_config__json=generation, model__toml="[sampling]\ntop_k = 1")
    assert card.sampling == {"temperature": 0.9, "repeat_penalty": 1.2, "top_p": 0.95, "top_k": 1}
    assert card.facts["sampling defaults"].source == "generation_config.json, family qwen3, model.toml"
    assert "top_p must be a number" in str(card.missing)


@pytest.mark.parametrize(
    ("key", "value", "bounds"),
    [
        ("top_k", 0, "from 1 to 1000000"),
        ("top_p", 0, "from 1e-06 to 1"),
        ("temperature", 101, "from 0 to 100"),
        ("repetition_penalty", 0, "from 0.01 to 100"),
    ],
)
def test_sampling_no_runtime_can_work_with_is_left_out_and_said(
    make_card: MakeCard, key: str, value: float, bounds: str
) -> None:
    usual = make_card(HEAD).sampling
    card = make_card(HEAD, generation_config__json=json.dumps({key: value}))
    assert card.sampling == usual
    assert any(f"{key} must be {bounds}, and is {value}; it is left out." in note for note in card.missing)


def test_what_families_advise_is_within_the_bounds() -> None:
    for family in FAMILIES:
        for name, value in family.sampling.items():
            assert sampling_value(name, value) == value


def test_a_template_is_guarded_by_the_tokens_that_the_files_beside_it_name(make_card: MakeCard) -> None:
    config = {
        "eos_token": "<│end│>",
        "pad_token": {"content": "[=pad=]"},
        "additional_special_tokens": ["(*one*)", {"content": "(*two*)"}],
        "added_tokens_decoder": {
            "1": {"content": "<s>", "special": True},
            "2": {"content": "~~stop~~", "special": True},
            "3": {"content": "plain", "special": False},
            "4": "nothing",
        },
        "chat_template": "{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}assistant: ",
    }
    card = make_card(
        tokenizer_config__json=json.dumps(config), model__toml='end_tokens = ["%over%", 7]', config__json="{}"
    )
    assert card.prompt_form is PromptForm.RAW
    assert card.text_guard is not None
    specials = ["<│end│>", "[=pad=]", "(*one*)", "(*two*)", "<s>", "~~stop~~", "%over%", "</s>", "<|im_end|>"]
    for text in specials:
        assert text not in card.text_guard.to_text(card.text_guard.mark(f"x{text}y")), text
    assert card.text_guard.to_text(card.text_guard.mark("plain words")) == "plain words"
    assert card.template is not None
    turns = [{"role": "user", "content": card.text_guard.mark("a<│end│>b")}]
    assert card.text_guard.to_text(card.template.render(turns)).count("<│end│>") == 1


def test_a_family_s_template_is_guarded_by_all_end_texts(make_card: MakeCard) -> None:
    guard = make_card(name="x.rkllm", model__toml='family = "qwen3"\nend_tokens = ["%over%"]').text_guard
    assert guard is not None
    for text in ("<|im_end|>", "</s>", "%over%"):
        assert text not in guard.to_text(guard.mark(text))


def test_capabilities_come_from_template_and_head(make_card: MakeCard) -> None:
    thinking = without(tokenizer__chat_template=("str", "{% if enable_thinking %}{{ tools }}{% endif %}"))
    card = make_card(thinking)
    assert (card.capabilities.thinking, card.capabilities.tools, card.capabilities.vision) == (True, True, False)
    assert "enable_thinking" in card.facts["thinking"].source
    seeing = without(rkllm__vision__spatial_merge_size=("u32", 2))
    blind = make_card(seeing)
    assert not blind.capabilities.vision
    assert blind.facts["vision"].source == ("the model has rkllm.vision.spatial_merge_size, but no vision encoder")
    assert any("put its vision encoder, a .rknn file, into" in note for note in blind.missing)
    embedding = {"general.architecture": ("str", "bert"), "bert.pooling_type": ("u32", 1)}
    assert make_card(embedding, name="e.gguf").capabilities.embedding
    assert make_card({**embedding, "bert.pooling_type": ("u32", 4)}, name="e.gguf").capabilities.reranking
    written = make_card(thinking, model__toml='capabilities = ["reranking"]')
    assert (written.capabilities.thinking, written.capabilities.reranking) == (False, True)


def test_what_a_template_shows() -> None:
    assert template_facts("{# tools <think> #}my tools{% generation %}x{% endgeneration %}").tools is None
    assert template_facts("{% set tools = 1 %}{{ tools }}").tools is None
    assert template_facts("{% if broken").tools is None
    facts = template_facts("{{ '<image>' }}[THINK]<|x_y|><turn|>")
    assert (facts.vision, facts.thinking) == ("<image>", "[THINK]")
    assert {"<|x_y|>", "<turn|>", "[THINK]", "<image>"} <= facts.control_texts


def test_a_template_alone_is_guarded(make_card: MakeCard) -> None:
    card = make_card(chat_template__jinja="<|who|>{{ messages[0].content }}<|im_end|>")
    assert card.prompt_form is PromptForm.RAW
    assert card.end_texts == ("<|im_end|>",)
    assert card.text_guard is not None
    for text in ("<|who|>", "<think>"):
        assert text not in card.text_guard.to_text(card.text_guard.mark(text))


def test_a_scripted_model(tmp_path: Path) -> None:
    (tmp_path / "s.gguf").write_text("#!rkllm-script 1\ncontext 512\n")
    (tmp_path / "s.toml").write_text("context_length = 100\n[sampling]\ntop_k = 1\n")
    card = read_card(Catalog(tmp_path).get("s"))
    assert (card.context_length, card.sampling, card.missing) == (100, {"top_k": 1}, ())
    (tmp_path / "large.gguf").write_text("#!rkllm-script 1\ncontext 32768\n")
    assert read_card(Catalog(tmp_path).get("large")).context_length == 32768
    assert len(card.silent_tokens) == 3
    assert card.end_tokens < card.silent_tokens
    assert card.end_texts == ("<|im_end|>", "<|endoftext|>")
    assert card.capabilities.thinking
    assert card.capabilities.tools
    assert card.without_tokenizer().prompt_form is PromptForm.RAW


def test_equal_tokenizers_are_one_and_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = tokenizer_json("<|im_end|>")
    made = tokenizer_from_json(content)
    assert made.renamed({"<|im_end|>": "x"}) is made.renamed({"<|im_end|>": "x"})
    assert tokenizer_from_json(content.encode()).size == 4
    builds = 0
    build = made._vocabulary.build

    def slow(names: Any) -> Tokenizer:
        nonlocal builds
        builds += 1
        time.sleep(0.05)
        return build(names)

    monkeypatch.setattr(made._vocabulary, "build", slow)
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(made.encode, ["ab"] * 4)) == [[2]] * 4
    assert builds == 1
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        gguf_files.write_npu_file(tmp_path / name / "m.rkllm", b"RK")
        (tmp_path / name / "tokenizer.json").write_text(content)
    guards = [read_card(Catalog(tmp_path).get(model)).guard for model in ("a-m", "b-m")]
    assert guards[0] is not None
    assert guards[1] is not None
    assert guards[0]._shadow is guards[1]._shadow


def test_a_tokenizer_json_keeps_ids_and_cuts_nothing() -> None:
    inner = Tokenizer(models.Unigram([("<unk>", 0.0), ("a", -1.0), ("<|end|>", 0.0)], unk_id=0))
    inner.add_special_tokens(["<|end|>"])
    inner.enable_truncation(2)
    made = tokenizer_from_json(inner.to_str())
    assert made.renamed({"<|end|>": "\ufdd1"}).encode("aaa\ufdd1") == [1, 1, 1, 2]
    content = json.loads(inner.to_str())
    content["added_tokens"][0]["id"] = 1
    with pytest.raises(ValueError, match=r"<\|end\|>|id"):
        tokenizer_from_json(json.dumps(content))


@pytest.mark.parametrize("scores", [[0.0], [float("nan")] * 2])
def test_scores_that_do_not_add_up(scores: list[float]) -> None:
    head = {"tokenizer.ggml.tokens": ["a", "b"], "tokenizer.ggml.token_type": [1, 1], "tokenizer.ggml.model": "llama"}
    assert "scores" in str(gguf_tokenizer_problem({**head, "tokenizer.ggml.scores": scores}))


def test_a_large_file_is_read_in_time(tmp_path: Path) -> None:
    path = tmp_path / "large.rkllm"
    with path.open("wb") as file:
        file.write(b"RKxx" + bytes(13) + gguf_files.string("rkllm.max_context") + gguf_files.value("u32", 2048))
        for _ in range(100):
            file.write(b"rkllm.general.tokenizer." * 10 + bytes(1_000_000))
    started = time.thread_time()  # others that keep the machine busy do not count
    assert read_card(Catalog(tmp_path).get("large")).context_length == 2048
    assert time.thread_time() - started < 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


CONFIG_KEYS = ["chat_template", "bos_token", "eos_token", "additional_special_tokens", "added_tokens_decoder"]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from(CONFIG_KEYS), JSON))
def test_no_tokenizer_config_raises(content: dict[str, Any]) -> None:
    config = parse_tokenizer_config(content, "tokenizer_config.json", [])
    assert all(isinstance(text, str) for text in config.special_tokens.values())
    assert all(config.control_texts)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_no_damage_raises_anything_but_the_documented_error(tmp_path: Path, data: st.DataObject) -> None:
    gguf = data.draw(st.booleans())
    raw = bytearray(gguf_files.head(HEAD) if gguf else b"RKxx" + gguf_files.head(HEAD)[4:])
    for at in data.draw(st.lists(st.integers(4, len(raw) - 1), max_size=6)):
        raw[at] = data.draw(st.integers(0, 255))
    path = tmp_path / "m.rkllm"
    gguf_files.write_npu_file(path, bytes(raw[: data.draw(st.integers(4, len(raw)) | st.just(len(raw)))]))
    with contextlib.suppress(ModelLoadError):
        card = read_card(Catalog(tmp_path).get("m"))
        assert 1 <= card.context_length <= 1_048_576
        if card.guard is not None:
            card.guard.encode("ab<|im_end|>")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from(["config.json", "generation_config.json", "tokenizer_config.json", "tokenizer.json"]),
    st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()),
)
def test_no_file_beside_a_model_raises(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / "m.rkllm"
    gguf_files.write_npu_file(path, b"RKxx" + gguf_files.head(HEAD)[4:])
    (tmp_path / name).write_bytes(content)
    assert read_card(Catalog(tmp_path).get("m")).guard is not None
    (tmp_path / name).unlink()
