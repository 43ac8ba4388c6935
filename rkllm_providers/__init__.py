"""Language models on Rockchip NPUs as first-class LangChain and LlamaIndex models.

Importing this package loads no framework and no native library. The pieces are imported from
where they live: ``rkllm_providers.langchain``, ``rkllm_providers.engine``, ``rkllm_providers.runtime``.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
