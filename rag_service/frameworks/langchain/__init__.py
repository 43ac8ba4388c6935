"""This retrieval for LangChain. Needs the ``langchain`` and ``retrieval`` extras.

The names are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rag_service.frameworks.extras import import_part

if TYPE_CHECKING:
    from rag_service.frameworks.langchain.remover import BoilerplateRemover
    from rag_service.frameworks.langchain.retriever import BM25PassageRetriever

_HOMES = {"BM25PassageRetriever": "retriever", "BoilerplateRemover": "remover"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_part(__name__, _HOMES[name], "langchain"), name)


__all__ = ["BM25PassageRetriever", "BoilerplateRemover"]
