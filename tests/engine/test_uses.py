"""Embedding, ranking and completion without a chat template, through the worker process."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from rkllm_providers.chat import ChatMessage, GenerateOptions
from rkllm_providers.emulator import load_script
from rkllm_providers.engine import ModelClient
from rkllm_providers.errors import (
    ContextLengthExceeded,
    EngineClosed,
    GenerationError,
    InvalidRequest,
    RequestTimeout,
    UnsupportedFeature,
)
from tests.conftest import ABI_VERSIONS, OpenModel, WriteModel, needs_llama

pytestmark = needs_llama

SCRIPT = """
context 256
words yes no cat mat dog
rule "<Document>: good"
  text "yes"
end
rule "<Document>"
  text "no"
end
rule *
  text "Hello there."
end
"""
RERANKING = '[reranking]\nprompt = "<Query>: {query}\\n<Document>: {document}<|im_end|>"\n'


@pytest.fixture(params=ABI_VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(write_model: WriteModel) -> Path:
    return write_model(SCRIPT)


def note(model: Path, text: str) -> None:
    model.with_suffix(".toml").write_text(text)


def alone(client: ModelClient, text: str) -> list[float]:
    return [float(value) for value in client.embed([text]).vectors[0]]


def state(model: Path, text: str, *, last: bool) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The vector that the documented rows of a script make of a text."""
    script = load_script(model)
    states = [np.zeros(script.embedding_size)]
    for token in script.encode(text):
        states.append(np.array(script.embedding(token)) + states[-1] / 4)
    made = states[-1] if last else np.mean(states[1:], axis=0)
    return np.asarray(made / np.linalg.norm(made), np.float64)


def test_vectors_are_the_mean_of_the_hidden_states(open_model: OpenModel, model: Path, version: str) -> None:
    client = open_model(model, version)
    result = client.embed(["a cat", "a dog on a mat"])
    assert result.vectors.dtype == np.float32
    assert result.vectors.shape == (2, 64)
    for text, vector in zip(("a cat", "a dog on a mat"), result.vectors, strict=True):
        np.testing.assert_allclose(vector, state(model, text, last=False), rtol=1e-4, atol=1e-6)
    assert result.prompt_tokens == sum(len(client.tokenize(text)) for text in ("a cat", "a dog on a mat"))


def test_or_the_last_one_behind_a_prefix(open_model: OpenModel, model: Path, version: str) -> None:
    note(
        model,
        '[embedding]\npooling = "last"\nquery_prefix = "Instruct: {instruction}\\nQuery:"\ninstruction = "find"\n'
        'document_prefix = "D: "\nend = "<|endoftext|>"\n',
    )
    client = open_model(model, version)
    expected = {
        (None, None): "cat<|endoftext|>",
        ("query", None): "Instruct: find\nQuery:cat<|endoftext|>",
        ("query", "rhymes"): "Instruct: rhymes\nQuery:cat<|endoftext|>",
        ("document", None): "D: cat<|endoftext|>",
    }
    for (kind, instruction), text in expected.items():
        vector = client.embed(["cat"], kind=kind, instruction=instruction).vectors[0]  # type: ignore[arg-type]
        np.testing.assert_allclose(vector, state(model, text, last=True), rtol=1e-4, atol=1e-6)
    with pytest.raises(InvalidRequest, match="An instruction is for queries"):
        client.embed(["cat"], kind="document", instruction="x")


def test_a_batch_is_what_its_texts_are_alone_and_in_any_order(
    open_model: OpenModel, model: Path, version: str
) -> None:
    client = open_model(model, version)
    texts = ["a cat", "a cat on a mat", "dog", "a cat"]
    cold = [alone(client, text) for text in texts]
    assert client.embed(texts).vectors.tolist() == cold
    assert client.embed(texts[::-1]).vectors.tolist() == cold[::-1]
    client.complete([ChatMessage("user", "a cat")])
    assert client.embed(texts).vectors.tolist() == cold
    assert client.complete([ChatMessage("user", "a cat")]).text == "Hello there."


def test_synchronous_and_asynchronous_give_the_same(open_model: OpenModel, model: Path) -> None:
    note(model, RERANKING)
    client = open_model(model)

    async def awaited() -> None:
        embedded = await client.aembed(["cat", "dog"], dimensions=3)
        assert embedded.vectors.tolist() == client.embed(["cat", "dog"], dimensions=3).vectors.tolist()
        assert await client.arerank("q", ["bad", "good"]) == client.rerank("q", ["bad", "good"])
        assert (await client.acomplete_text("Hi")).text == client.complete_text("Hi").text
        assert [event async for event in client.astream_text("Hi")][:1] == list(client.stream_text("Hi"))[:1]

    asyncio.run(awaited())


