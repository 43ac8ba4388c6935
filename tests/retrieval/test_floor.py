from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.retrieval.floor import Relevance, apply_floor, judge
from rag_service.retrieval.rank import rank
from rag_service.retrieval.settings import RetrievalSettings
from rag_service.retrieval.types import SourceKind
from tests.retrieval.documents import index

QUESTION = "When was the old harbour of the town built by the king?"
GEESE = "Where do wild geese fly in autumn?"
GOOD = "The old harbour of the town was built by the king in 1904."
BAD = "Bread is baked in the morning, and the fish that was sold at noon is not there by then."


def test_relevance_is_one_for_what_has_all_and_zero_for_what_has_nothing() -> None:
    relevance = Relevance(index([GOOD, BAD]), QUESTION)
    assert relevance.of_passages([0, 1]) == pytest.approx([1, 0])
    assert relevance.of_pieces([GOOD, BAD], [0, 1]) == [(pytest.approx(1), True), (0, False)]


def test_relevance_of_one_passage_alone_is_that_among_many() -> None:
    part = "The harbour was built in 1904."
    alone = Relevance(index([part]), QUESTION).of_passages([0])[0]
    among = Relevance(index([part, *[f"{BAD} {number}" for number in range(20)]]), QUESTION).of_passages([0])[0]
    assert alone == pytest.approx(among, abs=0.1)
    assert RetrievalSettings().floor < alone < 1


def test_relevance_rises_with_what_is_covered_and_with_nearness() -> None:
    filler = " and there are many other houses with rooms and doors" * 12
    near = f"The old harbour was there.{filler}"
    far = f"The old house was there.{filler} The harbour."
    relevance = Relevance(index([near, far, GOOD]), QUESTION)
    assert relevance.of_passages([1])[0] < relevance.of_passages([0])[0] < relevance.of_passages([2])[0]


def test_inflected_words_and_shared_characters_count_in_part() -> None:
    assert Relevance(index(["Die Hafenverwaltungen"]), "Hafenverwaltungsgebäude").of_passages([0])[0] > 0.3
    pairs = Relevance(index(["老港口在城里"]), "老港和港口")
    assert 0 < pairs.of_passages([0])[0] < 1


@pytest.mark.parametrize(("kind", "left"), [("web", 0), ("attached", 1)])
def test_only_what_a_search_found_can_all_fall(kind: SourceKind, left: int) -> None:
    made = index([f"{BAD} The town was there."], kind=kind)
    relevance = Relevance(made, QUESTION)
    kept, notes = apply_floor(judge(rank(made, QUESTION)[0], relevance), relevance, 0.9)
    assert len(kept) == left
    assert len(notes) == 1 - left


@pytest.mark.parametrize(
    "question", ["Wann wurde der alte Hafen der Stadt gebaut?", "这个港口是什么时候建的", "RK3588", ""]
)
def test_another_language_cannot_be_judged(question: str) -> None:
    made = index([GOOD, "RK3588 2024"], kind="web")
    assert Relevance(made, QUESTION).comparable(0)
    assert not Relevance(made, QUESTION).comparable(1)
    assert not Relevance(made, question).comparable(0)
    ranked, _ = rank(made, question)
    assert apply_floor(judge(ranked, Relevance(made, question)), Relevance(made, question), 1.0) == (
        judge(ranked, Relevance(made, question)),
        [],
    )


@settings(deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=5), st.text(max_size=60))
def test_relevance_of_any_text_is_a_share(texts: list[str], question: str) -> None:
    relevance = Relevance(index(texts), question)
    assert all(0 <= value <= 1 + 1e-9 for value in relevance.of_passages(range(len(texts))))


@pytest.mark.parametrize("question", [f"{QUESTION} {GEESE}", f"{GEESE} {QUESTION}"])
def test_what_answers_one_of_two_questions_is_relevant(question: str) -> None:
    relevance = Relevance(index([GOOD, BAD]), question)
    assert relevance.of_passages([0])[0] == pytest.approx(1)
    assert not relevance.of_pieces([GOOD], [0])[0][1]
