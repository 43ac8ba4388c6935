"""What observers hear: tokens counted, and each event once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler, TokenCountingHandler
from llama_index.core.indices.prompt_helper import PromptHelper
from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.prompts import PromptTemplate
from llama_index.core.schema import Document
from pydantic import Field

from rkllm_providers.llama_index import RKLLM
from tests.conftest import needs_llama
from tests.llama_index.conftest import HELLO, OpenLLM
from tests.llama_index.drive import COMPLETIONS, METHODS, ask

pytestmark = needs_llama


class Heard(BaseEventHandler):
    """Keeps the events of all dispatchers."""

    events: list[Any] = Field(default_factory=list)

    def handle(self, event: Any, **kwargs: Any) -> None:
        self.events.append(event)


@pytest.fixture
def heard() -> Iterator[Heard]:
    handler, root = Heard(), get_dispatcher()
    root.add_event_handler(handler)
    yield handler
    root.event_handlers.remove(handler)


@pytest.mark.parametrize("method", METHODS)
async def test_each_event_comes_once(open_llm: OpenLLM, heard: Heard, method: str) -> None:
    seen = LlamaDebugHandler(print_trace_on_end=False)
    llm = open_llm(callback_manager=CallbackManager([seen]), api_key="secret")
    items = await ask(llm, method, "Hi!")
    ((start, end),) = seen.get_event_pairs(CBEventType.LLM)
    assert "secret" not in str(start.payload)
    kind = "Completion" if method in COMPLETIONS else "Chat"
    counted = Counter(type(event).__name__ for event in heard.events)
    expected = {f"LLM{kind}StartEvent": 1, f"LLM{kind}EndEvent": 1}
    if "stream" in method:
        expected[f"LLM{kind}InProgressEvent"] = len(items)
    assert counted == expected
    assert heard.events[0].model_dict["model_name"] == "scripted"
    assert (end.payload or {})["completion" if method in COMPLETIONS else "response"].raw == items[-1].raw


@pytest.mark.parametrize("method", METHODS)
async def test_tokens_are_counted_exactly(open_llm: OpenLLM, method: str) -> None:
    def refuse(text: str) -> list[int]:
        raise AssertionError("the model's own figures are there")

    counter = TokenCountingHandler(tokenizer=refuse)
    llm = open_llm(callback_manager=CallbackManager([counter]))
    items = await ask(llm, method, "think")
    usage = items[-1].raw["usage"]
    assert counter.prompt_llm_token_count == usage["prompt_tokens"] > 0
    assert counter.completion_llm_token_count == usage["completion_tokens"] > 0


def test_the_tokenizer_is_the_models(llm: RKLLM) -> None:
    counter = TokenCountingHandler(tokenizer=llm.tokenizer)
    assert counter.tokenizer("Hi! <|im_end|>") == llm.tokenize("Hi! <|im_end|>")
    helper = PromptHelper.from_llm_metadata(llm.metadata, tokenizer=llm.tokenizer)
    long = "weather time " * 2000
    (cut,) = helper.truncate(PromptTemplate("{context_str}"), [long], llm=llm)
    n_tokens = len(llm.tokenize(cut))
    assert n_tokens <= 2048 - 512
    assert n_tokens > (2048 - 512) * 0.9
    splitter = SentenceSplitter(chunk_size=20, chunk_overlap=0, tokenizer=llm.tokenizer)
    nodes = splitter.get_nodes_from_documents([Document(text="The weather is a thing. " * 20)])
    assert len(nodes) > 1
    assert all(len(llm.tokenize(node.get_content())) <= 20 for node in nodes)


def test_prompts_and_streams_of_prompts(llm: RKLLM) -> None:
    prompt = PromptTemplate("Answer me twice: {word}.")
    assert llm.predict(prompt, word="Ada") == "Ada, Ada"
    assert "".join(llm.stream(prompt, word="Ada")) == "Ada, Ada"
    assert llm.complete("Hi!").text == HELLO
