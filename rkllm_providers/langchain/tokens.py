"""Tokens as the model counts them, for LangChain's two kinds of model."""

from __future__ import annotations

from collections.abc import Callable

from rkllm_providers.chat import estimate_tokens
from rkllm_providers.engine import LanguageModel
from rkllm_providers.langchain.errors import langchain_errors

Custom = Callable[[str], list[int]] | None
"""LangChain's ``custom_get_token_ids``, which goes before the model's own tokenizer."""


def token_ids(open_model: Callable[[], LanguageModel], custom: Custom, text: str) -> list[int]:
    """The ids of a text. Raises ``UnsupportedFeature`` where the model has no tokenizer."""
    if custom is not None:
        return custom(text)
    with langchain_errors():
        return open_model().tokenize(text)


def number_of_tokens(open_model: Callable[[], LanguageModel], custom: Custom, text: str) -> int:
    """How many tokens a text has; an estimate where the model has no tokenizer."""
    if custom is None:
        with langchain_errors():
            if not open_model().facts.counts_tokens:
                return estimate_tokens(text)
    return len(token_ids(open_model, custom, text))
