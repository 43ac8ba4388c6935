from __future__ import annotations

import asyncio
import pickle
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document

from rag_service.frameworks.langchain import BoilerplateRemover
from rag_service.frameworks.langchain import remover as module
from rag_service.retrieval.clean import clean
from rag_service.retrieval.types import Document as Cleaned
from rag_service.retrieval.types import Source
from tests.frameworks.corpora import ARTICLE, FLATTENED, FOOTER, MENU, PAGE

REMOVER = BoilerplateRemover()


def document(text: str, **metadata: object) -> Document:
    return Document(page_content=text, metadata=metadata, id="one")


@pytest.mark.parametrize("text", [PAGE, FLATTENED], ids=["html", "flattened"])
def test_the_article_stays_and_the_page_goes(text: str) -> None:
    (cleaned,) = REMOVER.transform_documents([document(text, source="https://a.test/")])
    assert all(sentence in cleaned.page_content for sentence in ARTICLE)
    assert not any(item in cleaned.page_content for item in (*MENU, FOOTER, "<p>"))
    assert (cleaned.id, cleaned.metadata["source"]) == ("one", "https://a.test/")


def test_a_page_s_title_is_told_unless_there_is_one() -> None:
    untitled, titled = REMOVER.transform_documents([document(PAGE), document(PAGE, title="Mine")])
    assert untitled.metadata["title"] == "The lighthouse of Amberly"
    assert titled.metadata["title"] == "Mine"


def test_notes_tell_what_went_and_where_it_was() -> None:
    (cleaned,) = BoilerplateRemover(keep_notes=True).transform_documents([document(FLATTENED)])
    removed = cleaned.metadata["removed"]
    assert all(one["reason"] and FLATTENED[one["start"] : one["end"]] == one["text"] for one in removed)
    assert all(any(item in one["text"] for one in removed) for item in (*MENU, FOOTER))
    assert "removed" not in REMOVER.transform_documents([document(FLATTENED)])[0].metadata


def test_what_is_html_may_be_said() -> None:
    (as_text,) = BoilerplateRemover(html=False, kind="attached").transform_documents([document(PAGE)])
    assert "<p>" in as_text.page_content
    (as_html,) = BoilerplateRemover(html=True).transform_documents([document(f"Hi <b>{ARTICLE[0]}</b>")])
    assert "<b>" not in as_html.page_content


def test_empty_documents_come_back_empty() -> None:
    assert REMOVER.transform_documents([]) == []
    assert [one.page_content for one in REMOVER.transform_documents([document(""), document(" \n ")])] == ["", ""]


def test_documents_given_are_not_changed() -> None:
    given_one = document(PAGE, source="a")
    before = given_one.model_copy(deep=True)
    BoilerplateRemover(keep_notes=True).transform_documents([given_one])
    assert given_one == before


async def test_the_asynchronous_twin_gives_the_same_from_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set()

    def watched(source: Source) -> Cleaned:
        threads.add(threading.get_ident())
        return clean(source)

    monkeypatch.setattr(module, "clean", watched)
    documents = [document(PAGE), document(FLATTENED)]
    cleaned = await REMOVER.atransform_documents(documents)
    assert threads
    assert threads.isdisjoint({threading.get_ident()})
    assert cleaned == REMOVER.transform_documents(documents)


async def test_cancelling_stops_before_the_next_document(monkeypatch: pytest.MonkeyPatch) -> None:
    began, go_on = threading.Event(), threading.Event()
    read = []

    def held(source: Source) -> Cleaned:
        read.append(source)
        began.set()
        assert go_on.wait(20)
        return clean(source)

    monkeypatch.setattr(module, "clean", held)
    task = asyncio.create_task(REMOVER.atransform_documents([document(PAGE)] * 3))
    assert await asyncio.to_thread(began.wait, 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    assert len(read) == 1


def test_it_is_a_value_that_can_be_pickled() -> None:
    remover = BoilerplateRemover(kind="attached", keep_notes=True)
    assert pickle.loads(pickle.dumps(remover)) == remover


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=300), st.sampled_from([True, False, "auto"]), st.booleans())
def test_any_text_is_taken(text: str, html: bool, web: bool) -> None:
    remover = BoilerplateRemover(html=html, kind="web" if web else "attached", keep_notes=True)
    assert len(remover.transform_documents([document(text)])) == 1
