"""The built-in small model, used for embedding, for ranking and for completion without a chat template."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rkllm_providers.chat import ChatMessage, GenerateOptions, Sampling
from rkllm_providers.engine import EngineRegistry
from rkllm_providers.models import Catalog
from tests.conftest import ABI_VERSIONS, OpenModel

pytestmark = pytest.mark.real

GREEDY = Sampling(temperature=0.0)
TEXTS = [
    "A cat sleeps on the sofa.",
    "The kitten is napping on the couch.",
    "Shares of the bank fell by nine percent on Monday.",
    "On Monday the bank's stock lost nine percent.",
]


@pytest.mark.parametrize("version", ABI_VERSIONS)
def test_what_means_the_same_is_nearer(open_model: OpenModel, real_model: Path, version: str) -> None:
    client = open_model(real_model, version, context_length=512)
    result = client.embed(TEXTS)
    near = result.vectors @ result.vectors.T
    assert result.vectors.shape == (4, 576)
    np.testing.assert_allclose(np.diag(near), 1, rtol=1e-5)
    assert min(near[0, 1], near[2, 3]) > max(near[0, 2], near[0, 3], near[1, 2], near[1, 3])
    assert result.prompt_tokens == sum(len(client.tokenize(text)) for text in TEXTS)


@pytest.mark.parametrize("version", ["1.2.3", "1.3.0"])
def test_a_vector_depends_on_its_text_alone(open_model: OpenModel, real_model: Path, version: str) -> None:
    client = open_model(real_model, version, context_length=512)
    options = GenerateOptions(max_tokens=8, sampling=GREEDY)
    chat = [ChatMessage("user", TEXTS[0])]
    first = client.complete(chat, options)  # older runtimes sample as the first request asks
    cold = client.embed(TEXTS[:1]).vectors[0]
    batch = client.embed(TEXTS).vectors
    backwards = client.embed(TEXTS[::-1]).vectors
    np.testing.assert_allclose(batch[0], cold, atol=1e-5)
    np.testing.assert_allclose(backwards[::-1], batch, atol=1e-5)
    assert client.complete(chat, options).text == first.text
    np.testing.assert_allclose(client.embed(TEXTS[:1]).vectors[0], cold, atol=1e-5)
    again = client.complete(chat, options)
    assert again.text == first.text
    assert again.finish.usage.cached_tokens == 0
    np.testing.assert_allclose(client.embed(TEXTS[:1]).vectors[0], cold, atol=1e-5)


def test_the_logits_of_two_words(registry: EngineRegistry, real_model: Path, tmp_path: Path) -> None:
    link = tmp_path / "ranker.gguf"
    link.symlink_to(real_model)
    link.with_suffix(".toml").write_text(
        '[reranking]\nprompt = "{query}: the capital of {document} is"\nyes = " Paris"\nno = " Rome"\n'
    )
    client = registry.acquire(Catalog(tmp_path).get("ranker"), context_length=512)
    ranked = client.rerank("A fact", ["Italy", "France"])
    assert [score.index for score in ranked] == [1, 0]
    assert 1 > ranked[0].score > 0.5 > ranked[1].score > 0


def test_completion_goes_on_from_the_text_itself(open_model: OpenModel, real_model: Path) -> None:
    client = open_model(real_model, context_length=512)
    options = GenerateOptions(max_tokens=12, sampling=GREEDY)
    result = client.complete_text("The capital of France is", options)
    assert "Paris" in result.text
    assert result.finish.usage.prompt_tokens == len(client.tokenize("The capital of France is"))
    template = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    assert client.complete_text(template, options, parse_special=True).finish.usage.prompt_tokens < 15


@pytest.mark.parametrize("text", ["", " a  b ", "Grüße, 你好 🙂\n\tdef f():", "<|im_start|> as text <|im_end|>"])
def test_tokens_and_back(open_model: OpenModel, real_model: Path, text: str) -> None:
    client = open_model(real_model, context_length=512)
    assert client.detokenize(client.tokenize(text)) == text