def test_fewer_dimensions_are_as_long(open_model: OpenModel, model: Path) -> None:
    client = open_model(model)
    whole = client.embed(["a cat"]).vectors[0]
    short = client.embed(["a cat"], dimensions=8).vectors[0]
    assert short.shape == (8,)
    np.testing.assert_allclose(short, whole[:8] / np.linalg.norm(whole[:8]), rtol=1e-5)
    assert np.linalg.norm(short) == pytest.approx(1)
    with pytest.raises(InvalidRequest, match="have 64 dimensions, not 65"):
        client.embed(["a cat"], dimensions=65)
    with pytest.raises(InvalidRequest, match="dimensions is 0"):
        client.embed(["a cat"], dimensions=0)


def test_vectors_that_are_not_to_be_normalised(open_model: OpenModel, model: Path) -> None:
    note(model, '[embedding]\npooling = "last"\nnormalize = false\n')
    script = load_script(model)
    vector = open_model(model).embed(["cat"]).vectors[0]
    np.testing.assert_allclose(vector, script.embedding(script.encode("cat")[0]), rtol=1e-6)


def test_a_text_too_long_is_named_or_cut(open_model: OpenModel, model: Path, version: str) -> None:
    client = open_model(model, version)
    texts = ["cat", "cat" * 300, "dog"]
    with pytest.raises(ContextLengthExceeded, match=r"Text 1 \(counted from 0\) has 300 tokens.*holds 256") as caught:
        client.embed(texts)
    assert (caught.value.index, caught.value.n_prompt_tokens, caught.value.n_ctx) == (1, 300, 256)
    with pytest.raises(ContextLengthExceeded, match=r"Text 0 .* has at least \d+ tokens") as caught:
        client.embed(["cat" * 100_000])
    cut = client.embed(texts, truncate=True)
    assert cut.vectors[1].tolist() == alone(client, "cat" * 255)
    assert cut.prompt_tokens == 1 + 255 + 1
    longest = client.embed(["cat" * 100_000], truncate=True)
    assert longest.vectors.tolist() == [cut.vectors[1].tolist()]


def test_what_cannot_be_embedded_is_refused(open_model: OpenModel, model: Path) -> None:
    client = open_model(model)
    with pytest.raises(InvalidRequest, match=r"Text 1 \(counted from 0\) is empty"):
        client.embed(["cat", ""])
    with pytest.raises(InvalidRequest, match="one text; a list"):
        client.embed("cat")
    with pytest.raises(InvalidRequest, match="2048 is the most"):
        client.embed(["cat"] * 2049)
    with pytest.raises(InvalidRequest, match="This model takes no instruction"):
        client.embed(["cat"], kind="query", instruction="find")
    assert client.embed([]).vectors.shape == (0, 0)
    note(model, '[embedding]\nend = "no such token"\n')
    with pytest.raises(InvalidRequest, match=r"end with 'no such token' .scripted\.toml."):
        open_model(model).embed(["cat"])


def test_control_tokens_in_a_text_are_text(open_model: OpenModel, model: Path) -> None:
    client = open_model(model)
    script = load_script(model)
    assert client.embed(["<|im_end|>"]).prompt_tokens == len("<|im_end|>") > len(script.encode("<|im_end|>"))


def test_a_chat_that_waits_comes_before_the_rest_of_a_batch(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model("prefill_base_ms 20\n" + SCRIPT))
    client.complete([ChatMessage("user", "Hi")])

    async def both() -> list[str]:
        ended: list[str] = []

        async def embed() -> None:
            await client.aembed(["a cat on a mat"] * 50)
            ended.append("batch")

        async def chat() -> None:
            await client.acomplete([ChatMessage("user", "Hi")])
            ended.append("chat")

        await asyncio.gather(embed(), chat())
        return ended

    assert asyncio.run(both()) == ["chat", "batch"]


def test_a_batch_ends_with_its_caller_its_time_or_its_engine(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model("prefill_base_ms 20\n" + SCRIPT))
    client.embed(["cat"])

    async def leave() -> None:
        task = asyncio.create_task(client.aembed(["a cat on a mat"] * 2000))
        while not client.engine.is_busy:  # noqa: ASYNC110 - an engine has no event for this
            await asyncio.sleep(0.002)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(leave())
    assert client.embed(["cat"]).prompt_tokens == 1
    with pytest.raises(RequestTimeout):
        client.embed(["a cat on a mat"] * 2000, timeout=0.01)
    assert client.embed(["cat"]).prompt_tokens == 1
    client.engine.close()
    with pytest.raises(EngineClosed):
        client.embed(["cat"])


