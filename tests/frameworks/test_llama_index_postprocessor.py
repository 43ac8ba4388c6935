from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_index.core.schema import (
    ImageNode,
    MetadataMode,
    Node,
    NodeRelationship,
    NodeWithScore,
    RelatedNodeInfo,
    TextNode,
)

from rag_service.frameworks.llama_index import PassagePostprocessor
from rag_service.frameworks.llama_index import postprocessor as module
from rag_service.retrieval.pack import pack
from rkllm_providers.errors import InvalidRequest
from tests.frameworks.corpora import CORPORA

CORPUS = CORPORA["en"]
FACT = CORPUS.texts[0]
QUESTION = CORPUS.question


def words(text: str) -> list[str]:
    return text.split()


def scored(*texts: str, **metadata: Any) -> list[NodeWithScore]:
    return [
        NodeWithScore(node=TextNode(text=text, id_=str(number), metadata=dict(metadata)), score=0.9 - number / 10)
        for number, text in enumerate(texts)
    ]


def packed(nodes: list[NodeWithScore], budget: int = 200, **settings: Any) -> list[NodeWithScore]:
    made = PassagePostprocessor(token_budget=budget, tokenizer=words, **settings)
    return made.postprocess_nodes(nodes, query_str=QUESTION)


def cost(nodes: list[NodeWithScore]) -> int:
    return len(words("\n\n".join(node.get_content(MetadataMode.LLM) for node in nodes)))


@pytest.mark.parametrize("name", CORPORA)
def test_what_answers_is_kept_in_every_script(name: str) -> None:
    corpus = CORPORA[name]
    made = PassagePostprocessor(token_budget=200, tokenizer=list)
    kept = made.postprocess_nodes(scored(*corpus.texts), query_str=corpus.question)
    assert kept[0].text == corpus.texts[0]
    assert kept[0].score == 0.9


def test_what_has_nothing_to_do_with_it_is_dropped_unless_attached() -> None:
    off = "The bread is baked in the morning here, and the fish that was caught at night is sold at noon."
    assert [node.text for node in packed(scored(FACT, off))] == [FACT]
    assert [node.text for node in packed(scored(FACT, off), kind="attached")] == [FACT, off]


def test_nodes_of_one_document_stand_or_fall_together() -> None:
    off = "The bread is baked in the morning here, and the fish that was caught at night is sold at noon."
    nodes = scored(FACT, off)
    for node in nodes:
        node.node.relationships[NodeRelationship.SOURCE] = RelatedNodeInfo(node_id="page")
    assert [node.node_id for node in packed(nodes)] == ["0", "1"]


def test_copies_of_better_nodes_are_dropped() -> None:
    nodes = scored(FACT, f"{FACT} ", FACT.replace("1874", "1974"))
    assert [node.node_id for node in packed(nodes)] == ["0", "2"]


def test_the_best_sentences_of_what_does_not_fit_are_kept_with_their_place() -> None:
    filler = "People come from all over the country and like to walk along the bay in the evening."
    text = f"{FACT} {filler} {filler} The lighthouse of Amberly is red and was built well."
    nodes = scored(text)
    node = nodes[0].node
    assert isinstance(node, TextNode)
    node.start_char_idx, node.end_char_idx = 100, 100 + len(text)
    (kept,) = packed(nodes, 24)
    assert kept.text == f"{FACT}\n…\nThe lighthouse of Amberly is red and was built well."
    assert isinstance(kept.node, TextNode)
    assert (kept.node.start_char_idx, kept.node.end_char_idx) == (100, 100 + len(text))
    assert node.text == text


def test_metadata_that_the_model_reads_is_counted() -> None:
    nodes = scored(FACT, author="one two three four five six seven")
    assert cost(packed(nodes, 30)) == cost(nodes)
    assert cost(packed(nodes, 15)) <= 15
    for node in nodes:
        node.node.excluded_llm_metadata_keys = ["author"]
    assert packed(nodes, 12)[0].text == FACT


