"""Lists of requests end at their first wrong item: what is wrong with each of millions would fill the memory."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from rag_service.api.anthropic.forms import MessageRequest
from rag_service.api.loaders import WebPagesRequest
from rag_service.api.ollama.chat import OllamaChat, OllamaCompletion
from rag_service.api.ollama.embeddings import OllamaEmbed
from rag_service.api.ollama.generation import ModelOptions
from rag_service.api.openai.chat_messages import RequestMessage
from rag_service.api.openai.chat_request import ChatCompletionRequest
from rag_service.api.openai.completions import CompletionRequest
from rag_service.api.openai.embeddings import EmbeddingRequest
from rag_service.api.openai.rerank import RerankRequest
from rag_service.api.openai.tokens import DetokenizeRequest

MODELS: list[type[BaseModel]] = [
    ChatCompletionRequest,
    CompletionRequest,
    DetokenizeRequest,
    EmbeddingRequest,
    MessageRequest,
    ModelOptions,
    OllamaChat,
    OllamaCompletion,
    OllamaEmbed,
    RequestMessage,
    RerankRequest,
    WebPagesRequest,
]
WRONG = 1.5j
"""Of no type that JSON has."""


@pytest.mark.parametrize("model", MODELS)
def test_the_first_wrong_item_of_a_list_is_the_last_that_is_read(model: type[BaseModel]) -> None:
    names = list(model.model_fields)
    with pytest.raises(ValidationError) as caught:
        model.model_validate(dict.fromkeys(names, [WRONG] * 1000))
    # A field that takes one of several kinds of lists says what is wrong for each.
    assert caught.value.error_count() < 10 * len(names)
