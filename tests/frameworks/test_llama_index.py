from __future__ import annotations

import asyncio
import pickle
import threading
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_index.core import Document, SummaryIndex
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.schema import BaseNode, IndexNode, MetadataMode, NodeRelationship, TextNode

from rag_service.frameworks.llama_index import BM25PassageRetriever, PassageNodeParser
from rag_service.frameworks.llama_index import node_parser as parser_module
from rag_service.frameworks.llama_index import retriever as retriever_module
from rag_service.frameworks.search import PassageSearch
from rag_service.retrieval.segment import segment
from tests.frameworks.corpora import ARTICLE, CORPORA, FOOTER, MENU, PAGE

CORPUS = CORPORA["en"]
LONG = "\n\n".join(
    [
        "# Places",
        "Yes.",
        "## The lighthouse",
        "Yes. " + "The lighthouse of Amberly stands above the bay, and all know it. " * 12,
        "## The harbour",
        "Yes.",
        "The harbour was deepened twice for larger ships. " * 12,
    ]
)


def texts_of(nodes: list[BaseNode]) -> list[str]:
    return [node.get_content(metadata_mode=MetadataMode.NONE) for node in nodes]


def nodes_of(*texts: str) -> list[TextNode]:
    return [TextNode(text=text, id_=str(number)) for number, text in enumerate(texts)]


def test_passages_know_where_they_stand() -> None:
    document = Document(text=LONG, metadata={"file_name": "places.md"}, excluded_llm_metadata_keys=["file_name"])
    nodes = PassageNodeParser().get_nodes_from_documents([document])
    assert len(nodes) > 3
    for node in nodes:
        assert isinstance(node, TextNode)
        assert LONG[node.start_char_idx : node.end_char_idx] == node.text
        assert node.metadata["file_name"] == "places.md"
        assert node.ref_doc_id == document.doc_id
        assert node.excluded_llm_metadata_keys == ["file_name"]
    assert any(node.metadata.get("header_path", "").startswith("/Places/") for node in nodes)
    for one, other in pairwise(nodes):
        assert one.next_node is not None
        assert other.prev_node is not None
        assert (one.next_node.node_id, other.prev_node.node_id) == (other.node_id, one.node_id)
    assert document.metadata == {"file_name": "places.md"}


def test_a_text_that_came_before_does_not_move_the_offsets() -> None:
    text = "He said: A lamp. A lamp."
    nodes = PassageNodeParser(passage_tokens=4).get_nodes_from_documents([Document(text=text)])
    assert texts_of(nodes) == ["He said: A lamp.", "A lamp."]
    assert [(node.start_char_idx, node.end_char_idx) for node in nodes if isinstance(node, TextNode)] == [
        (0, 16),
        (17, 24),
    ]


def test_parsing_parts_again_keeps_their_document_and_place() -> None:
    document = Document(text=LONG, metadata={"a": 1})
    parts = PassageNodeParser(passage_tokens=200).get_nodes_from_documents([document])
    again = PassageNodeParser(passage_tokens=40)(parts)
    assert len(again) > len(parts)
    for node in again:
        assert isinstance(node, TextNode)
        assert LONG[node.start_char_idx : node.end_char_idx] == node.text
        assert node.relationships[NodeRelationship.SOURCE] == document.as_related_node_info()


def test_relations_and_metadata_can_be_left_out() -> None:
    parser = PassageNodeParser(include_metadata=False, include_prev_next_rel=False, id_func=lambda i, _: f"n{i}")
    nodes = parser.get_nodes_from_documents([Document(text=LONG, metadata={"a": 1})])
    assert [node.node_id for node in nodes] == [f"n{number}" for number in range(len(nodes))]
    assert all(node.metadata == {} and node.next_node is None for node in nodes)


def test_pages_are_cleaned_where_that_is_asked_for() -> None:
    parser = PassageNodeParser(remove_boilerplate=True)
    nodes = parser.get_nodes_from_documents([Document(text=PAGE)])
    text = "\n".join(texts_of(nodes))
    assert all(sentence in text for sentence in ARTICLE)
    assert not any(item in text for item in (*MENU, FOOTER, "<p>"))
    assert all(isinstance(node, TextNode) and node.start_char_idx is None for node in nodes)


def test_documents_without_text_have_no_nodes() -> None:
    assert PassageNodeParser().get_nodes_from_documents([]) == []
    assert PassageNodeParser().get_nodes_from_documents([Document(text=""), Document(text=" \n")]) == []


def test_an_embedding_of_the_document_is_none_of_its_parts() -> None:
    (node,) = PassageNodeParser().get_nodes_from_documents([Document(text="A lamp.", embedding=[1.0])])
    assert node.embedding is None


async def test_parsing_blocks_no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set()

    def watched(*args: Any, **kwargs: Any) -> Any:
        threads.add(threading.get_ident())
        return segment(*args, **kwargs)

    monkeypatch.setattr(parser_module, "segment", watched)
    parser = PassageNodeParser(id_func=lambda i, _: f"n{i}")
    document = Document(text=LONG)
    nodes = await parser.aget_nodes_from_documents([document])
    run = await IngestionPipeline(transformations=[parser]).arun(documents=[document])
    assert threads.isdisjoint({threading.get_ident()})
    assert texts_of(nodes) == texts_of(list(run)) == texts_of(parser.get_nodes_from_documents([document]))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=200), max_size=3), st.integers(1, 20), st.booleans())
