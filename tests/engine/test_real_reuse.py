"""What a partly reused KV cache does to the answer of the built-in model: nothing that a cold run would not.

The library's logits are always those of a cold run, so the scores of a warm one cannot be read. What can be seen of
them is which tokens the warm run takes: greedily, each must be the one that a cold run scores highest after the
same tokens, unless the highest two are close.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from rkllm_providers.chat import ChatMessage, GenerateOptions, Sampling, TextPrompt, build_prompt
from rkllm_providers.emulator import build_library
from rkllm_providers.engine import ModelClient
from rkllm_providers.engine.answer import Answer
from rkllm_providers.engine.run import RunDone
from rkllm_providers.engine.streams import SyncStream
from rkllm_providers.errors import RKLLMError
from rkllm_providers.runtime import InitParams, ModelHandle, RuntimeLibrary, TokenInput
from tests.conftest import OpenModel

pytestmark = pytest.mark.real

CONTEXT: Final = 1024
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
    ChatMessage("user", "Name three famous museums there."),
    ChatMessage("assistant", "The Louvre, the Musée d'Orsay and the Centre Pompidou."),
    ChatMessage("user", "When is the best time of the year to go there?"),
]
EDITS: Final = (
    "When was the tower of Eiffel built?",
    "When is the best month to stay at home?",
    "Write the numbers from one to ten.",
    "塞纳河有多长？",
)


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


def check(cold: ModelHandle, prompt: list[int], answer: list[int]) -> float:
    """See that a cold run would have taken these tokens; the smallest lead of one over the next best."""
    scores = cold.logits(TokenInput(array("i", prompt + answer)))[len(prompt) - 1 : -1]
    assert len(scores) == len(answer)
    leads = []
    for place, (row, token) in enumerate(zip(scores, answer, strict=True)):
        best = np.argsort(row)[::-1]
        lead = float(row[best[0]] - row[best[1]])
        assert token == best[0] or row[best[0]] - row[token] < CLOSE, (place, token, best[:2], lead)
        leads.append(lead)
    return min(leads)


@pytest.mark.parametrize("version", ["1.2.3", "1.3.0"])
def test_an_edited_question_is_answered_as_if_nothing_had_been_kept(
    open_model: OpenModel, real_model: Path, cold: ModelHandle, version: str
) -> None:
    client = open_model(real_model, version, context_length=CONTEXT)
    generated(client, CHAT)
    for edit in EDITS:
        prompt, answer, done = generated(client, [*CHAT[:-1], ChatMessage("user", edit)])
        # Only the question is new.
        assert done.cached_tokens is not None
        assert len(prompt) / 2 < done.cached_tokens < len(prompt)
        check(cold, prompt, answer)


def test_the_first_token_is_that_of_a_cold_engine(open_model: OpenModel, real_model: Path, cold: ModelHandle) -> None:
    """Where the scores leave no doubt, a warm engine and one that has just loaded begin alike."""
    edited = [*CHAT[:-1], ChatMessage("user", EDITS[0])]
    fresh = open_model(real_model, context_length=CONTEXT - 1)
    _, first, done = generated(fresh, edited)
    assert done.cached_tokens == 0
    warm = open_model(real_model, context_length=CONTEXT)
    generated(warm, CHAT)
    prompt, again, done = generated(warm, edited)
    assert done.cached_tokens
    assert warm.engine is not fresh.engine
    if check(cold, prompt, first) >= CLOSE:
        assert first == again
    check(cold, prompt, again)
