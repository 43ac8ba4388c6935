"""Errors are ours and LangChain's at once."""

from __future__ import annotations

import asyncio
import pickle
from pathlib import Path
from typing import Any

import pytest
from langchain_core import exceptions

from rkllm_providers import errors
from rkllm_providers.engine import EngineLimits
from rkllm_providers.langchain import RKLLM, ChatRKLLM, RKLLMEmbeddings, RKLLMReranker
from rkllm_providers.langchain.errors import langchain_error, langchain_errors
from tests.conftest import needs_llama

CASES: list[tuple[errors.RKLLMError, type[Exception], bool]] = [
    (errors.ModelNotFound("x", ["y"], "Look."), exceptions.ModelNotFoundError, False),
    (errors.ContextLengthExceeded(9, 8), exceptions.ContextOverflowError, False),
    (errors.InvalidRequest("No.", "stop"), exceptions.ModelInvalidRequestError, False),
    (errors.UnsupportedFeature("No."), exceptions.ModelInvalidRequestError, False),
    (errors.LibraryNotFound("No."), exceptions.ModelAPIError, False),
    (errors.UnsupportedRuntime("No."), exceptions.ModelAPIError, False),
    (errors.ModelLoadError("No.", ["a line"]), exceptions.ModelAPIError, False),
    (errors.NPUBusy(12, "http://localhost"), exceptions.ModelAPIError, True),
    (errors.QueueFull(3, 3, 1.5), exceptions.ModelRateLimitError, True),
    (errors.RequestTimeout("Late.", "queue", 2.0), exceptions.ModelTimeoutError, True),
    (errors.GenerationError("No.", ["a line"]), exceptions.ModelAPIError, True),
    (errors.RknnError("No.", code=-6, name="RKNN_ERR_MODEL_INVALID"), exceptions.ModelAPIError, True),
    (errors.WorkerCrashed("Gone.", ["a line"]), exceptions.ModelAPIError, True),
    (errors.ServiceUnreachable("Nobody.", "http://localhost"), exceptions.ModelConnectionError, True),
    (errors.InvalidOutput("No.", "text", "problem"), exceptions.ModelAPIError, False),
]


@pytest.mark.parametrize(("error", "theirs", "retryable"), CASES, ids=lambda value: type(value).__name__)
def test_each_is_both(error: errors.RKLLMError, theirs: type[Exception], retryable: bool) -> None:
    with pytest.raises(theirs) as caught, langchain_errors():
        raise error
    made: Any = caught.value
    assert issubclass(type(made), type(error))
    assert type(made).__name__ == type(error).__name__
    assert made.is_retryable is retryable
    assert made.__cause__ is error
    assert str(made) == str(error)
    assert made.__dict__ == error.__dict__
    back = pickle.loads(pickle.dumps(made))
    assert type(back) is type(made)
    assert (str(back), back.__dict__) == (str(made), made.__dict__)
    assert langchain_error(made) is made


@pytest.mark.parametrize("error", [errors.RequestCancelled("No."), errors.EngineClosed("No.")])
def test_others_stay_what_they_are(error: errors.RKLLMError) -> None:
    with pytest.raises(errors.RKLLMError) as caught, langchain_errors():
        raise error
    assert caught.value is error


def test_every_error_has_been_thought_of() -> None:
    known = {type(error) for error, _, _ in CASES}
    alone = {errors.RKLLMError, errors.RequestCancelled, errors.EngineClosed}
    ours = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)}
    assert {one for one in ours if issubclass(one, errors.RKLLMError)} == known | alone


async def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    where: dict[str, Any] = {"model": "nobody", "models_dir": str(tmp_path)}
    chat, llm, embeddings = ChatRKLLM(**where), RKLLM(**where), RKLLMEmbeddings(**where)
    for ask in (
        lambda: chat.invoke("Hi!"),
        lambda: list(chat.stream("Hi!")),
        lambda: llm.invoke("Hi!"),
        lambda: list(llm.stream("Hi!")),
        lambda: embeddings.embed_query("Hi!"),
        lambda: embeddings.embed_documents(["Hi!"]),
        lambda: chat.get_num_tokens("Hi!"),
        chat.open,
        lambda: RKLLMReranker(**where).open(),
    ):
        with pytest.raises(exceptions.ModelNotFoundError, match="nobody"):
            ask()
    for task in (chat.ainvoke("Hi!"), llm.ainvoke("Hi!"), embeddings.aembed_query("Hi!"), chat.aopen()):
        with pytest.raises(exceptions.ModelNotFoundError, match="nobody"):
            await task


@needs_llama
async def test_a_prompt_that_does_not_fit(models_dir: Path) -> None:
    with ChatRKLLM(model="talker", models_dir=str(models_dir), context_length=64) as chat:
        for streamed in (False, True):
            with pytest.raises(exceptions.ContextOverflowError) as caught:
                list(chat.stream("la " * 200)) if streamed else chat.invoke("la " * 200)
            assert isinstance(caught.value, errors.ContextLengthExceeded)
            assert caught.value.n_prompt_tokens > caught.value.n_ctx == 64
        with pytest.raises(exceptions.ContextOverflowError):
            await chat.ainvoke("la " * 200)


@needs_llama
async def test_a_full_queue(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = EngineLimits(queue=1)
    monkeypatch.setattr("rkllm_providers.engine.registry.environment_limits", lambda: limits)
    with ChatRKLLM(model="talker", models_dir=str(models_dir), context_length=4096) as chat:
        running: Any = chat.astream("endless")
        await anext(running)
        tasks = [asyncio.create_task(chat.ainvoke("Hi!")) for _ in range(2)]
        done, (waiting,) = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED, timeout=60)
        refused = done.pop().exception()
        assert isinstance(refused, exceptions.ModelRateLimitError)
        assert isinstance(refused, errors.QueueFull)
        await running.aclose()
        assert (await waiting).content


@needs_llama
def test_a_time_limit(talker: ChatRKLLM) -> None:
    with pytest.raises(exceptions.ModelTimeoutError) as caught:
        talker.invoke("endless", timeout=0.2)
    assert isinstance(caught.value, TimeoutError)
    assert talker.invoke("Hi!").content