def test_any_text_is_parsed(texts: list[str], tokens: int, pages: bool) -> None:
    parser = PassageNodeParser(passage_tokens=tokens, remove_boilerplate=pages)
    nodes = parser.get_nodes_from_documents([Document(text=text) for text in texts])
    if not pages:
        assert "".join("".join(texts_of(nodes)).split()) == "".join("".join(texts).split())


@pytest.mark.parametrize("name", CORPORA)
def test_every_script_is_found(name: str) -> None:
    corpus = CORPORA[name]
    found = BM25PassageRetriever(nodes_of(*corpus.texts[::-1])).retrieve(corpus.question)
    assert found[0].text == corpus.texts[0]
    assert found[0].get_score() > 0
    assert len(found) <= 2


def test_nodes_come_back_as_copies_with_all_they_have() -> None:
    nodes = PassageNodeParser().get_nodes_from_documents([Document(text=LONG, metadata={"title": "Amberly"})])
    before = [node.model_dump() for node in nodes]
    best = BM25PassageRetriever(nodes).retrieve("harbour ships")[0]
    given_one = next(node for node in nodes if node.node_id == best.node_id)
    assert best.node == given_one
    best.node.metadata["new"] = 1
    best.node.relationships.clear()
    assert [node.model_dump() for node in nodes] == before


def test_headings_above_a_node_count() -> None:
    text = "It was built of red stone long ago."
    nodes = [
        TextNode(text=f"{text} So it is.", metadata={"header_path": "/Places/Harbour/"}),
        TextNode(text=f"{text} So they say.", metadata={"header_path": "/Places/Lighthouse/"}),
    ]
    best = BM25PassageRetriever(nodes, similarity_top_k=1).retrieve("When was the lighthouse built?")[0]
    assert best.metadata["header_path"] == "/Places/Lighthouse/"


def test_fewer_come_where_there_are_no_more() -> None:
    retriever = BM25PassageRetriever(nodes_of(*CORPUS.texts), 50)
    assert 1 <= len(retriever.retrieve("lighthouse")) < len(CORPUS.texts)
    assert retriever.retrieve("zeppelin") == retriever.retrieve("") == []
    assert BM25PassageRetriever([]).retrieve("lighthouse") == []
    assert len(BM25PassageRetriever(nodes_of("A lighthouse."), 9).retrieve("lighthouse")) == 1
    assert len(BM25PassageRetriever(nodes_of(*["A lighthouse."] * 3), 9).retrieve("lighthouse")) == 1
    assert BM25PassageRetriever(nodes_of("", " ")).retrieve("lighthouse") == []


def test_less_than_one_is_refused() -> None:
    with pytest.raises(ValueError, match="0 nodes"):
        BM25PassageRetriever([], 0)
    retriever = BM25PassageRetriever(nodes_of("A lamp.", "Two lamps."), 2)
    retriever.similarity_top_k = 1
    assert len(retriever.retrieve("lamp")) == 1


def test_nodes_of_an_index_or_a_store() -> None:
    index = SummaryIndex(nodes_of(*CORPUS.texts))
    given_ones: list[dict[str, Any]] = [
        {"index": index},
        {"docstore": index.docstore},
        {"nodes": nodes_of(*CORPUS.texts)},
    ]
    for given_one in given_ones:
        found = BM25PassageRetriever.from_defaults(**given_one, similarity_top_k=1).retrieve(CORPUS.question)
        assert [one.text for one in found] == [CORPUS.texts[0]]
    wrongs: list[dict[str, Any]] = [{}, {"index": index, "nodes": []}]
    for wrong in wrongs:
        with pytest.raises(ValueError, match=r"0 of|2 of"):
            BM25PassageRetriever.from_defaults(**wrong)


def test_what_an_index_node_stands_for_is_retrieved() -> None:
    node = IndexNode(text="All about the lighthouse.", index_id="more", obj=TextNode(text="It is red."))
    assert [one.text for one in BM25PassageRetriever([node]).retrieve("lighthouse")] == ["It is red."]


async def test_retrieving_blocks_no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    built = []

    class Watched(PassageSearch):
        def __init__(self, *args: Any) -> None:
            built.append(threading.get_ident())
            super().__init__(*args)

    monkeypatch.setattr(retriever_module, "PassageSearch", Watched)
    retriever = BM25PassageRetriever(nodes_of(*CORPUS.texts))
    found = await asyncio.gather(*(retriever.aretrieve(CORPUS.question) for _ in range(5)))
    assert len(built) == 1
    assert built[0] != threading.get_ident()
    assert all(one == found[0] == retriever.retrieve(CORPUS.question) for one in found)


def test_it_is_pickled_without_its_index() -> None:
    retriever = BM25PassageRetriever(nodes_of(*CORPUS.texts))
    found = retriever.retrieve(CORPUS.question)
    assert pickle.loads(pickle.dumps(retriever)).retrieve(CORPUS.question) == found