def test_two_documents_share_the_budget() -> None:
    first = " ".join(f"The lighthouse of Amberly was built by {name} of Amberly." for name in ("A", "B", "C", "D"))
    kept = packed(scored(first, "The lighthouse of Amberly was not built in one year."), 32)
    assert [node.node_id for node in kept] == ["0", "1"]


@pytest.mark.parametrize("scores", [[None, None], [-3.0, -7.0], [0.0, 0.0], [float("nan"), 1.0]])
def test_nodes_without_a_score_count_by_their_place(scores: list[float | None]) -> None:
    nodes = scored(FACT, CORPUS.texts[1])
    for node, score in zip(nodes, scores, strict=True):
        node.score = score
    assert packed(nodes)[0].text == FACT
    assert [one.score for one in packed(nodes)[:1]] == pytest.approx(scores[:1], nan_ok=True)


def test_nodes_without_text_are_left_out_and_told() -> None:
    nodes = [*scored(FACT), *(NodeWithScore(node=node) for node in (TextNode(), Node(), ImageNode(image="aGk=")))]
    kept, notes = PassagePostprocessor(token_budget=50, tokenizer=words).explain(nodes, QUESTION)
    assert [node.text for node in kept] == [FACT]
    assert sum(note.reason == "has no text" for note in notes) == 3


def test_notes_tell_of_each_node() -> None:
    nodes = scored(FACT, FACT, "A violin has four strings, and they are tuned in fifths by all who play it.")
    kept, notes = PassagePostprocessor(token_budget=50, tokenizer=words).explain(nodes, QUESTION)
    assert [node.node_id for node in kept] == ["0"]
    assert {(note.source_id, note.stage, note.kept) for note in notes} == {
        ("0", "pack", True),
        ("1", "dedupe", False),
        ("2", "gate", False),
    }


def test_nothing_and_no_question() -> None:
    made = PassagePostprocessor(token_budget=50, tokenizer=words)
    assert made.postprocess_nodes([], query_str=QUESTION) == []
    assert made.postprocess_nodes(scored(FACT), query_str="")[0].text == FACT
    with pytest.raises(InvalidRequest, match="query"):
        made.postprocess_nodes(scored(FACT))


def test_the_global_tokenizer_counts_where_there_is_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []

    def count(text: str) -> list[str]:
        counted.append(text)
        return words(text)

    monkeypatch.setattr("llama_index.core.global_tokenizer", count)
    assert PassagePostprocessor(token_budget=50).postprocess_nodes(scored(FACT), query_str=QUESTION)
    assert counted


def test_nodes_given_are_not_changed() -> None:
    nodes = scored(f"{FACT} {CORPUS.texts[2]} {CORPUS.texts[3]}", *CORPUS.texts, author="me")
    before = [node.model_dump() for node in nodes]
    for node in packed(nodes, 20):
        node.node.metadata["new"] = 1
        node.node.relationships.clear()
    assert [node.model_dump() for node in nodes] == before


async def test_it_blocks_no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set()

    def watched(*args: Any) -> Any:
        threads.add(threading.get_ident())
        return pack(*args)

    monkeypatch.setattr(module, "pack", watched)
    made = PassagePostprocessor(token_budget=50, tokenizer=words)
    kept = await made.apostprocess_nodes(scored(*CORPUS.texts), query_str=QUESTION)
    assert threads.isdisjoint({threading.get_ident()})
    assert kept == packed(scored(*CORPUS.texts), 50)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=120), max_size=5), st.text(max_size=30), st.integers(1, 40), st.booleans())
def test_the_budget_holds_for_any_text(texts: list[str], query: str, budget: int, web: bool) -> None:
    nodes = scored(*texts, author="a b")
    made = PassagePostprocessor(token_budget=budget, tokenizer=words, kind="web" if web else "attached")
    kept = made.postprocess_nodes(nodes, query_str=query)
    assert cost(kept) <= budget
    assert {node.node_id for node in kept} <= {node.node_id for node in nodes}
