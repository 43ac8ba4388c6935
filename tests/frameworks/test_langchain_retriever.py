from __future__ import annotations

import asyncio
import copy
import pickle
import threading
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import ConfigurableField
from langchain_tests.integration_tests import RetrieversIntegrationTests
from pydantic import ValidationError

from rag_service.frameworks.langchain import BM25PassageRetriever
from rag_service.frameworks.langchain import collection as collection_module
from rag_service.frameworks.search import PassageSearch
from tests.frameworks.corpora import CORPORA

CORPUS = CORPORA["en"]
LONG = "\n\n".join(
    [
        "# Places",
        "## The lighthouse",
        "The lighthouse of Amberly was built of red stone in 1874. "
        + "It stands above the bay, and all know it. " * 9,
        "## The harbour",
        "The harbour was deepened twice for larger ships, and has two piers of wood. " + "Fish is sold there. " * 20,
    ]
)


class TestStandard(RetrieversIntegrationTests):
    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return BM25PassageRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {
            "documents": [Document(page_content=f"In town {number} there is a lighthouse.") for number in range(9)]
        }

    @property
    def retriever_query_example(self) -> str:
        return "Which town has a lighthouse?"


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The thread of each index that is built."""
    threads: list[int] = []

    class Watched(PassageSearch):
        def __init__(self, *args: Any) -> None:
            threads.append(threading.get_ident())
            super().__init__(*args)

    monkeypatch.setattr(collection_module, "PassageSearch", Watched)
    return threads


@pytest.mark.parametrize("name", CORPORA)
def test_every_script_is_found(name: str) -> None:
    corpus = CORPORA[name]
    found = BM25PassageRetriever.from_texts(corpus.texts[::-1], k=1).invoke(corpus.question)
    assert [one.page_content for one in found] == [corpus.texts[0]]


def test_passages_tell_where_they_are_from() -> None:
    document = Document(page_content=LONG, metadata={"source": "places.md", "page": 3}, id="p")
    found = BM25PassageRetriever.from_documents([document], k=10).invoke("When was the lighthouse built?")
    best = found[0]
    assert "1874" in best.page_content
    assert best.metadata["source"] == "places.md"
    assert best.metadata["page"] == 3
    assert "Places" in best.metadata["headings"]
    assert best.metadata["score"] == max(one.metadata["score"] for one in found) > 0
    assert 0 < best.metadata["relevance"] <= 1
    for one in found:
        assert LONG[one.metadata["start_index"] : one.metadata["end_index"]] == one.page_content
    assert len({one.id for one in found}) == len(found)
    assert all(one.id is not None and one.id.startswith("p:") for one in found)


def test_offsets_of_split_documents_are_in_the_text_they_were_cut_from() -> None:
    place = LONG.index("The harbour was")
    split = Document(page_content=LONG[place:], metadata={"start_index": place})
    (found,) = BM25PassageRetriever(documents=[split], passage_tokens=None).invoke("harbour")
    assert LONG[found.metadata["start_index"] : found.metadata["end_index"]] == found.page_content.rstrip()
    assert found.metadata["source"] == ""


def test_documents_given_are_not_changed() -> None:
    documents = [Document(page_content=text, metadata={"tags": ["a"]}) for text in CORPUS.texts]
    before = copy.deepcopy(documents)
    found = BM25PassageRetriever.from_documents(documents).invoke(CORPUS.question)
    found[0].metadata["headings"].append("new")
    found[0].metadata["new"] = 1
    assert documents == before


def test_fewer_come_where_there_are_no_more() -> None:
    retriever = BM25PassageRetriever.from_texts(CORPUS.texts, k=50)
    assert 1 <= len(retriever.invoke("lighthouse")) < len(CORPUS.texts)
    assert retriever.invoke("zeppelin") == retriever.invoke("") == []
    assert BM25PassageRetriever(documents=[]).invoke("lighthouse") == []
    assert BM25PassageRetriever.from_texts([]).invoke("lighthouse") == []
    assert len(BM25PassageRetriever.from_texts(["A lighthouse."], k=9).invoke("lighthouse")) == 1


def test_the_same_text_comes_once() -> None:
    assert len(BM25PassageRetriever.from_texts([CORPUS.texts[0]] * 4).invoke(CORPUS.question)) == 1


async def test_k_of_a_call_wins() -> None:
    retriever = BM25PassageRetriever.from_texts(["A red lamp.", "A blue lamp.", "A green lamp."], k=2)
    assert [len(retriever.invoke("lamp", k=k)) for k in (1, 3)] == [1, 3]
    assert len(await retriever.ainvoke("lamp", k=3)) == 3
    assert len(retriever.invoke("lamp")) == 2
    with pytest.raises(ValueError, match="0 passages"):
        retriever.invoke("lamp", k=0)


@pytest.mark.parametrize("wrong", [{"k": 0}, {"passage_tokens": 0}, {"kind": "other"}])
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BM25PassageRetriever(documents=[], **wrong)


@pytest.mark.parametrize("wrong", ["text", ["text"], Document(page_content="a"), 7])
def test_what_are_no_documents_is_refused(wrong: Any) -> None:
    with pytest.raises(ValidationError, match="from_texts"):
        BM25PassageRetriever(documents=wrong)


def test_one_metadata_and_id_for_each_text() -> None:
    (found,) = BM25PassageRetriever.from_texts(["A lamp."], [{"source": "s"}], ["i"]).invoke("lamp")
    assert (found.metadata["source"], found.id) == ("s", "i:0-7")
    with pytest.raises(ValueError, match="1 texts, 2 metadatas and 1 ids"):
        BM25PassageRetriever.from_texts(["A lamp."], [{}, {}])


async def test_the_loop_is_not_blocked(built: list[int]) -> None:
    retriever = BM25PassageRetriever.from_texts(CORPUS.texts)
    assert built == []
    found = await asyncio.gather(*(retriever.ainvoke(CORPUS.question) for _ in range(5)))
    assert len(built) == 1
    assert built[0] != threading.get_ident()
    assert all(one == found[0] for one in found)
    assert found[0] == retriever.invoke(CORPUS.question)


def test_copies_share_an_index(built: list[int]) -> None:
    retriever = BM25PassageRetriever.from_texts(CORPUS.texts, k=1)
    configurable = retriever.configurable_fields(k=ConfigurableField(id="k"))
    assert len(configurable.invoke("Amberly", {"configurable": {"k": 2}})) == 2
    assert len(configurable.invoke("Amberly")) == 1
    assert len(retriever.model_copy(update={"k": 2}).invoke("Amberly")) == 2
    assert len(copy.deepcopy(retriever).invoke("Amberly")) == 1
    assert len(built) == 1
    retriever.model_copy(update={"passage_tokens": None}).invoke("Amberly")
    assert len(built) == 2


def test_a_copy_with_other_documents_searches_these() -> None:
    retriever = BM25PassageRetriever.from_texts(["A lamp."])
    other = retriever.model_copy(update={"documents": [Document(page_content="A violin.")]})
    assert other.invoke("lamp") == []
    assert len(other.invoke("violin")) == 1


def test_it_is_pickled_without_its_index() -> None:
    retriever = BM25PassageRetriever.from_texts(CORPUS.texts, k=2)
    found = retriever.invoke(CORPUS.question)
    again = pickle.loads(pickle.dumps(retriever))
    assert again.invoke(CORPUS.question) == found
    assert again == retriever
    assert "lighthouse" not in repr(again)
