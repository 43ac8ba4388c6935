"""What a partly reused KV cache does to the answer of the built-in model: nothing that a cold run would not.

The library's logits are always those of a cold run, so the scores of a warm one cannot be read from it. What can be
seen is which tokens the warm run takes: greedily, each must be the one that a cold run scores highest after the same
tokens, unless the highest two are close. The scores themselves are compared with llama.cpp, which is made to keep the
prefix that the engine kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from rkllm_providers.chat import ChatMessage, GenerateOptions, Sampling, TextPrompt, build_prompt
from rkllm_providers.emulator import build_library
from rkllm_providers.engine import ModelClient
from rkllm_providers.engine.answer import Answer
from rkllm_providers.engine.run import RunDone
from rkllm_providers.engine.streams import SyncStream
from rkllm_providers.errors import RKLLMError
from rkllm_providers.runtime import InitParams, ModelHandle, RuntimeLibrary, TokenInput
from tests.conftest import OpenModel
from tests.emulator.test_real import Llama
from tests.llama_api import llama_api

pytestmark = pytest.mark.real

CONTEXT: Final = 1024
MOST_DIVERGENCE: Final = 0.01
CLOSE: Final = 1.0
"""Scores nearer than this may change places: a warm run adds the same numbers in another order."""
GREEDY: Final = GenerateOptions(
    max_tokens=8,
    sampling=Sampling(temperature=0.0, repeat_penalty=1.0, frequency_penalty=0.0, presence_penalty=0.0),
)
CHAT: Final = [
    ChatMessage("system", "You are a helpful assistant who answers in one short sentence."),
    ChatMessage("user", "What is the capital of France?"),
    ChatMessage("assistant", "The capital of France is Paris."),
    ChatMessage("user", "And which river flows through it?"),
    ChatMessage("assistant", "The river Seine flows through Paris, from the south-east to the north-west."),
    ChatMessage("user", "When is the best time of the year to go there?"),
]
EDITS: Final = ("When was the Eiffel tower built?", "Write the numbers from one to ten.")


@pytest.fixture
def cold(real_model: Path) -> Iterator[ModelHandle]:
    """The library itself, for the scores of cold runs."""
    library = RuntimeLibrary.open(build_library("1.3.0"))
    with ModelHandle(library, InitParams(real_model, max_context_len=CONTEXT)) as handle:
        yield handle


def generated(client: ModelClient, messages: list[ChatMessage]) -> tuple[list[int], list[int], RunDone]:
    """The ids of a prompt and of its answer, and how the run ended."""
    prompt = build_prompt(client.card, messages, GREEDY)
    assert not isinstance(prompt.content, TextPrompt)
    items = SyncStream()
    client.engine.submit(Answer(client.card, prompt, GREEDY, "").request, items)
    ids: list[int] = []
    while True:
        for item in items.get(100):
            if isinstance(item, RKLLMError):
                raise item
            if isinstance(item, RunDone):
                return list(prompt.content), ids, item
            ids.append(item[0])


def check(prompt: list[int], answer: list[int], scores: NDArray[np.float32]) -> None:
    """See that a cold run, whose scores these are, would have taken these tokens."""
    rows = scores[len(prompt) - 1 : -1]
    assert len(rows) == len(answer)
    for place, (row, token) in enumerate(zip(rows, answer, strict=True)):
        assert row.max() - row[token] < CLOSE, place
        if np.diff(np.sort(row)[-2:]) >= CLOSE:
            assert token == row.argmax(), place


def divergence(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """How far the probabilities of one row of scores are from another's (Kullback-Leibler, in nats)."""
    first, second = (row.astype(float) - np.logaddexp.reduce(row.astype(float)) for row in (one, other))
    return float((np.exp(first) * (first - second)).sum())


@pytest.fixture
def llama(real_model: Path) -> Iterator[Llama]:
    made = Llama(llama_api(), real_model)
    yield made
    made.close()


def test_an_edited_question_is_answered_as_if_nothing_had_been_kept(
    open_model: OpenModel, real_model: Path, cold: ModelHandle, llama: Llama
) -> None:
    client = open_model(real_model, context_length=CONTEXT)
    before, _, _ = generated(client, CHAT)
    llama.decode(before, 0, False)
    for edit in EDITS:
        prompt, answer, done = generated(client, [*CHAT[:-1], ChatMessage("user", edit)])
        reused = done.cached_tokens or 0
        # Only the question is new.
        assert len(prompt) / 2 < reused < len(prompt)
        scores = cold.logits(TokenInput([*prompt, *answer]))
        check(prompt, answer, scores)
        llama.api.llama_memory_seq_rm(llama.api.llama_get_memory(llama.context), 0, reused, -1)
        warm = np.frombuffer(llama.decode(prompt[reused:], reused, False), np.float32)
        assert divergence(warm, scores[len(prompt) - 1]) <= MOST_DIVERGENCE
        # The engine took what llama.cpp finds best, or as good as that, on the same cache.
        assert warm.max() - warm[answer[0]] < 0.1


def test_a_runtime_that_is_ended_at_the_limit_keeps_the_prefix_as_well(
    open_model: OpenModel, real_model: Path, cold: ModelHandle
) -> None:
    client = open_model(real_model, "1.2.3", context_length=CONTEXT)
    generated(client, CHAT)
    prompt, answer, done = generated(client, [*CHAT[:-1], ChatMessage("user", EDITS[0])])
    assert len(prompt) / 2 < (done.cached_tokens or 0) < len(prompt)
    check(prompt, answer, cold.logits(TokenInput([*prompt, *answer])))
