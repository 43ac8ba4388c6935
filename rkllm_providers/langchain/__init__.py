"""Rockchip NPU models for LangChain. Needs the ``langchain`` extra."""

try:
    from rkllm_providers.langchain.chat_models import ChatRKLLM
    from rkllm_providers.langchain.embeddings import RKLLMEmbeddings
    from rkllm_providers.langchain.llms import RKLLM
    from rkllm_providers.langchain.rerankers import RKLLMReranker
except ModuleNotFoundError as error:
    if error.name is None or not error.name.startswith(("langchain_core", "pydantic")):
        raise
    raise ModuleNotFoundError(
        "rkllm_providers.langchain needs langchain-core: pip install 'rkllm-providers[langchain]'", name=error.name
    ) from error

__all__ = ["RKLLM", "ChatRKLLM", "RKLLMEmbeddings", "RKLLMReranker"]
