"""This retrieval as parts of LangChain and of LlamaIndex.

``rag_service.frameworks.langchain`` and ``rag_service.frameworks.llama_index`` need the extra of their framework and
``retrieval``; neither imports the other's framework.
"""
