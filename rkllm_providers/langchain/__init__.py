"""Rockchip NPU models for LangChain."""

from rkllm_providers.langchain.chat_models import ChatRKLLM

__all__ = ["ChatRKLLM"]
