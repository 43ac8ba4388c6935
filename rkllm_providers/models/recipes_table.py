"""How families of models embed and rank, as data: the formats their makers published, and trained them with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rkllm_providers.models.recipes import EmbeddingRecipe, RerankingRecipe

_SEARCH: Final = "Given a web search query, retrieve relevant passages that answer the query"

EMBEDDING_RECIPES: Final[Mapping[str, EmbeddingRecipe]] = {
    "qwen3-embedding": EmbeddingRecipe(
        pooling="last",
        query_prefix="Instruct: {instruction}\nQuery:",
        instruction=_SEARCH,
        end="<|endoftext|>",
        source="model card of Qwen/Qwen3-Embedding-0.6B",
    ),
    "gte-qwen2": EmbeddingRecipe(
        pooling="last",
        query_prefix="Instruct: {instruction}\nQuery: ",
        instruction=_SEARCH,
        end="<|endoftext|>",
        source="model card of Alibaba-NLP/gte-Qwen2-1.5B-instruct",
    ),
}

RERANKING_RECIPES: Final[Mapping[str, RerankingRecipe]] = {
    "qwen3-reranker": RerankingRecipe(
        prompt=(
            "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the "
            'Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>\n'
            "<|im_start|>user\n<Instruct>: {instruction}\n<Query>: {query}\n<Document>: {document}<|im_end|>\n"
            "<|im_start|>assistant\n<think>\n\n</think>\n\n"
        ),
        instruction=_SEARCH,
        source="model card of Qwen/Qwen3-Reranker-0.6B",
    ),
}
