"""This retrieval for LlamaIndex. Needs the ``llama-index`` and ``retrieval`` extras.

The names are imported when they are first used: LlamaIndex takes seconds to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rag_service.frameworks.extras import import_part

if TYPE_CHECKING:
    from rag_service.frameworks.llama_index.node_parser import PassageNodeParser
    from rag_service.frameworks.llama_index.postprocessor import PassagePostprocessor
    from rag_service.frameworks.llama_index.retriever import BM25PassageRetriever

_HOMES = {
    "BM25PassageRetriever": "retriever",
    "PassageNodeParser": "node_parser",
    "PassagePostprocessor": "postprocessor",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_part(__name__, _HOMES[name], "llama-index"), name)


__all__ = ["BM25PassageRetriever", "PassageNodeParser", "PassagePostprocessor"]
