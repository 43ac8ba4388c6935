from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.retrieval.floor import Relevance
from rag_service.retrieval.pack import Packed, in_order, pack, render_sources, spread
from rag_service.retrieval.rank import Index, rank
from rag_service.retrieval.settings import RetrievalSettings
from rag_service.retrieval.types import Document, Passage, Source
from tests.retrieval.documents import count_bytes, index, passage

FILL = " ".join(f"Nothing of note happened in village {number} that summer." for number in range(12))
FACT = "The old harbour was built in 1904."


def packed(made: Index, question: str, budget: int) -> Packed:
    return pack(rank(made, question)[0], Relevance(made, question), budget, count_bytes, RetrievalSettings())[0]


def test_the_sentence_that_answers_is_what_fits() -> None:
    made = index([f"{FILL} {FACT} {FILL}"])
    result = packed(made, "When was the old harbour built?", 40)
    assert FACT in "".join(piece.text for piece in result.passages)
    assert result.tokens == count_bytes(render_sources(result.passages)) <= 40


def test_two_sources_that_match_share_the_room() -> None:
    harbour = " ".join(f"The harbour of Aston has pier {number} and harbour lights." for number in range(30))
    made = index([harbour, "The harbour of Burton has no piers at all."])
    result = packed(made, "Compare the harbour of Aston and the harbour of Burton", 150)
    assert {piece.document.source.id for piece in result.passages} == {"1", "2"}


def test_pieces_stand_in_the_order_of_their_text_and_touching_ones_are_one() -> None:
    text = "Harbour one is grey. Harbour two is red. Bread is good. Harbour three is blue and grey."
    document = Document(Source("1", text), text)
    made = Index([Passage(document, 0, 0, 40), Passage(document, 1, 41, len(text))])
    result = packed(made, "harbour grey", 500)
    assert [(piece.start, piece.end) for piece in result.passages] == [(0, len(text))]


def test_a_neighbour_counts_across_the_border_of_passages() -> None:
    text = "Fish is sold there. It opened in 1904. The old harbour is of grey stone."
    border = text.index("The old")
    document = Document(Source("1", text), text)
    made = Index([Passage(document, 0, 0, border - 1), Passage(document, 1, border, len(text))])
    question = "Is the old harbour of stone?"
    ranked, _ = rank(made, question, in_context=True)
    wanted = Passage(document, 0, text.index("It"), len(text))
    room = count_bytes(render_sources([wanted]))
    kept, _ = pack(ranked, Relevance(made, question), room, count_bytes, RetrievalSettings())
    assert [piece.text for piece in kept.passages] == [wanted.text]


def test_what_is_worth_little_is_left_out_though_there_is_room() -> None:
    made = index([FACT, "A harbour is a place.", "Bread is sold here."])
    question = "When was the old harbour built?"
    ranked, _ = rank(made, question)
    relevance = Relevance(made, question)
    for least, expected in ((0.0, ["1", "2"]), (0.6, ["1"])):
        kept, notes = pack(ranked, relevance, 500, count_bytes, RetrievalSettings(), least=least)
        assert [piece.document.source.id for piece in kept.passages] == expected
    assert [(told.source_id, told.kept) for told in notes] == [("1", True), ("2", False)]
    assert "worth less" in notes[1].reason


def test_a_sentence_larger_than_the_room_is_cut_at_a_word() -> None:
    result = packed(index(["harbour " * 400]), "harbour", 30)
    assert result.passages[0].text.split(" ")[-1] == "harbour"
    assert 20 <= result.tokens <= 30


def test_what_fits_nowhere_leaves_nothing() -> None:
    assert packed(index([FACT]), "harbour", 1) == Packed((), 0)
    assert packed(index([FACT]), "bread", 100) == Packed((), 0)


def test_coverage_takes_beginning_end_and_between() -> None:
    passages = [passage(f"Part {number} of it.", str(number)) for number in range(21)]
    chosen = [int(one.document.source.id) for one in spread(passages, 70, count_bytes).passages]
    assert chosen == sorted(chosen)
    assert chosen[:1] == [0]
    assert chosen[-1] == 20
    assert len(chosen) >= 3


def test_order_is_kept_from_the_beginning_on() -> None:
    passages = [passage(f"Part {number} of it.", str(number)) for number in range(21)]
    result = in_order(passages, 60, count_bytes)
    assert [one.document.source.id for one in result.passages] == [
        str(number) for number in range(len(result.passages))
    ]
    assert 0 < len(result.passages) < 21


@settings(deadline=None)
@given(
    st.lists(st.text(min_size=1, max_size=300), max_size=5),
    st.text(max_size=30),
    st.integers(0, 120),
)
def test_any_text_is_packed_within_the_budget_and_verbatim(texts: list[str], question: str, budget: int) -> None:
    made = index(texts)
    for result in (
        packed(made, question, budget),
        spread(made.passages, budget, count_bytes),
        in_order(made.passages, budget, count_bytes),
    ):
        assert result.tokens == (count_bytes(render_sources(result.passages)) if result.passages else 0) <= budget
        assert all(piece.text == piece.document.text[piece.start : piece.end] != "" for piece in result.passages)
