"""Rockchip NPU models for LangChain. Needs the ``langchain`` extra."""

try:
    from rkllm_providers.langchain.chat_models import ChatRKLLM
except ModuleNotFoundError as error:
    if error.name is None or not error.name.startswith(("langchain_core", "pydantic")):
        raise
    raise ModuleNotFoundError(
        "rkllm_providers.langchain needs langchain-core: pip install 'rkllm-providers[langchain]'", name=error.name
    ) from error

__all__ = ["ChatRKLLM"]
