"""``PassageNodeParser``: documents as passages, on the borders of their blocks and sentences."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from llama_index.core.node_parser import NodeParser
from llama_index.core.node_parser.node_utils import build_nodes_from_splits
from llama_index.core.schema import BaseNode, Document, NodeRelationship, TextNode
from llama_index.core.utils import get_tqdm_iterable
from pydantic import Field

from rag_service.frameworks.llama_index.nodes import HEADER_PATH, text_of
from rag_service.frameworks.page_texts import Markup, is_markup, make_source
from rag_service.retrieval.clean import clean
from rag_service.retrieval.segment import DEFAULT_TOKENS, segment
from rag_service.retrieval.types import Document as ReadDocument
from rag_service.retrieval.types import Passage


class PassageNodeParser(NodeParser):
    """Cuts documents into passages: no sentence and no row of a table is cut, headings stay with what they head.

    Nodes have the metadata of their document and, under headings, a ``header_path``; ``start_char_idx`` and
    ``end_char_idx`` are exact, and ``None`` where boilerplate was removed. A table that goes on has its first row as
    the last part of the path. White space at the ends of passages is left out, and nothing else.

    Example:
        >>> nodes = PassageNodeParser().get_nodes_from_documents(documents)  # doctest: +SKIP
    """

    passage_tokens: int = Field(default=DEFAULT_TOKENS, gt=0)
    """About so many tokens are a passage, by an estimate from its script; at most a third more."""
    remove_boilerplate: bool = False
    """Take menus, footers and banners out first: the documents are pages."""
    html: Markup = "auto"
    """Whether such pages are HTML; ``"auto"`` looks at each and at its media type in the metadata."""

    @classmethod
    def class_name(cls) -> str:
        """The name under which LlamaIndex serialises objects of this class."""
        return "PassageNodeParser"

    def _parse_nodes(self, nodes: Sequence[BaseNode], show_progress: bool = False, **kwargs: Any) -> list[BaseNode]:
        parsed: list[BaseNode] = []
        for node in get_tqdm_iterable(nodes, show_progress, "Parsing nodes"):
            parsed += self._parts(node)
        return parsed

    async def _aparse_nodes(
        self, nodes: Sequence[BaseNode], show_progress: bool = False, **kwargs: Any
    ) -> list[BaseNode]:
        return await asyncio.to_thread(self._parse_nodes, nodes, show_progress, **kwargs)

    async def aget_nodes_from_documents(
        self, documents: Sequence[Document], show_progress: bool = False, **kwargs: Any
    ) -> list[BaseNode]:
        """The asynchronous twin of ``get_nodes_from_documents``, all of it in a thread."""
        return await asyncio.to_thread(self.get_nodes_from_documents, documents, show_progress, **kwargs)

    def _postprocess_parsed_nodes(self, nodes: list[BaseNode], parent_doc_map: dict[str, Document]) -> list[BaseNode]:
        # The framework would look for each text in its document, and find an earlier one of the same words.
        return super()._postprocess_parsed_nodes(nodes, {})

    def _parts(self, node: BaseNode) -> list[TextNode]:
        text = text_of(node)
        source = make_source(text, node.metadata, "web")
        if self.remove_boilerplate:
            html = is_markup(text, node.metadata, self.html)
            document = clean(make_source(text, node.metadata, "web", html=html))
        else:
            document = ReadDocument(source, text)
        passages = segment(document, tokens=self.passage_tokens)
        made = build_nodes_from_splits([passage.text for passage in passages], node, id_func=self.id_func)
        for part, passage in zip(made, passages, strict=True):
            self._describe(part, passage, node)
        return made

    def _describe(self, part: TextNode, passage: Passage, node: BaseNode) -> None:
        part.embedding = None  # that of the whole document is none of a part
        part.relationships = {NodeRelationship.SOURCE: node.source_node or node.as_related_node_info()}
        if not self.remove_boilerplate:
            base = (node.start_char_idx or 0) if isinstance(node, TextNode) else 0
            part.start_char_idx, part.end_char_idx = base + passage.start, base + passage.end
        if self.include_metadata:
            part.metadata = dict(node.metadata)
            if passage.headings:
                above = str(node.metadata.get(HEADER_PATH) or "/")
                part.metadata[HEADER_PATH] = above + "/".join(passage.headings) + "/"
