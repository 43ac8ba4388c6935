from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.retrieval.rank import Bm25, Collection, Index, lucene_idf, rank
from rag_service.retrieval.settings import RetrievalSettings
from rag_service.retrieval.types import Document, Passage, Source
from tests.retrieval.documents import index, passage

TEXTS = (
    "The harbour of the town was built in 1904 from grey stone.",
    "Grey stone is a common stone of the hills behind the town.",
    "Bread is baked in the morning, and fish is sold at noon.",
)


def test_idf_is_lucenes_and_never_negative() -> None:
    assert lucene_idf(3, 1) == pytest.approx(math.log(1 + 2.5 / 1.5))
    assert all(lucene_idf(total, found) > 0 for total in range(1, 9) for found in range(total + 1))


def test_one_passage_that_matches_scores_above_zero() -> None:
    assert index(TEXTS[:1]).scores("When was the harbour built?")[0] > 0
    everywhere = Bm25([{0: 1}, {0: 1}], [1, 1], Collection(2, 1.0, {0: 2}), 1.2, 0.75)
    assert min(everywhere.get_scores([0])) > 0


def test_scores_are_those_of_bm25_over_all_passages() -> None:
    made = Index(
        [passage(text) for text in TEXTS], settings=RetrievalSettings(gram_weight=0, pair_weight=0, title_weight=0)
    )
    k1, b = made.settings.k1, made.settings.b
    terms = [made.analyser.terms(text, "en") for text in TEXTS]
    mean = sum(map(len, terms)) / len(terms)
    for number, own in enumerate(terms):
        wanted = sum(
            lucene_idf(len(terms), sum(term in other for other in terms))
            * own.count(term)
            * (k1 + 1)
            / (own.count(term) + k1 * (1 - b + b * len(own) / mean))
            for term in made.query_terms("grey stone of the town", "en")
        )
        assert made.scores("grey stone of the town")[number] == pytest.approx(wanted)


def test_the_best_passage_is_first_and_strangers_are_noted() -> None:
    kept, notes = rank(index(TEXTS), "When was the harbour of the town built?")
    assert [one.number for one in kept] == [0, 1]
    assert [(noted.source_id, noted.kept) for noted in notes] == [("3", False)]
    assert "shares no term" in notes[0].reason


def test_candidates_are_bounded() -> None:
    made = Index(
        [passage(f"stone {number}", str(number)) for number in range(5)], settings=RetrievalSettings(candidates=2)
    )
    kept, notes = rank(made, "stone")
    assert [one.number for one in kept] == [0, 1]
    assert "best 2" in notes[0].reason


def test_what_stands_around_a_passage_counts_in_context_and_fades() -> None:
    text = "Bread is baked here. Fish is sold at noon. The harbour of the town was built in 1904. It is of stone."
    borders = [match.end() for match in re.finditer(r"\. ?", text)]
    source = Document(Source("1", text), text)
    made = Index(
        [
            *(Passage(source, number, start, end) for number, (start, end) in enumerate(pairwise([0, *borders]))),
            passage("The town sleeps.", "2"),
            passage("Hats are sold at nine.", "3"),
        ]
    )
    alone, _ = rank(made, "When was the harbour of the town built?")
    around, notes = rank(made, "When was the harbour of the town built?", in_context=True)
    assert [one.number for one in alone] == [2, 4]
    assert [one.number for one in around] == [2, 1, 3, 0, 4]
    assert [noted.source_id for noted in notes] == ["3"]
    own, weight, fade = alone[0].score, made.settings.context_weight, made.settings.context_fade
    assert [one.score for one in around[:4]] == pytest.approx(
        [own + weight * own, *(weight * fade * own,) * 2, weight * fade**2 * own]
    )


def test_a_title_lifts_its_passages() -> None:
    text = "It has two hundred rooms and a garden."
    made = Index([passage(text, "1", "The Harbour Inn"), passage(text, "2", "Hotel Hills")])
    scores = made.scores("rooms of the hotel on the hills")
    assert scores[1] > scores[0] > 0


def test_headings_lift_too_and_a_bare_one_counts_less() -> None:
    plain = passage("Opened daily at nine, closed on holidays.")
    made = Index([plain, replace(plain, headings=("Museum",))])
    low, high = made.scores("museum opened")
    assert high > low
    prose, heading = Index([passage("Old museum"), passage("Old museum", kind="heading")]).scores("museum")
    assert prose > heading


def test_parts_of_compounds_and_neighbours_count() -> None:
    compound = index(
        ["Die Donaudampfschifffahrt begann im Jahr 1829 in Wien.", "Das Brot ist gut und auch der Fisch."]
    )
    assert compound.scores("Wann begann das mit der Dampfschifffahrt?")[0] > 0
    near, far = index(["a red stone wall there", "a stone of this red wall"]).scores("red stone")
    assert near > far


def test_a_passage_in_a_language_of_its_own_does_not_rise_by_function_words() -> None:
    texts = [*TEXTS, "El puerto de la ciudad no es nuevo, pero the name of it was the same."]
    kept, _ = rank(index(texts), "What was the colour of the stone of the harbour?")
    assert kept[0].number == 0


def test_no_passages_have_no_scores() -> None:
    assert Index([]).scores("anything") == []
    assert rank(Index([]), "anything") == ([], [])


@settings(deadline=None)
@given(st.lists(st.text(max_size=40), max_size=6), st.text(max_size=40))
def test_any_texts_are_scored_from_zero_on(texts: list[str], question: str) -> None:
    scores = index(texts).scores(question)
    assert len(scores) == len(texts)
    assert all(math.isfinite(score) and score >= 0 for score in scores)


@pytest.mark.parametrize("wrong", [{"floor": 1.5}, {"k1": -1.0}, {"gram_weight": math.nan}, {"candidates": 0}])
def test_settings_refuse_what_they_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(RetrievalSettings(), **wrong)  # type: ignore[arg-type]