def test_ranking(open_model: OpenModel, model: Path, version: str) -> None:
    note(model, RERANKING)
    client = open_model(model, version)
    if version == "1.1.4":
        with pytest.raises(UnsupportedFeature, match=r"came with 1\.2\.0"):
            client.rerank("which?", ["bad", "good"])
        return
    ranked = client.rerank("which?", ["bad", "good", "worse", "good too"])
    assert [score.index for score in ranked] == [1, 3, 0, 2]
    assert [round(score.score, 3) for score in ranked] == [1, 1, 0, 0]
    assert all(0 <= score.score <= 1 for score in ranked)
    assert client.rerank("which?", ["bad", "good"], top_n=1) == ranked[:1]
    assert client.rerank("which?", []) == []
    with pytest.raises(ContextLengthExceeded, match="Text 1"):
        client.rerank("which?", ["good", "cat" * 300])
    with pytest.raises(InvalidRequest, match="top_n is 0"):
        client.rerank("which?", ["good"], top_n=0)
    with pytest.raises(InvalidRequest, match="takes no instruction"):
        client.rerank("which?", ["good"], instruction="x")


def test_a_place_in_a_callers_text_is_not_filled(open_model: OpenModel, model: Path) -> None:
    note(model, RERANKING)
    client = open_model(model)
    # Were {document} in the query filled too, the first rule would match.
    assert client.rerank("{document}{query}<Document>: {document}", ["x", "good"])[0].index == 1


def test_ranking_needs_to_be_told_how(open_model: OpenModel, model: Path) -> None:
    with pytest.raises(InvalidRequest, match=r'family = "qwen3-reranker" into scripted\.toml'):
        open_model(model).rerank("q", ["d"])
    note(model, RERANKING + 'yes = "surely so"\n')
    with pytest.raises(InvalidRequest, match=r"'surely so' is \d+ tokens"):
        open_model(model).rerank("q", ["d"])
    note(model, RERANKING + "yes = 999999\nno = 1\n")
    with pytest.raises((InvalidRequest, GenerationError), match="none of the id 999999"):
        open_model(model).rerank("q", ["d"])


def test_the_published_reranking_format(open_model: OpenModel, write_model: WriteModel) -> None:
    model = write_model(
        "words yes no\n"
        'rule "<|im_start|>user\\n<Instruct>: Given {a}<Query>: which\\n<Document>: good<|im_end|>\\n'
        '<|im_start|>assistant\\n<think>\\n\\n</think>\\n\\n"\n  text "yes"\nend\nrule *\n  text "no"\nend\n'
    )
    note(model, 'family = "qwen3-reranker"\n')
    ranked = open_model(model).rerank("which", ["bad", "good", "good<|im_end|>"])
    assert [score.index for score in ranked] == [1, 0, 2]
    assert ranked[0].score > 0.99
    assert ranked[1].score < 0.01


def test_completion_without_a_template(open_model: OpenModel, write_model: WriteModel, version: str) -> None:
    client = open_model(write_model('rule *\n  text "{n_prompt} tokens"\nend\n'), version)
    text = "Once upon a time"
    result = client.complete_text(text)
    assert result.text == f"{len(client.tokenize(text))} tokens"
    assert result.finish.usage.prompt_tokens == len(client.tokenize(text))
    marked = "<|im_start|>user\nHi<|im_end|>"
    as_text = client.complete_text(marked).finish.usage.prompt_tokens
    as_control = client.complete_text(marked, parse_special=True).finish.usage.prompt_tokens
    assert as_text == len(client.tokenize(marked)) > as_control
    with pytest.raises(InvalidRequest, match="The prompt is empty"):
        client.complete_text("")
    limited = client.complete_text(text, GenerateOptions(max_tokens=1))
    assert limited.finish.reason == "length"


def test_a_beginning_token_stands_before_a_text_once(open_model: OpenModel, write_model: WriteModel) -> None:
    model = write_model('control "<s>"\nbos "<s>"\nrule *\n  text "{n_prompt}"\nend\n')
    client = open_model(model)
    assert client.complete_text("Hi").text == str(1 + len(client.tokenize("Hi")))
    assert client.complete_text("<s>Hi", parse_special=True).text == str(1 + len(client.tokenize("Hi")))
    assert client.embed(["Hi"]).prompt_tokens == 1 + len(client.tokenize("Hi"))


def test_tokens_and_back(open_model: OpenModel, model: Path) -> None:
    client = open_model(model)
    for text in ("a cat", "<|im_end|> 你好 \ufffd", ""):
        assert client.detokenize(client.tokenize(text)) == text
    end = load_script(model).controls["<|im_end|>"]
    assert client.detokenize([end]) == "<|im_end|>"
    assert client.detokenize([0xE4]) == "\ufffd"
    for wrong in (-1, 10**9):
        with pytest.raises(InvalidRequest, match=f"no token {wrong}"):
            client.detokenize([wrong])
