"""LlamaIndex nodes as sources of this retrieval, and copies of them."""

from __future__ import annotations

from typing import Final

from llama_index.core.schema import BaseNode, MetadataMode

from rag_service.frameworks.page_texts import make_source
from rag_service.retrieval.types import Source, SourceKind

HEADER_PATH: Final = "header_path"
"""Key of the headings above a node, as LlamaIndex's own Markdown parser writes it: ``/outer/inner/``."""


def text_of(node: BaseNode) -> str:
    """A node's text without its metadata; empty for one that has none."""
    return node.get_content(metadata_mode=MetadataMode.NONE) or ""


def source_of(node: BaseNode, kind: SourceKind, id: str) -> Source:
    """A node as a source. Its headings count as part of its title."""
    source = make_source(text_of(node), node.metadata, kind, id=id)
    headings = node.metadata.get(HEADER_PATH)
    if not isinstance(headings, str) or not headings.strip("/ "):
        return source
    return Source(id, source.text, f"{source.title}\n{headings}".strip(), source.url, kind)


def copy_of(node: BaseNode) -> BaseNode:
    """A copy whose metadata and relationships may be changed without changing those of ``node``."""
    return node.model_copy(
        update={"metadata": dict(node.metadata), "relationships": dict(node.relationships)},
    )
